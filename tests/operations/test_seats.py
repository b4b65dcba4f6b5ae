"""Seats by hand: assign, unassign, move, and who sat where when."""

import asyncio
from datetime import timedelta

import pytest

from seatkeeper.domain.ids import AssignmentId, MemberId
from seatkeeper.domain.refusals import Code, Refused, Way
from seatkeeper.operations import members, seats
from seatkeeper.operations.context import new_id
from seatkeeper.operations.members import RemoveMember
from seatkeeper.operations.seats import (
    AssignSeat,
    MoveSeats,
    ReadSeatHistory,
    ReadSeats,
    SeatMove,
    UnassignSeat,
)
from tests.operations.people import accept, add, invite
from tests.world import refused


async def assign(house, member, seat_type="enterprise", *, reassign=False):
    command = AssignSeat(
        organization=house.id, member=member, seat_type=seat_type, reassign=reassign
    )
    return await seats.assign(await house.ctx(), command)


async def unassign(house, member):
    return await seats.unassign(
        await house.ctx(), UnassignSeat(organization=house.id, member=member)
    )


async def move(house, *moves):
    wanted = [SeatMove(member=member, seat_type=seat_type) for member, seat_type in moves]
    return await seats.move(await house.ctx(), MoveSeats(organization=house.id, moves=wanted))


async def history(house, **fields):
    return await seats.history(await house.ctx(), ReadSeatHistory(organization=house.id, **fields))


async def counts(house, at=None):
    summary = await seats.summary(await house.ctx(), ReadSeats(organization=house.id, at=at))
    return {c.seat_type: (c.purchased, c.assigned, c.held, c.available) for c in summary.items}


async def tried(story):
    try:
        return await story
    except Refused as error:
        return error.refusal.code


async def test_a38_a39_unassigning_frees_the_seat_and_keeps_the_member(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    ada = await house.member("ada", seat="enterprise")
    assert (await unassign(house, ada)).seat is None
    assert await house.seats() == (2, 0, 0, 0)
    await unassign(house, ada)  # twice succeeds
    assert await house.events() == ["seat.unassigned"]
    assert (await assign(house, ada)).seat_type == "enterprise"  # A40


async def test_a17_a_type_that_was_never_bought_is_not_owned(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 0})
    ada = await house.member("ada")
    for seat_type in ("premium", "gold"):
        async with refused(Code.SEAT_TYPE_NOT_OWNED, seat_type=seat_type):
            await assign(house, ada, seat_type)


