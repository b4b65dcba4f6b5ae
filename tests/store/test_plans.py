"""How PostgreSQL goes about the statements: by the keys, never through a table of all tenants.

The plans are those of the service's own settings, generic, on tables with many organizations: a
plan is kept for any values, so it has to be right without knowing them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from seatkeeper.store.database import open_database
from tests.server import SECRET, a_database
from tests.store.catalog import Shape, owned_tables, shapes, statements

# The tables a deployment has many rows in, whoever the organization is.
LARGE = {
    "organization", "member", "user_account", "subscription", "period", "seat_pool", "seat_ledger",
    "assignment", "invitation", "hold", "seat_request", "quote", "change", "invoice",
    "invoice_line", "payment", "credit_note", "balance_entry", "event", "idempotency_key",
    "billing_account", "sandbox_charge", "contract", "amendment", "discount",
}  # fmt: skip

# Statements that look beyond one organization, and by what they find their rows when few are due.
SWEEPS = {
    "renewals.claim": "subscription_due",
    "renewals.attempts": "invoice_attempt_due",
    "payments.covered": "invoice_attempt_due",
    "renewals.unpaid_changes": "change_paying",
    "invitations.due": "invitation_due",
    "contracts.expire": "amendment_due",
    "arrivals.due": "seat_request_purchase",
    "idempotency.free": "idempotency_key_by_age",
    "idempotency.drop": "idempotency_key_by_age",
}
# The same for what a test clock asks between two steps, which is no matter of speed.
OF_A_CLOCK = {"renewals.next_due"}
# Indexes that lead to few rows by something else than the organization.
BY_ANOTHER_KEY = {
    "seat_pool_of_subscription": "a subscription has few pools",
    "member_of_user": "a user is in few organizations",
    "invoice_prefix_once": "a prefix is one organization's",
    "payment_provider_key_once": "a key is one payment's",
}
# Whole pages of all organizations, in the order of a key.
PAGES = {"organizations.page", "events.page", "events.audit", "api_keys.page", "api_keys.any_key"}

HOT = (
    "seats.take_seats",
    "seats.free_seats",
    "idempotency.claim",
    "idempotency.keep",
    "idempotency.begin",
    "access.people",
)

FILL = Path(__file__).with_name("many_rows.sql").read_text("utf-8")


@pytest_asyncio.fixture(scope="module")
async def filled(server_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One of the service's own connections, on tables with many organizations."""
    from seatkeeper.store.migrate import migrate

    async with a_database(server_dsn, template=None) as dsn:
        await migrate(dsn, secret=SECRET)
        database = await open_database(dsn)
        try:
            async with database.connection() as db:
                await db.connection.execute(FILL)
                await db.connection.execute("set plan_cache_mode = force_generic_plan")
                yield db.connection
        finally:
            await database.close()


@pytest_asyncio.fixture(scope="module")
async def plans(filled: asyncpg.Connection) -> Mapping[str, dict[str, Any]]:
    """The generic plan of every statement that can have one."""
    known = await shapes(filled)
    return {name: await _plan(filled, name, known[name]) for name in statements()}


async def _plan(connection: asyncpg.Connection, name: str, shape: Shape) -> dict[str, Any]:
    takes = f"({', '.join(shape.takes)})" if shape.takes else ""
    given = f"({', '.join(['null'] * len(shape.takes))})" if shape.takes else ""
    await connection.execute(f"prepare guarded{takes} as {statements()[name].sql}")
    try:
        text = await connection.fetchval(f"explain (format json) execute guarded{given}")
    finally:
        await connection.execute("deallocate guarded")
    return _read(text)


def _read(text: Any) -> dict[str, Any]:
    plan: dict[str, Any] = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    return plan


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The plan's nodes, with those below them."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def scanned(plan: Mapping[str, Any]) -> set[str]:
    """Large tables that are read from end to end."""
    return {
        node["Relation Name"]
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE
    }


def unbound(plan: Mapping[str, Any], tables: set[str]) -> set[str]:
    """Tenant tables whose index is walked without the organization as a condition."""
    return {
        str(node.get("Relation Name", node.get("Index Name")))
        for node in nodes(plan)
        if node["Node Type"] in ("Index Scan", "Index Only Scan")
        and node.get("Relation Name") in tables & LARGE
        and "organization_id" not in node.get("Index Cond", "")
        and node["Index Name"] not in BY_ANOTHER_KEY
    }


async def test_no_statement_reads_a_large_table_from_end_to_end(plans: Mapping[str, Any]):
    found = {name: scanned(plan) for name, plan in plans.items() if scanned(plan)}
    assert {name: tables for name, tables in found.items() if name not in PAGES} == {}


async def test_every_index_is_entered_by_the_organization(
    plans: Mapping[str, Any], filled: asyncpg.Connection
):
    tables = await owned_tables(filled)
    found = {name: unbound(plan, tables) for name, plan in plans.items() if unbound(plan, tables)}
    known = {*PAGES, *SWEEPS, *OF_A_CLOCK}
    others = {name: t for name, t in found.items() if name not in known}
    assert others == {}


@pytest.mark.parametrize(("name", "index"), SWEEPS.items())
async def test_a_sweep_finds_its_rows_by_the_index_of_what_is_due(
    name: str, index: str, filled: asyncpg.Connection
):
    shape = (await shapes(filled))[name]
    # Its plan is made for the instant it asks about, as long as that is cheaper: few rows are due.
    of_type = {"timestamptz": "'2025-12-31 00:00+00'", "int4": "500"}
    given = ", ".join(of_type.get(each, "null") for each in shape.takes)
    await filled.execute(f"prepare swept({', '.join(shape.takes)}) as {statements()[name].sql}")
    await filled.execute("set plan_cache_mode = force_custom_plan")
    try:
        plan = _read(await filled.fetchval(f"explain (format json) execute swept({given})"))
    finally:
        await filled.execute("set plan_cache_mode = force_generic_plan")
        await filled.execute("deallocate swept")
    used = {node.get("Index Name") for node in nodes(plan)}
    assert index in used
    walked = [n for n in nodes(plan) if n.get("Index Name") == "organization_pkey"]
    assert all("organization_id" in node.get("Index Cond", "") for node in walked)


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_has_one_plan_for_ever_and_it_is_by_keys(
    name: str, plans: Mapping[str, Any]
):
    found = list(nodes(plans[name]))
    assert not scanned(plans[name])
    kinds = {node["Node Type"] for node in found}
    assert not kinds & {"Hash Join", "Merge Join", "Bitmap Heap Scan"}, kinds


def test_a_plan_that_scans_is_seen():
    wrong = {"Node Type": "Limit", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "member"}]}
    assert scanned(wrong) == {"member"}
    walked = {"Node Type": "Index Scan", "Relation Name": "member", "Index Name": "x"}
    assert unbound(walked, {"member"}) == {"member"}
    bound = {**walked, "Index Cond": "((organization_id = $1) AND (member_id = $2))"}
    assert unbound(bound, {"member"}) == set()
