"""A small world for scenarios: an engine on real PostgreSQL, and organizations made row by row.

`world.organization(plan, seats={...})` gives a `House` with a subscription, its pools and a
primary owner; `house.member(...)` puts people into it; `house.ctx(actor)` acts there. The clock
is `world.now`. At the end of each test every house is checked against the invariants of seats.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.catalog_format import plans_from
from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.members import Role
from seatkeeper.domain.policies import Capacity, SeatUse
from seatkeeper.domain.refusals import Code, Refusal, Refused
from seatkeeper.operations.assemble import assemble
from seatkeeper.operations.context import Actor, Context, Principal, new_id
from seatkeeper.operations.engine import Engine
from seatkeeper.store.database import open_database
from tests.domain.shipped import DOCUMENTS, PLANS

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NOBODY = UUID(int=0)
KEY = Principal(UUID(int=1), "tests", "service", frozenset())

# Rows that say that a house is not in order; each statement must give none.
INVARIANTS = {
    "a counter differs from what it counts": """
        select p.seat_type, p.assigned, p.held, p.waiting from seat_pool p
         where p.organization_id = $1 and (
            p.assigned <> (select count(*) from assignment s where s.organization_id = $1
                and s.pool_id = p.pool_id and s.ended_at is null)
         or p.held <> (select count(*) from hold h where h.organization_id = $1
                and h.pool_id = p.pool_id and h.released_at is null)
         or (p.payer_member_id is null and p.waiting <> (select count(*) from seat_request r
                where r.organization_id = $1 and r.state = 'waiting'
                and (r.seat_type is null or r.seat_type = p.seat_type))))""",
    "someone waits while a seat is free": """
        select p.seat_type from seat_pool p
         where p.organization_id = $1 and p.payer_member_id is null and p.waiting > 0
           and least(p.purchased, p.ceiling) > p.assigned + p.held""",
    "someone who is not active has a seat or waits": """
        select m.member_id from member m
         where m.organization_id = $1 and m.standing <> 'active' and (
            exists (select 1 from assignment s where s.organization_id = $1
                and s.member_id = m.member_id and s.ended_at is null)
         or exists (select 1 from seat_request r where r.organization_id = $1
                and r.member_id = m.member_id and r.state = 'waiting'))""",
    "a closed invitation holds a seat": """
        select i.invitation_id from invitation i join hold h on h.organization_id = $1
           and h.invitation_id = i.invitation_id and h.released_at is null
         where i.organization_id = $1 and i.state <> 'pending'""",
    "a member without a seat on a plan where each has one": """
        select m.member_id from member m
         where m.organization_id = $1 and m.standing = 'active'
           and exists (select 1 from seat_pool p where p.organization_id = $1 and p.every_member
                and p.payer_member_id is null)
           and not exists (select 1 from seat_request r where r.organization_id = $1
                and r.member_id = m.member_id and r.state = 'waiting')
           and not exists (select 1 from assignment s where s.organization_id = $1
                and s.member_id = m.member_id and s.ended_at is null)""",
}


@dataclass
class House:
    """One organization of a test."""

    world: World
    organization_id: UUID
    plan: Plan | None
    pools: dict[str, UUID] = field(default_factory=dict)
    owner: UUID = NOBODY

    @property
    def id(self) -> OrganizationId:
        """Its id, as commands name it."""
        return OrganizationId(int=self.organization_id.int)

    async def ctx(self, actor: UUID | None = None) -> Context:
        """A fresh request about this house: by the vendor, or in a member's name."""
        engine = self.world.engine
        facts = await engine.organization(self.organization_id)
        ctx = Context(engine, KEY, self.world.now, new_id(), facts=facts)
        if actor is not None:
            row = await self.world.row(
                "select role, may_bill from member where organization_id = $1 and member_id = $2",
                self.organization_id,
                actor,
            )
            ctx.actor = Actor(actor, Role(row["role"]), row["may_bill"])
        return ctx

    async def member(
        self, name: str, *, role: str = "member", seat: str | None = None, **columns: Any
    ) -> MemberId:
        """A member by rows; on plans where every member has a seat they get one."""
        member_id = new_id()
        at = self.world.now
        plan = self.plan
        if plan is not None and plan.policies.seat_use is SeatUse.EVERY_MEMBER and self.pools:
            seat = plan.entry_type.key
        await self.world.run(
            """with u as (insert into user_account values ($2, $3, $4) returning user_id)
               insert into member (organization_id, member_id, user_id, email, name, role,
                   standing, source, joined_at)
               select $1, $5, user_id, $6, $7, $8, 'active', $9, $4 from u""",
            self.organization_id,
            new_id(),
            f"{name}-{member_id}",
            at,
            member_id,
            columns.get("email", f"{name}@example.com"),
            name.capitalize(),
            role,
            columns.get("source", "api"),
        )
        if seat is not None:
            await self.world.run(
                """with s as (insert into assignment (organization_id, member_id, assignment_id,
                       pool_id, assigned_at, rule) values ($1, $2, $3, $4, $5, 'by_hand'))
                   update seat_pool set assigned = assigned + 1
                    where organization_id = $1 and pool_id = $4""",
                self.organization_id,
                member_id,
                new_id(),
                self.pools[seat],
                at,
            )
        return MemberId(int=member_id.int)

    async def seats(self, seat_type: str | None = None) -> tuple[int, int, int, int]:
        """(purchased, assigned, held, waiting) of a pool; of the only one by default."""
        key = seat_type or next(iter(self.pools))
        row = await self.world.row(
            "select purchased, assigned, held, waiting from seat_pool where pool_id = $1",
            self.pools[key],
        )
        return tuple(row)

    async def buy(self, seat_type: str, quantity: int) -> None:
        """More purchased seats (or fewer), without money and without serving anyone."""
        await self.world.run(
            """update seat_pool set purchased = purchased + $2,
                   state = case when assigned + held > purchased + $2 then 'over_limit'
                                else 'open' end where pool_id = $1""",
            self.pools[seat_type],
            quantity,
        )

    async def events(self, start: str = "") -> list[str]:
        """The kinds of its events in order, those that begin like this."""
        rows = await self.world.rows(
            "select kind from event where organization_id = $1 order by event_id",
            self.organization_id,
        )
        return [row["kind"] for row in rows if row["kind"].startswith(start)]


