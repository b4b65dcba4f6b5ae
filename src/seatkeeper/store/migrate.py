"""Brings an empty or older database to this version's tables."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import asyncpg

SCHEMA_VERSION: Final = 1
_ADVISORY_LOCK: Final = 0x5EA7


async def migrate(dsn: str, *, secret: bytes) -> bool:
    """Creates the tables where there are none; True when something was done.

    `secret` becomes this installation's own, with which cursors are signed, if it has none yet.
    Raises: ValueError when the database belongs to a newer version.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _ADVISORY_LOCK)
            if await connection.fetchval("select to_regclass('instance')") is None:
                await connection.execute(
                    files("seatkeeper.store").joinpath("schema.sql").read_text("utf-8")
                )
                await connection.execute(
                    "insert into instance (secret, schema_version) values ($1, $2)",
                    secret,
                    SCHEMA_VERSION,
                )
                return True
            found = await connection.fetchval("select schema_version from instance")
            if found != SCHEMA_VERSION:
                message = f"the database is of version {found}, this program of {SCHEMA_VERSION}"
                raise ValueError(message)
            return False
    finally:
        await connection.close()
