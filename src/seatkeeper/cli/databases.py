"""The database of a command that works on it directly, and the engine over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from secrets import token_bytes

import asyncpg

from seatkeeper.cli.outcomes import fault, unavailable
from seatkeeper.embedded import EmbeddedFailure, EmbeddedPostgres, has_database, running_dsn
from seatkeeper.operations.assemble import assemble
from seatkeeper.operations.engine import Engine
from seatkeeper.settings import SettingRejected, Settings, read_settings
from seatkeeper.store.database import Unavailable, open_database
from seatkeeper.store.migrate import migrate


class Server(Enum):
    """Which embedded server a command works on when there is no DATABASE_URL."""

    FOUND = "one that was made before: another folder must not answer with an empty database"
    MADE = "one that is made where there is none"
    OWN = "the same, started by this process, for the caller will outlive any other"


def settings() -> Settings:
    """The settings of the environment."""
    try:
        return read_settings()
    except SettingRejected as rejected:
        raise fault(str(rejected)) from None


@asynccontextmanager
async def a_dsn(given: Settings, server: Server = Server.FOUND) -> AsyncIterator[str]:
    """The address of DATABASE_URL, else of the embedded server, started if it is not running."""
    if given.database_url is not None:
        yield given.database_url.reveal()
        return
    try:
        if server is Server.FOUND and not has_database(given.data_dir):
            raise unavailable(
                f"There is no database in {given.data_dir.absolute()}.",
                "start `seatkeeper serve` there, or set SEATKEEPER_DATA_DIR or DATABASE_URL",
            )
        running = None if server is Server.OWN else running_dsn(given.data_dir)
        if running is not None:
            yield running
            return
        async with EmbeddedPostgres(given.data_dir) as started:
            yield started.dsn
    except EmbeddedFailure as failure:
        raise unavailable(str(failure)) from None


async def migrated(dsn: str) -> bool:
    """Brings the tables up to date; whether anything was done."""
    try:
        return await migrate(dsn, secret=token_bytes(32))
    except ValueError as error:
        raise fault(f"This program cannot use the database: {error}.") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise unavailable(
            f"The database cannot be used: {error}.", "look at DATABASE_URL, or leave it out"
        ) from None


@asynccontextmanager
async def an_engine(given: Settings, server: Server = Server.FOUND) -> AsyncIterator[Engine]:
    """An engine over the migrated database, closed at the end."""
    async with a_dsn(given, server) as dsn:
        await migrated(dsn)
        try:
            database = await open_database(dsn, size=given.pool_size)
        except Unavailable as error:
            raise unavailable(f"The database does not answer: {error}.") from None
        try:
            engine = await assemble(database)
            engine.seat_limit_max = given.seat_limit_max
            try:
                yield engine
            finally:
                await engine.rest()
        finally:
            await database.close()
