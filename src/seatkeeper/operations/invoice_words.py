"""The shapes of invoices and of the balance: what is asked, and what is shown."""

from __future__ import annotations

from typing import Final, Literal

from seatkeeper.domain.ids import InvoiceId, OrganizationId, SubscriptionId
from seatkeeper.operations.answers import (
    BalanceEntryText,
    BasisText,
    CreditNoteText,
    CurrencyText,
    InvoiceStateText,
    InvoiceText,
    LineKindText,
    Minor,
    Moment,
    PaymentText,
    Points,
    SubscriptionText,
    Word,
)
from seatkeeper.operations.words import PAGE_DEFAULT, Command, Cursor, Key, Limit, Result
from seatkeeper.store.database import Row

TO_PAY: Final = ("draft", "open")


class ReadInvoice(Command):
    """One invoice."""

    organization: OrganizationId
    invoice: InvoiceId


class ReadInvoices(Command):
    """Invoices, newest first."""

    organization: OrganizationId
    state: Literal["open", "paid", "void"] | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class InvoiceLine(Result):
    """One line with its arithmetic.

    amount = (full - fixed discount) x (100 % - discount) x part/of_parts, rounded once;
    what is shown as discount_minor is full - amount. Parts are what `basis` says: days, months
    or seconds of the period; 1 of 1 is the whole of it. Units: minor units, basis points.
    """

    kind: LineKindText
    seat_type: Key | None
    plan: Key
    plan_version: int
    price: Key
    quantity: int
    quantity_before: int
    unit_minor: Minor | None
    part: int
    of_parts: int
    basis: BasisText
    full_minor: Minor
    discount_minor: Minor
    amount_minor: Minor
    discount_basis_points: Points
    discount_fixed_minor: Minor
    period_start: Moment
    period_end: Moment
    effective_at: Moment
    assigned: int
    held: int


class Invoice(Result):
    """An invoice. total = subtotal + tax; payable = total - balance used. Units: minor.

    `due_minor` is what is still to be paid now: all that is payable, and 0 once it is paid or void.
    """

    invoice: InvoiceText
    subscription: SubscriptionText
    number: str | None
    state: InvoiceStateText
    cause: Word
    currency: CurrencyText
    subtotal_minor: Minor
    tax_minor: Minor
    total_minor: Minor
    balance_used_minor: Minor
    payable_minor: Minor
    due_minor: Minor
    created_at: Moment
    issued_at: Moment | None
    due_at: Moment | None
    closed_at: Moment | None
    lines: list[InvoiceLine]


class ReadBalance(Command):
    """The account balance with its entries."""

    organization: OrganizationId
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class BalanceEntry(Result):
    """One movement: positive is credit for the organization. Units: minor.

    `payment` is the one whose money came when its invoice was not to be paid any more.
    """

    entry: BalanceEntryText
    amount_minor: Minor
    reason: str
    invoice: InvoiceText | None
    credit_note: CreditNoteText | None
    payment: PaymentText | None
    created_at: Moment


class Balance(Result):
    """What the vendor owes the organization, to be used on its next invoices."""

    balance_minor: Minor
    currency: CurrencyText
    items: list[BalanceEntry]
    next: str | None = None


def line_of(row: Row) -> InvoiceLine:
    """A line as its readers see it."""
    return InvoiceLine(
        kind=row["kind"],
        seat_type=row["seat_type"],
        plan=row["plan_key"],
        plan_version=row["plan_version"],
        price=row["price_key"],
        quantity=row["quantity"],
        quantity_before=row["quantity_before"],
        unit_minor=row["unit_minor"],
        part=row["part"],
        of_parts=row["whole"],
        basis=row["basis"],
        full_minor=row["full_minor"],
        discount_minor=row["full_minor"] - row["amount_minor"],
        amount_minor=row["amount_minor"],
        discount_basis_points=row["discount_basis_points"],
        discount_fixed_minor=row["discount_fixed_minor"],
        period_start=row["period_starts_at"],
        period_end=row["period_ends_at"],
        effective_at=row["effective_at"],
        assigned=row["assigned"],
        held=row["held"],
    )


def invoice_of(row: Row, lines: list[InvoiceLine]) -> Invoice:
    """An invoice as its readers see it."""
    return Invoice(
        invoice=InvoiceId.text(row["invoice_id"]),
        subscription=SubscriptionId.text(row["subscription_id"]),
        number=row["number"],
        state=row["state"],
        cause=row["cause"],
        currency=row["currency"],
        subtotal_minor=row["subtotal_minor"],
        tax_minor=row["tax_minor"],
        total_minor=row["subtotal_minor"] + row["tax_minor"],
        balance_used_minor=row["balance_minor"],
        payable_minor=row["due_minor"],
        due_minor=row["due_minor"] if row["state"] in TO_PAY else 0,
        created_at=row["created_at"],
        issued_at=row["issued_at"],
        due_at=row["due_at"],
        closed_at=row["closed_at"],
        lines=lines,
    )
