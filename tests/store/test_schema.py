"""The schema, read back from PostgreSQL: tenants cannot reach each other, names are permanent."""

from __future__ import annotations

import re

import asyncpg
import pytest

from seatkeeper.domain.refusals import Code
from seatkeeper.store.database import REFUSAL_OF_CONSTRAINT
from tests.store.catalog import OF_THE_VENDOR, SCHEMA, STORE, owned_tables, structure

# Unique constraints which no two callers can run into together, and why.
UNREACHABLE = {
    "api_key_once": "256 random bits",
    "payment_provider_key_once": "the key is made of our own fresh id",
    "invoice_number_once": "numbers are given behind the lock of the billing account",
    "credit_note_number_once": "the same",
    "discount_once": "a discount is granted behind the lock of its subscription",
    "balance_entry_payment_once": "a payment is credited as it succeeds, which it does once",
    "period_once": "a period is begun behind the lock of its subscription",
    "hold_live_once": "an invitation is held behind the lock of its pools",
    "organization_timeline": "it begins with the whole primary key",
    "change_request_once": "a key is worked on by one request at a time",
}
# Columns that name a row of a tenant table without a foreign key, and why.
WITHOUT_KEY = {
    ("api_key", "organization_id"): "a key outlives what it was bound to",
    ("event", "organization_id"): "the trail outlives what it tells of; verify looks instead",
    ("event", "subject_id"): "the same",
    ("event", "member_id"): "the same",
    ("change", "invoice_id"): "the invoice is written before and after its change",
}


async def test_schema_sql_is_the_sum_of_the_migrations(
    catalog: asyncpg.Connection, empty_database_dsn: str
):
    other = await asyncpg.connect(empty_database_dsn)
    try:
        migrations = sorted((STORE / "migrations").glob("*.sql"))
        for text in [path.read_text("utf-8") for path in migrations] or [SCHEMA]:
            await other.execute(text)
        assert await structure(other) == await structure(catalog)
    finally:
        await other.close()


async def test_x2_every_key_of_a_tenant_table_begins_with_the_organization(
    catalog: asyncpg.Connection,
):
    tables = await owned_tables(catalog)
    rows = await catalog.fetch(
        """select i.indrelid::regclass::text as on_table, c.relname as name, a.attname as first
             from pg_index i
             join pg_class c on c.oid = i.indexrelid
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
            where i.indisunique and c.relnamespace = 'public'::regnamespace"""
    )
    other = {row["name"] for row in rows if row["first"] != "organization_id"}
    elsewhere = {row["name"] for row in rows if row["on_table"] not in tables}
    # Global on purpose: prefixes name organizations, provider keys are shared with the rail, and
    # events are read in the order of their transactions.
    known = {"invoice_prefix_once", "payment_provider_key_once", "event_pkey"}
    assert other - elsewhere == known


async def test_x2_every_tenant_table_has_its_organization_not_null(catalog: asyncpg.Connection):
    rows = await catalog.fetch(
        """select c.table_name from information_schema.columns c
             join information_schema.tables t using (table_schema, table_name)
            where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
              and c.column_name = 'organization_id' and c.is_nullable = 'YES'"""
    )
    assert {row["table_name"] for row in rows} == OF_THE_VENDOR


async def test_x2_foreign_keys_between_owned_tables_are_composite(catalog: asyncpg.Connection):
    tables = await owned_tables(catalog)
    rows = await catalog.fetch(
        """select c.conname, c.conrelid::regclass::text as on_table,
                  c.confrelid::regclass::text as to_table,
                  array(select attname from pg_attribute a, unnest(c.conkey) k
                         where a.attrelid = c.conrelid and a.attnum = k) as columns
             from pg_constraint c where c.contype = 'f'"""
    )
    loose = [
        row["conname"]
        for row in rows
        if {row["on_table"], row["to_table"]} <= tables and "organization_id" not in row["columns"]
    ]
    assert rows
    assert loose == []


async def test_x2_every_name_of_a_tenant_row_has_its_foreign_key(catalog: asyncpg.Connection):
    tables = await owned_tables(catalog) | {"organization"}
    rows = await catalog.fetch(
        """select c.relname as on_table, a.attname as name
             from pg_attribute a
             join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
            where c.relnamespace = 'public'::regnamespace and a.atttypid = 'uuid'::regtype
              and a.attnum > 0 and a.attname like '%\\_id' and not exists (
                select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
                   and a.attnum = any(k.conkey))"""
    )
    own = {"entry_id", "hold_id", "assignment_id", "cause_id", "request_id", "payment_id"}
    keys = {f"{table}_id" for table in tables} | {"subject_id", "payer_member_id"}
    named = {
        (row["on_table"], row["name"])
        for row in rows
        if row["name"] in keys - own
        and row["name"] != f"{row['on_table']}_id"
        and not (row["on_table"] == "seat_pool" and row["name"] == "pool_id")
    }
    assert named == set(WITHOUT_KEY)


async def test_every_mapped_constraint_exists_and_every_reachable_one_is_mapped(
    catalog: asyncpg.Connection,
):
    rows = await catalog.fetch(
        """select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
            where i.indisunique and c.relnamespace = 'public'::regnamespace"""
    )
    unique = {row["name"] for row in rows}
    assert set(REFUSAL_OF_CONSTRAINT) <= unique
    # Names that PostgreSQL makes up are of primary keys, which are fresh ids.
    spoken = {name for name in unique if not name.endswith("_pkey")}
    assert spoken - set(REFUSAL_OF_CONSTRAINT) == set(UNREACHABLE) & spoken
    assert set(UNREACHABLE) <= unique


def test_constraints_map_to_codes_that_speak_of_a_state():
    assert set(REFUSAL_OF_CONSTRAINT.values()) <= {
        Code.ALREADY_EXISTS,
        Code.STATE_CONFLICT,
        Code.SEAT_CONFLICT,
        Code.REQUEST_IN_PROGRESS,
    }


@pytest.mark.parametrize("word", ["now()", "current_timestamp", "clock_timestamp", "serializable"])
def test_sql_never_asks_for_the_time(word: str):
    texts = [path.read_text("utf-8") for path in STORE.glob("*.sql")]
    assert not [text for text in texts if re.search(re.escape(word), text, re.IGNORECASE)]
