"""Payments: recorded by hand, confirmed by the payer, retried for what is overdue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from seatkeeper.domain.ids import InvoiceId, PaymentId
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.operations.attempts import (
    IN_FLIGHT,
    attempt,
    in_flight,
    is_too_late,
    lock_invoice,
    lock_subscription,
    paid,
    recover,
    settle_invoice,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.invoice_words import Invoice, ReadInvoice
from seatkeeper.operations.invoices import INVOICES, discard
from seatkeeper.operations.invoices import show as show_invoice
from seatkeeper.operations.payment_words import (
    ConfirmPayment,
    PayInvoice,
    Payment,
    ReadPayments,
    RecordPayment,
    VoidInvoice,
)
from seatkeeper.operations.queue import follow_ceiling
from seatkeeper.operations.settlements import credit, note
from seatkeeper.operations.settlements import settle as settle_change
from seatkeeper.operations.words import (
    Page,
    page_size,
)
from seatkeeper.payments.port import Outcome, PaymentResult
from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements

__all__ = [
    "ConfirmPayment",
    "PayInvoice",
    "Payment",
    "ReadPayments",
    "RecordPayment",
    "VoidInvoice",
    "confirm",
    "give_up",
    "list_all",
    "pay",
    "record",
    "retry_at",
    "void",
    "withdraw",
]

PAYMENTS: Final = Statements("payments")
CHANGES: Final = Statements("changes")
ASKED_FOR: Final = ("action_required", *IN_FLIGHT)


async def record(ctx: Context, command: RecordPayment) -> Invoice:
    """Mark an open invoice as paid; what waited for the money happens now.

    The same twice succeeds; another reference for a paid invoice is more money, and becomes
    credit. Refuses: forbidden in a member's name, not_found, state_conflict (void, draft, nothing
    due, or for a period that is over). Source: B073, M-6, M-10.
    """
    _vendor_only(ctx)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, command.invoice)
        invoice = await lock_invoice(ctx, db, command.invoice)
        if invoice["state"] == "open":
            await _check_in_flight(ctx, db, command.invoice)
            if await is_too_late(ctx, db, command.invoice):
                raise Refused(refuse(Code.STATE_CONFLICT, state="period over"))
            payment_id = await _pending_payment(ctx, db, invoice, "manual")
            result = PaymentResult(Outcome.SUCCEEDED, command.reference)
            await paid(ctx, db, invoice, (payment_id, result))
        elif invoice["state"] == "paid" and invoice["due_minor"]:
            await _record_again(ctx, db, invoice, command.reference)
        else:
            raise Refused(refuse(Code.STATE_CONFLICT, state=invoice["state"]))
        return await show_invoice(
            ctx, ReadInvoice(organization=command.organization, invoice=command.invoice)
        )


async def _record_again(ctx: Context, db: Db, invoice: Row, reference: str) -> None:
    """A paid invoice is marked as paid: known money, or money that came on another way too."""
    key = {"organization_id": ctx.organization_id, "invoice_id": invoice["invoice_id"]}
    known = [
        row["provider_reference"]
        for row in await db.rows(PAYMENTS.of_invoice, **key)
        if row["provider"] == "manual" and row["state"] == "succeeded"
    ]
    if reference not in known:
        payment_id = await _pending_payment(ctx, db, invoice, "manual")
        result = PaymentResult(Outcome.SUCCEEDED, reference)
        await credit(ctx, db, invoice["invoice_id"], (payment_id, result))


async def pay(ctx: Context, command: PayInvoice) -> Invoice | Refusal:
    """Collect an open invoice now.

    Refuses: not_found, parked, state_conflict, invalid_request without a payment method; as a
    value, to be kept: payment_declined, payment_action_required. Source: A99, C42.
    """
    outcome = await attempt(ctx, command.invoice, method=command.payment_method)
    if isinstance(outcome, Refusal):
        if outcome.code not in (Code.PAYMENT_DECLINED, Code.PAYMENT_ACTION_REQUIRED):
            raise Refused(outcome)
        return outcome
    return await show_invoice(
        ctx, ReadInvoice(organization=command.organization, invoice=command.invoice)
    )


async def confirm(ctx: Context, command: ConfirmPayment) -> Payment | Refusal:
    """Complete a payment that needed the payer's action.

    One that was given up is not completed, nor one for a period that is over; if its money moved
    all the same, it is credited. Refuses: not_found, state_conflict (too late), payment_declined.
    Source: B065, M-6, T-5.
    """
    late = await _give_up_late(ctx, command.payment)
    async with ctx.transaction() as db:
        row = await _lock_payment(ctx, db, command.payment)
        if row["provider"] != "manual" and row["state"] in ASKED_FOR:
            # From here on the money may move: nobody voids the invoice meanwhile.
            await note(ctx, db, command.payment, PaymentResult(Outcome.PENDING))
    result = await _asked_again(ctx, row)
    if result is not None:
        keep, ctx.keep = ctx.keep, None  # what is kept is this operation's answer
        outcome = await _confirmed(ctx, row, result)
        ctx.keep = keep
        if isinstance(outcome, Refusal):
            return outcome
    async with ctx.transaction() as db:
        payment = _payment(await _lock_payment(ctx, db, command.payment))
    if late and payment.state == "canceled":
        raise Refused(refuse(Code.STATE_CONFLICT, state="period over"))
    return payment


async def _give_up_late(ctx: Context, payment_id: UUID) -> bool:
    """Gives up the change that a payment is for when its period is over; whether it is.

    Paid now, it would bring seats for a time that has passed. Source: A25, T-5.
    """
    async with ctx.connection() as db:
        row = await db.row(
            PAYMENTS.too_late,
            organization_id=ctx.organization_id,
            payment_id=payment_id,
            invoice_id=None,
            now=ctx.now,
        )
    if row is None:
        return False
    await give_up(ctx, row["invoice_id"])
    return True


async def give_up(ctx: Context, invoice_id: UUID) -> bool:
    """Fails a change that nobody paid; False for one that is being paid just now. Source: B065."""
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, invoice_id)
        invoice = await db.one(
            INVOICES.lock, organization_id=ctx.organization_id, invoice_id=invoice_id
        )
        if invoice["state"] not in ("draft", "open"):
            return False
        if invoice["state"] == "open" and await in_flight(ctx, db, invoice_id):
            return False
        await withdraw(ctx, db, invoice)
    return True


async def _asked_again(ctx: Context, payment: Row) -> PaymentResult | None:
    """What the rail says to a confirmation; None where there is nothing to learn."""
    if payment["provider"] == "manual" or payment["state"] == "succeeded":
        return None
    provider = ctx.engine.providers[payment["provider"]]
    if payment["state"] in ASKED_FOR:
        return await provider.confirm(payment["provider_key"])
    # Given up here, but perhaps confirmed on the rail's own page.
    found = await provider.find(payment["provider_key"])
    return found if found is not None and found.outcome is Outcome.SUCCEEDED else None


async def _confirmed(ctx: Context, payment: Row, result: PaymentResult) -> object:
    key = {"organization_id": ctx.organization_id, "invoice_id": payment["invoice_id"]}
    async with ctx.connection() as db:
        invoice = await db.one(INVOICES.one, **key)
        waiting = await db.row(CHANGES.awaiting_invoice, **key)
    if waiting is not None and invoice["state"] == "draft":
        return await settle_change(ctx, waiting["change_id"], payment["payment_id"], result)
    return await settle_invoice(ctx, payment["invoice_id"], payment["payment_id"], result)


async def void(ctx: Context, command: VoidInvoice) -> Invoice:
    """Take back an open invoice; the balance it used comes back, a change that waited fails.

    Twice succeeds. Refuses: forbidden in a member's name, not_found, state_conflict (paid).
    Source: B073.
    """
    _vendor_only(ctx)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, command.invoice)
        await db.one(INVOICES.account, organization_id=ctx.organization_id)
        invoice = await lock_invoice(ctx, db, command.invoice)
        # What was credited is on the balance already: voided as well, it would be given twice.
        state = "credited" if invoice["credited"] else invoice["state"]
        if state == "open" and await _came_back(ctx, db, command.invoice):
            state = "credited"
        if state not in ("open", "void"):
            raise Refused(refuse(Code.STATE_CONFLICT, state=state))
        if state == "open":
            await _check_in_flight(ctx, db, command.invoice)
        await withdraw(ctx, db, invoice)
        await recover(ctx, db, invoice)
        return await show_invoice(
            ctx, ReadInvoice(organization=command.organization, invoice=command.invoice)
        )


async def _came_back(ctx: Context, db: Db, invoice_id: UUID) -> bool:
    """Whether a change gave back some of what an invoice charges. Source: M-7, ADR 18."""
    row = await db.one(INVOICES.left, organization_id=ctx.organization_id, invoice_id=invoice_id)
    return bool(row["left_minor"] < row["charged_minor"])


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
    waiting = await db.row(CHANGES.awaiting_invoice, **key)
    if waiting is not None:
        await db.run(CHANGES.fail_awaiting, **key, now=ctx.now)
        await follow_ceiling(ctx, db)


async def list_all(ctx: Context, command: ReadPayments) -> Page[Payment]:
    """Payments, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            PAYMENTS.page,
            organization_id=ctx.organization_id,
            before=before(ctx, "payments", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["payment_id"] if len(rows) > page else None
    return Page(items=[_payment(row) for row in rows[:page]], next=cursor(ctx, "payments", last))


async def _check_in_flight(ctx: Context, db: Db, invoice_id: UUID) -> None:
    if await in_flight(ctx, db, invoice_id):
        raise Refused(refuse(Code.REQUEST_IN_PROGRESS))


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
        credited=row["credited"],
    )


def retry_at(now: datetime, days: tuple[int, ...], attempts: int) -> datetime | None:
    """When an invoice is tried again, after so many attempts with the last one now. Source: A99."""
    if not 1 <= attempts <= len(days):
        return None
    before = days[attempts - 2] if attempts > 1 else 0
    return now + timedelta(days=days[attempts - 1] - before)
