"""Payments: recorded by hand, confirmed by the payer, retried for what is overdue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from seatkeeper.domain.ids import InvoiceId, PaymentId
from seatkeeper.domain.money import Money
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import after, cursor
from seatkeeper.operations.invoices import INVOICES, Invoice, ReadInvoice, discard
from seatkeeper.operations.invoices import show as show_invoice
from seatkeeper.operations.payment_words import (
    ConfirmPayment,
    PayInvoice,
    Payment,
    ReadPayments,
    RecordPayment,
    VoidInvoice,
)
from seatkeeper.operations.settlements import note
from seatkeeper.operations.settlements import settle as settle_change
from seatkeeper.operations.words import (
    Page,
    page_size,
)
from seatkeeper.payments.port import Charge, Outcome, PaymentResult
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.statements import Statements
from seatkeeper.store.workspace import WORKSPACE

__all__ = [
    "ASKED_FOR",
    "CHANGES",
    "INVOICES",
    "IN_FLIGHT",
    "ORGANIZATIONS",
    "PAYMENTS",
    "ConfirmPayment",
    "PayInvoice",
    "Payment",
    "ReadPayments",
    "RecordPayment",
    "VoidInvoice",
    "attempt",
    "confirm",
    "in_flight",
    "list_all",
    "lock_subscription",
    "paid",
    "pay",
    "record",
    "retry_at",
    "void",
    "withdraw",
]

PAYMENTS: Final = Statements("payments")
CHANGES: Final = Statements("changes")
ORGANIZATIONS: Final = Statements("organizations")
IN_FLIGHT: Final = ("pending", "unknown")
ASKED_FOR: Final = ("action_required", *IN_FLIGHT)


async def record(ctx: Context, command: RecordPayment) -> Invoice:
    """Mark an open invoice as paid; what waited for the money happens now.

    The same twice succeeds. Refuses: forbidden in a member's name, not_found, state_conflict
    (void, draft). Source: B073, M-6.
    """
    _vendor_only(ctx)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, command.invoice)
        invoice = await _lock_invoice(ctx, db, command.invoice)
        if invoice["state"] == "open":
            await _check_in_flight(ctx, db, command.invoice)
            payment_id = await _pending_payment(ctx, db, invoice, "manual")
            result = PaymentResult(Outcome.SUCCEEDED, command.reference)
            await paid(ctx, db, invoice, (payment_id, result))
        elif invoice["state"] != "paid":
            raise Refused(refuse(Code.STATE_CONFLICT, state=invoice["state"]))
        return await show_invoice(
            ctx, ReadInvoice(organization=command.organization, invoice=command.invoice)
        )


async def pay(ctx: Context, command: PayInvoice) -> Invoice | Refusal:
    """Collect an open invoice now.

    Refuses: not_found, state_conflict, invalid_request without a payment method; as a value, to be
    kept: payment_declined, payment_action_required. Source: A99, C42.
    """
    outcome = await attempt(ctx, command.invoice, method=command.payment_method)
    if isinstance(outcome, Refusal):
        if outcome.code not in (Code.PAYMENT_DECLINED, Code.PAYMENT_ACTION_REQUIRED):
            raise Refused(outcome)
        return outcome
    return await show_invoice(
        ctx, ReadInvoice(organization=command.organization, invoice=command.invoice)
    )


async def attempt(
    ctx: Context, invoice_id: UUID, *, method: str | None = None
) -> PaymentResult | Refusal:
    """One try to collect an open invoice: intent noted, rail asked, outcome noted."""
    async with ctx.transaction() as db:
        invoice = await _lock_invoice(ctx, db, invoice_id)
        if invoice["state"] == "paid":
            return PaymentResult(Outcome.SUCCEEDED)
        if invoice["state"] != "open":
            return refuse(Code.STATE_CONFLICT, state=invoice["state"])
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
    return await _attempted(ctx, invoice_id, payment_id, result)


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


async def _attempted(
    ctx: Context, invoice_id: UUID, payment_id: UUID, result: PaymentResult
) -> PaymentResult | Refusal:
    if result.outcome is Outcome.UNKNOWN:
        message = "the outcome of the payment is not known yet"
        raise Unavailable(message)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, invoice_id)
        invoice = await _lock_invoice(ctx, db, invoice_id)
        if result.outcome is Outcome.SUCCEEDED and invoice["state"] == "open":
            await paid(ctx, db, invoice, (payment_id, result))
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
    await _recover(ctx, db, invoice)


async def _recover(ctx: Context, db: Db, invoice: Row) -> None:
    await db.run(
        CHANGES.recover,
        organization_id=ctx.organization_id,
        subscription_id=invoice["subscription_id"],
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def confirm(ctx: Context, command: ConfirmPayment) -> Payment | Refusal:
    """Complete a payment that needed the payer's action. Refuses: not_found, payment_declined.

    Source: B065.
    """
    async with ctx.transaction() as db:
        row = await _lock_payment(ctx, db, command.payment)
        asks = row["provider"] != "manual" and row["state"] in ASKED_FOR
        if asks:
            # From here on the money may move: nobody voids the invoice meanwhile.
            await note(ctx, db, command.payment, PaymentResult(Outcome.PENDING))
    if asks:
        result = await ctx.engine.providers[row["provider"]].confirm(row["provider_key"])
        async with ctx.connection() as db:
            waiting = await db.row(
                CHANGES.awaiting_invoice,
                organization_id=ctx.organization_id,
                invoice_id=row["invoice_id"],
            )
        keep, ctx.keep = ctx.keep, None  # what is kept is this operation's answer
        outcome: object
        if waiting is not None:
            outcome = await settle_change(ctx, waiting["change_id"], command.payment, result)
        else:
            outcome = await _attempted(ctx, row["invoice_id"], command.payment, result)
        ctx.keep = keep
        if isinstance(outcome, Refusal):
            return outcome
    async with ctx.transaction() as db:
        return _payment(await _lock_payment(ctx, db, command.payment))


async def void(ctx: Context, command: VoidInvoice) -> Invoice:
    """Take back an open invoice; the balance it used comes back, a change that waited fails.

    Twice succeeds. Refuses: forbidden in a member's name, not_found, state_conflict (paid).
    Source: B073.
    """
    _vendor_only(ctx)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, command.invoice)
        await db.one(INVOICES.account, organization_id=ctx.organization_id)
        invoice = await _lock_invoice(ctx, db, command.invoice)
        # What was credited is on the balance already: voided as well, it would be given twice.
        state = "credited" if invoice["credited"] else invoice["state"]
        if state not in ("open", "void"):
            raise Refused(refuse(Code.STATE_CONFLICT, state=state))
        if state == "open":
            await _check_in_flight(ctx, db, command.invoice)
        await withdraw(ctx, db, invoice)
        await _recover(ctx, db, invoice)
        return await show_invoice(
            ctx, ReadInvoice(organization=command.organization, invoice=command.invoice)
        )


def _vendor_only(ctx: Context) -> None:
    # Who owes the money does not say that it came, or that it need not.
    if ctx.actor is not None:
        raise Refused(refuse(Code.FORBIDDEN, detail="Only the vendor does this."))


async def withdraw(ctx: Context, db: Db, invoice: Row) -> None:
    """Voids an open invoice or drops a draft, and fails the change that waited for it."""
    key = {"organization_id": ctx.organization_id, "invoice_id": invoice["invoice_id"]}
    if invoice["state"] == "draft":
        await discard(ctx, db, invoice["invoice_id"])
    else:
        await db.row(
            INVOICES.void,
            **key,
            entry_id=ctx.new_id(),
            now=ctx.now,
            actor=ctx.actor_text,
            request_id=ctx.request_id,
        )
    await db.run(PAYMENTS.give_up, **key, now=ctx.now)
    await db.run(CHANGES.fail_awaiting, **key, now=ctx.now)


async def list_all(ctx: Context, command: ReadPayments) -> Page[Payment]:
    """Payments, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            PAYMENTS.page,
            organization_id=ctx.organization_id,
            after=after(ctx, "payments", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["payment_id"] if len(rows) > page else None
    return Page(items=[_payment(row) for row in rows[:page]], next=cursor(ctx, "payments", last))


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


async def _check_in_flight(ctx: Context, db: Db, invoice_id: UUID) -> None:
    if await in_flight(ctx, db, invoice_id):
        raise Refused(refuse(Code.REQUEST_IN_PROGRESS))


async def _lock_invoice(ctx: Context, db: Db, invoice_id: UUID) -> Row:
    row = await db.row(INVOICES.lock, organization_id=ctx.organization_id, invoice_id=invoice_id)
    if row is None or row["state"] == "discarded":
        raise not_found()
    return row


async def _lock_payment(ctx: Context, db: Db, payment_id: UUID) -> Row:
    row = await db.row(PAYMENTS.lock, organization_id=ctx.organization_id, payment_id=payment_id)
    if row is None:
        raise not_found()
    return row


async def _pending_payment(ctx: Context, db: Db, invoice: Row, provider: str) -> UUID:
    """The payment that a record by hand settles: the one that waits, else a new one."""
    rows = await db.rows(
        PAYMENTS.of_invoice,
        organization_id=ctx.organization_id,
        invoice_id=invoice["invoice_id"],
    )
    for row in rows:
        if row["provider"] == provider and row["state"] == "pending":
            waiting: UUID = row["payment_id"]
            return waiting
    payment_id = ctx.new_id()
    await db.run(
        PAYMENTS.insert,
        organization_id=ctx.organization_id,
        payment_id=payment_id,
        invoice_id=invoice["invoice_id"],
        provider=provider,
        method=provider,
        provider_key=f"{InvoiceId.text(invoice['invoice_id'])}-{len(rows) + 1}",
        amount_minor=invoice["due_minor"],
        currency=invoice["currency"],
        now=ctx.now,
    )
    return payment_id


def _payment(row: Row) -> Payment:
    return Payment(
        payment=PaymentId.text(row["payment_id"]),
        invoice=InvoiceId.text(row["invoice_id"]),
        provider=row["provider"],
        state=row["state"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        reference=row["provider_reference"],
        failure=row["failure"],
        attempted_at=row["attempted_at"],
        settled_at=row["settled_at"],
    )


def retry_at(now: datetime, days: tuple[int, ...], attempts: int) -> datetime | None:
    """When an invoice is tried again, after so many attempts with the last one now. Source: A99."""
    if not 1 <= attempts <= len(days):
        return None
    before = days[attempts - 2] if attempts > 1 else 0
    return now + timedelta(days=days[attempts - 1] - before)
