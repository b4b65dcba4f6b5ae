"""Seats that run low: told once by the taking that reaches the bound, whichever way it comes."""

import asyncio

import pytest

from seatkeeper.domain.ids import PoolId
from seatkeeper.operations import seats
from seatkeeper.operations.context import new_id
from seatkeeper.operations.events import ReadAudit, audit
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.operations.seating import lock_room
from seatkeeper.operations.seats import AssignSeat, MoveSeats, SeatMove, UnassignSeat
from seatkeeper.store.seats import SEATS
from tests.operations.people import accept, add, expire, invite, resend, revoke

SEAT = "enterprise"
LOW, EXHAUSTED = "seats.low", "seats.exhausted"


async def told(house):
    """Each alert of the house in order: its kind, and how many seats were left."""
    rows = await house.world.rows(
        """select kind, facts from event where organization_id = $1 and kind like 'seats.%'
            order by event_id""",
        house.organization_id,
    )
    return [(row["kind"], row["facts"]["available"]) for row in rows]


async def taken(house, seat_type, count):
    """So many seats taken by rows, without an event."""
    for n in range(count):
        await house.member(f"sitting{n}", seat=seat_type)


async def assign(house, member, seat_type=SEAT):
    command = AssignSeat(organization=house.id, member=member, seat_type=seat_type)
    await seats.assign(await house.ctx(), command)


async def move(house, *moves):
    wanted = [SeatMove(member=member, seat_type=seat_type) for member, seat_type in moves]
    await seats.move(await house.ctx(), MoveSeats(organization=house.id, moves=wanted))


async def unassign(house, member):
    await seats.unassign(await house.ctx(), UnassignSeat(organization=house.id, member=member))


@pytest.mark.parametrize(
    ("purchased", "free", "expected"),
    [
        (100, 6, [(LOW, 5), (EXHAUSTED, 0)]),  # a twentieth of 100 is 5
        (100, 5, [(EXHAUSTED, 0)]),  # the bound was reached before
        (119, 6, [(LOW, 5), (EXHAUSTED, 0)]),  # 119 / 20 = 5.95: five are less than that, six not
        (39, 3, [(LOW, 1), (EXHAUSTED, 0)]),  # 39 / 20 = 1.95
        (3, 3, [(LOW, 1), (EXHAUSTED, 0)]),  # 3 / 20 < 1: at least one
        (1, 1, [(EXHAUSTED, 0)]),
    ],
)
async def test_a83_taking_seats_one_by_one_tells_each_bound_once(world, purchased, free, expected):
    house = await world.organization("enterprise", seats={SEAT: purchased})
    await taken(house, SEAT, purchased - free)
    people = [await house.member(f"m{n}") for n in range(free)]
    for member in people:
        await assign(house, member)
    assert await told(house) == expected


async def test_a83_the_event_names_the_pool_and_who_took_the_seat(world):
    house = await world.organization("enterprise", seats={SEAT: 2})
    ada = await house.member("ada")
    command = AssignSeat(organization=house.id, member=ada, seat_type=SEAT)
    ctx = await house.ctx(house.owner)
    await seats.assign(ctx, command)
    row = await world.row(
        "select * from event where organization_id = $1 and kind = $2", house.organization_id, LOW
    )
    assert row["facts"] == {"seat_type": SEAT, "purchased": 2, "available": 1}
    assert (row["subject_id"], row["occurred_at"]) == (house.pools[SEAT], world.now)
    assert (row["actor"], row["request_id"]) == (ctx.actor_text, ctx.request_id)
    seen = await world.row(
        "select transaction_id as t from event where organization_id = $1 and kind = $2",
        house.organization_id,
        "seat.assigned",
    )
    assert seen["t"] == row["transaction_id"]  # together or not at all
    page = await audit(await house.ctx(), ReadAudit(organization=house.id, kind="seats.*"))
    assert [event.subject for event in page.items] == [PoolId.text(house.pools[SEAT])]


async def test_a83_many_at_once_tell_it_once_and_a_member_twice_counts_once(world):
    house = await world.organization("enterprise", seats={SEAT: 60})
    people = [await house.member(f"m{n}") for n in range(58)]
    again = [*people[:20], *people]  # the same members in one batch: one seat each
    await asyncio.gather(*(assign(house, member) for member in again))
    assert await house.seats() == (60, 58, 0, 0)
    assert await told(house) == [(LOW, 3)]
    late = [await house.member(f"late{n}") for n in range(4)]
    await asyncio.gather(*(assign(house, m) for m in late), return_exceptions=True)
    assert await told(house) == [(LOW, 3), (EXHAUSTED, 0)]


