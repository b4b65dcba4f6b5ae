"""What statements read: as much as their answer, at any size and number of organizations.

Not the planner's guess but buffers counted while the generic plan runs, as the service runs it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from seatkeeper.operations.cursors import FIRST, LAST, WALK_MAX
from seatkeeper.store.database import open_database
from seatkeeper.store.statements import Statement
from tests.server import SECRET, a_database
from tests.store.catalog import shapes, statements

FILL = Path(__file__).with_name("large_rows.sql").read_text("utf-8")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
PAGE = 51

# A row that is found by its key costs an index's depth and its page; a row of a page is looked up
# in up to five tables.
BUFFERS_A_ROW = 25
PAGE_BUFFERS_MAX = PAGE * BUFFERS_A_ROW
WALK_BUFFERS_MAX = WALK_MAX * 20
SWEEP_BUFFERS_MAX = 200
SORTED_MAX = 3 * PAGE  # A page of each branch, sorted into one.


def id_of(word: str) -> UUID:
    """The id that `large_rows.sql` makes of a word."""
    return UUID(md5(word.encode(), usedforsecurity=False).hexdigest())


BIG = id_of("o1")
MIDDLE = UUID(int=1 << 127)


@pytest_asyncio.fixture(scope="module")
async def large(server_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One of the service's own connections, on tables with large organizations and many."""
    from seatkeeper.store.migrate import migrate

    async with a_database(server_dsn, template=None) as dsn:
        await migrate(dsn, secret=SECRET)
        filler = await asyncpg.connect(dsn)
        await filler.execute(FILL)
        await _tell_events(filler)
        await filler.execute("vacuum analyze")
        await filler.close()
        database = await open_database(dsn)
        try:
            async with database.connection() as db:
                await db.connection.execute("set plan_cache_mode = force_generic_plan")
                yield db.connection
        finally:
            await database.close()


async def _tell_events(connection: asyncpg.Connection) -> None:
    """Events in three transactions, the rare ones first and last."""
    for kind, member, organization, count in (
        ("member.removed", "m1", "'o1'", 3),
        ("seat.assigned", "m2", "'o1'", 60_000),
        ("seat.assigned", "m2", "'o' || n", 20_000),
    ):
        await connection.execute(
            f"""insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor)
                select id_of({organization}), '{kind}', id_of('x'), id_of('{member}'),
                    '2026-01-01 00:00+00', 'x' from generate_series(1, {count}) n"""
        )


async def measure(
    connection: asyncpg.Connection, statement: Statement, values: Mapping[str, object]
) -> Mapping[str, Any]:
    """The plan of a statement as it ran, undone afterwards."""
    shape = (await shapes(connection))[statement.name] if statement.name in statements() else None
    takes = shape.takes if shape else tuple("uuid" for _ in statement.parameters)
    given = [
        f"{_literal(values[name])}::{kind}"
        for name, kind in zip(statement.parameters, takes, strict=True)
    ]
    await connection.execute(f"prepare measured({', '.join(takes)}) as {statement.sql}")
    transaction = connection.transaction()
    await transaction.start()
    try:
        text = await connection.fetchval(
            f"explain (analyze, buffers, timing off, format json) execute measured("
            f"{', '.join(given)})"
        )
    finally:
        await transaction.rollback()
        await connection.execute("deallocate measured")
    plan: Mapping[str, Any] = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    return plan


def _literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case int() | bool():
            return str(value)
        case timedelta():
            return f"'{value.total_seconds()} seconds'"
        case list():
            return f"array[{', '.join(_literal(each) for each in value)}]"
        case _:
            return f"'{value}'"


def buffers(plan: Mapping[str, Any]) -> int:
    """Pages that were looked at, in memory or not."""
    found: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return found


