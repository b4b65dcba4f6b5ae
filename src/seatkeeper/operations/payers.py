"""Payers: whether the acting member pays for what they name."""

from __future__ import annotations

from seatkeeper.operations.context import Context
from seatkeeper.operations.invoice_words import ReadInvoice
from seatkeeper.operations.payment_words import ConfirmPayment, PayInvoice
from seatkeeper.store.workspace import WORKSPACE


async def is_payer(ctx: Context, command: ReadInvoice | PayInvoice | ConfirmPayment) -> bool:
    """Whether the acting member pays the named invoice or payment for their own seat.

    An invoice of someone else and none at all are both a no. Source: T8, T18.
    """
    assert ctx.actor is not None
    async with ctx.connection() as db:
        row = await db.one(
            WORKSPACE.is_payer,
            organization_id=ctx.organization_id,
            member_id=ctx.actor.member_id,
            invoice_id=None if isinstance(command, ConfirmPayment) else command.invoice,
            payment_id=command.payment if isinstance(command, ConfirmPayment) else None,
        )
    found: bool = row["found"]
    return found
