"""The seal: whatever of a finalized invoice is edited later, verify finds that invoice."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from seatkeeper.store.statements import Statements
from seatkeeper.verify import CHECKS, look
from tests.invariants.conftest import Played

INVOICES = Statements("invoices")
# What may change on an invoice that went out; every other column of it and its lines is sealed.
MUTABLE = {
    # The timeline follows from the organization; a foreign key holds it.
    "invoice": {"state", "closed_at", "attempts", "next_attempt_at", "content_hash", "timeline"},
    "invoice_line": set(),
}
CHANGED = {
    "uuid": "gen_random_uuid()",
    "text": "{column} || ' '",
    "integer": "{column} + 1",
    "bigint": "{column} + 1",
    "timestamp with time zone": "{column} + interval '1 microsecond'",
}
LET_GO = """
    do $$ declare c record; begin
        for c in select conrelid::regclass as on_table, conname from pg_constraint
            where contype <> 'n' and (conrelid in ('invoice'::regclass, 'invoice_line'::regclass)
               or confrelid in ('invoice'::regclass, 'invoice_line'::regclass))
            order by contype in ('p', 'u')
        loop execute format('alter table %s drop constraint %I cascade', c.on_table, c.conname);
        end loop;
    end $$"""
COLUMNS = """
    select column_name as name, data_type as type, is_nullable = 'YES' as nullable
      from information_schema.columns where table_schema = 'public' and table_name = $1"""
# An invoice with a due date and a line whose columns are all filled.
ONE = """
    select l.invoice_id, l.line_number
      from invoice_line l join invoice i using (organization_id, invoice_id)
     where i.number is not null and i.due_at is not null and l.seat_type is not null
       and l.unit_minor is not null
     order by 1, 2 limit 1"""


async def a_line(connection: asyncpg.Connection) -> asyncpg.Record:
    row = await connection.fetchrow(ONE)
    assert row is not None
    return row


async def found(connection: asyncpg.Connection, played: Played) -> set[UUID]:
    finding = await look(connection, CHECKS["invoice_hashes"], played.now)
    return {row["invoice_id"] for row in finding.rows}


async def seal_again(connection: asyncpg.Connection, invoice_id: UUID) -> None:
    organization_id = await connection.fetchval(
        "update invoice set content_hash = null where invoice_id = $1 returning organization_id",
        invoice_id,
    )
    await connection.execute(INVOICES.seal.sql, [organization_id], [invoice_id])


async def edits(connection: asyncpg.Connection, table: str) -> list[tuple[str, str]]:
    """Every immutable column with what it is set to: another value, and nothing if it may."""
    rows = await connection.fetch(COLUMNS, table)
    names = {row["name"] for row in rows}
    assert names >= MUTABLE[table]
    sealed = [row for row in rows if row["name"] not in MUTABLE[table]]
    # A blind look must not pass for a clean one.
    assert len(sealed) > 10
    changed = [(row["name"], CHANGED[row["type"]].format(column=row["name"])) for row in sealed]
    return changed + [(row["name"], "null") for row in sealed if row["nullable"]]


@pytest.mark.parametrize("table", MUTABLE)
async def test_m4_an_edit_of_any_immutable_column_is_found(
    table: str, damaged: asyncpg.Connection, played: Played
):
    """A new column is missing here until the view `invoice_seal` or the list above has it."""
    one = await a_line(damaged)
    await damaged.execute(LET_GO)
    key = "invoice_id = $1" + (" and line_number = $2" if table == "invoice_line" else "")
    which = list(one.values())[: key.count("$")]
    missed = []
    for column, value in await edits(damaged, table):
        step = damaged.transaction()
        await step.start()
        edit = f"update {table} set {column} = {value} where {key} returning invoice_id"
        edited = await damaged.fetchval(edit, *which)
        # A line that goes to another invoice is missing on its own.
        wrong = edited if table == "invoice" else one["invoice_id"]
        if await found(damaged, played) != {wrong}:
            missed.append((column, value))
        await step.rollback()
    assert missed == []


async def test_m4_a_line_that_came_or_went_is_found(damaged: asyncpg.Connection, played: Played):
    one = await a_line(damaged)
    for edit in (
        "delete from invoice_line where invoice_id = $1 and line_number = $2",
        """insert into invoice_line select organization_id, invoice_id, line_number + 100, kind,
               seat_type, plan_key, plan_version, price_key, quantity, quantity_before, unit_minor,
               part, whole, basis, 0, 0, period_starts_at, period_ends_at, effective_at
             from invoice_line where invoice_id = $1 and line_number = $2""",
    ):
        step = damaged.transaction()
        await step.start()
        await damaged.execute(edit, *one.values())
        assert await found(damaged, played) == {one["invoice_id"]}
        await step.rollback()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("'a|b'", "'c'"), ("'a'", "'b|c'")),
        (("'a,b'", "'c'"), ("'a'", "'b,c'")),
        (("'a\",\"b'", "'c'"), ("'a'", "'b\",\"c'")),
        (("null", "'c'"), ("''", "'c'")),
        (("null", "'c'"), ("'null'", "'c'")),
    ],
)
async def test_m4_two_contents_never_read_alike(
    before: tuple[str, str],
    after: tuple[str, str],
    damaged: asyncpg.Connection,
    played: Played,
):
    one = await a_line(damaged)
    edit = "update invoice_line set seat_type = {}, plan_key = {} where invoice_id = $1"
    await damaged.execute(edit.format(*before), one["invoice_id"])
    await seal_again(damaged, one["invoice_id"])
    assert await found(damaged, played) == set()
    await damaged.execute(edit.format(*after), one["invoice_id"])
    assert await found(damaged, played) == {one["invoice_id"]}


@pytest.mark.parametrize(
    "setting",
    [
        "time zone 'Asia/Kathmandu'",
        "datestyle = 'German'",
        "intervalstyle = 'sql_standard'",
        "extra_float_digits = -15",
        "bytea_output = 'escape'",
        "client_encoding = 'LATIN1'",
        "standard_conforming_strings = off",
        "quote_all_identifiers = on",
    ],
)
async def test_m4_the_seal_is_the_same_under_any_setting(
    setting: str, damaged: asyncpg.Connection, played: Played
):
    one = await a_line(damaged)
    await damaged.execute(f"set local {setting}")
    assert await found(damaged, played) == set()
    await seal_again(damaged, one["invoice_id"])
    await damaged.execute("set local time zone 'UTC'")
    assert await found(damaged, played) == set()
