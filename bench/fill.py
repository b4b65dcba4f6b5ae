"""Fills a database: a thousand organizations that spread the load, and a large one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from seatkeeper.catalog_file import read_catalog
from seatkeeper.domain.catalog_format import plans_from
from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations.api_keys import key_hash
from seatkeeper.operations.context import new_id

CATALOGS: Final = Path(__file__).parents[1] / "catalogs"
SECRET: Final = b"sk_bench"
SPREAD_PLAN: Final = ("enterprise", "enterprise", "yearly", "enterprise")
LARGE_PLAN: Final = ("enterprise", "chat_and_code", "yearly", "chat", "chat_code")
RENEWED_PLAN: Final = ("organization", "per_seat", "monthly_usd", "member")

Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class House:
    """One organization and its members."""

    organization_id: UUID
    members: tuple[UUID, ...]

    @property
    def id(self) -> str:
        """As the wire writes it."""
        return OrganizationId.text(self.organization_id)

    @property
    def member_ids(self) -> Iterator[str]:
        """As the wire writes them."""
        return (MemberId.text(member) for member in self.members)


class Filler:
    """Writes rows by COPY, as many as wanted in seconds."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._versions: dict[str, UUID] = {}

    async def basics(self) -> None:
        """Catalogs, plans and one key with every scope."""
        run = self._connection.execute
        for name in ("enterprise", "organization"):
            document = read_catalog((CATALOGS / f"{name}.yaml").read_bytes())
            if isinstance(document, list):
                raise TypeError(document)
            await run(
                """insert into catalog (catalog_key, name, default_plan, membership_limit, document,
                       applied_at) values ($1, $1, null, 5, $2, $3)""",
                name,
                json.dumps(document),
                self._now,
            )
            for key, plan in plans_from(document).items():
                self._versions[key] = new_id()
                await run(
                    """insert into plan_version (plan_version_id, catalog_key, plan_key, version,
                           document, created_at) values ($1, $2, $3, 1, $4, $5)""",
                    self._versions[key],
                    name,
                    key,
                    json.dumps(plan),
                    self._now,
                )
        await run(
            """insert into api_key (key_id, name, hash, vendor_role, scopes, created_at)
               values ($1, 'bench', $2, 'operator', $3, $4)""",
            new_id(),
            key_hash(SECRET),
            [scope.value for scope in Scope],
            self._now,
        )

    async def houses(
        self,
        count: int,
        members: int,
        plan: Sequence[str],
        *,
        purchased: int,
        due_at: datetime | None = None,
    ) -> list[House]:
        """Organizations with members and pools of so many purchased seats, none taken."""
        catalog, plan_key, price, *seat_types = plan
        houses = [House(new_id(), tuple(new_id() for _ in range(members))) for _ in range(count)]
        ids = [house.organization_id for house in houses]
        ends = due_at or self._now + timedelta(days=300)
        starts = ends - timedelta(days=28)
        await self._copy(
            "organization",
            "organization_id catalog_key name currency time_zone payment_method created_at",
            ((i, catalog, "Acme", "USD", "UTC", "sandbox_ok", self._now) for i in ids),
        )
        await self._copy(
            "billing_account", "organization_id invoice_prefix", ((i, i.hex) for i in ids)
        )
        subscriptions = {i: new_id() for i in ids}
        version, anchor = self._versions[plan_key], _anchor(ends)
        await self._copy(
            "subscription",
            """organization_id subscription_id plan_version_id price_key status anchor_on
               period_number period_starts_at period_ends_at term_ends_at due_at started_at""",
            (
                (i, s, version, price, "active", anchor, 0, starts, ends, ends, ends, starts)
                for i, s in subscriptions.items()
            ),
        )
        await self._copy(
            "seat_pool",
            """organization_id pool_id subscription_id seat_type rank capacity purchased billed_at
               paid level""",
            (
                (i, new_id(), s, kind, rank, "purchased", purchased, starts, purchased, purchased)
                for i, s in subscriptions.items()
                for rank, kind in enumerate(seat_types)
            ),
        )
        await self._people(houses)
        return houses

    async def _people(self, houses: Sequence[House]) -> None:
        everyone = [(h.organization_id, m) for h in houses for m in h.members]
        await self._copy(
            "user_account",
            "user_id external_id created_at",
            ((m, f"user-{m}", self._now) for _, m in everyone),
        )
        await self._copy(
            "member",
            "organization_id member_id user_id email name role standing source joined_at",
            (
                (i, m, m, f"{m}@example.com", "Member", "member", "active", "api", self._now)
                for i, m in everyone
            ),
        )

    async def _copy(self, table: str, columns: str, rows: Rows) -> None:
        await self._connection.copy_records_to_table(table, records=rows, columns=columns.split())


def _anchor(ends: datetime) -> date:
    # One month before the end, so that the period that comes due is the first one.
    month = ends.month - 1 or 12
    return date(ends.year if ends.month > 1 else ends.year - 1, month, min(ends.day, 28))


STAND = """
truncate assignment, event;
update seat_pool set assigned = 0 where assigned <> 0;
"""
SIT = f"""{STAND}
insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
select m.organization_id, m.member_id, gen_random_uuid(), p.pool_id, m.joined_at, 'by_hand'
  from member m join seat_pool p on p.organization_id = m.organization_id and p.rank = 0;
update seat_pool p set assigned = s.seats
  from (select organization_id, pool_id, count(*) as seats from assignment group by 1, 2) s
 where p.organization_id = s.organization_id and p.pool_id = s.pool_id;
"""


def now() -> datetime:
    """The instant at which everything was made."""
    return datetime.now(UTC)
