"""Where it is measured: an embedded PostgreSQL that really writes, and one API process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.fill import Filler, now
from seatkeeper.embedded import EmbeddedPostgres
from seatkeeper.store.migrate import migrate

START_SECONDS_MAX: Final = 30
SETTINGS: Final = {"max_wal_size": "4GB", "shared_buffers": "512MB", "max_connections": "120"}


@dataclass(frozen=True, slots=True)
class Place:
    """A filled database and the service in front of it."""

    dsn: str
    port: int
    service: int
    postmaster: int
    connection: asyncpg.Connection[Any]
    filler: Filler


@contextlib.asynccontextmanager
async def a_place() -> AsyncIterator[Place]:
    """Starts everything, and stops it; nothing is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="seatkeeper-bench-"))
    try:
        async with EmbeddedPostgres(folder, durable=True, settings=SETTINGS) as server:
            dsn = server.dsn
            await migrate(dsn, secret=b"a secret of the bench, 32 bytes.")
            postmaster = int((server.folder / "cluster" / "postmaster.pid").read_text().split()[0])
            connection = await asyncpg.connect(dsn)
            try:
                filler = Filler(connection, now())
                await filler.basics()
                with _a_service(dsn) as (service, port):
                    yield Place(dsn, port, service, postmaster, connection, filler)
            finally:
                await asyncio.wait_for(connection.close(), START_SECONDS_MAX)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _a_service(dsn: str) -> Any:  # noqa: ANN401  a context of a pid and a port
    port = _free_port()
    command = [sys.executable, "-m", "seatkeeper.main", "serve", "--no-worker", "--port", str(port)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("The service did not start; its own words stand above.")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
