"""Attempts: one try to collect an invoice, and what its outcome makes of it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from seatkeeper.domain.ids import InvoiceId, PaymentId
from seatkeeper.domain.money import Money
from seatkeeper.domain.refusals import Code, Refusal, refuse
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.invoices import INVOICES
from seatkeeper.operations.settlements import credit, note
from seatkeeper.operations.settlements import settle as settle_change
from seatkeeper.payments.port import Charge, Outcome, PaymentResult
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.statements import Statements
from seatkeeper.store.workspace import WORKSPACE

CHANGES: Final = Statements("changes")
ORGANIZATIONS: Final = Statements("organizations")
PAYMENTS: Final = Statements("payments")
IN_FLIGHT: Final = ("pending", "unknown")


async def attempt(
    ctx: Context, invoice_id: UUID, *, method: str | None = None
) -> PaymentResult | Refusal:
    """One try to collect an open invoice: intent noted, rail asked, outcome noted.

    Refuses (as a value): parked, state_conflict, invalid_request, as `settle_invoice`.
    """
    async with ctx.transaction() as db:
        own = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
        if own["parked_at"] is not None:
            return refuse(Code.PARKED)
        invoice = await lock_invoice(ctx, db, invoice_id)
        if invoice["state"] == "paid":
            return PaymentResult(Outcome.SUCCEEDED)
        if invoice["state"] != "open":
            return refuse(Code.STATE_CONFLICT, state=invoice["state"])
        if await is_too_late(ctx, db, invoice_id):
            return refuse(Code.STATE_CONFLICT, state="period over")
        if method is None:
            row = await db.one(
                CHANGES.billing_method,
                organization_id=ctx.organization_id,
                invoice_id=invoice_id,
            )
            method = row["payment_method"]
        if method is None or method.partition("_")[0] not in ctx.engine.providers:
            return refuse(Code.INVALID_REQUEST, detail="There is no payment method to charge.")
        charge, payment_id = await _open_charge(ctx, db, invoice, method)
    provider = ctx.engine.providers[charge.method.partition("_")[0]]
    result = await provider.charge(charge)
    if result.outcome is Outcome.UNKNOWN:
        result = await provider.find(charge.key) or result
    return await settle_invoice(ctx, invoice_id, payment_id, result)


async def is_too_late(ctx: Context, db: Db, invoice_id: UUID) -> bool:
    """Whether what an invoice is to bring would come after the end of the period it is for.

    The worker gives it up; until it does nobody pays for it. Source: A25, T-5.
    """
    row = await db.row(
        PAYMENTS.too_late,
        organization_id=ctx.organization_id,
        payment_id=None,
        invoice_id=invoice_id,
        now=ctx.now,
    )
    return row is not None


async def _open_charge(ctx: Context, db: Db, invoice: Row, method: str) -> tuple[Charge, UUID]:
    """The charge to make: one that is still open is asked again under its own key."""
    amount = Money(invoice["due_minor"], invoice["currency"])
    rows = await db.rows(
        PAYMENTS.of_invoice,
        organization_id=ctx.organization_id,
        invoice_id=invoice["invoice_id"],
    )
    for row in rows:
        if row["state"] in IN_FLIGHT and row["provider"] != "manual":
            return Charge(row["provider_key"], row["method"], amount), row["payment_id"]
    payment_id = ctx.new_id()
    key = f"{InvoiceId.text(invoice['invoice_id'])}-{len(rows) + 1}"
    await db.run(
        PAYMENTS.insert,
        organization_id=ctx.organization_id,
        payment_id=payment_id,
        invoice_id=invoice["invoice_id"],
        provider=method.partition("_")[0],
        method=method,
        provider_key=key,
        amount_minor=amount.minor,
        currency=amount.currency,
        now=ctx.now,
    )
    return Charge(key, method, amount), payment_id


async def settle_invoice(
    ctx: Context, invoice_id: UUID, payment_id: UUID, result: PaymentResult
) -> PaymentResult | Refusal:
    """What the outcome of a payment makes of an invoice that went out; twice is once.

    Money for one that is paid already, or was taken back, becomes credit of who paid. Refuses (as
    a value): payment_declined, payment_action_required. Raises: Unavailable while the outcome is
    unknown. Source: M-6, M-10, M-18, R-2.
    """
    if result.outcome is Outcome.UNKNOWN:
        message = "the outcome of the payment is not known yet"
        raise Unavailable(message)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, invoice_id)
        key = {"organization_id": ctx.organization_id, "invoice_id": invoice_id}
        invoice = await db.one(INVOICES.lock, **key)
        if result.outcome is Outcome.SUCCEEDED:
            if invoice["state"] == "open":
                await paid(ctx, db, invoice, (payment_id, result))
            else:
                await credit(ctx, db, invoice_id, (payment_id, result))
            return result
        await note(ctx, db, payment_id, result)
    if result.outcome is Outcome.DECLINED:
        return refuse(Code.PAYMENT_DECLINED, invoice=InvoiceId.text(invoice_id))
    if result.outcome is Outcome.ACTION_REQUIRED:
        return refuse(
            Code.PAYMENT_ACTION_REQUIRED,
            payment=PaymentId.text(payment_id),
            invoice=InvoiceId.text(invoice_id),
        )
    return result


async def paid(ctx: Context, db: Db, invoice: Row, what: tuple[UUID, PaymentResult]) -> None:
    """An open invoice is paid: close it, do what waited for it, end the arrears.

    Other ways in which it could have been paid are given up. The caller holds the subscription's
    lock. Source: A99, C42, M-6.
    """
    key = {"organization_id": ctx.organization_id, "invoice_id": invoice["invoice_id"]}
    waiting = await db.row(CHANGES.awaiting_invoice, **key)
    payment_id, result = what
    await note(ctx, db, payment_id, result)
    await db.run(PAYMENTS.give_up, **key, now=ctx.now)
    await db.run(
        INVOICES.pay,
        **key,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    if waiting is not None:
        keep, ctx.keep = ctx.keep, None  # what is kept is the answer about the invoice
        await settle_change(ctx, waiting["change_id"], payment_id, result)
        ctx.keep = keep
    await recover(ctx, db, invoice)


async def pay_from_balance(ctx: Context, db: Db, invoice_id: UUID) -> bool:
    """Pays an open invoice with what the vendor owes its payer; whether that was enough.

    Whole or not at all, and not beside a rail that is being asked. The caller holds the lock of
    `lock_subscription`. Source: M-10, A99.
    """
    key = {"organization_id": ctx.organization_id, "invoice_id": invoice_id}
    invoice = await db.one(INVOICES.lock, **key)
    waiting = await db.row(CHANGES.awaiting_invoice, **key)
    if invoice["state"] != "open" or waiting or await in_flight(ctx, db, invoice_id):
        return False
    await db.one(INVOICES.account, organization_id=ctx.organization_id)
    row = await db.row(
        PAYMENTS.from_balance,
        **key,
        payment_id=ctx.new_id(),
        entry_id=ctx.new_id(),
        provider_key=f"{InvoiceId.text(invoice_id)}-balance",
        now=ctx.now,
    )
    if row is None:
        return False
    await db.run(PAYMENTS.give_up, **key, now=ctx.now)
    told = {"actor": ctx.actor_text, "request_id": ctx.request_id}
    await db.run(INVOICES.pay, **key, now=ctx.now, **told)
    await recover(ctx, db, invoice)
    return True


async def recover(ctx: Context, db: Db, invoice: Row) -> None:
    """Ends the arrears of a subscription with nothing overdue left."""
    await db.run(
        CHANGES.recover,
        organization_id=ctx.organization_id,
        subscription_id=invoice["subscription_id"],
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def lock_subscription(ctx: Context, db: Db, invoice_id: UUID) -> None:
    """Locks what the invoice is for: the organization's subscription, or the one a member pays."""
    key = {"organization_id": ctx.organization_id}
    # First the organization, as everywhere: what is paid may let someone in.
    await db.one(ORGANIZATIONS.lock, **key)
    await db.row(CHANGES.lock_subscriptions, **key)
    await db.row(WORKSPACE.lock_of_invoice, **key, invoice_id=invoice_id)


async def in_flight(ctx: Context, db: Db, invoice_id: UUID) -> bool:
    """Whether a rail has been asked for the money and its answer is not known."""
    rows = await db.rows(
        PAYMENTS.of_invoice, organization_id=ctx.organization_id, invoice_id=invoice_id
    )
    return any(r["state"] in IN_FLIGHT and r["provider"] != "manual" for r in rows)


async def lock_invoice(ctx: Context, db: Db, invoice_id: UUID) -> Row:
    """One invoice, locked. Refuses: not_found, also for a draft that was dropped."""
    row = await db.row(INVOICES.lock, organization_id=ctx.organization_id, invoice_id=invoice_id)
    if row is None or row["state"] == "discarded":
        raise not_found()
    return row
