"""Callers that hang up at any moment: nothing half done, nothing left open, nobody else harmed."""

import asyncio
import random
from collections import Counter

import pytest
import pytest_asyncio

from seatkeeper.operations import seats
from seatkeeper.store.database import open_database
from tests.invariants.clean import assert_clean
from tests.races.crowd import Caller, _bring_in, attempt
from tests.races.rounds import a_place

pytestmark = pytest.mark.race
BY_HAND = ("events_of_people", "events_of_seats")
STORM = 400


@pytest_asyncio.fixture
async def place(fresh_database_dsn):
    async with a_place(fresh_database_dsn, engines=2) as made:
        yield made
    await assert_clean(fresh_database_dsn, made.money.now, without=BY_HAND)


async def test_x3_b191_a_storm_of_hanging_up_harms_nobody(place, fresh_database_dsn):
    chance = random.Random(191)
    buyer = await place.money.buyer(
        plan="team", price="monthly", seats={"standard": 25, "premium": 1}, live=True
    )
    people = [Caller("assign", buyer.organization_id, _id(), f"c{n}") for n in range(40)]
    await _bring_in(buyer, people)
    start = asyncio.Event()
    start.set()
    ends = Counter()
    for _ in range(STORM // 40):
        tasks = []
        for n in range(40):
            person = chance.choice(people)
            way = chance.choice(("assign", "unassign", "invite", "add", "sign_in", "purchase"))
            caller = Caller(way, person.organization, person.member, f"x{chance.randrange(10**9)}")
            engine = place.engines[n % 2]
            tasks.append(asyncio.create_task(attempt(engine, place.money.now, caller, start)))
        for task in tasks:
            asyncio.get_running_loop().call_later(chance.uniform(0, 0.1), task.cancel)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, asyncio.CancelledError):
                ends["hung up"] += 1
            else:
                ends[outcome.outcome.partition(":")[0]] += 1
    assert ends["hung up"] > STORM / 5, ends
    faults = {end for end in ends if end.startswith("fault")}
    assert not faults, ends
    await _everyone_is_served(place, buyer)
    assert not await _left_open(place)


async def _everyone_is_served(place, buyer):
    """As many at once as there are connections, on another organization: each gets its answer."""
    other = await place.money.buyer(
        plan="team", price="monthly", seats={"standard": 40, "premium": 1}, live=True
    )
    people = [Caller("assign", other.organization_id, _id(), f"o{n}") for n in range(40)]
    await _bring_in(other, people)
    start = asyncio.Event()
    start.set()
    async with asyncio.timeout(20):
        heard = await asyncio.gather(
            *(
                attempt(place.engines[n % 2], place.money.now, caller, start)
                for n, caller in enumerate(people)
            )
        )
    assert {one.outcome for one in heard} == {"took"}, heard
    ctx = await other.ctx()
    counts = await seats.summary(ctx, seats.ReadSeats(organization=other.id))
    assert [c.assigned for c in counts.items if c.seat_type == "standard"] == [40]
    assert buyer.organization_id != other.organization_id


async def _left_open(place):
    """Transactions that were begun and are neither going on nor over."""
    for _ in range(100):
        rows = await place.money.rows(
            """select pid, state, query from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
                  and state like 'idle in transaction%'"""
        )
        if not rows:
            return []
        await asyncio.sleep(0.05)
    return [dict(row) for row in rows]


async def test_a_commit_that_began_is_seen_to_its_end(fresh_database_dsn):
    """Who hangs up while it commits: it is committed, and the connection is as good as new."""
    database = await open_database(fresh_database_dsn, size=1)
    kept = 0
    try:
        async with database.transaction() as db:
            await db.connection.execute("create table kept (n integer)")
        for n in range(40):
            began = asyncio.Event()

            async def write(n=n, began=began):
                async with database.transaction() as db:
                    await db.connection.execute("insert into kept values ($1)", n)
                    began.set()

            task = asyncio.create_task(write())
            await began.wait()
            # The block ends and the commit begins in the task's own next steps.
            for _ in range(n % 4):
                await asyncio.sleep(0)
            task.cancel()
            hung_up = False
            try:
                await task
            except asyncio.CancelledError:
                hung_up = True
            async with database.connection() as db:
                found = await db.connection.fetchval("select count(*) from kept where n = $1", n)
            # Without the word that it failed it is there; cancelled, it is whole or not at all.
            assert found == 1 or hung_up
            kept += found
        assert kept > 20, kept
    finally:
        await database.close()


def _id():
    from seatkeeper.operations.context import new_id

    return new_id()
