"""Invoices: issued once per cause, numbered without gaps, closed as paid or void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from seatkeeper.domain.billing import WHOLE, Line, LineKind, total
from seatkeeper.domain.ids import (
    BalanceEntryId,
    CreditNoteId,
    InvoiceId,
    PaymentId,
)
from seatkeeper.operations.bounds import check_bounds
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.invoice_words import (
    Balance,
    BalanceEntry,
    Invoice,
    InvoiceLine,
    ReadBalance,
    ReadInvoice,
    ReadInvoices,
    invoice_of,
    line_of,
)
from seatkeeper.operations.words import (
    Page,
    page_size,
)
from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements

INVOICES: Final = Statements("invoices")


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be invoiced, and its one cause. Source: M-6."""

    subscription_id: UUID
    lines: tuple[Line, ...]
    cause: str
    cause_id: str
    due_at: datetime | None = None
    next_attempt_at: datetime | None = None
    # Whose balance is used first: the organization's, or that of the member who pays.
    payer_member_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice as it was written. `due_minor` is what remains after the balance."""

    invoice_id: UUID
    state: str
    due_minor: int


async def issue(ctx: Context, db: Db, bill: Bill, *, draft: bool) -> Issued:
    """Writes an invoice: a draft waits for its payment, else it is numbered and open.

    The account balance is used first; credit beyond the charges is carried to the balance; what
    is then nothing is paid. Raises: OutOfBounds where the bill cannot be right. Cost: four
    statements; locks the billing account. Source: C55, M-2, M-5, M-6, M-19.
    """
    await check_bounds(ctx, db, bill.subscription_id, bill.lines)
    owed = await _balance(ctx, db, bill.payer_member_id)
    carried = max(-total(bill.lines), 0)
    lines = (*bill.lines, _carried(bill.lines[0], carried)) if carried else bill.lines
    subtotal = total(lines)
    balance = min(owed, subtotal)
    due = subtotal - balance
    state = "paid" if due == 0 else "draft" if draft else "open"
    invoice_id = ctx.new_id()
    await db.run(
        INVOICES.insert,
        organization_id=ctx.organization_id,
        invoice_id=invoice_id,
        subscription_id=bill.subscription_id,
        state=state,
        cause=bill.cause,
        cause_id=bill.cause_id,
        currency=ctx.organization.currency,
        subtotal_minor=subtotal,
        balance_minor=balance,
        carried_minor=carried,
        due_minor=due,
        payer_member_id=bill.payer_member_id,
        due_at=bill.due_at,
        next_attempt_at=bill.next_attempt_at if state == "open" else None,
        used_entry_id=ctx.new_id(),
        carried_entry_id=ctx.new_id(),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        **line_columns(lines),
    )
    if state != "draft":
        await _seal(ctx, db, invoice_id)
    return Issued(invoice_id, state, due)


async def _balance(ctx: Context, db: Db, member_id: UUID | None) -> int:
    """What the vendor owes the payer, behind the lock of the billing account."""
    account = await db.one(INVOICES.account, organization_id=ctx.organization_id)
    if member_id is not None:
        row = await db.row(
            INVOICES.member_balance, organization_id=ctx.organization_id, member_id=member_id
        )
        return 0 if row is None else int(row["balance_minor"])
    return int(account["balance_minor"])


def _carried(like: Line, amount: int) -> Line:
    return replace(
        like,
        kind=LineKind.CARRIED_TO_BALANCE,
        seat_type=None,
        quantity=1,
        quantity_before=0,
        unit_minor=None,
        share=WHOLE,
        full_minor=amount,
        amount_minor=amount,
        assigned=0,
        held=0,
        discount_basis_points=0,
        discount_fixed_minor=0,
        ceiling_minor=amount,
    )


def line_columns(lines: Sequence[Line]) -> dict[str, list[Any]]:
    """Lines as the arrays which the statements take."""
    return {
        "line_numbers": list(range(1, len(lines) + 1)),
        "kinds": [line.kind for line in lines],
        "seat_types": [line.seat_type for line in lines],
        "plan_keys": [line.plan_key for line in lines],
        "plan_versions": [line.plan_version for line in lines],
        "price_keys": [line.price_key for line in lines],
        "quantities": [line.quantity for line in lines],
        "quantities_before": [line.quantity_before for line in lines],
        "units": [line.unit_minor for line in lines],
        "parts": [line.share.part for line in lines],
        "wholes": [line.share.whole for line in lines],
        "bases": [line.share.basis for line in lines],
        "fulls": [line.full_minor for line in lines],
        "amounts": [line.amount_minor for line in lines],
        "starts": [line.period_starts_at for line in lines],
        "ends": [line.period_ends_at for line in lines],
        "effectives": [line.effective_at for line in lines],
        "assigned": [line.assigned for line in lines],
        "held": [line.held for line in lines],
        "discounts": [line.discount_basis_points for line in lines],
        "fixed": [line.discount_fixed_minor for line in lines],
    }


async def finalize(ctx: Context, db: Db, invoice_id: UUID, state: Literal["open", "paid"]) -> bool:
    """Numbers a draft; False when it is none any more. Source: M-4, M-5, B073."""
    row = await db.row(
        INVOICES.finalize,
        organization_id=ctx.organization_id,
        invoice_id=invoice_id,
        state=state,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    if row is not None:
        await _seal(ctx, db, invoice_id)
    return row is not None


async def _seal(ctx: Context, db: Db, invoice_id: UUID) -> None:
    await db.run(INVOICES.seal, organization_ids=[ctx.organization_id], invoice_ids=[invoice_id])


async def discard(ctx: Context, db: Db, invoice_id: UUID) -> None:
    """Drops a draft that will not be paid; the balance it used comes back."""
    await db.one(INVOICES.account, organization_id=ctx.organization_id)
    await db.run(
        INVOICES.discard,
        organization_id=ctx.organization_id,
        invoice_id=invoice_id,
        entry_id=ctx.new_id(),
        now=ctx.now,
    )


def due_date(ctx: Context, days: int) -> datetime:
    """The instant until which an invoice on terms is to be paid. Units: days of 24 hours."""
    return ctx.now + timedelta(days=days)


async def show(ctx: Context, command: ReadInvoice) -> Invoice:
    """One invoice with its lines. Refuses: not_found."""
    async with ctx.connection() as db:
        row = await db.row(
            INVOICES.one, organization_id=ctx.organization_id, invoice_id=command.invoice
        )
        if row is None:
            raise not_found()
        return (await _with_lines(ctx, db, [row]))[0]


async def list_all(ctx: Context, command: ReadInvoices) -> Page[Invoice]:
    """Invoices that went out, newest first, with their lines."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            INVOICES.page,
            organization_id=ctx.organization_id,
            state=command.state,
            before=before(ctx, "invoices", command.after),
            page=page + 1,
        )
        items = await _with_lines(ctx, db, rows[:page])
    last = rows[page - 1]["invoice_id"] if len(rows) > page else None
    return Page(items=items, next=cursor(ctx, "invoices", last))


