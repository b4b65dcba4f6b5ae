"""Settlements: the payment of a change is noted, asked for, and makes or breaks the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from seatkeeper.domain.ids import ChangeId, InvoiceId, PaymentId
from seatkeeper.domain.money import Money
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.operations.change_words import Change, change_of
from seatkeeper.operations.context import Context
from seatkeeper.operations.departures import keep_outside
from seatkeeper.operations.effect_words import Cause, Effect
from seatkeeper.operations.effects import apply_effect
from seatkeeper.operations.invoices import INVOICES, Issued, discard, finalize
from seatkeeper.operations.queue import follow_ceiling
from seatkeeper.payments.port import Charge, Outcome, PaymentResult
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")
ORGANIZATIONS: Final = Statements("organizations")
PAYMENTS: Final = Statements("payments")
SUBSCRIPTIONS: Final = Statements("subscriptions")


@dataclass(frozen=True, slots=True)
class Begun:
    """A change that is written, and the charge it waits for, if it does."""

    change_id: UUID
    charge: Charge | None = None
    payment_id: UUID | None = None
    provider: str = ""
    refusal: Refusal | None = None


async def begun_of(ctx: Context, db: Db, row: Row) -> Begun:
    """What is left to do of a change that was written earlier."""
    change_id = row["change_id"]
    if row["state"] == "failed":
        # It failed behind the caller's back: the answer is the one they did not get.
        code = Code(row["failure"]["code"])
        return Begun(change_id, refusal=refuse(code, change=ChangeId.text(change_id)))
    if row["state"] != "awaiting_payment":
        return Begun(change_id)
    payments = await db.rows(
        PAYMENTS.of_invoice, organization_id=ctx.organization_id, invoice_id=row["invoice_id"]
    )
    key = ChangeId.text(change_id)
    return next(_begun_payment(change_id, p) for p in payments if p["provider_key"] == key)


def _begun_payment(change_id: UUID, payment: Row) -> Begun:
    if payment["provider"] == "manual":
        return Begun(change_id)
    amount = Money(payment["amount_minor"], payment["currency"])
    charge = Charge(payment["provider_key"], payment["method"], amount)
    return Begun(change_id, charge, payment["payment_id"], payment["provider"])


async def intend(
    ctx: Context, db: Db, change_id: UUID, issued: Issued, method: str | None
) -> Begun:
    """Notes the payment before it is asked for; the key comes from the cause. Source: M-6."""
    provider = "manual" if method is None else method.partition("_")[0]
    if provider not in ctx.engine.providers:
        raise Refused(refuse(Code.INVALID_REQUEST, detail="There is no such payment method."))
    payment_id = ctx.new_id()
    key = ChangeId.text(change_id)
    amount = Money(issued.due_minor, ctx.organization.currency)
    await db.run(
        PAYMENTS.insert,
        organization_id=ctx.organization_id,
        payment_id=payment_id,
        invoice_id=issued.invoice_id,
        provider=provider,
        method=method or "manual",
        provider_key=key,
        amount_minor=amount.minor,
        currency=amount.currency,
        now=ctx.now,
    )
    if provider == "manual":
        return Begun(change_id)
    return Begun(change_id, Charge(key, method or "manual", amount), payment_id, provider)


async def charge(ctx: Context, begun: Begun) -> PaymentResult:
    """Asks the rail outside any transaction; a lost answer is looked up once."""
    assert begun.charge is not None
    provider = ctx.engine.providers[begun.provider]
    result = await provider.charge(begun.charge)
    if result.outcome is Outcome.UNKNOWN:
        result = await provider.find(begun.charge.key) or result
    return result


async def settle(
    ctx: Context, change_id: UUID, payment_id: UUID, result: PaymentResult
) -> Change | Refusal:
    """What the outcome of a payment makes of its change; settling twice is settling once.

    Money for a change that is closed already becomes credit of who paid.
    Refuses (as a value, to be kept): payment_declined, payment_action_required. Raises:
    Unavailable while the outcome is unknown. Source: A23, C19, C33, M-18, B025, B065.
    """
    if result.outcome is Outcome.UNKNOWN:
        message = "the outcome of the payment is not known yet"
        raise Unavailable(message)
    async with ctx.transaction() as db:
        await _lock_subscription(ctx, db, change_id)
        row = await db.one(CHANGES.lock, organization_id=ctx.organization_id, change_id=change_id)
        outcome: Change | Refusal
        if row["state"] != "awaiting_payment":
            if result.outcome is Outcome.SUCCEEDED:
                await credit(ctx, db, row["invoice_id"], (payment_id, result))
            outcome = change_of(row)
        elif result.outcome is Outcome.SUCCEEDED:
            outcome = await _succeed(ctx, db, row, (payment_id, result))
        elif result.outcome is Outcome.DECLINED:
            outcome = await _fail(ctx, db, row, (payment_id, result))
        else:
            await note(ctx, db, payment_id, result)
            outcome = refuse(
                Code.PAYMENT_ACTION_REQUIRED,
                Remedy(Way.CONFIRM_PAYMENT, {"payment": PaymentId.text(payment_id)}),
                change=ChangeId.text(change_id),
                payment=PaymentId.text(payment_id),
            )
        if ctx.keep is not None:
            await ctx.keep(db, outcome)
        return outcome


async def _lock_subscription(ctx: Context, db: Db, change_id: UUID) -> None:
    """The lock under which a change is settled: the organization's own, or the member's."""
    key = {"organization_id": ctx.organization_id}
    row = await db.one(CHANGES.one, **key, change_id=change_id)
    payer = msgspec.convert(row["effect"], Effect).payer
    if payer is None:
        await db.row(SUBSCRIPTIONS.lock_current, **key)
        return
    await db.one(ORGANIZATIONS.lock, **key)
    await db.row(SUBSCRIPTIONS.lock_of_member, **key, member_id=payer.member_id)


async def note(ctx: Context, db: Db, payment_id: UUID, result: PaymentResult) -> None:
    """Notes what became of a payment; what is known already stays."""
    await db.run(
        PAYMENTS.settle,
        organization_id=ctx.organization_id,
        payment_id=payment_id,
        state=result.outcome,
        reference=result.reference,
        failure=result.failure,
        now=ctx.now,
    )


async def credit(ctx: Context, db: Db, invoice_id: UUID, paid: tuple[UUID, PaymentResult]) -> None:
    """Money that came for what is not to be paid any more becomes credit of who paid.

    However many rails say yes, one of them pays; what comes after it, or after the invoice was
    taken back, is owed. A payment that is known to have succeeded changes nothing. Locks the
    billing account. Source: M-6, M-10, R-2.
    """
    payment_id, result = paid
    await db.one(INVOICES.account, organization_id=ctx.organization_id)
    await db.run(
        PAYMENTS.credit,
        organization_id=ctx.organization_id,
        payment_id=payment_id,
        reference=result.reference,
        invoice=InvoiceId.text(invoice_id),
        entry_id=ctx.new_id(),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def _succeed(ctx: Context, db: Db, row: Row, paid: tuple[UUID, PaymentResult]) -> Change:
    effect = msgspec.convert(row["effect"], Effect)
    cause = Cause(row["kind"], row["change_id"])
    await apply_effect(ctx, db, row["subscription_id"], effect, cause)
    await keep_outside(ctx, db, effect)
    await note(ctx, db, *paid)
    await finalize(ctx, db, row["invoice_id"], "paid")
    return await _close(ctx, db, row["change_id"], "applied", None)


async def _fail(ctx: Context, db: Db, row: Row, failed: tuple[UUID, PaymentResult]) -> Refusal:
    await note(ctx, db, *failed)
    await discard(ctx, db, row["invoice_id"])
    refusal = refuse(Code.PAYMENT_DECLINED, change=ChangeId.text(row["change_id"]))
    await _close(ctx, db, row["change_id"], "failed", refusal)
    if msgspec.convert(row["effect"], Effect).ceilings:
        await follow_ceiling(ctx, db)
    await db.run(
        CHANGES.drop_incomplete,
        organization_id=ctx.organization_id,
        subscription_id=row["subscription_id"],
        now=ctx.now,
    )
    return refusal


async def _close(
    ctx: Context, db: Db, change_id: UUID, state: str, refusal: Refusal | None
) -> Change:
    await db.run(
        CHANGES.close,
        organization_id=ctx.organization_id,
        change_id=change_id,
        state=state,
        failure=None if refusal is None else {"code": refusal.code, **refusal.facts},
        now=ctx.now,
    )
    row = await db.one(CHANGES.one, organization_id=ctx.organization_id, change_id=change_id)
    return change_of(row)
