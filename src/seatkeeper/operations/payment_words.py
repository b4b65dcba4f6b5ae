"""The shapes of payments: what is sent, and what became of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from seatkeeper.domain.ids import InvoiceId, OrganizationId, PaymentId
from seatkeeper.operations.answers import (
    CurrencyText,
    InvoiceText,
    Minor,
    Moment,
    PaymentStateText,
    PaymentText,
)
from seatkeeper.operations.words import PAGE_DEFAULT, Command, Cursor, Limit, Result

Reference = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class RecordPayment(Command):
    """Money came in by another way: a transfer, a cheque. `reference` is the payer's."""

    organization: OrganizationId
    invoice: InvoiceId
    reference: Reference


class PayInvoice(Command):
    """Try to collect an open invoice now, with the stored or another payment method."""

    organization: OrganizationId
    invoice: InvoiceId
    payment_method: Annotated[str, Meta(max_length=200)] | None = None


class ConfirmPayment(Command):
    """The payer has done what the payment needed."""

    organization: OrganizationId
    payment: PaymentId


class VoidInvoice(Command):
    """Take back an open invoice that should not have been."""

    organization: OrganizationId
    invoice: InvoiceId
    reason: Reference


class ReadPayments(Command):
    """Payments, newest first."""

    organization: OrganizationId
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class Payment(Result):
    """One attempt to pay an invoice. Units: minor.

    `credited`: the money came when the invoice was not to be paid any more, and is on the balance
    of who paid.
    """

    payment: PaymentText
    invoice: InvoiceText
    provider: str
    state: PaymentStateText
    amount_minor: Minor
    currency: CurrencyText
    reference: str | None
    failure: str | None
    attempted_at: Moment
    settled_at: Moment | None
    credited: bool = False