async def _with_lines(ctx: Context, db: Db, rows: Sequence[Row]) -> list[Invoice]:
    lines: dict[UUID, list[InvoiceLine]] = {row["invoice_id"]: [] for row in rows}
    for row in await db.rows(
        INVOICES.lines, organization_id=ctx.organization_id, invoice_ids=list(lines)
    ):
        lines[row["invoice_id"]].append(line_of(row))
    return [invoice_of(row, lines[row["invoice_id"]]) for row in rows]


async def balance(ctx: Context, command: ReadBalance) -> Balance:
    """The account balance and how it came about, newest first. Source: C55, G6."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        account = await db.one(INVOICES.balance_now, organization_id=ctx.organization_id)
        rows = await db.rows(
            INVOICES.balance,
            organization_id=ctx.organization_id,
            before=before(ctx, "balance", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["entry_id"] if len(rows) > page else None
    return Balance(
        balance_minor=account["balance_minor"],
        currency=ctx.organization.currency,
        items=[
            BalanceEntry(
                entry=BalanceEntryId.text(row["entry_id"]),
                amount_minor=row["amount_minor"],
                reason=row["reason"],
                invoice=InvoiceId.text_or_none(row["invoice_id"]),
                credit_note=CreditNoteId.text_or_none(row["credit_note_id"]),
                payment=PaymentId.text_or_none(row["payment_id"]),
                created_at=row["created_at"],
            )
            for row in rows[:page]
        ],
        next=cursor(ctx, "balance", last),
    )