def nodes(plan: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The plan's nodes, with those below them."""
    return [plan, *(each for below in plan.get("Plans", ()) for each in nodes(below))]


def scans(plan: Mapping[str, Any]) -> set[str]:
    """Tables that were read from end to end."""
    return {n["Relation Name"] for n in nodes(plan) if n["Node Type"] == "Seq Scan"}


def sorted_rows(plan: Mapping[str, Any]) -> int:
    """The most rows that went into one sort."""
    sorts = [node for node in nodes(plan) if "Sort" in node["Node Type"]]
    return max((below["Actual Rows"] for node in sorts for below in node["Plans"]), default=0)


# By convention a statement that gives pages takes `page`; what it takes beside its place in the
# list is a filter, and each filter is tried here alone: common, rare, and without any row.
PAGED = sorted(name for name, each in statements().items() if "page" in each.parameters)
PLACES: Mapping[str, Sequence[object]] = {
    "after": (FIRST, MIDDLE, LAST),
    "before": (LAST, MIDDLE, FIRST),
    "after_transaction": (0, 800, 2**63 - 1),
    "before_transaction": (2**63 - 1, 800, 0),
}
FIXED: Mapping[str, object] = {
    "page": PAGE,
    "walk": PAGE,
    "now": NOW,
    "after_event": 0,
    "before_event": 0,
    "lead": "live",
    "standing": "active",
    "organization_id": BIG,
}
OF_INVITATIONS = ("pending", "accepted", "revoked", "expired")
FILTERS: Mapping[tuple[str, str], Sequence[object]] = {
    ("api_keys.page", "organization_id"): (None, BIG, id_of("o2")),
    ("changes.page", "state"): ("applied", "scheduled", "failed", "canceled"),
    ("clocks.page", "key_id"): (None, id_of("key0"), id_of("key1"), id_of("none")),
    ("contracts.amendments", "state"): ("applied", "declined", "expired"),
    ("invitations.page", "state"): OF_INVITATIONS,
    ("invoices.page", "state"): ("open", "paid", "void"),
    ("organizations.page", "organization_id"): (None, BIG, id_of("none")),
    ("events.page", "organization_id"): (None, BIG, id_of("none")),
    ("seats.history", "member_id"): (id_of("m1"), id_of("m50"), id_of("none")),
}
# Filters that no index serves: their pages look at a bounded number of rows and end early.
WALKED: Mapping[tuple[str, str], Sequence[object]] = {
    ("events.page", "kind"): ("seat.assigned", "member.removed", "none.such"),
    ("events.page", "kind_start"): ("seat.", "member.", "none."),
    ("events.page", "member_id"): (id_of("m1"), id_of("m2"), id_of("none")),
    ("events.page", "since"): (NOW, LATER),
    ("events.page", "until"): (NOW, datetime(2020, 1, 1, tzinfo=UTC)),
    ("events.audit", "kind"): ("seat.assigned", "member.removed", "none.such"),
    ("events.audit", "kind_start"): ("seat.", "member.", "none."),
    ("events.audit", "member_id"): (id_of("m1"), id_of("m2"), id_of("none")),
    ("events.audit", "since"): (NOW, LATER),
    ("events.audit", "until"): (NOW, datetime(2020, 1, 1, tzinfo=UTC)),
    ("members.page", "state"): ("seated", "unseated"),
    ("members.page", "role"): ("member",),
    ("members.page", "seat_type"): ("seat", "rare", "none"),
    ("members.page", "start"): ("m", "m99", "none"),
    ("seats.history", "at"): (
        NOW,
        datetime(2025, 1, 15, tzinfo=UTC),
        datetime(2020, 1, 1, tzinfo=UTC),
    ),
}
# What the operation passes beside a filter; see operations/members.py.
LEADS = (
    {"state": "removed", "lead": "standing", "standing": "removed"},
    {"state": "suspended", "lead": "standing", "standing": "suspended"},
    {"state": "awaiting_seat", "lead": "queue", "standing": None},
    {"role": "admin", "lead": "role", "standing": None},
    {"state": "seated", "lead": "seat", "standing": None},
)


def pages_of(name: str) -> Sequence[Mapping[str, object]]:
    """The first page of a list, one in its middle and one at its end, unfiltered."""
    names = statements()[name].parameters
    place = next(each for each in names if each in PLACES)
    values = {each: FIXED.get(each) for each in names}
    return [{**values, place: start} for start in PLACES[place]]


@pytest.mark.parametrize("name", PAGED)
async def test_every_page_is_sought_in_an_index(name: str, large: asyncpg.Connection):
    for values in pages_of(name):
        await assert_bounded(large, name, values, PAGE_BUFFERS_MAX)


@pytest.mark.parametrize("name", PAGED)
def test_every_filter_of_a_page_is_measured(name: str):
    tried = {each for of, each in {**FILTERS, **WALKED} if of == name}
    known = {*FIXED, *PLACES} - {"organization_id"}
    assert set(statements()[name].parameters) - known - tried - {"organization_id"} == set()


@pytest.mark.parametrize(("name", "given"), FILTERS)
async def test_a_filtered_page_is_sought_in_an_index_of_its_filter(
    name: str, given: str, large: asyncpg.Connection
):
    for value in FILTERS[name, given]:
        for values in pages_of(name):
            await assert_bounded(large, name, {**values, given: value}, PAGE_BUFFERS_MAX)


@pytest.mark.parametrize("chosen", LEADS)
async def test_a_page_of_members_is_led_by_the_index_of_its_filter(
    chosen: Mapping[str, object], large: asyncpg.Connection
):
    for values in pages_of("members.page"):
        asked = {**values, **chosen, "walk": WALK_MAX}
        await assert_bounded(large, "members.page", asked, PAGE_BUFFERS_MAX)


@pytest.mark.parametrize(("name", "given"), WALKED)
async def test_a_page_whose_filter_fits_rarely_looks_at_a_bounded_number_of_rows(
    name: str, given: str, large: asyncpg.Connection
):
    common, *rare = WALKED[name, given]
    for values in pages_of(name):
        await assert_bounded(
            large, name, {**values, given: common, "walk": WALK_MAX}, PAGE_BUFFERS_MAX
        )
        for value in rare:
            await assert_bounded(
                large, name, {**values, given: value, "walk": WALK_MAX}, WALK_BUFFERS_MAX
            )


async def assert_bounded(
    connection: asyncpg.Connection, name: str, values: Mapping[str, object], most: int
) -> None:
    """That a page costs no more than so many buffers, and reads and sorts no table whole."""
    plan = await measure(connection, statements()[name], values)
    assert buffers(plan) <= most, (name, values, buffers(plan))
    assert not scans(plan) & {"member", "event", "invoice", "assignment"}, name
    assert sorted_rows(plan) <= SORTED_MAX, (name, values, sorted_rows(plan))


SWEEPS: Mapping[str, Mapping[str, object]] = {
    "renewals.claim": {"most": 500},
    "renewals.attempts": {"most": 100},
    "renewals.unpaid_changes": {"most": 100},
    "renewals.next_due": {"patience": timedelta(minutes=1), "unpaid_max": timedelta(hours=24)},
    "invitations.due": {"most": 500},
    "contracts.expire": {"most": 500, "actor": "x"},
    "arrivals.due": {"most": 100},
}


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize(("clock", "now"), [(None, NOW), (id_of("k2"), LATER)])
async def test_where_nothing_is_due_nothing_is_read(
    name: str, clock: UUID | None, now: datetime, large: asyncpg.Connection
):
    # Around the live worker 5,000 organizations hang on a clock on which everything is overdue;
    # around the clock of 2030 everything of 20,000 live organizations lies in its past.
    values = {"clock_id": clock, "now": now, "before": now, "after": now, **SWEEPS[name]}
    plan = await measure(large, statements()[name], values)
    assert buffers(plan) <= SWEEP_BUFFERS_MAX, (name, buffers(plan))


@pytest.mark.parametrize("name", SWEEPS)
async def test_what_is_due_costs_by_the_batch(name: str, large: asyncpg.Connection):
    asked: dict[str, object] = {**SWEEPS[name], "clock_id": id_of("k1")}
    if "most" in asked:
        asked["most"] = 5
    now = datetime(2000, 1, 2, tzinfo=UTC)
    plan = await measure(
        large, statements()[name], {**asked, "now": now, "before": now, "after": now}
    )
    if name != "arrivals.due":  # That one groups all who wait for a purchase.
        assert buffers(plan) <= SWEEP_BUFFERS_MAX, (name, buffers(plan))


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        (
            """select * from invoice where organization_id = $1 and ($2::uuid is null
               or invoice_id < $2) order by invoice_id desc limit 51""",
            {"organization_id": BIG, "before": FIRST},
        ),
        (
            """select s.* from subscription s join organization o using (organization_id)
                where s.due_at <= '2026-01-02' and ($1::uuid is null or true)
                  and o.clock_id is not distinct from $2 order by s.due_at limit 500""",
            {"organization_id": BIG, "clock_id": None},
        ),
    ],
)
async def test_a_statement_that_walks_is_seen(
    sql: str, values: Mapping[str, object], large: asyncpg.Connection
):
    plan = await measure(large, Statement("walks", "", sql, tuple(values)), values)
    assert buffers(plan) > PAGE_BUFFERS_MAX
