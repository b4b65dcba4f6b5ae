"""What PostgreSQL knows of the tables, and the statements with what it says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from seatkeeper.store.statements import Statement, Statements

STORE = Path(__file__).parents[2] / "src" / "seatkeeper" / "store"
SCHEMA = (STORE / "schema.sql").read_text("utf-8")

# Of the vendor, not of an organization, although the column is there.
OF_THE_VENDOR = {"api_key"}
OWNED_TABLES = """
    select c.table_name from information_schema.columns c
      join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and c.column_name = 'organization_id'
       and t.table_type = 'BASE TABLE'"""


@cache
def statements() -> Mapping[str, Statement]:
    """Every statement of the store by its full name."""
    nouns = sorted(path.stem for path in STORE.glob("*.sql") if path.name != "schema.sql")
    found: Iterator[Statement] = (each for noun in nouns for each in Statements(noun))
    return {statement.name: statement for statement in found}


@dataclass(frozen=True)
class Shape:
    """What a prepared statement takes and gives."""

    takes: tuple[str, ...]
    gives: frozenset[str]


async def shapes(connection: asyncpg.Connection) -> Mapping[str, Shape]:
    """Every statement as PostgreSQL prepares it. Raises: what PostgreSQL says, with the name."""
    found = {}
    for name, statement in statements().items():
        try:
            prepared = await connection.prepare(statement.sql)
        except asyncpg.PostgresError as error:
            error.add_note(f"in the statement {name}")
            raise
        found[name] = Shape(
            tuple(_type(each) for each in prepared.get_parameters()),
            frozenset(each.name for each in prepared.get_attributes()),
        )
    return found


def _type(found: asyncpg.Type) -> str:
    return f"{found.name.removesuffix('[]')}[]" if found.kind == "array" else found.name


async def owned_tables(connection: asyncpg.Connection) -> set[str]:
    """Tables whose rows belong to an organization."""
    rows = await connection.fetch(OWNED_TABLES)
    return {row["table_name"] for row in rows} - OF_THE_VENDOR


async def structure(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    """Columns, constraints and indexes, in an order of their own."""
    rows = await connection.fetch(
        """select 'column' as kind, c.relname as on_table, a.attname as name,
                  format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null'
                      else '' end || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
                      || a.attidentity::text
                      || coalesce(array_to_string(c.reloptions, ','), '') as text
             from pg_attribute a
             join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
             left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
            where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
            union all
           select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
             from pg_constraint where connamespace = 'public'::regnamespace
            union all
           select 'index', tablename, indexname, indexdef from pg_indexes
            where schemaname = 'public'
            order by 1, 2, 3"""
    )
    return [tuple(row) for row in rows]
