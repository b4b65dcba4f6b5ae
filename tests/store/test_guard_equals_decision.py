"""The guard in SQL and the decision in Python say yes and no to the same pools and people.

Random states of a pool, thousands in one transaction that is rolled back; each is asked by one to
five people at once, of whom some are gone or sit already.
"""

import random
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from seatkeeper.domain.policies import Capacity
from seatkeeper.domain.refusals import Code, Refusal
from seatkeeper.domain.seats import SeatPool, Take, decide_take
from seatkeeper.operations.context import new_id
from seatkeeper.operations.seat_batches import Asked, free_seats, take_seats
from seatkeeper.operations.seats import _taken
from seatkeeper.store.database import Db, _prepare_connection
from tests.domain.shipped import DOCUMENTS

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
CASES = 2_000
MOST = 5
STANDINGS = ("active",) * 9 + ("suspended", "removed")


class Desk:
    """One organization with two pools and as many people as all cases need."""

    def __init__(self, db):
        self.db = db
        self.organization, self.pool, self.other = new_id(), new_id(), new_id()
        self.people = [(new_id(), new_id(), n) for n in range(CASES * MOST)]
        self.next = iter(self.people)

    async def run(self, sql, *values):
        await self.db.connection.execute(sql, *values)

    async def furnish(self):
        catalog, version, subscription = f"c{self.organization.hex}", new_id(), new_id()
        document = DOCUMENTS["enterprise"]
        await self.run(
            "insert into catalog values ($1, $1, null, 5, $2, $3)", catalog, document, NOW
        )
        await self.run(
            "insert into plan_version values ($1, $2, $2, 1, $3, $4)", version, catalog, {}, NOW
        )
        await self.run(
            """insert into organization (organization_id, catalog_key, name, currency, time_zone,
                   created_at) values ($1, $2, 'Acme', 'USD', 'UTC', $3)""",
            self.organization,
            catalog,
            NOW,
        )
        await self.run(
            """insert into subscription (organization_id, subscription_id, plan_version_id,
                   price_key, status, anchor_on, period_number, period_starts_at, period_ends_at,
                   term_ends_at, due_at, started_at)
               values ($1, $2, $3, 'monthly', 'active', '2026-03-01', 0, $4, $5, $5, $5, $4)""",
            self.organization,
            subscription,
            version,
            NOW,
            NOW.replace(month=4),
        )
        await self.run(
            """insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank,
                   capacity, purchased, billed_at)
               values ($1, $2, $4, 'basic', 10, 'purchased', 0, $5),
                      ($1, $3, $4, 'other', 20, 'purchased', 1000000, $5)""",
            self.organization,
            self.pool,
            self.other,
            subscription,
            NOW,
        )
        await self.run(
            "insert into user_account select i, i::text, $2 from unnest($1::uuid[]) as i",
            [user for _, user, _ in self.people],
            NOW,
        )
        await self.run(
            """insert into member (organization_id, member_id, user_id, email, name, role,
                   standing, source, joined_at)
               select $1, m, u, n || '@example.com', 'Ada', 'member', 'active', 'api', $5
                 from unnest($2::uuid[], $3::uuid[], $4::integer[]) as a (m, u, n)""",
            self.organization,
            [member for member, _, _ in self.people],
            [user for _, user, _ in self.people],
            [n for _, _, n in self.people],
            NOW,
        )

    async def pool_becomes(self, chance) -> SeatPool:
        """A random state which the constraints allow."""
        purchased = chance.choice((0, 0, 1, 2, 3, 5, 8, 1_000_000))
        full = min(purchased, 9)
        taken = max(full + chance.choice((-5, -3, -2, -1, 0, 0, 1, 3)), 0)
        held = chance.randint(0, taken)
        state = "over_limit" if taken > purchased else "open"
        ceiling = chance.choice((1_000_000, 1_000_000, 0, 1, 2, 4))
        capacity = chance.choice(list(Capacity))
        values = (purchased, taken - held, held, chance.randint(0, 2), ceiling, state, capacity)
        await self.run(
            """update seat_pool set purchased = $3, assigned = $4, held = $5, waiting = $6,
                   ceiling = $7, state = $8, capacity = $9
                where organization_id = $1 and pool_id = $2""",
            self.organization,
            self.pool,
            *values,
        )
        return SeatPool(self.pool, "basic", 10, *values)

    async def person(self, chance) -> tuple[UUID, str, str | None]:
        """Somebody, how they stand and where they sit."""
        member, _, _ = next(self.next)
        standing = chance.choice(STANDINGS)
        seat = chance.choice((None, None, None, None, None, "other", "basic"))
        seat = seat if standing == "active" else None
        if standing != "active":
            await self.run(
                "update member set standing = $3 where organization_id = $1 and member_id = $2",
                self.organization,
                member,
                standing,
            )
        if seat is not None:
            pool = self.pool if seat == "basic" else self.other
            await self.run(
                "insert into assignment values ($1, $2, $3, $4, 'seat', $5, null, 'by_hand')",
                self.organization,
                member,
                new_id(),
                pool,
                NOW,
            )
        return member, standing, seat

    def asked(self, member, seat_type):
        return Asked(self.organization, member, seat_type, new_id(), NOW, "by_hand", "", new_id())

    async def assigned(self):
        return await self.db.connection.fetchval(
            "select assigned from seat_pool where organization_id = $1 and pool_id = $2",
            self.organization,
            self.pool,
        )