async def test_a83_one_statement_that_takes_the_same_member_twice_counts_right(world):
    house = await world.organization("enterprise", seats={SEAT: 4})
    people = [await house.member(f"m{n}") for n in range(3)]
    asked = [people[0], people[0], *people[1:]]  # three seats: 4 - 3 = 1 is left
    async with world.engine.database.connection() as db:
        await db.rows(
            SEATS.take_seats,
            organization_ids=[house.organization_id] * 4,
            member_ids=asked,
            seat_types=[SEAT] * 4,
            assignment_ids=[new_id() for _ in asked],
            instants=[world.now] * 4,
            rules=["by_hand"] * 4,
            actors=["test"] * 4,
            request_ids=[new_id() for _ in asked],
        )
    assert await house.seats() == (4, 3, 0, 0)
    assert await told(house) == [(LOW, 1)]


async def test_a83_every_crossing_is_told_and_nothing_between(world):
    house = await world.organization("enterprise", seats={SEAT: 3})
    ada, bob, cid = [await house.member(name) for name in ("ada", "bob", "cid")]
    await assign(house, ada)
    await assign(house, bob)
    await assign(house, cid)
    await unassign(house, cid)
    await assign(house, cid)
    assert await told(house) == [(LOW, 1), (EXHAUSTED, 0), (EXHAUSTED, 0)]
    await unassign(house, bob)
    await unassign(house, cid)
    await assign(house, bob)
    assert (await told(house))[3:] == [(LOW, 1)]


async def test_a83_moves_tell_for_each_pool_that_they_fill(world):
    house = await world.organization("team", seats={"standard": 3, "premium": 2})
    ada = await house.member("ada", seat="standard")
    bob, cid = await house.member("bob"), await house.member("cid")
    await move(house, (ada, "premium"), (bob, "premium"), (cid, "standard"))
    # Premium 2 -> 0 passes both bounds; of standard 2 are left before and after.
    assert sorted(await told(house)) == [(EXHAUSTED, 0), (LOW, 0)]
    await move(house, (ada, "standard"), (cid, "premium"))  # a swap takes nothing
    assert len(await told(house)) == 2


async def test_a83_invitations_tell_for_the_seats_they_hold(world):
    house = await world.organization("enterprise", seats={SEAT: 40})
    await invite(house, *(f"m{n}" for n in range(37)))
    assert await told(house) == []  # 40 - 37 = 3 > 2
    [sent] = await invite(house, "ada")
    assert await told(house) == [(LOW, 2)]
    await invite(house, "bob", "cid")
    assert await told(house) == [(LOW, 2), (EXHAUSTED, 0)]
    await accept(world, sent.token)
    assert len(await told(house)) == 2  # the seat it held becomes theirs: none is taken


async def test_a83_an_invitation_that_lives_again_takes_a_seat_again(world):
    house = await world.organization("enterprise", seats={SEAT: 2})
    [sent] = await invite(house, "ada")
    world.pass_time(days=22)
    await expire(world)
    assert await told(house) == [(LOW, 1)]
    await resend(house, sent)
    assert await told(house) == [(LOW, 1), (LOW, 1)]
    await resend(house, sent)  # which keeps its seat
    assert len(await told(house)) == 2
    await revoke(house, sent)


async def test_a83_someone_who_enters_with_a_seat_tells_it_too(world):
    house = await world.organization("enterprise", seats={SEAT: 3})
    await add(house, "ada", seat_type=SEAT)
    await add(house, "bob", seat_type=SEAT)
    assert await told(house) == [(LOW, 1)]


async def test_a83_who_waits_and_is_served_tells_it_too(world):
    house = await world.organization("enterprise", seats={SEAT: 0})
    for name in ("ada", "bob", "cid"):
        await add(house, name, source="scim")
    await house.buy(SEAT, 4)
    ctx = await house.ctx()
    async with ctx.transaction() as db:
        await lock_room(ctx, db)
        assert await serve_waiting(ctx, db) == 3
    assert await told(house) == [(LOW, 1)]


async def test_a83_a_seat_without_end_or_of_ones_own_is_never_low(world):
    unlimited = await world.organization("unlimited")
    await add(unlimited, "ada")
    assert await told(unlimited) == []
    own = await world.organization("pro")
    await add(own, "bob")
    assert await told(own) == []
