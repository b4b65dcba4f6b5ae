"""What many callers ask at one moment: one statement, and each gets their own answer."""

import asyncio
import re

import pytest

from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import seats
from seatkeeper.operations.access import ACCESS
from seatkeeper.operations.coalesce import Lanes
from seatkeeper.store.database import Unavailable, open_database
from seatkeeper.store.seats import SEATS


async def seat(house, member, seat_type):
    command = seats.AssignSeat(organization=house.id, member=member, seat_type=seat_type)
    try:
        return await seats.assign(await house.ctx(), command)
    except Refused as refused:
        return refused.refusal


@pytest.mark.race
async def test_a45_of_many_callers_exactly_as_many_as_there_are_seats_get_one(world):
    house = await world.organization("enterprise", seats={"enterprise": 5})
    people = [await house.member(f"m{n}") for n in range(64)]
    outcomes = await asyncio.gather(*(seat(house, m, "enterprise") for m in people))
    refusals = [one for one in outcomes if not isinstance(one, seats.Seat)]
    assert len(refusals) == 59
    # 5 sit, so each of the others is short of exactly one seat.
    assert {(r.code, r.facts["needed"]) for r in refusals} == {(Code.INSUFFICIENT_SEATS, 1)}


@pytest.mark.race
async def test_g7_the_same_member_many_times_at_once_gets_one_seat(world):
    house = await world.organization("chat_and_code", seats={"chat": 2, "chat_code": 2})
    ada = await house.member("ada")
    asked = [seat(house, ada, kind) for kind in ("chat", "chat_code") * 10]
    outcomes = await asyncio.gather(*asked)
    held = {one.seat for one in outcomes if isinstance(one, seats.Seat)}
    conflicts = [one for one in outcomes if not isinstance(one, seats.Seat)]
    assert len(held) == 1
    assert sum(isinstance(one, seats.Seat) and not one.existed for one in outcomes) == 1
    assert [one.code for one in conflicts] == [Code.SEAT_CONFLICT] * 10


@pytest.mark.race
async def test_s4_who_is_removed_while_the_batch_waits_gets_no_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada, bob = [await house.member(name) for name in ("ada", "bob")]
    async with (await house.ctx()).transaction() as db:
        await db.rows(SEATS.lock_pools, organization_id=house.organization_id)
        waiting = asyncio.gather(*(seat(house, m, "enterprise") for m in (ada, bob)))
        await asyncio.sleep(0.3)
        await db.connection.execute(
            "update member set standing = 'removed', removed_at = $2 where member_id = $1",
            ada,
            world.now,
        )
    removed, seated = await waiting
    assert removed.code is Code.NOT_FOUND
    assert isinstance(seated, seats.Seat)


@pytest.mark.race
async def test_s1_a_seat_that_comes_free_while_the_batch_waits_is_taken(world):
    # The statement began when the pool was full; a sum from its view would break the guard.
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada", seat="enterprise")
    bob = await house.member("bob")
    async with (await house.ctx()).transaction() as db:
        await db.rows(SEATS.lock_pools, organization_id=house.organization_id)
        waiting = asyncio.create_task(seat(house, bob, "enterprise"))
        await asyncio.sleep(0.3)
        await db.connection.execute(
            """with s as (update assignment set ended_at = assigned_at where member_id = $1)
               update seat_pool set assigned = 0 where organization_id = $2""",
            ada,
            house.organization_id,
        )
    assert isinstance(await waiting, seats.Seat)
    assert (await house.seats())[1] == 1


async def test_one_bad_item_and_one_busy_key_harm_nobody_else(world):
    asked = []

    async def batch(_db, items):
        asked.append(tuple(items))
        if "bad" in items:
            raise ValueError("bad")
        if any(item.startswith("busy") for item in items):
            raise Unavailable("busy")
        return [item.upper() for item in items]

    lanes = Lanes(world.engine.database, batch, lambda item: item[:4])
    lanes._lanes[1:] = [lanes._lanes[0]]
    items = ["good", "busy 1", "busy 2", "fine", "bad"]
    found = await asyncio.gather(*(lanes.ask(item) for item in items), return_exceptions=True)
    assert [found[0], found[3]] == ["GOOD", "FINE"]
    assert [type(found[n]) for n in (1, 2, 4)] == [Unavailable, Unavailable, ValueError]
    async with world.engine.database.connection() as db:
        assert await lanes.ask_on(db, "alone") == "ALONE"


TYPES = {
    "organization_id": "uuid",
    "now": "timestamptz",
    "rule": "text",
    "actor": "text",
    "request_id": "uuid",
    "instants": "timestamptz[]",
    "seat_types": "text[]",
    "rules": "text[]",
    "actors": "text[]",
    "external_ids": "text[]",
}


@pytest.mark.parametrize(
    "statement",
    [SEATS.take_seats, SEATS.free_seats, SEATS.move_seats, ACCESS.people],
    ids=lambda statement: statement.name,
)
async def test_hot_statements_look_up_by_key_even_when_planned_on_empty_tables(
    fresh_database_dsn, statement
):
    database = await open_database(fresh_database_dsn, size=1)
    try:
        async with database.connection() as db:
            run = db.connection.execute
            await run("analyze assignment")  # Emptiness known is worse than emptiness guessed.
            types = ", ".join(TYPES.get(p, "uuid[]") for p in statement.parameters)
            await run("set plan_cache_mode = force_generic_plan")
            await run(f"prepare hot ({types}) as {statement.sql}")
            nothing = ", ".join("null" for _ in statement.parameters)
            rows = await db.connection.fetch(f"explain execute hot ({nothing})")
    finally:
        await database.close()
    plan = [row[0].strip() for row in rows]
    looks = [n for n, line in enumerate(plan) if re.search(r"Scan .*on assignment", line)]
    assert looks
    for n in looks:
        assert plan[n + 1].startswith("Index Cond: (("), plan[n : n + 2]
        assert "member_id" in plan[n + 1], plan[n + 1]
    assert not any("Seq Scan" in line or "Join Filter" in line for line in plan), plan
