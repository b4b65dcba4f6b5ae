"""Seat requests: asking for a seat, who waits for one, and leaving the queue."""

from __future__ import annotations

from seatkeeper.domain.ids import MemberId, OrganizationId, SeatRequestId
from seatkeeper.domain.policies import PoolFull, SeatUse
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.domain.seats import Take, decide_arrival
from seatkeeper.operations.answers import MemberText, Moment, SeatRequestText, Word
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import after, cursor
from seatkeeper.operations.people import Member, lock_member, view
from seatkeeper.operations.queue import SEAT_REQUESTS, Wish, enqueue, leave_queue
from seatkeeper.operations.seating import lock_room
from seatkeeper.operations.sitting import move_seat
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Key,
    Limit,
    Page,
    Result,
    page_size,
)


class ListSeatRequests(Command):
    """Who waits for a seat."""

    organization: OrganizationId
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class SeatRequest(Result):
    """A place in the queue. A `seat_type` of null waits for any; `reason` says why."""

    request: SeatRequestText
    member: MemberText
    name: str
    email: str
    seat_type: Key | None
    reason: Word
    queued_at: Moment


class CancelSeatRequest(Command):
    """Take a member out of the queue; the member stays."""

    organization: OrganizationId
    request: SeatRequestId


class RequestSeat(Command):
    """Ask for a seat for a member who has none; without a type any will do."""

    organization: OrganizationId
    member: MemberId
    seat_type: Key | None = None


class Canceled(Result):
    """A place in the queue that is given up."""

    request: SeatRequestText
    member: MemberText


async def list_all(ctx: Context, command: ListSeatRequests) -> Page[SeatRequest]:
    """Who waits for a seat, longest first. Cost: one statement. Source: A4, A66, S-15."""
    size = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            SEAT_REQUESTS.page,
            organization_id=ctx.organization_id,
            after=after(ctx, "seat-requests", command.after),
            page=size + 1,
        )
    items = [
        SeatRequest(
            request=SeatRequestId.text(row["request_id"]),
            member=MemberId.text(row["member_id"]),
            name=row["name"],
            email=row["email"],
            seat_type=row["seat_type"],
            reason=row["reason"],
            queued_at=row["queued_at"],
        )
        for row in rows[:size]
    ]
    last = rows[size - 1]["request_id"] if len(rows) > size else None
    return Page(items=items, next=cursor(ctx, "seat-requests", last))


async def request(ctx: Context, command: RequestSeat) -> Member:
    """Give a member a free seat, or a place in the queue that the owners see.

    For who may not buy. Who sits or waits already succeeds. Refuses: not_found,
    seat_type_not_owned, state_conflict where members pay for themselves. Source: A4, A66, S-15.
    """
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db, command.member)
        await lock_member(ctx, db, command.member)
        member = await view(ctx, db, command.member, existed=True)
        if member.state not in ("unseated", "awaiting_seat"):
            return member
        if room.plan is None or room.plan.is_per_member:
            sentence = "Here nobody else can get a seat for this person."
            raise Refused(refuse(Code.STATE_CONFLICT, detail=sentence))
        if member.state == "awaiting_seat":
            return member
        choice = room.plan.policies.type_provisioned
        outcome = decide_arrival(room.shared, choice, PoolFull.WAIT, command.seat_type)
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        if isinstance(outcome, Take):
            await move_seat(ctx, db, command.member, outcome.pool.pool_id, "by_hand")
        else:
            wish = Wish(command.member, command.seat_type, choice, "asked_for")
            await enqueue(ctx, db, wish)
        return await view(ctx, db, command.member)


async def cancel(ctx: Context, command: CancelSeatRequest) -> Canceled:
    """Take a member out of the queue; the member stays without that seat.

    Refuses: not_found, also for a place that is served or canceled; state_conflict where each
    member has a seat or waits for one. Source: A66, C58.
    """
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db)
        row = await db.row(
            SEAT_REQUESTS.waiting_member,
            organization_id=ctx.organization_id,
            request_id=command.request,
        )
        if row is None:
            raise not_found()
        if room.plan is not None and room.plan.policies.seat_use is SeatUse.EVERY_MEMBER:
            detail = "On this plan every member waits until they sit; remove the member instead."
            raise Refused(refuse(Code.STATE_CONFLICT, Remedy(Way.REMOVE_MEMBERS), detail=detail))
        await leave_queue(ctx, db, [(row["member_id"], None)], state="canceled")
    return Canceled(
        request=SeatRequestId.text(command.request), member=MemberId.text(row["member_id"])
    )