@dataclass
class World:
    """The engine, the clock and the houses of one test."""

    engine: Engine
    now: datetime = START
    houses: list[House] = field(default_factory=list)

    def pass_time(self, **units: float) -> None:
        """Moves the clock on, by `timedelta` units."""
        self.now += timedelta(**units)

    async def organization(
        self,
        plan_key: str | None = None,
        *,
        seats: Mapping[str, int] | None = None,
        owner: bool = True,
        clock_id: UUID | None = None,
    ) -> House:
        """A fresh organization on a shipped plan (None: on none), with purchased seats.

        `owner` is its primary owner, who sits only where every member does.
        """
        catalog, plan = _plan(plan_key)
        house = House(self, new_id(), plan)
        await self.run(
            """with o as (insert into organization (organization_id, catalog_key, name, currency,
                   time_zone, clock_id, created_at)
                   values ($1, $2, 'Acme', 'USD', 'Europe/Berlin', $3, $4) returning 1)
               insert into billing_account (organization_id, invoice_prefix)
               select $1, $5 from o""",
            house.organization_id,
            catalog,
            clock_id,
            self.now,
            house.organization_id.hex,
        )
        self.houses.append(house)
        if plan is not None and not plan.is_per_member:
            await self._subscribe(house, plan, seats or {})
        if owner:
            house.owner = await house.member("owner", role="primary_owner")
        if plan is not None and plan.is_per_member:
            await self._subscription(house, plan, payer=house.owner if owner else None)
        return house

    async def _subscribe(self, house: House, plan: Plan, seats: Mapping[str, int]) -> None:
        subscription_id = await self._subscription(house, plan, payer=None)
        unlimited = plan.capacity is Capacity.UNLIMITED
        for key, kind in plan.seat_types.items():
            house.pools[key] = new_id()
            await self.run(
                """insert into seat_pool (organization_id, pool_id, subscription_id, seat_type,
                       rank, capacity, every_member, purchased, billed_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
                house.organization_id,
                house.pools[key],
                subscription_id,
                key,
                kind.rank,
                plan.capacity,
                plan.policies.seat_use is SeatUse.EVERY_MEMBER,
                1_000_000 if unlimited else seats.get(key, plan.limit or 0),
                self.now,
            )

    async def _subscription(self, house: House, plan: Plan, *, payer: UUID | None) -> UUID:
        subscription_id = new_id()
        await self.run(
            """insert into subscription (organization_id, subscription_id, payer_member_id,
                   plan_version_id, price_key, status, anchor_on, period_number, period_starts_at,
                   period_ends_at, term_ends_at, due_at, started_at, timeline)
               select $1, $2, $3, plan_version_id, $5, 'active', $6, 0, $7, $8, $8, $8, $7,
                   (select timeline from organization where organization_id = $1)
                 from plan_version where plan_key = $4 order by version desc limit 1""",
            house.organization_id,
            subscription_id,
            payer,
            plan.key,
            next(iter(plan.prices), "none"),
            date(2026, 3, 1),
            self.now - timedelta(days=1),
            self.now + timedelta(days=364),
        )
        return subscription_id

    async def clock(self) -> UUID:
        """A test clock."""
        clock_id = new_id()
        await self.run(
            """insert into test_clock (clock_id, name, now_at, state, owner_key_id, created_at)
               values ($1, 'clock', $2, 'ready', $3, $2)""",
            clock_id,
            self.now,
            KEY.key_id,
        )
        return clock_id

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Rows of a plain statement."""
        async with self.engine.database.connection() as db:
            found: list[Any] = await db.connection.fetch(sql, *arguments)
            return found

    async def row(self, sql: str, *arguments: Any) -> Any:
        """Its first row."""
        return (await self.rows(sql, *arguments))[0]

    async def run(self, sql: str, *arguments: Any) -> None:
        """A plain statement."""
        await self.rows(sql, *arguments)

    async def check(self) -> None:
        """Every house is in order."""
        for house in self.houses:
            for wrong, sql in INVARIANTS.items():
                rows = await self.rows(sql, house.organization_id)
                assert not rows, f"{wrong}: {[dict(row) for row in rows]}"


def _plan(plan_key: str | None) -> tuple[str, Plan | None]:
    if plan_key is None:
        return "enterprise", None
    for catalog, plans in PLANS.items():
        if plan_key in plans:
            return catalog, plans[plan_key]
    raise KeyError(plan_key)


@asynccontextmanager
async def a_world(dsn: str) -> AsyncIterator[World]:
    """A world on a migrated database, checked at the end."""
    database = await open_database(dsn)
    try:
        world = World(await assemble(database))
        world.engine.clock = lambda: world.now
        await _shelve(world)
        yield world
        await world.check()
    finally:
        await database.close()


async def _shelve(world: World) -> None:
    """Puts the shipped catalogs into the database, once."""
    for name, document in DOCUMENTS.items():
        await world.run(
            """insert into catalog (catalog_key, name, default_plan, membership_limit, document,
                   applied_at) values ($1, $2, $3, 5, $4, $5) on conflict do nothing""",
            name,
            document["name"],
            document.get("default_plan"),
            document,
            START,
        )
        for key, plan in plans_from(document).items():
            await world.run(
                """insert into plan_version (plan_version_id, catalog_key, plan_key, version,
                       document, created_at) values ($1, $2, $3, 1, $4, $5)
                   on conflict do nothing""",
                new_id(),
                name,
                key,
                plan,
                START,
            )


@asynccontextmanager
async def refused(code: Code, **facts: Any) -> AsyncIterator[list[Refusal]]:
    """What runs inside is refused with that code and, among others, these facts."""
    found: list[Refusal] = []
    with pytest.raises(Refused) as caught:
        yield found
    refusal = caught.value.refusal
    found.append(refusal)
    assert refusal.code is code, refusal
    assert {name: refusal.facts.get(name) for name in facts} == facts


def pointer_of(refusal: Refusal) -> str:
    """The place in the request which the refusal names."""
    errors: Any = refusal.facts["errors"]
    pointer: str = errors[0]["pointer"]
    return pointer
