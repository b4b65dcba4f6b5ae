"""What the fixtures of `tests/server.py` promise."""

import asyncpg

TABLES = "select count(*) from pg_tables where schemaname = 'public'"


async def tables(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(TABLES))
    finally:
        await connection.close()


async def test_the_shared_database_is_migrated(database_dsn: str):
    assert await tables(database_dsn) > 0


async def test_a_fresh_database_is_migrated_and_nobody_elses(database_dsn, fresh_database_dsn):
    assert fresh_database_dsn != database_dsn
    assert await tables(fresh_database_dsn) == await tables(database_dsn)


async def test_an_empty_database_is_empty(empty_database_dsn: str):
    assert await tables(empty_database_dsn) == 0
