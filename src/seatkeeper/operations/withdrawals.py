"""Withdrawals: a change that waits is taken back."""

from __future__ import annotations

from typing import Final

import msgspec

from seatkeeper.domain.ids import ChangeId, OrganizationId
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.domain.withdrawals import decide_undo, decide_withdraw
from seatkeeper.operations.accounts import asker_of
from seatkeeper.operations.attempts import in_flight
from seatkeeper.operations.changes import CHANGES, Change, change_of
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.effect_words import Effect
from seatkeeper.operations.invoices import INVOICES
from seatkeeper.operations.payments import withdraw
from seatkeeper.operations.queue import follow_ceiling
from seatkeeper.operations.words import Command
from seatkeeper.store.database import Db, Row

WAITING: Final = ("scheduled", "awaiting_payment")


class CancelChange(Command):
    """A change that waits for the end of a period or for its payment."""

    organization: OrganizationId
    change: ChangeId


async def cancel(ctx: Context, command: CancelChange) -> Change:
    """Take back a change that has not taken effect; twice succeeds.

    Whoever may ask for it may take it back, until its instant. One that waits for a payment on a
    rail cannot be taken back while the rail may still say yes. Refuses: contract_managed (where
    the account manager asks for it, or it was agreed in an amendment), forbidden, not_found,
    request_in_progress, precondition_failed, state_conflict. Source: A29, A31, T32, T-9.
    """
    async with ctx.transaction() as db:
        await db.row(CHANGES.lock_subscriptions, organization_id=ctx.organization_id)
        row = await db.row(
            CHANGES.lock, organization_id=ctx.organization_id, change_id=command.change
        )
        if row is None:
            raise not_found()
        if ctx.if_match is not None and ctx.if_match != row["version"]:
            raise Refused(refuse(Code.PRECONDITION_FAILED, version=row["version"]))
        if row["state"] == "canceled":
            return change_of(row)
        if row["state"] not in WAITING:
            raise Refused(refuse(Code.STATE_CONFLICT, state=row["state"]))
        if (refusal := await _decide(ctx, db, row)) is not None:
            raise Refused(refusal)
        if row["state"] == "awaiting_payment":
            invoice = await db.one(
                INVOICES.lock,
                organization_id=ctx.organization_id,
                invoice_id=row["invoice_id"],
            )
            asked = await in_flight(ctx, db, row["invoice_id"])
            if invoice["state"] == "draft" or asked:
                raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
            await withdraw(ctx, db, invoice)
        else:
            await db.run(
                CHANGES.close,
                organization_id=ctx.organization_id,
                change_id=command.change,
                state="canceled",
                failure=None,
                now=ctx.now,
            )
            if row["slot"] == "plan":
                await follow_ceiling(ctx, db)
        found = await db.one(
            CHANGES.one, organization_id=ctx.organization_id, change_id=command.change
        )
        return change_of(found)


async def _decide(ctx: Context, db: Db, row: Row) -> Refusal | None:
    found = await db.one(
        CHANGES.plan_of, organization_id=ctx.organization_id, change_id=row["change_id"]
    )
    plan = await ctx.engine.plan(db, found["plan_version_id"])
    terms = msgspec.convert(row["effect"], Effect).terms
    coming = None if terms is None else await ctx.engine.plan(db, terms.plan_version_id)
    by_amendment = (row["slot"] or "").startswith("amendment:")
    refusal = decide_withdraw(row["kind"], plan, coming, asker_of(ctx), by_amendment=by_amendment)
    if refusal is None and row["state"] == "scheduled":
        refusal = decide_undo(row["effective_at"], ctx.now)
    return refusal
