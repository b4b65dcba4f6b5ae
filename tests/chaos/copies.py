"""Many organizations out of one: every row of it again under other ids.

So its books are right.

Subscribing ten thousand organizations one by one would take minutes; copying one takes seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from tests.money_world import a_money_world

# What an organization consists of so far, in the order in which its rows refer to each other.
TABLES = (
    "organization",
    "billing_account",
    "member",
    "subscription",
    "period",
    "seat_pool",
    "seat_ledger",
    "assignment",
    "invoice",
    "invoice_line",
    "payment",
    "change",
    "event",
)
# What all of them share.
SHARED = ("plan_version_id", "clock_id", "timeline")
MEMBERS = 5
# 20.00 and five seats at 5.00.
RENEWAL_MINOR = 2000 + MEMBERS * 500


async def fill(dsn: str, count: int, *, method: str | None = None) -> datetime:
    """Puts `count` live organizations into an empty database, each due for one renewal.

    Returns an instant at which they were in order.
    """
    # Five weeks ago: one monthly period has ended by now, a second one has not.
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(days=35)
    async with a_money_world(dsn) as money:
        money.now = begun
        buyer = await money.buyer("organization", live=True, method=method)
        await buyer.change(_subscribe())
        if method is None:
            (invoice,) = await buyer.invoices("open")
            await buyer.record(invoice.invoice)
        for n in range(MEMBERS - 1):
            await buyer.join(f"m{n}")
        organization = buyer.organization_id
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await _copy(connection, organization, count - 1)
        await connection.execute("analyze")
    finally:
        await connection.close()
    return begun


def _subscribe():
    from tests.money_world import subscribing

    # Three seats more than people: the renewal takes them back.
    return subscribing("base_and_seats", {"member": MEMBERS + 3}, "monthly_usd")


async def _copy(connection: asyncpg.Connection, organization: object, copies: int) -> None:
    await connection.execute(
        f"""insert into user_account select {_id("u.user_id")}, u.external_id || '-' || n,
                   u.created_at
              from user_account u, generate_series(1, {copies}) n"""
    )
    for table in TABLES:
        rows = await connection.fetch(
            """select column_name::text as name, data_type::text as type
                 from information_schema.columns
                where table_schema = 'public' and table_name = $1 and is_identity = 'NO'
                  and is_generated = 'NEVER' and column_name <> 'transaction_id'
                order by ordinal_position""",
            table,
        )
        names = ", ".join(f'"{row["name"]}"' for row in rows)
        values = ", ".join(_value(row["name"], row["type"]) for row in rows)
        # Rows of an organization follow each other, so that none refers to one that comes later.
        await connection.execute(
            f"""insert into {table} ({names}) select {values}
                  from generate_series(1, {copies}) n, {table} r
                 where r.organization_id = $1""",
            organization,
        )
    await connection.execute(
        f"""insert into sandbox_charge (provider_key, amount_minor, currency, outcome, charged_at)
            select provider_key || '-' || n, amount_minor, currency, outcome, charged_at
              from sandbox_charge, generate_series(1, {copies}) n"""
    )
    await connection.execute(SEAL)


def _id(column: str) -> str:
    return f"md5({column}::text || n)::uuid"


def _value(name: str, kind: str) -> str:
    column = f'r."{name}"'
    if kind == "uuid" and name not in SHARED:
        return _id(column)
    if name == "invoice_prefix":
        return "'C' || n"
    if name == "number" and kind == "text":
        return f"'C' || n || substr({column}, strpos({column}, '-'))"
    if name == "provider_key":
        return f"{column} || '-' || n"
    if name == "content_hash":
        return "null"
    return column


# As `seal` of store/invoices.sql does it, for all that have no hash yet.
SEAL = """
update invoice i set content_hash = s.content_hash
  from invoice_seal s
 where s.organization_id = i.organization_id and s.invoice_id = i.invoice_id
   and i.content_hash is null and i.number is not null
"""
