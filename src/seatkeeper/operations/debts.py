"""Debts: what was owed before is collected with what is bought now."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.ids import SubscriptionId
from seatkeeper.operations import attempts
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Unavailable
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")


async def collect(ctx: Context, subscription: str | None, method: str) -> None:
    """Tries the overdue invoices of a subscription with the method that has just paid for seats.

    What cannot be collected stays owed; the seats stay bought. Source: C42, C43.
    """
    if subscription is None:
        return
    async with ctx.connection() as db:
        rows = await db.rows(
            CHANGES.debts,
            organization_id=ctx.organization_id,
            subscription_id=SubscriptionId.parse(subscription),
            now=ctx.now,
        )
    for row in rows:
        try:
            await attempts.attempt(ctx, row["invoice_id"], method=method)
        except Unavailable:
            continue
