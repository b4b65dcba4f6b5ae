"""Credit notes: an issued invoice is corrected by crediting the account balance, never in cash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain.credit_notes import decide_credit
from seatkeeper.domain.ids import CreditNoteId, InvoiceId, OrganizationId
from seatkeeper.domain.money import Money
from seatkeeper.domain.refusals import Refused
from seatkeeper.operations.answers import CreditNoteText, CurrencyText, InvoiceText, Minor, Moment
from seatkeeper.operations.attempts import lock_subscription, pay_from_balance
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.contract_terms import account_manager_only, tell
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.invoices import INVOICES
from seatkeeper.operations.payment_words import Reference
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Limit,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Db, Row


class CreateCreditNote(Command):
    """Credit a part of an invoice, or what is left of it, to the balance."""

    organization: OrganizationId
    invoice: InvoiceId
    amount_minor: Annotated[int, Meta(ge=1, le=2**62, description="minor units")]
    reason: Reference
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | None = None


class ReadCreditNotes(Command):
    """Credit notes, newest first."""

    organization: OrganizationId
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class CreditNote(Result):
    """What of an invoice was credited to the balance. Units: minor."""

    credit_note: CreditNoteText
    invoice: InvoiceText
    number: str
    currency: CurrencyText
    amount_minor: Minor
    reason: str
    created_at: Moment


@dataclass(frozen=True, slots=True)
class Credit:
    """What is to be credited, why, and its one cause. Units: minor."""

    invoice_id: UUID
    amount_minor: int
    reason: str
    cause: str
    cause_id: str
    currency: str | None = None


async def create(ctx: Context, command: CreateCreditNote) -> CreditNote:
    """Credit a part of an invoice to the account balance; it is used on the next invoices.

    An open invoice is paid from the balance at once where that is enough. However many ask at
    once, never more than the invoice. Refuses: forbidden, not_found, state_conflict,
    currency_mismatch, invalid_request above what is left. Source: M-7, M-10, G6, A32, T33.
    """
    account_manager_only(ctx)
    async with ctx.transaction() as db:
        await lock_subscription(ctx, db, command.invoice)
        credit_note_id = ctx.new_id()
        credit = Credit(
            invoice_id=command.invoice,
            amount_minor=command.amount_minor,
            reason=command.reason,
            cause="account_manager",
            cause_id=CreditNoteId.text(credit_note_id),
            currency=command.currency,
        )
        number = await give_credit(ctx, db, credit, credit_note_id)
        # Who was credited all they owe owes nothing: no try, no arrears.
        await pay_from_balance(ctx, db, command.invoice)
    return CreditNote(
        credit_note=CreditNoteId.text(credit_note_id),
        invoice=InvoiceId.text(command.invoice),
        number=number,
        currency=ctx.organization.currency,
        amount_minor=command.amount_minor,
        reason=command.reason,
        created_at=ctx.now,
    )


async def check_credit(ctx: Context, db: Db, credit: Credit) -> Row:
    """The invoice, locked with the account, if so much of it can be credited; else refused."""
    key = {"organization_id": ctx.organization_id}
    # The account first, as everywhere: its lock puts credit notes of one organization in a row.
    await db.one(INVOICES.account, **key)
    invoice = await db.row(INVOICES.lock, **key, invoice_id=credit.invoice_id)
    if invoice is None or invoice["state"] == "discarded":
        raise not_found()
    row = await db.one(INVOICES.credited, **key, invoice_id=credit.invoice_id)
    invoiced = Money(invoice["subtotal_minor"] + invoice["tax_minor"], invoice["currency"])
    stands = await db.one(INVOICES.left, **key, invoice_id=credit.invoice_id)
    unnoted = invoiced - Money(row["credited_minor"], invoiced.currency)
    left = Money(min(unnoted.minor, stands["left_minor"]), invoiced.currency)
    refusal = decide_credit(invoice["state"], left, credit.amount_minor, credit.currency)
    if refusal is not None:
        raise Refused(refusal)
    return invoice


async def give_credit(
    ctx: Context, db: Db, credit: Credit, credit_note_id: UUID | None = None
) -> str:
    """Writes a credit note with its entry in the balance; its number. Source: M-5, M-10."""
    invoice = await check_credit(ctx, db, credit)
    note_id = credit_note_id or ctx.new_id()
    written = await db.one(
        INVOICES.credit_note,
        organization_id=ctx.organization_id,
        credit_note_id=note_id,
        invoice_id=credit.invoice_id,
        currency=invoice["currency"],
        amount_minor=credit.amount_minor,
        reason=credit.reason,
        cause=credit.cause,
        cause_id=credit.cause_id,
        now=ctx.now,
    )
    await db.run(
        INVOICES.grant,
        organization_id=ctx.organization_id,
        amount_minor=credit.amount_minor,
        entry_id=ctx.new_id(),
        currency=invoice["currency"],
        reason="credit note",
        invoice_id=credit.invoice_id,
        credit_note_id=note_id,
        now=ctx.now,
    )
    number: str = written["number"]
    facts = {
        "number": number,
        "amount_minor": credit.amount_minor,
        "currency": invoice["currency"],
        "invoice": InvoiceId.text(credit.invoice_id),
        "reason": credit.reason,
    }
    await tell(ctx, db, "credit_note.created", note_id, facts)
    return number


async def list_all(ctx: Context, command: ReadCreditNotes) -> Page[CreditNote]:
    """Credit notes, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            INVOICES.credit_notes,
            organization_id=ctx.organization_id,
            before=before(ctx, "credit_notes", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["credit_note_id"] if len(rows) > page else None
    items = [
        CreditNote(
            credit_note=CreditNoteId.text(row["credit_note_id"]),
            invoice=InvoiceId.text(row["invoice_id"]),
            number=row["number"],
            currency=row["currency"],
            amount_minor=row["amount_minor"],
            reason=row["reason"],
            created_at=row["created_at"],
        )
        for row in rows[:page]
    ]
    return Page(items=items, next=cursor(ctx, "credit_notes", last))
