"""Seating one member under the locks of the pools: give a seat, let them wait, take it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.members import Seating, Source, decide_seating
from seatkeeper.domain.policies import PoolFull, TypeChoice
from seatkeeper.domain.refusals import Refusal, Refused
from seatkeeper.domain.seats import Buy, SeatPool, Take, Wait, choose_type, decide_arrival
from seatkeeper.operations.arrivals import PURCHASE, buy_for_arrival
from seatkeeper.operations.context import Context
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.queue import Wish, enqueue, leave_queue
from seatkeeper.operations.sitting import move_seat
from seatkeeper.operations.standing import plan_in_force
from seatkeeper.store.database import Db, Row
from seatkeeper.store.members import MEMBERS
from seatkeeper.store.seats import pool_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """Someone who comes in, or comes back: how, and which seat they are to have."""

    member_id: UUID
    source: Source
    wanted: str | None = None
    asked: bool | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """The plan in force and the pools a member can sit in, locked; domains invited from."""

    plan: Plan | None
    shared: tuple[SeatPool, ...]
    own: tuple[SeatPool, ...]
    domains: tuple[str, ...] = ()

    @property
    def anyone_waits(self) -> bool:
        """Whether a seat that comes free is someone's already."""
        return any(pool.waiting for pool in self.shared)

    def pool(self, pool_id: UUID | None) -> SeatPool | None:
        """The pool of that id, if it is one of these."""
        return next((p for p in (*self.shared, *self.own) if p.pool_id == pool_id), None)


async def lock_room(ctx: Context, db: Db, member_id: UUID | None = None) -> Room:
    """Locks the organization, then its pools in their order, with those the member pays.

    Source: G7.
    """
    row = await db.one(ORGANIZATIONS.lock, organization_id=ctx.organization_id)
    fresh = Room(None, (), (), tuple(row["allowed_domains"]))
    room = await look_again(ctx, db, fresh, member_id)
    # Only now: who changes the plan holds the pools' locks too.
    return replace(room, plan=await plan_in_force(ctx, db))


async def look_again(ctx: Context, db: Db, room: Room, member_id: UUID | None = None) -> Room:
    """The same room, its pools as this transaction has left them."""
    rows = await db.rows(
        MEMBERS.lock_pools, organization_id=ctx.organization_id, member_id=member_id
    )
    return replace(
        room,
        shared=tuple(pool_of(row) for row in rows if row["payer_member_id"] is None),
        own=tuple(pool_of(row) for row in rows if row["payer_member_id"] is not None),
    )


async def settle(ctx: Context, db: Db, room: Room, arrival: Arrival) -> None:
    """Gives an arriving member a seat, a place in the queue, or nothing, as the plan wants it.

    Refuses: what `decide_seating` and `decide_arrival` refuse. Source: A57, A58, A65-A72, C31.
    """
    if room.plan is None:
        if arrival.wanted is None:
            return
        seating: Seating | Refusal | None = Seating(TypeChoice.HIGHEST, PoolFull.REFUSE)
    elif room.plan.is_per_member:
        await _sit_on_own(ctx, db, room, arrival)
        return
    else:
        seating = decide_seating(room.plan.policies, arrival.source, asked=arrival.asked)
    if isinstance(seating, Refusal):
        raise Refused(seating)
    if seating is not None:
        await _seat(ctx, db, room, (arrival, seating))


async def vacate(ctx: Context, db: Db, member_id: UUID, rule: str) -> Row | None:
    """Ends a member's seat and place in the queue; the seat they had.

    The caller holds the pools' locks, and serves the queue afterwards. Source: S-6, A7.
    """
    await leave_queue(ctx, db, [(member_id, None)], state="canceled")
    seat = await db.row(MEMBERS.seat, organization_id=ctx.organization_id, member_id=member_id)
    if seat is not None:
        await move_seat(ctx, db, member_id, None, rule)
    return seat


async def _seat(ctx: Context, db: Db, room: Room, who: tuple[Arrival, Seating]) -> None:
    arrival, seating = who
    outcome = decide_arrival(room.shared, seating.choice, seating.full, arrival.wanted)
    if isinstance(outcome, Buy):
        outcome = await _buy(ctx, db, outcome, who)
    match outcome:
        case Refusal():
            raise Refused(outcome)
        case Wait():
            wish = Wish(arrival.member_id, arrival.wanted, seating.choice, outcome.reason)
            await enqueue(ctx, db, wish)
        case Take():
            await move_seat(ctx, db, arrival.member_id, outcome.pool.pool_id, arrival.source)


async def _buy(
    ctx: Context, db: Db, wish: Buy, who: tuple[Arrival, Seating]
) -> Take | Wait | Refusal:
    """Buys the seat; where that fails a provisioned member waits, someone else is refused.

    Source: A58, A59.
    """
    arrival, seating = who
    try:
        # A savepoint: a purchase that fails half way must leave nothing behind.
        async with db.connection.transaction():
            bought = await buy_for_arrival(ctx, db, wish.seat_type, wish.quantity)
    except Refused as refused:
        return Wait() if arrival.source.is_provisioned else refused.refusal
    if not bought:
        return Wait(PURCHASE)
    room = await look_again(ctx, db, Room(None, (), ()))
    decided = decide_arrival(room.shared, seating.choice, PoolFull.REFUSE, wish.seat_type)
    assert isinstance(decided, Take | Refusal)
    return decided


async def _sit_on_own(ctx: Context, db: Db, room: Room, arrival: Arrival) -> None:
    """Takes the seat which the member pays for, if there is one. Source: T8."""
    pool = choose_type(room.own, TypeChoice.HIGHEST)
    if pool is not None:
        await move_seat(ctx, db, arrival.member_id, pool.pool_id, arrival.source)
