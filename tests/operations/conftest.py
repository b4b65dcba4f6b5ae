"""The world in which scenarios play."""

from collections.abc import AsyncIterator

import pytest_asyncio

from seatkeeper.verify.run import verify
from tests.money_world import MoneyWorld, a_money_world
from tests.world import World, a_world


@pytest_asyncio.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn) as made:
        yield made


@pytest_asyncio.fixture
async def money(database_dsn: str) -> AsyncIterator[MoneyWorld]:
    async with a_money_world(database_dsn) as made:
        yield made


@pytest_asyncio.fixture
async def verified(money: MoneyWorld, database_dsn: str) -> AsyncIterator[None]:
    """After the scenario every invariant holds for everyone in the money world."""
    yield
    report = await verify(database_dsn, money.now)
    ours = {house.organization_id for house in money.houses}
    found = {f.check.name: f.rows for f in report.violated if f.organizations & ours}
    assert not found, found