async def test_a42_reassigning_costs_nothing_while_the_type_has_a_seat(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await house.member("ada", seat="standard")
    async with refused(Code.SEAT_CONFLICT, seat_type="standard") as found:
        await assign(house, ada, "premium")
    assert [remedy.way for remedy in found[0].ways_out] == [Way.REASSIGN]
    assert (await assign(house, ada, "premium", reassign=True)).seat_type == "premium"
    assert (await house.seats("standard"), await house.seats("premium")) == (
        (1, 0, 0, 0),
        (1, 1, 0, 0),
    )


async def test_a44_the_same_seat_twice_is_no_change(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    ada = await house.member("ada")
    first, second = await assign(house, ada), await assign(house, ada)
    assert (second.seat, second.existed) == (first.seat, True)
    assert await house.events("seat.") == ["seat.assigned"]


async def test_a45_a_full_type_refuses_with_the_shortage_and_the_ways_out(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    await house.member("ada", seat="enterprise")
    bob = await house.member("bob")
    async with refused(Code.INSUFFICIENT_SEATS, seat_type="enterprise", needed=1) as found:
        await assign(house, bob)
    assert [remedy.way for remedy in found[0].ways_out] == [Way.BUY_SEATS, Way.FREE_SEAT]


async def test_a47_a48_swap_with_full_pool_costs_nothing(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await house.member("ada", seat="standard")
    bob = await house.member("bob", seat="premium")
    assert (await move(house, (ada, "premium"), (bob, "standard"))).moved == 2
    assert await counts(house) == {"premium": (1, 1, 0, 0), "standard": (1, 1, 0, 0)}
    assert await house.events() == ["seat.reassigned"] * 2


async def test_a47_a49_the_same_swap_by_hand_in_three_steps(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await house.member("ada", seat="standard")
    bob = await house.member("bob", seat="premium")
    await unassign(house, ada)
    await assign(house, bob, "standard", reassign=True)
    third = await house.member("third")
    await assign(house, third, "premium")  # A49: someone else is quicker
    async with refused(Code.INSUFFICIENT_SEATS, seat_type="premium"):
        await assign(house, ada, "premium")


async def test_s5_a_batch_that_does_not_work_out_changes_nothing(world):
    house = await world.organization("team", seats={"standard": 2, "premium": 1})
    ada = await house.member("ada", seat="standard")
    bob = await house.member("bob", seat="standard")
    async with refused(Code.INSUFFICIENT_SEATS, seat_type="premium", needed=1):
        await move(house, (ada, "premium"), (bob, "premium"))
    async with refused(Code.NOT_FOUND):
        await move(house, (ada, "premium"), (MemberId(int=new_id().int), None))
    async with refused(Code.INVALID_REQUEST):
        await move(house, (ada, "premium"), (ada, None))
    assert await house.events() == []


async def test_c58_where_every_member_has_a_seat_none_can_be_taken_away(world):
    house = await world.organization("per_seat", seats={"member": 2})
    ada = await house.member("ada")
    for story in (unassign(house, ada), move(house, (ada, None))):
        async with refused(Code.STATE_CONFLICT):
            await story


async def test_c44_over_the_limit_nobody_is_seated_until_there_is_room(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    ada, bob = [await house.member(n, seat="enterprise") for n in ("ada", "bob")]
    eve = await house.member("eve")
    await house.buy("enterprise", -1)
    async with refused(Code.OVER_LIMIT, needed=2):
        await assign(house, eve)
    await unassign(house, ada)
    async with refused(Code.INSUFFICIENT_SEATS, needed=1):  # S-2: the state has ended
        await assign(house, eve)
    await unassign(house, bob)
    assert (await assign(house, eve)).seat_type == "enterprise"


async def test_x1_a_stranger_and_someone_removed_are_not_found(world):
    house, other = [
        await world.organization("enterprise", seats={"enterprise": 2}) for _ in range(2)
    ]
    stranger = await other.member("eve", seat="enterprise")
    gone = await house.member("ada")
    await members.remove(await house.ctx(), RemoveMember(organization=house.id, member=gone))
    for member in (stranger, gone):
        for story in (assign(house, member), unassign(house, member)):
            async with refused(Code.NOT_FOUND):
                await story
        async with refused(Code.NOT_FOUND):
            await assign(house, member, reassign=True)


async def test_g14_s9_seats_at_a_past_instant(world):
    house = await world.organization("enterprise", seats={"enterprise": 0})
    await world.run(
        """with l as (insert into seat_ledger values ($1, $2, $3, 3, $4, 'test', $3))
           update seat_pool set purchased = 3 where pool_id = $2""",
        house.organization_id,
        house.pools["enterprise"],
        new_id(),
        world.now,
    )
    ada = await house.member("ada")
    (bob,) = await invite(house, "bob")
    bought = world.now
    world.pass_time(hours=1)
    await assign(house, ada)
    world.pass_time(hours=1)
    await accept(world, bob.token, "bob")
    await unassign(house, ada)
    assert await counts(house, at=bought - timedelta(seconds=1)) == {}
    assert await counts(house, at=bought) == {"enterprise": (3, 0, 1, 2)}
    assert await counts(house, at=bought + timedelta(hours=1)) == {"enterprise": (3, 1, 1, 1)}
    assert await counts(house) == {"enterprise": (3, 1, 0, 2)}
    assert await counts(house, at=world.now) == await counts(house)
    async with refused(Code.INVALID_REQUEST):
        await counts(house, at=world.now + timedelta(seconds=1))


async def test_g14_who_held_which_seat_by_which_rule(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await house.member("ada")
    await assign(house, ada, "standard")
    world.pass_time(hours=1)
    await assign(house, ada, "premium", reassign=True)
    first = await history(house, limit=1)
    rest = await history(house, limit=1, after=first.next, member=ada)
    held = [*first.items, *rest.items]
    assert [(h.seat_type, h.rule, h.ended_rule) for h in held] == [
        ("premium", "by_hand", None),
        ("standard", "by_hand", "by_hand"),
    ]
    then = await history(house, at=world.now - timedelta(minutes=30))
    assert [h.seat_type for h in then.items] == ["standard"]


async def test_g13_the_event_of_an_unassigned_seat_names_that_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada")
    seat = await assign(house, ada)
    await move(house, (ada, None))
    row = await world.row(
        "select subject_id from event where organization_id = $1 and kind = 'seat.unassigned'",
        house.organization_id,
    )
    assert AssignmentId.text(row["subject_id"]) == seat.seat


@pytest.mark.race
async def test_g7_b031_many_assigns_and_one_free_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    people = [await house.member(f"m{n}") for n in range(100)]
    answers = await asyncio.gather(*(tried(assign(house, member)) for member in people))
    assert answers.count(Code.INSUFFICIENT_SEATS) == 99
    assert await house.seats() == (1, 1, 0, 0)


@pytest.mark.race
async def test_g7_the_last_seat_between_an_assignment_an_invitation_and_a_newcomer(world):
    for _ in range(5):
        house = await world.organization("enterprise", seats={"enterprise": 1})
        ada = await house.member("ada")
        answers = await asyncio.gather(
            tried(assign(house, ada)),
            tried(invite(house, "bob")),
            tried(add(house, "eve", seat="automatic")),
        )
        assert answers.count(Code.INSUFFICIENT_SEATS) == 2


@pytest.mark.race
async def test_b035_opposite_swaps_at_once_end_in_one_of_the_two_orders(world):
    house = await world.organization("team", seats={"standard": 5, "premium": 5})
    low = [await house.member(f"s{n}", seat="standard") for n in range(5)]
    high = [await house.member(f"p{n}", seat="premium") for n in range(5)]
    swaps = [move(house, (a, "premium"), (b, "standard")) for a, b in zip(low, high, strict=True)]
    back = [move(house, (b, "standard"), (a, "premium")) for a, b in zip(low, high, strict=True)]
    await asyncio.gather(*(tried(story) for story in [*swaps, *back]))
    assert await counts(house) == {"premium": (5, 5, 0, 0), "standard": (5, 5, 0, 0)}


@pytest.mark.race
async def test_s14_nobody_who_is_removed_keeps_or_gets_a_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 30})
    people = [await house.member(f"m{n}") for n in range(30)]
    stories = []
    for member in people:
        gone = RemoveMember(organization=house.id, member=member)
        stories += [
            tried(assign(house, member)),
            tried(members.remove(await house.ctx(), gone)),
            tried(assign(house, member)),
        ]
    await asyncio.gather(*stories)
    assert await house.seats() == (30, 0, 0, 0)


async def test_c30_members_and_pending_invitations_take_seats_alike(world):
    house = await world.organization("per_seat_limited", seats={"member": 5})
    (before,) = (await counts(house)).values()
    await house.member("ada")
    await invite(house, "bob")
    (after,) = (await counts(house)).values()
    taken = after[1] + after[2] - before[1] - before[2]
    assert (taken, before[3] - after[3]) == (2, 2)
