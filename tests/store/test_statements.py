"""Every statement: it prepares, names its organization, and gives the columns that are read."""

from __future__ import annotations

import ast
import re

import asyncpg
import pytest

from tests.store.catalog import owned_tables, shapes, statements
from tests.store.reading import Reading, readings

# Statements over all organizations, each with the reason why it may.
OVER_ALL = {
    "renewals.claim": "due work is claimed for every organization on a clock",
    "renewals.next_due": "the same",
    "renewals.attempts": "the same",
    "renewals.unpaid_changes": "the same",
    "invitations.due": "the same",
    "payments.sandbox_find": "the books of the sandbox are its own",
}
NAMES_ORGANIZATION = re.compile(
    r"organization_id\s*(=|in\b|<>|is not distinct from)|insert into \w+ \(organization_id"
    r"|insert into \w+\s*\(\s*organization_id",
    re.IGNORECASE,
)
FEW_READINGS = 150


async def test_every_statement_prepares(catalog: asyncpg.Connection):
    assert len(await shapes(catalog)) == len(statements())


async def test_every_statement_that_touches_a_tenant_names_the_organization(
    catalog: asyncpg.Connection,
):
    tables = await owned_tables(catalog)
    word = re.compile(rf"\b({'|'.join(sorted(tables))})\b")
    silent = {
        name
        for name, statement in statements().items()
        if word.search(_without_strings(statement.sql))
        and not NAMES_ORGANIZATION.search(statement.sql)
    }
    assert silent - set(OVER_ALL) == set()


async def test_over_all_are_only_statements_that_there_are(catalog: asyncpg.Connection):
    assert set(OVER_ALL) <= set(statements())


def _without_strings(sql: str) -> str:
    return re.sub(r"'[^']*'|/\*.*?\*/", "", sql)


async def test_every_column_that_is_read_is_given(catalog: asyncpg.Connection):
    known = await shapes(catalog)
    found = readings()
    missing = [
        f"{reading.place}: {reading.statement} gives no {reading.column}"
        for reading in found
        if reading.column not in known[reading.statement].gives
    ]
    assert not missing, "\n".join(missing)
    # A blind look must not pass for a clean one.
    assert len(found) > FEW_READINGS


SAMPLE = """
NOUN = Statements("invoices")
async def a(db):
    row = await db.one(NOUN.one)
    for line in await db.rows(NOUN.lines):
        line["kind"]
    rows = await db.rows(NOUN.page)
    [each["state"] for each in rows[:2]]
    rows[0]["number"]
    other(row)
def other(row):
    return row["currency"], row.get("due_minor")
"""


def test_readings_are_followed_through_names_loops_and_calls():
    found = readings({"m": ast.parse(SAMPLE)})
    assert {(r.statement, r.column) for r in found} == {
        ("invoices.lines", "kind"),
        ("invoices.page", "state"),
        ("invoices.page", "number"),
        ("invoices.one", "currency"),
    }


@pytest.mark.parametrize("reading", [Reading("invoices.one", "nothing", "here")])
async def test_a_column_that_is_not_given_is_seen(reading: Reading, catalog: asyncpg.Connection):
    known = await shapes(catalog)
    assert reading.column not in known[reading.statement].gives


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select 1 from seat_pool where organization_id = $1", True),
        ("insert into hold (organization_id, pool_id) select 1, 2", True),
        ("select organization_id from seat_pool where pool_id = $1", False),
        ("update seat_pool set held = 1 where pool_id = $1 returning organization_id", False),
    ],
)
def test_a_statement_that_does_not_name_its_organization_is_seen(sql: str, *, names: bool):
    assert bool(NAMES_ORGANIZATION.search(sql)) is names
