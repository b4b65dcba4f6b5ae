"""Renewals: many subscriptions of one instant, done by the worker's verb in its own process."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import uvloop

from bench.fill import RENEWED_PLAN, now
from bench.place import Place
from bench.usage import memory_mib, used
from seatkeeper.jobs.worker import BATCHES_AT_ONCE
from seatkeeper.operations.assemble import assemble
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.renewals import renew_due
from seatkeeper.store.database import open_database

RENEWAL: Final = "renewal"
BATCH: Final = 500  # as in operations/due.py
SECONDS_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Renewed:
    """What came of it. Units: subscriptions a second, microseconds a subscription."""

    a_second: list[float]
    service_us: float
    database_us: float
    memory_mib: float
    note: str


async def renewals(place: Place, count: int) -> Renewed:
    """Lets `count` subscriptions come due and renews them all once."""
    due = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    await place.filler.houses(count, 0, RENEWED_PLAN, purchased=5, due_at=due)
    await place.connection.execute("vacuum analyze")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.renewal",
        place.dsn,
        due.isoformat(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    await process.stdout.readline()
    before = used(process.pid, place.postmaster)
    process.stdin.write(b"go\n")
    line = await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)
    spent = used(process.pid, place.postmaster).since(before)
    memory = memory_mib(process.pid)
    process.stdin.close()
    await process.wait()
    told = json.loads(line)
    done = max(told["done"], 1)
    return Renewed(
        [told["done"] / told["seconds"]],
        spent.service / done * 1e6,
        spent.database / done * 1e6,
        memory,
        "" if told["done"] == count else f"{told['done']} of {count}",
    )


async def _main(dsn: str, due: datetime) -> None:
    database = await open_database(dsn)
    engine = await assemble(database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began, done = time.perf_counter(), 0
    while took := sum(await asyncio.gather(*_round(engine, due))):
        done += took
    told = {"done": done, "seconds": time.perf_counter() - began}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
    await database.close()


def _round(engine: Engine, due: datetime) -> list[Awaitable[int]]:
    """One round as the worker does it."""
    return [renew_due(engine, due, None, BATCH) for _ in range(BATCHES_AT_ONCE)]


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
