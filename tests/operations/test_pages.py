"""Pages of filtered lists: a look at few rows at a time comes to the same as one at all of them."""

import pytest

from seatkeeper.operations import cursors, events, members, seats
from seatkeeper.operations.events import FollowEvents, ReadAudit
from seatkeeper.operations.members import ListMembers
from seatkeeper.operations.seats import ReadSeatHistory, UnassignSeat
from tests.operations.test_seats import assign

WALK = 3  # Rows looked at; less than there are, so that pages end early, also empty ones.


@pytest.fixture
def short_walk(monkeypatch):
    monkeypatch.setattr(cursors, "WALK_MAX", WALK)


async def all_pages(read, house, command, **fields):
    """Every item of a list, and how many pages were read for it."""
    items, pages, after = [], 0, None
    while True:
        asked = command(organization=house.id, limit=2, after=after, **fields)
        page = await read(await house.ctx(), asked)
        items += page.items
        pages += 1
        assert len(page.items) <= 2
        more = page.has_more if isinstance(page, events.Events) else page.next is not None
        if not more:
            return items, pages
        after = page.next


async def a_house(world):
    """Twelve people: one sits on the rarer seat, one was removed, one is suspended."""
    house = await world.organization("team", seats={"standard": 12, "premium": 2})
    for number in range(12):
        await house.member(f"p{number:02}", seat="premium" if number == 9 else "standard")
    people = await all_pages(members.list_all, house, ListMembers)
    last = {item.name: item.member for item in people[0]}
    return house, last


@pytest.mark.usefixtures("short_walk")
@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, None),
        ({"seat_type": "premium"}, {"P09"}),
        ({"q": "p1"}, {"P10", "P11"}),
        ({"q": "none"}, set()),
        ({"state": "unseated"}, {"Owner"}),
        ({"state": "awaiting_seat"}, set()),
        ({"role": "primary_owner"}, {"Owner"}),
        ({"role": "primary_owner", "state": "seated"}, set()),
        ({"role": "member", "seat_type": "premium"}, {"P09"}),
        ({"state": "seated", "q": "p0"}, {f"P{n:02}" for n in range(10)}),
        ({"state": "removed"}, set()),
    ],
)
async def test_a66_members_that_fit_are_found_behind_many_that_do_not(world, fields, names):
    house, everyone = await a_house(world)
    found, _ = await all_pages(members.list_all, house, ListMembers, **fields)
    wanted = set(everyone) if names is None else names
    assert sorted(item.name for item in found) == sorted(wanted)
    assert [item.member for item in found] == sorted(item.member for item in found)


@pytest.mark.usefixtures("short_walk")
async def test_g14_a_past_instant_is_found_behind_all_that_came_later(world):
    house = await world.organization("enterprise", seats={"enterprise": 20})
    ada = await house.member("ada")
    await assign(house, ada)
    world.pass_time(hours=1)
    noon = world.now
    world.pass_time(hours=1)
    for number in range(7):
        await assign(house, await house.member(f"p{number}"))
    found, pages = await all_pages(seats.history, house, ReadSeatHistory, at=noon)
    assert [item.name for item in found] == ["Ada"]
    assert pages == 3  # Seven that came later in looks of three, and hers.
    found, _ = await all_pages(seats.history, house, ReadSeatHistory)
    assert len(found) == 8


@pytest.mark.usefixtures("short_walk")
async def test_g13_rare_events_are_found_behind_many_others(world):
    house = await world.organization("enterprise", seats={"enterprise": 20})
    people = [await house.member(f"p{number}") for number in range(8)]
    for person in people:
        await assign(house, person)
    await seats.unassign(await house.ctx(), UnassignSeat(organization=house.id, member=people[0]))
    for read, command in ((events.follow, FollowEvents), (events.audit, ReadAudit)):
        found, _ = await all_pages(read, house, command, kind="seat.unassigned")
        assert [item.kind for item in found] == ["seat.unassigned"]
        found, _ = await all_pages(read, house, command, kind="seat.*")
        assert len(found) == 9
        found, _ = await all_pages(read, house, command, member=people[1])
        assert len(found) == 1
        found, _ = await all_pages(read, house, command)
        assert len(found) == 9