@pytest_asyncio.fixture
async def desk(database_dsn):
    connection = await asyncpg.connect(database_dsn)
    await _prepare_connection(connection)
    transaction = connection.transaction()
    await transaction.start()
    try:
        made = Desk(Db(connection))
        await made.furnish()
        yield made
    finally:
        await transaction.rollback()
        await connection.close()


def expected(pool, people, seat_type):
    """By the decisions alone: for each person a yes, or the code of the no; None: ask again."""
    taken = 0
    for _, standing, seat in people:
        if standing != "active":
            yield Code.NOT_FOUND
        elif seat is not None:
            yield "yes" if seat == seat_type else Code.SEAT_CONFLICT
        else:
            if isinstance(decide_take(pool, taken + 1, seat_type=seat_type), Take):
                taken += 1
                yield "yes"
                continue
            alone = decide_take(pool, 1, seat_type=seat_type)
            yield alone.code if isinstance(alone, Refusal) else None


def said(row, asked):
    outcome = _taken(row, asked)
    if isinstance(outcome, Refusal):
        return outcome.code
    return None if outcome is None else "yes"


async def test_a17_a18_g7_guard_and_decision_agree(desk):
    chance = random.Random(18)
    answers = set()
    for number in range(CASES):
        pool = await desk.pool_becomes(chance)
        people = [await desk.person(chance) for _ in range(chance.randint(1, MOST))]
        seat_type = "basic" if number % 20 else "nothing"
        asked = [desk.asked(member, seat_type) for member, _, _ in people]
        wanted = list(expected(pool if seat_type == "basic" else None, people, seat_type))
        rows = await take_seats(desk.db, asked)
        found = [said(row, one) for row, one in zip(rows, asked, strict=True)]
        assert found == wanted, (pool, people)
        newly = sum(
            word == "yes" and seat is None for word, (*_, seat) in zip(found, people, strict=True)
        )
        assert await desk.assigned() == pool.assigned + newly
        answers.update(found)
    # A walk that never met some answer would not have compared it.
    assert answers == {
        "yes",
        None,
        Code.NOT_FOUND,
        Code.SEAT_CONFLICT,
        Code.SEAT_TYPE_NOT_OWNED,
        Code.OVER_LIMIT,
        Code.OVER_PLAN_LIMIT,
        Code.INSUFFICIENT_SEATS,
    }


async def test_s2_a_pool_over_its_limit_opens_when_the_seat_that_was_too_many_is_freed(desk):
    chance = random.Random(2)
    opened = 0
    for _ in range(CASES // 10):
        pool = await desk.pool_becomes(chance)
        member, _, _ = next(desk.next)
        await desk.run(
            "insert into assignment values ($1, $2, $3, $4, 'seat', $5, null, 'by_hand')",
            desk.organization,
            member,
            new_id(),
            desk.pool,
            NOW,
        )
        if pool.assigned == 0:
            continue
        (row,) = await free_seats(desk.db, [desk.asked(member, "basic")])
        after = await desk.db.connection.fetchrow(
            "select assigned, state from seat_pool where organization_id = $1 and pool_id = $2",
            desk.organization,
            desk.pool,
        )
        freed = pool.waiting == 0
        assert (row["ended_id"] is not None) is freed
        assert after["assigned"] == pool.assigned - freed
        occupied = pool.occupied - freed
        assert after["state"] == ("over_limit" if occupied > pool.purchased else "open")
        opened += pool.state == "over_limit" and after["state"] == "open"
    assert opened


@pytest.mark.parametrize(
    ("constraint", "sql"),
    [
        ("seat_pool_not_oversold", "update seat_pool set assigned = purchased + 1"),
        ("seat_pool_over_limit_ends", "update seat_pool set state = 'over_limit'"),
        ("seat_pool_assigned", "update seat_pool set assigned = -1"),
        ("seat_pool_held", "update seat_pool set held = -1"),
    ],
)
async def test_a18_s1_the_database_itself_refuses(desk, constraint, sql):
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await desk.run(f"{sql} where organization_id = $1", desk.organization)
    assert caught.value.constraint_name == constraint


async def test_s4_the_database_itself_refuses_a_second_seat(desk):
    member, _, _ = next(desk.next)
    sit = "insert into assignment values ($1, $2, $3, $4, 'seat', $5, null, 'by_hand')"
    await desk.run(sit, desk.organization, member, new_id(), desk.pool, NOW)
    with pytest.raises(asyncpg.UniqueViolationError, match="assignment_live_once"):
        await desk.run(sit, desk.organization, member, new_id(), desk.other, NOW)
