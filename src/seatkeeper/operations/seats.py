"""Seats: assign, unassign, move, and who sits where, now and at any past instant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain.ids import AssignmentId, MemberId, OrganizationId
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.domain.seats import Move, decide_moves, decide_take
from seatkeeper.operations.answers import MemberText, Moment, SeatText, Word
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor, walk, walked
from seatkeeper.operations.queue import leave_queue, serve_waiting
from seatkeeper.operations.seat_batches import Asked
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Instant,
    Key,
    Limit,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Row, Unavailable
from seatkeeper.store.seats import SEATS, pool_of

MOVES_MAX: Final = 1_000
ATTEMPTS_MAX: Final = 8


class AssignSeat(Command):
    """Give a member a seat of a type; `reassign` moves someone who holds another type."""

    organization: OrganizationId
    member: MemberId
    seat_type: Key
    reassign: bool = False


class Seat(Result):
    """The seat a member holds."""

    member: MemberText
    seat: SeatText
    seat_type: Key
    existed: bool = False


class UnassignSeat(Command):
    """Take a member's seat; the member stays."""

    organization: OrganizationId
    member: MemberId


class Unseated(Result):
    """A member without a seat."""

    member: MemberText
    seat: None = None


async def assign(ctx: Context, command: AssignSeat) -> Seat:
    """Give one member a seat of the type.

    The same seat twice succeeds. Refuses: not_found, seat_conflict (holds another type and
    `reassign` is false), seat_type_not_owned, over_limit, over_plan_limit, insufficient_seats.
    Cost: a share of one statement when a seat is free. Source: A17, A40, A44, A45, G7.
    """
    if command.reassign:
        return await _reassign(ctx, command)
    asked = _asked(ctx, command.member, command.seat_type, "by_hand")
    for _ in range(ATTEMPTS_MAX):
        row = await ctx.ask("take_seats", asked)
        outcome = None if row is None else _taken(row, asked)
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        if outcome is not None:
            return outcome
    message = "the seats changed under every attempt"
    raise Unavailable(message)


def _taken(row: Row, asked: Asked) -> Seat | Refusal | None:
    # None: the batch saw the past of a change that came in between; another look decides.
    if row["assignment_id"] is not None:
        return _seat(asked, row["assignment_id"], existed=row["assignment_id"] != asked.seat_id)
    if row["standing"] != "active":
        return not_found().refusal
    if row["seat_now"] == asked.seat_type:
        return _seat(asked, row["seat_now_id"], existed=True)
    if row["seat_now"] is not None:
        return _conflict(row["seat_now"], asked.seat_type)
    pool = None if row["pool_id"] is None else pool_of(row)
    outcome = decide_take(pool, 1, seat_type=asked.seat_type)
    return outcome if isinstance(outcome, Refusal) else None


async def unassign(ctx: Context, command: UnassignSeat) -> Unseated:
    """Take a member's seat and leave the member; whoever waits longest gets the seat.

    Nobody's seat twice succeeds. Refuses: not_found, state_conflict (every member has a seat).
    Cost: a share of one statement when nobody waits. Source: A38, A39, C58, S-6, S-15.
    """
    asked = _asked(ctx, command.member, "", "by_hand")
    row = await ctx.ask("free_seats", asked)
    if row is not None and row["standing"] != "active":
        raise not_found()
    if row is not None and row["every_member"]:
        raise Refused(_every_member())
    if row is None or (row["ended_id"] is None and row["assignment_id"] is not None):
        # Someone waits for this seat, or it moved while the batch waited: do it under lock.
        await _move(ctx, (Move(command.member, None),), "by_hand")
    return Unseated(member=MemberId.text(command.member))


class SeatMove(Command):
    """One move: to a seat type, or to none."""

    member: MemberId
    seat_type: Key | None


class MoveSeats(Command):
    """Moves that happen together or not at all, such as a swap."""

    organization: OrganizationId
    moves: Annotated[list[SeatMove], Meta(min_length=1, max_length=MOVES_MAX)]


class Moved(Result):
    """How many members changed their seat."""

    moved: int


async def move(ctx: Context, command: MoveSeats) -> Moved:
    """Move up to 1,000 members between seat types and no seat, all or nothing.

    Seats freed inside the batch count for it, so a full pool can swap. Refuses: not_found,
    invalid_request, and the refusals of a seat for the whole batch.
    Cost: four statements whatever the size. Source: A42, A47, A48, S-5.
    """
    moves = tuple(Move(m.member, m.seat_type) for m in command.moves)
    return Moved(moved=await _move(ctx, moves, "move"))


class ReadSeats(Command):
    """Seats per type, now or at a past instant."""

    organization: OrganizationId
    at: datetime | None = None


class SeatCount(Result):
    """The seats of one type. `available` = purchased - assigned - held, never negative."""

    seat_type: Key
    purchased: int
    assigned: int
    held: int
    available: int
    waiting: int
    over_limit: bool
    unlimited: bool


class SeatCounts(Result):
    """Seats per type, highest rank first."""

    at: Moment
    items: list[SeatCount]


