"""Workers killed while they renew: two processes, SIGKILL by a seeded chance, started again.

Whatever they were doing, each subscription is renewed and invoiced exactly once.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from dataclasses import dataclass

import asyncpg

from tests.chaos.copies import RENEWAL_MINOR

PROGRAM = (sys.executable, "-m", "seatkeeper.main", "worker")
WORKERS = 2
SECONDS_MAX = 120


@dataclass
class Chaos:
    """What happened, for the log."""

    kills: int = 0
    mid_work: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        inside = f"{self.mid_work} of them inside a transaction"
        return f"{self.kills} kills, {inside}, {self.seconds:.1f} s"


async def a_worker(dsn: str) -> asyncio.subprocess.Process:
    ours = ("SEATKEEPER_", "DATABASE_URL")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        env={**environment, "DATABASE_URL": dsn, "SEATKEEPER_POOL_SIZE": "5"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def renew_all(dsn: str, chance: random.Random, *, kills: int, paid: bool) -> Chaos:
    """Kills workers until that was done so often, then lets two of them finish."""
    chaos, began = Chaos(), time.perf_counter()
    connection = await asyncpg.connect(dsn)
    workers = [await a_worker(dsn) for _ in range(WORKERS)]
    try:
        while await left(connection, paid=paid):
            assert time.perf_counter() - began < SECONDS_MAX, await left(connection, paid=paid)
            busy = await _moment(connection, chance)
            if chaos.kills < kills:
                chaos.mid_work += busy
                # Every other time all of them, so that nobody is there to finish the work.
                places = range(WORKERS) if chaos.kills % 2 == 0 else [chance.randrange(WORKERS)]
                for place in places:
                    workers[place].send_signal(signal.SIGKILL)
                for place in places:
                    await workers[place].wait()
                    workers[place] = await a_worker(dsn)
                    chaos.kills += 1
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
        await connection.close()
    chaos.seconds = time.perf_counter() - began
    return chaos


async def left(connection: asyncpg.Connection, *, paid: bool) -> int:
    """What is not done yet: renewals, and payments where there is a rail."""
    found: int = await connection.fetchval(
        """select (select count(*) from subscription where period_number = 0)
                + (select count(*) from invoice where state = 'open' and $1)""",
        paid,
    )
    return found


async def _moment(connection: asyncpg.Connection, chance: random.Random) -> bool:
    """A random moment, mostly in the middle of a worker's transaction; whether it was one."""
    if chance.random() < AT_ANY_TIME:
        await asyncio.sleep(chance.uniform(0, 1))
    deadline = time.perf_counter() + 2
    while time.perf_counter() < deadline:
        if await connection.fetchval(BUSY):
            await asyncio.sleep(chance.uniform(0, 0.01))
            return True
        await asyncio.sleep(0.001)
    return False


# Something of ours is written and not committed.
BUSY = """
select count(*) > 0 from pg_stat_activity
 where datname = current_database() and application_name = 'seatkeeper'
   and backend_xid is not null
"""
AT_ANY_TIME = 0.2


async def assert_renewed_once(dsn: str, count: int, *, paid: bool) -> None:
    """Each once: one period more, one invoice for it of the right amount, perhaps one payment."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            """select
              (select count(*) from subscription where period_number = 1) as renewed,
              (select count(*) from period) as periods,
              (select count(*) from invoice where cause = 'period') as invoices,
              (select count(distinct subscription_id) from invoice where cause = 'period') as once,
              (select coalesce(sum(subtotal_minor), 0) from invoice
                where cause = 'period') as minor,
              (select count(*) from event where kind = 'subscription.renewed') as told,
              (select count(*) from payment p join invoice i using (organization_id, invoice_id)
                where i.cause = 'period' and p.state = 'succeeded') as payments,
              (select count(*) from sandbox_charge where outcome = 'succeeded') as charges,
              (select count(*) from organization where parked_at is not null) as parked"""
        )
        wanted = {
            "renewed": count,
            "periods": 2 * count,
            "invoices": count,
            "once": count,
            "minor": count * RENEWAL_MINOR,
            "told": count,
            "payments": count if paid else 0,
            "charges": 2 * count if paid else 0,
            "parked": 0,
        }
        assert row is not None
        assert dict(row) == wanted
    finally:
        await connection.close()
