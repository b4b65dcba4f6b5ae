"""Seats under clocks that disagree: `now` may go back between two requests by two hosts."""

from itertools import pairwise

from tests.operations.test_seat_requests import wait
from tests.operations.test_seats import assign, move, unassign

EARLIER = {"hours": -3}


async def holdings(world, house, member):
    """When a member sat, in order; each begins no earlier than the one before ended."""
    rows = await world.rows(
        """select assigned_at, ended_at from assignment where organization_id = $1
              and member_id = $2 order by assigned_at, coalesce(ended_at, 'infinity')""",
        house.organization_id,
        member,
    )
    for before, after in pairwise(rows):
        assert before["ended_at"] is not None
        assert before["ended_at"] <= after["assigned_at"]
    return [(row["assigned_at"], row["ended_at"]) for row in rows]


async def test_s4_t5_a_seat_taken_by_an_earlier_clock_begins_when_the_last_one_ended(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada")
    await assign(house, ada)
    world.pass_time(hours=1)
    ended = world.now
    await unassign(house, ada)
    world.pass_time(**EARLIER)
    await assign(house, ada)
    assert [since for since, _ in await holdings(world, house, ada)][-1] == ended


async def test_s4_t5_the_last_end_counts_whatever_ids_the_hosts_gave(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada")
    for hours in (5, -3, 2, -4, 1):
        world.pass_time(hours=hours)
        await assign(house, ada)
        world.pass_time(hours=1)
        await unassign(house, ada)
    assert len(await holdings(world, house, ada)) == 5


async def test_s4_t5_a_move_by_an_earlier_clock_begins_when_the_old_seat_ends(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await house.member("ada")
    await assign(house, ada, "standard")
    since = world.now
    world.pass_time(**EARLIER)
    await move(house, (ada, "premium"))
    assert await holdings(world, house, ada) == [(since, since), (since, None)]


async def test_s4_t5_who_is_served_from_the_queue_begins_after_their_last_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada, bob = await house.member("ada"), await house.member("bob")
    await assign(house, ada)
    world.pass_time(hours=1)
    await unassign(house, ada)
    ended = world.now
    await assign(house, bob)
    await wait(house, ada)
    world.pass_time(**EARLIER)
    await unassign(house, bob)
    assert [since for since, _ in await holdings(world, house, ada)][-1] == ended
