"""The worlds in which races are run."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.money_world import MoneyWorld, a_money_world


@pytest_asyncio.fixture
async def money(database_dsn: str) -> AsyncIterator[MoneyWorld]:
    async with a_money_world(database_dsn) as made:
        yield made