async def summary(ctx: Context, command: ReadSeats) -> SeatCounts:
    """Seats per type: purchased, assigned, held, available, waiting; at any past instant too.

    Refuses: invalid_request for an instant to come. Cost: one statement; a past instant reads
    the organization's history. Source: G14, S-9, S-16.
    """
    at = command.at
    if at is not None and (at.tzinfo is None or at > ctx.now):
        raise Refused(
            refuse(Code.INVALID_REQUEST, detail="`at` must be a past instant with its offset.")
        )
    async with ctx.connection() as db:
        if at is None:
            rows = await db.rows(SEATS.summary, organization_id=ctx.organization_id)
        else:
            rows = await db.rows(SEATS.summary_at, organization_id=ctx.organization_id, at=at)
    return SeatCounts(at=at or ctx.now, items=[_count(row) for row in rows])


class ReadSeatHistory(Command):
    """Who held which seat, of one member or at one instant if wanted."""

    organization: OrganizationId
    member: MemberId | None = None
    at: Instant | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class SeatHeld(Result):
    """One holding of a seat, by which rule it began and ended."""

    seat: SeatText
    member: MemberText
    name: str
    email: str
    seat_type: Key
    since: Moment
    until: Moment | None
    rule: Word
    ended_rule: Word | None


async def history(ctx: Context, command: ReadSeatHistory) -> Page[SeatHeld]:
    """Who held which seat by which rule, newest first. Source: G14."""
    page = page_size(command.limit)
    most = walk(page, filtered=command.at is not None)
    async with ctx.connection() as db:
        rows = await db.rows(
            SEATS.history,
            organization_id=ctx.organization_id,
            member_id=command.member,
            at=command.at,
            before=before(ctx, "seat-history", command.after),
            page=page + 1,
            walk=most,
        )
    held, last = walked(rows, page, most)
    items = [
        SeatHeld(
            seat=AssignmentId.text(row["assignment_id"]),
            member=MemberId.text(row["member_id"]),
            name=row["name"],
            email=row["email"],
            seat_type=row["seat_type"],
            since=row["assigned_at"],
            until=row["ended_at"],
            rule=row["rule"],
            ended_rule=row["ended_rule"],
        )
        for row in held
    ]
    following = None if last is None else last["assignment_id"]
    return Page(items=items, next=cursor(ctx, "seat-history", following))


def _asked(ctx: Context, member: UUID, seat_type: str, rule: str) -> Asked:
    return Asked(
        organization_id=ctx.organization_id,
        member_id=member,
        seat_type=seat_type,
        seat_id=ctx.new_id(),
        at=ctx.now,
        rule=rule,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def _reassign(ctx: Context, command: AssignSeat) -> Seat:
    await _move(ctx, (Move(command.member, command.seat_type),), "by_hand")
    async with ctx.connection() as db:
        row = await db.one(
            SEATS.seats_of, organization_id=ctx.organization_id, member_ids=[command.member]
        )
    return Seat(
        member=MemberId.text(command.member),
        seat=AssignmentId.text(row["assignment_id"]),
        seat_type=row["seat_type"],
    )


async def _move(ctx: Context, moves: tuple[Move, ...], rule: str) -> int:
    async with ctx.transaction() as db:
        rows = await db.rows(SEATS.lock_pools, organization_id=ctx.organization_id)
        pools = {row["seat_type"]: pool_of(row) for row in rows}
        members = [m.member for m in moves]
        held = await db.rows(
            SEATS.seats_of, organization_id=ctx.organization_id, member_ids=members
        )
        leaving = {m.member for m in moves if m.to is None}
        bound = any(row["every_member"] for row in rows)
        # Nor can anyone take the seat that a member pays for. Source: T8.
        if leaving and (bound or any(row["own"] and row["member_id"] in leaving for row in held)):
            raise Refused(_every_member())
        decided = decide_moves(pools, {row["member_id"]: row["seat_type"] for row in held}, moves)
        if isinstance(decided, Refusal):
            raise Refused(decided)
        if decided.moves:
            await db.run(
                SEATS.move_seats,
                organization_id=ctx.organization_id,
                member_ids=[m.member for m in decided.moves],
                pool_ids=[pools[m.to].pool_id if m.to else None for m in decided.moves],
                assignment_ids=[ctx.new_id() for _ in decided.moves],
                now=ctx.now,
                rule=rule,
                actor=ctx.actor_text,
                request_id=ctx.request_id,
            )
        given = [(m.member, m.to) for m in decided.moves if m.to is not None]
        if given and any(pool.waiting for pool in pools.values()):
            await leave_queue(ctx, db, given, state="served")
        if any(delta < 0 for delta in decided.deltas.values()):
            await serve_waiting(ctx, db)
        return len(decided.moves)


def _every_member() -> Refusal:
    return refuse(
        Code.STATE_CONFLICT,
        Remedy(Way.REMOVE_MEMBERS),
        detail="On this plan every member has a seat; remove the member instead.",
    )


def _conflict(held: str, wanted: str) -> Refusal:
    return refuse(Code.SEAT_CONFLICT, Remedy(Way.REASSIGN, {"seat_type": wanted}), seat_type=held)


def _seat(asked: Asked, seat: UUID, *, existed: bool = False) -> Seat:
    return Seat(
        member=MemberId.text(asked.member_id),
        seat=AssignmentId.text(seat),
        seat_type=asked.seat_type,
        existed=existed,
    )


def _count(row: Row) -> SeatCount:
    return SeatCount(
        seat_type=row["seat_type"],
        purchased=row["purchased"],
        assigned=row["assigned"],
        held=row["held"],
        available=row["available"],
        waiting=row["waiting"],
        over_limit=row["over_limit"],
        unlimited=row["capacity"] == "unlimited",
    )
