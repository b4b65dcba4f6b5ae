"""One PostgreSQL for a whole test run, shared by all workers, and databases in it.

The first process of the run starts an embedded server (or takes SEATKEEPER_TEST_DATABASE_URL, a
role that may create databases) and tells the workers its address by the environment. The first
worker that needs tables makes the template; everybody else copies it, which takes 30 ms.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from seatkeeper.embedded import EmbeddedPostgres
from seatkeeper.embedded.lock import lives

GIVEN = "SEATKEEPER_TEST_DATABASE_URL"
SHARED = "SEATKEEPER_TEST_SERVER"  # Set by the first process of a run for its workers.
RUN = "SEATKEEPER_TEST_RUN"
PREFIX = "seatkeeper-tests-"
LOCK_KEY = 4711
SECRET = b"a secret of the tests, 32 bytes."

_server: list[EmbeddedPostgres] = []


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    os.environ[RUN] = secrets.token_hex(4)
    os.environ.pop(SHARED, None)
    # Workers cannot ask this process later, so with them the server starts now.
    if config.getoption("numprocesses", None):
        _share_server()


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if given := os.environ.get(GIVEN):
        asyncio.run(_tell(given, f"drop database if exists {_template_name()}"))
    while _server:
        server = _server.pop()
        folder = server.folder
        server.__exit__(None, None, None)
        shutil.rmtree(folder, ignore_errors=True)
    os.environ.pop(SHARED, None)


def _share_server() -> str:
    if dsn := os.environ.get(SHARED) or os.environ.get(GIVEN):
        os.environ[SHARED] = dsn
        return dsn
    _sweep()
    name = f"{PREFIX}{os.getpid()}-{os.environ[RUN]}"
    server = EmbeddedPostgres(
        Path(tempfile.gettempdir()) / name,
        durable=False,
        settings={"max_connections": "200", "max_wal_size": "4GB"},
    )
    server.__enter__()
    _server.append(server)
    os.environ[SHARED] = server.dsn
    return server.dsn


def _sweep() -> None:
    # A run that was killed could not remove its files.
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not lives(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def with_database(dsn: str, name: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@asynccontextmanager
async def a_database(server_dsn: str, *, template: str | None) -> AsyncIterator[str]:
    """A database of its own, gone afterwards; a copy of `template` or empty."""
    name = f"seatkeeper_{os.environ[RUN]}_{secrets.token_hex(4)}"
    await _tell(server_dsn, f"create database {name} template {template or 'template0'}")
    try:
        yield with_database(server_dsn, name)
    finally:
        await _tell(server_dsn, f"drop database {name} with (force)")


async def _tell(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _template(server_dsn: str) -> str:
    from seatkeeper.store.migrate import migrate

    name = _template_name()
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK_KEY)
        made = await connection.fetchval("select 1 from pg_database where datname = $1", name)
        if not made:
            await connection.execute(f"create database {name} template template0")
            await migrate(with_database(server_dsn, name), secret=SECRET)
    finally:
        await connection.close()  # And with it the lock.
    return name


def _template_name() -> str:
    return f"seatkeeper_{os.environ[RUN]}_template"


@pytest.fixture(scope="session")
def server_dsn() -> str:
    """The server of this run; its role may create databases."""
    return os.environ.get(SHARED) or _share_server()


@pytest_asyncio.fixture(scope="session")
async def database_dsn(server_dsn: str) -> AsyncIterator[str]:
    """A migrated database that all tests of one worker share."""
    async with a_database(server_dsn, template=await _template(server_dsn)) as dsn:
        yield dsn


@pytest_asyncio.fixture
async def fresh_database_dsn(server_dsn: str) -> AsyncIterator[str]:
    """A migrated database for one test."""
    async with a_database(server_dsn, template=await _template(server_dsn)) as dsn:
        yield dsn


@pytest_asyncio.fixture
async def empty_database_dsn(server_dsn: str) -> AsyncIterator[str]:
    """A database with nothing in it, for one test."""
    async with a_database(server_dsn, template=None) as dsn:
        yield dsn
