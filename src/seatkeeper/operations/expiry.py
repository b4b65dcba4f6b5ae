"""Expiry: invitations whose time is over give their seats back, a bounded batch at a time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from seatkeeper.operations.context import SYSTEM, Context
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.inviting import expire_overdue
from seatkeeper.operations.seating import lock_room
from seatkeeper.store.database import Unavailable
from seatkeeper.store.invitations import INVITATIONS


async def expire_due(engine: Engine, *, now: datetime, clock_id: UUID | None, most: int) -> int:
    """Expires invitations of organizations on that clock (None: live ones); how many.

    Each organization is a transaction of its own under its pools' locks, so that accepting,
    revoking and resending at the same moment win or lose as a whole; one that is busy waits for
    the next round. Source: A53, C53, S-10, S-15.
    """
    async with engine.database.connection() as db:
        rows = await db.rows(INVITATIONS.due, clock_id=clock_id, now=now, most=most)
    done = 0
    for row in rows:
        if done >= most:
            break
        facts = await engine.organization(row["organization_id"])
        ctx = Context(engine, SYSTEM, now, engine.new_id(), facts=facts)
        try:
            async with ctx.transaction() as db:
                await lock_room(ctx, db)
                done += await expire_overdue(ctx, db, most - done)
        except Unavailable:
            continue
    return done
