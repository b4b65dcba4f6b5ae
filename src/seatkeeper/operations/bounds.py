"""Bounds: a bill that cannot be right is not written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from seatkeeper.domain.billing import Line
from seatkeeper.domain.bounds import LINES_PER_DAY_MAX, OutOfBounds, decide_bill
from seatkeeper.domain.periods import local_day, midnight
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Db
from seatkeeper.store.statements import Statements

INVOICES: Final = Statements("invoices")


async def check_bounds(ctx: Context, db: Db, subscription_id: UUID, lines: Sequence[Line]) -> None:
    """Looks at what is about to be billed. Raises: OutOfBounds; whose transaction it is parks.

    Cost: one statement over a bounded number of the organization's newest invoices. Source: M-19.
    """
    zone = ctx.organization.time_zone
    row = await db.one(
        INVOICES.lines_since,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        since=midnight(local_day(ctx.now, zone), zone),
        most=LINES_PER_DAY_MAX,
    )
    if (reason := decide_bill(lines, row["found"], ctx.now)) is not None:
        raise OutOfBounds(reason)
