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


async def renewals(place: Place, count: int, runs: int) -> Renewed:
    """Lets `count` subscriptions come due and renews them all, period after period."""
    due = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    await place.filler.houses(count, 0, RENEWED_PLAN, purchased=5, due_at=due)
    await place.connection.execute("vacuum analyze")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.renewal",
        place.dsn,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    await process.stdout.readline()
    before = used(process.pid, place.postmaster)
    found = []
    for _ in range(runs):
        process.stdin.write(f"{due.isoformat()}\n".encode())
        found.append(json.loads(await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)))
        due = await place.connection.fetchval("select min(due_at) from subscription")
    spent = used(process.pid, place.postmaster).since(before)
    memory = memory_mib(process.pid)
    process.stdin.close()
    await process.wait()
    invoices = await place.connection.fetchval(
        "select count(distinct invoice_id) from invoice_line join invoice i using (invoice_id)"
        " where i.cause = 'period' and i.content_hash is not null"
    )
    done, wanted = sum(each["done"] for each in found), count * runs
    return Renewed(
        [each["done"] / each["seconds"] for each in found],
        spent.service / max(done, 1) * 1e6,
        spent.database / max(done, 1) * 1e6,
        memory,
        "" if done == invoices == wanted else f"{done} done, {invoices} invoiced of {wanted}",
    )


async def _main(dsn: str) -> None:
    """Renews what is due at each instant it is told, and tells how many in how many seconds."""
    database = await open_database(dsn)
    engine = await assemble(database)
    _say("ready")
    for line in sys.stdin:
        due = datetime.fromisoformat(line.strip())
        began, done = time.perf_counter(), 0
        while took := sum(await asyncio.gather(*_round(engine, due))):
            done += took
        _say(json.dumps({"done": done, "seconds": time.perf_counter() - began}))
    await database.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _round(engine: Engine, due: datetime) -> list[Awaitable[int]]:
    """One round as the worker does it."""
    return [renew_due(engine, due, None, BATCH) for _ in range(BATCHES_AT_ONCE)]


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1]))
