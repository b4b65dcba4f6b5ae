"""The queue for seats: first come, first served, in the transaction that frees or buys a seat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from seatkeeper.domain.policies import TypeChoice
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.seats import choose_type
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Db
from seatkeeper.store.seats import SEATS, pool_of
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")
SEAT_REQUESTS: Final = Statements("seat_requests")

SERVED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member waits for: one seat type, or any by the choice; and why they have to."""

    member_id: UUID
    seat_type: str | None
    choice: TypeChoice
    reason: str = "pool_full"


async def enqueue(ctx: Context, db: Db, wish: Wish) -> None:
    """Puts a member into the queue. The caller holds the pools' locks. Source: A66, S-15."""
    await db.run(
        SEAT_REQUESTS.enqueue,
        organization_id=ctx.organization_id,
        request_id=ctx.new_id(),
        member_id=wish.member_id,
        seat_type=wish.seat_type,
        choice=wish.choice,
        reason=wish.reason,
        now=ctx.now,
        actor=ctx.actor_text,
        origin=ctx.request_id,
    )


async def leave_queue(
    ctx: Context, db: Db, members: Sequence[tuple[UUID, str | None]], *, state: str
) -> int:
    """Takes members out of the queue as `served` or `canceled`; how many events that made.

    With a seat type beside them only those who wait for it or for any. The caller holds the
    pools' locks. Source: S-15.
    """
    return await db.run(
        SEAT_REQUESTS.close,
        organization_id=ctx.organization_id,
        member_ids=[member for member, _ in members],
        seat_types=[seat_type for _, seat_type in members],
        state=state,
        now=ctx.now,
        actor=ctx.actor_text,
        origin=ctx.request_id,
    )


async def rename_waiting(ctx: Context, db: Db, becomes: Mapping[str, str]) -> None:
    """Who waits for a seat type that is gone waits for what it becomes, in their place.

    The caller holds the pools' locks. Source: S-15, A95.
    """
    await db.run(
        SEAT_REQUESTS.rename,
        organization_id=ctx.organization_id,
        from_types=list(becomes),
        to_types=list(becomes.values()),
        now=ctx.now,
        actor=ctx.actor_text,
        origin=ctx.request_id,
    )


async def follow_ceiling(ctx: Context, db: Db) -> None:
    """Blocks new seats above what is to come, and gives those that are free again.

    A smaller plan comes, or a change waits whose seats are counted already; withdrawn, it blocks
    nobody any more. The caller holds the subscription's lock. Source: C12, C51, M-12, S-15.
    """
    await db.rows(SEATS.lock_pools, organization_id=ctx.organization_id)
    await db.run(CHANGES.follow_ceiling, organization_id=ctx.organization_id, most=QUANTITY_MAX)
    await serve_waiting(ctx, db)


async def serve_waiting(ctx: Context, db: Db, *, bought: bool = False) -> int:
    """Gives free seats to those who wait, longest first; how many were served.

    The caller holds the pools' locks (`lock_pools`) and has just freed or bought seats; `bought`
    for those for whom a purchase was made, who come first then (ADR 19). Someone who waits for a
    full type does not hold up those who wait for another. Source: A58, A67, S-15.
    """
    served = 0
    while True:
        rows = await db.rows(SEATS.pools, organization_id=ctx.organization_id)
        pools = {row["pool_id"]: pool_of(row) for row in rows}
        if not any(p.waiting and p.available for p in pools.values()):
            return served
        waiting = await db.rows(
            SEATS.bought_for if bought else SEATS.waiting,
            organization_id=ctx.organization_id,
            seat_types=[p.seat_type for p in pools.values() if p.available],
            # Each of them locks a row, and no more can be served; the next look brings others.
            most=min(SERVED_MAX, sum(p.available for p in pools.values())),
        )
        chosen = []
        for request in waiting:
            pool = choose_type(pools.values(), TypeChoice(request["choice"]), request["seat_type"])
            if pool is not None:
                pools[pool.pool_id] = replace(pool, assigned=pool.assigned + 1)
                chosen.append((request["request_id"], pool.pool_id))
        if not chosen and bought:
            bought = False
            continue
        if not chosen:
            return served
        await db.run(
            SEATS.serve,
            organization_id=ctx.organization_id,
            request_ids=[request for request, _ in chosen],
            pool_ids=[pool for _, pool in chosen],
            assignment_ids=[ctx.new_id() for _ in chosen],
            now=ctx.now,
            actor=ctx.actor_text,
            request_id=ctx.request_id,
        )
        served += len(chosen)
