"""Sitting: one member onto a seat or off it, under the locks of the pools."""

from __future__ import annotations

from uuid import UUID

from seatkeeper.operations.context import Context
from seatkeeper.store.database import Db
from seatkeeper.store.seats import SEATS


async def move_seat(ctx: Context, db: Db, member_id: UUID, pool_id: UUID | None, rule: str) -> None:
    """Puts a member on a seat of the pool, or off theirs with None; `rule` says why.

    The caller holds the pools' locks and knows that the seat is free. Source: S-5, G14.
    """
    await db.run(
        SEATS.move_seats,
        organization_id=ctx.organization_id,
        member_ids=[member_id],
        pool_ids=[pool_id],
        assignment_ids=[ctx.new_id()],
        now=ctx.now,
        rule=rule,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
