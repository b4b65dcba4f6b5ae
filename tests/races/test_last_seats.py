"""The last seats: however many come by whatever way at once, exactly the free ones are taken.

`make races` runs a thousand rounds of a hundred callers.
"""

import random

import pytest
import pytest_asyncio

from tests.invariants.clean import assert_clean
from tests.races.crowd import TAKING, Tally, a_round, race
from tests.races.rounds import (
    a_place,
    giving_round,
    judge_taking,
    processes_round,
    taking_round,
)
from tests.races.taker import Taker

pytestmark = pytest.mark.race
# Crowds are made by rows: their seats have no events, and some were never paid for one by one.
BY_HAND = ("events_of_people", "events_of_seats")


@pytest_asyncio.fixture
async def place(fresh_database_dsn):
    async with a_place(fresh_database_dsn) as made:
        yield made
    await assert_clean(fresh_database_dsn, made.money.now, without=BY_HAND)


async def test_g7_s3_exactly_the_free_seats_are_taken_by_whatever_way(place):
    chance, tally = random.Random(7), Tally()
    for _ in range(50):
        await taking_round(place, chance, 24, tally)
    assert (tally.over, tally.under) == (0, 0), tally
    assert set(tally.ways) == {*TAKING, "accept"}


async def test_s3_the_last_five_seats_and_sixty_four_callers(place):
    chance, tally = random.Random(5), Tally()
    for _ in range(4):
        made = await a_round(place.money, chance, callers=64, ways=TAKING, free=5)
        await judge_taking(made, await race(place.engines, place.money.now, made.callers), tally)
    assert tally.outcomes["took"] == 20
    assert tally.slowest_no < 20


async def test_b031_one_seat_and_a_hundred_assigns(place):
    chance, tally = random.Random(31), Tally()
    made = await a_round(place.money, chance, callers=100, ways=("assign",), free=1)
    await judge_taking(made, await race(place.engines, place.money.now, made.callers), tally)
    assert tally.outcomes == {"took": 1, "insufficient_seats": 99}


async def test_a67_s15_buyers_and_leavers_in_the_crowd_serve_who_waits(place):
    chance, tally = random.Random(15), Tally()
    for _ in range(15):
        await giving_round(place, chance, 24, tally)
    assert tally.over == 0
    assert {"purchase", "unassign"} < set(tally.ways)


async def test_s3_two_processes_take_exactly_the_free_seats(place):
    chance, tally = random.Random(2), Tally()
    takers = [await Taker.start(place.dsn) for _ in range(2)]
    for _ in range(6):
        await processes_round(place, takers, chance, 24, tally)
    for taker in takers:
        await taker.end()
    assert (tally.over, tally.under) == (0, 0), tally
