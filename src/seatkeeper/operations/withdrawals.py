"""Withdrawals: a change that waits is taken back."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.ids import ChangeId, OrganizationId
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.attempts import in_flight
from seatkeeper.operations.changes import CHANGES, Change, change_of
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.invoices import INVOICES
from seatkeeper.operations.payments import withdraw
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.operations.words import Command
from seatkeeper.store.seats import SEATS

WAITING: Final = ("scheduled", "awaiting_payment")


class CancelChange(Command):
    """A change that waits for the end of a period or for its payment."""

    organization: OrganizationId
    change: ChangeId


async def cancel(ctx: Context, command: CancelChange) -> Change:
    """Take back a change that has not taken effect; twice succeeds.

    One that waits for a payment on a rail cannot be taken back while the rail may still say yes.
    Refuses: contract_managed (what was agreed in an amendment), not_found, request_in_progress,
    precondition_failed, state_conflict. Source: A29, T32.
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
        if (row["slot"] or "").startswith("amendment:") and not ctx.by_account_manager():
            raise Refused(refuse(Code.CONTRACT_MANAGED))
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
                await db.rows(SEATS.lock_pools, organization_id=ctx.organization_id)
                await db.run(
                    CHANGES.set_ceiling,
                    organization_id=ctx.organization_id,
                    ceiling=QUANTITY_MAX,
                )
                # Seats above the limit that does not come are free again. Source: S-15.
                await serve_waiting(ctx, db)
        found = await db.one(
            CHANGES.one, organization_id=ctx.organization_id, change_id=command.change
        )
        return change_of(found)
