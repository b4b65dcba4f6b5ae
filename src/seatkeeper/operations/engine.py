"""The engine: what every operation shares in one process. Caches hold only what cannot change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.catalog_format import plan_from
from seatkeeper.operations.coalesce import Lanes
from seatkeeper.payments.port import PaymentProvider
from seatkeeper.store.database import Database, Db
from seatkeeper.store.statements import Statements

CATALOG: Final = Statements("catalog")
ORGANIZATIONS: Final = Statements("organizations")

CACHED_ORGANIZATIONS_MAX: Final = 200_000
REST_SECONDS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """What never changes about an organization, so that it can be remembered."""

    organization_id: UUID
    catalog_key: str
    currency: str
    time_zone: str
    clock_id: UUID | None


@dataclass(slots=True)
class Engine:
    """One process's share of the service: database, clock, ids, rails and memory."""

    database: Database
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    new_secret: Callable[[], bytes]
    secret: bytes
    providers: Mapping[str, PaymentProvider]
    plans: dict[UUID, Plan] = field(default_factory=dict)
    organizations: dict[UUID, OrganizationFacts] = field(default_factory=dict)
    # Filled by the operations whose calls share statements; see operations/seats and access.
    lanes: dict[str, Lanes[Any, Any]] = field(default_factory=dict)
    # The highest seat limit a plan on offer may have here; None: any, or none at all. Source: C4.
    seat_limit_max: int | None = None
    # Work that goes on when the request that began it has been answered.
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    turns: WeakValueDictionary[UUID, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def rest(self) -> None:
        """Stops what goes on behind requests; each task lets go of what it holds."""
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=REST_SECONDS_MAX)

    def turn(self, organization_id: UUID) -> asyncio.Lock:
        """One lock per organization that is being changed in this process.

        Whoever changes it waits here before taking a connection, so that a crowd around one
        organization holds one connection and leaves the others to everybody else. Never wait for
        it with a connection in hand.
        """
        lock = self.turns.get(organization_id)
        if lock is None:
            lock = self.turns[organization_id] = asyncio.Lock()
        return lock

    async def plan(self, db: Db, plan_version_id: UUID) -> Plan:
        """A plan version; versions are immutable, so each is read once per process."""
        if plan_version_id not in self.plans:
            row = await db.one(CATALOG.plan_version, plan_version_id=plan_version_id)
            self.plans[plan_version_id] = plan_from(
                row["document"], catalog=row["catalog_key"], version=row["version"]
            )
        return self.plans[plan_version_id]

    async def plans_of(self, db: Db, plan_version_ids: set[UUID]) -> Mapping[UUID, Plan]:
        """Several plan versions; one statement for those not yet known."""
        missing = [key for key in plan_version_ids if key not in self.plans]
        if missing:
            for row in await db.rows(CATALOG.plan_versions, plan_version_ids=missing):
                self.plans[row["plan_version_id"]] = plan_from(
                    row["document"], catalog=row["catalog_key"], version=row["version"]
                )
        return {key: self.plans[key] for key in plan_version_ids}

    async def organization(self, organization_id: UUID) -> OrganizationFacts | None:
        """The unchanging facts of an organization, or None when there is none."""
        found = self.organizations.get(organization_id)
        if found is None:
            async with self.database.connection() as db:
                row = await db.row(ORGANIZATIONS.facts, organization_id=organization_id)
            if row is None:
                return None
            found = OrganizationFacts(**row)
            if len(self.organizations) >= CACHED_ORGANIZATIONS_MAX:
                self.organizations.clear()
            self.organizations[organization_id] = found
        return found

    async def time_of(self, facts: OrganizationFacts) -> datetime:
        """Now, for that organization: its test clock's time if it hangs on one."""
        if facts.clock_id is None:
            return self.clock()
        async with self.database.connection() as db:
            row = await db.one(ORGANIZATIONS.clock_time, clock_id=facts.clock_id)
        time: datetime = row["now_at"]
        return time
