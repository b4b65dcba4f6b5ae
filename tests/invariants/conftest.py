"""A database in which the story has been played."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import pytest_asyncio

from tests.invariants.story import play
from tests.money_world import a_money_world
from tests.server import SECRET, a_database


@dataclass(frozen=True)
class Played:
    """Where the story was played, and when it was over."""

    dsn: str
    now: datetime


@pytest_asyncio.fixture(scope="session")
async def played(server_dsn: str) -> AsyncIterator[Played]:
    from seatkeeper.store.migrate import migrate

    async with a_database(server_dsn, template=None) as dsn:
        await migrate(dsn, secret=SECRET)
        async with a_money_world(dsn) as money:
            await play(money)
            now = money.now
        yield Played(dsn, now)


@pytest_asyncio.fixture
async def damaged(played: Played) -> AsyncIterator[asyncpg.Connection]:
    """A connection in a transaction that is rolled back, whatever was done to the rows."""
    connection = await asyncpg.connect(played.dsn, server_settings={"timezone": "UTC"})
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()
