"""Debts: what was owed before is collected with what is bought now."""

from __future__ import annotations

from typing import Final

from seatkeeper.operations import attempts
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Unavailable
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")


async def collect(ctx: Context, method: str) -> None:
    """Tries the organization's overdue invoices with the method that has just paid for seats.

    Also those of a subscription that has ended. What cannot be collected stays owed; the seats
    stay bought. Source: C42, C43.
    """
    async with ctx.connection() as db:
        rows = await db.rows(
            CHANGES.debts,
            organization_id=ctx.organization_id,
            now=ctx.now,
        )
    for row in rows:
        try:
            await attempts.attempt(ctx, row["invoice_id"], method=method)
        except Unavailable:
            continue
