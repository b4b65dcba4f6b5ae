"""A migrated database of its own for programs that are not tests: chaos, long walks, long races."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from seatkeeper.embedded import EmbeddedPostgres
from seatkeeper.store.migrate import migrate
from tests.server import GIVEN, RUN, SECRET, a_database


@asynccontextmanager
async def a_fresh_database(*, durable: bool = False) -> AsyncIterator[str]:
    """A database on the server of SEATKEEPER_TEST_DATABASE_URL, else on one that ends with us."""
    os.environ.setdefault(RUN, secrets.token_hex(4))
    if given := os.environ.get(GIVEN):
        async with _migrated(given) as dsn:
            yield dsn
        return
    with tempfile.TemporaryDirectory(prefix="seatkeeper-long-") as folder:
        settings = {"max_connections": "200", "max_wal_size": "4GB"}
        place = Path(folder) / "data"
        with EmbeddedPostgres(place, durable=durable, settings=settings) as server:
            async with _migrated(server.dsn) as dsn:
                yield dsn


@asynccontextmanager
async def _migrated(server_dsn: str) -> AsyncIterator[str]:
    async with a_database(server_dsn, template=None) as dsn:
        await migrate(dsn, secret=SECRET)
        yield dsn
