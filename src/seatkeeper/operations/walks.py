"""Walks: one process takes a test clock from due instant to due instant, and another can go on.

An advance is written down before it begins: where to, who walks (a number that only grows) and
until when nobody else should. Whoever dies leaves a lease that runs out; the next walker takes a
higher number, and nothing that carries the old one is written any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from seatkeeper.domain.ids import ClockId
from seatkeeper.operations.due import do_due
from seatkeeper.operations.dunning import UNPAID_MAX, UNPAID_PATIENCE
from seatkeeper.operations.engine import Engine
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.statements import Statements

CLOCKS: Final = Statements("clocks")
RENEWALS: Final = Statements("renewals")
LOG: Final = logging.getLogger("seatkeeper.clocks")
LEASE: Final = timedelta(seconds=30)
BEAT_SECONDS: Final = 10.0
# After a fault of the database another try comes as soon as this.
PAUSE: Final = timedelta(seconds=5)
STEPS_MAX: Final = 100_000
WALKS_MAX: Final = 16  # In one process, beside its requests.


class Superseded(Unavailable):
    """Another walker has the clock now; this one stops without a trace."""


@dataclass(frozen=True, slots=True)
class Walk:
    """An advance under way: which clock, whose turn, from where to where, and what was done."""

    clock_id: UUID
    epoch: int
    at: datetime
    target: datetime
    done: Mapping[str, int]

    @property
    def key(self) -> dict[str, object]:
        """What every statement of this walker names."""
        return {"clock_id": self.clock_id, "epoch": self.epoch}

    async def fence(self, db: Db) -> None:
        """Opens a transaction to this walker only. Raises: Superseded."""
        if await db.row(CLOCKS.fence, **self.key) is None:
            raise Superseded


async def take(db: Db, row: Row, target: datetime, wall: datetime) -> Walk | None:
    """Makes the caller the walker of a clock as it was read; None where another was faster."""
    if await db.row(CLOCKS.hold, clock_id=row["clock_id"], epoch=row["epoch"]) is None:
        return None
    return await _taken(db, row, target, wall)


async def _taken(db: Db, row: Row, target: datetime, wall: datetime) -> Walk:
    taken = await db.one(
        CLOCKS.take, clock_id=row["clock_id"], target_at=target, lease_until=wall + LEASE
    )
    return Walk(taken["clock_id"], taken["epoch"], taken["now_at"], target, taken["done"])


def begin(engine: Engine, walk: Walk) -> asyncio.Task[None]:
    """Walks behind the request that asked for it; the clock's row says how it goes."""
    task = asyncio.create_task(go(engine, walk))
    engine.tasks.add(task)
    task.add_done_callback(engine.tasks.discard)
    return task


def check_room(engine: Engine) -> None:
    """Raises: Unavailable where this process walks as many clocks as it can."""
    if len(engine.tasks) >= WALKS_MAX:
        raise Unavailable("too many test clocks advance at once")


async def resume_abandoned(engine: Engine) -> bool:
    """Takes one clock whose walker is gone to the target it had; whether there was one.

    Source: R-3, R-9, T-8.
    """
    wall = engine.clock()
    async with engine.database.transaction() as db:
        row = await db.row(CLOCKS.hold_abandoned, now=wall)
        if row is None:
            return False
        walk = await _taken(db, row, row["target_at"], wall)
    LOG.info("clock %s goes on from %s", ClockId.text(walk.clock_id), walk.at)
    await go(engine, walk)
    return True


async def go(engine: Engine, walk: Walk) -> None:
    """Walks a clock to its target and never raises for what happens on the way.

    A fault of the database leaves the advance to the worker, a bug makes it `failed`; stopped, it
    lets go at once, so that another process can go on.
    """
    name = ClockId.text(walk.clock_id)
    beating = asyncio.create_task(_beat(engine, walk))
    try:
        done = await _walk(engine, walk)
        await _finish(engine, walk, done)
    except Superseded:
        LOG.warning("clock %s is advanced by another process", name)
    except Unavailable as fault:
        LOG.warning("clock %s rests, the database is not available: %s", name, fault)
        await _let_go(engine, walk, PAUSE)
    except asyncio.CancelledError:
        await _let_go(engine, walk, timedelta())
        raise
    except Exception as bug:
        LOG.exception("clock %s could not be advanced", name)
        await _fail(engine, walk, bug)
    finally:
        beating.cancel()


async def _walk(engine: Engine, walk: Walk) -> dict[str, int]:
    """From due instant to due instant, each with the clock standing exactly on it."""
    fenced = replace(engine, database=engine.database.behind(walk.fence))
    total = dict(walk.done)
    at = walk.at
    for _ in range(STEPS_MAX):
        for name, count in (await do_due(fenced, at, walk.clock_id)).items():
            total[name] = total.get(name, 0) + count
        if at == walk.target:
            return total
        # Only what is due later: something that cannot be done now must not stop the clock.
        async with engine.database.connection() as db:
            row = await db.one(
                RENEWALS.next_due,
                clock_id=walk.clock_id,
                after=at,
                patience=UNPAID_PATIENCE,
                unpaid_max=UNPAID_MAX,
            )
            at = min(row["due_at"] or walk.target, walk.target)
            lease = engine.clock() + LEASE
            if not await db.run(CLOCKS.step, **walk.key, now_at=at, done=total, lease_until=lease):
                raise Superseded
    raise AssertionError("more instants than a clock can walk in one go")


async def _beat(engine: Engine, walk: Walk) -> None:
    """Renews the lease while one instant takes long; a lost one shows at the next transaction."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            async with engine.database.connection() as db:
                await db.run(CLOCKS.lease, **walk.key, lease_until=engine.clock() + LEASE)
        except Unavailable:
            continue


async def _finish(engine: Engine, walk: Walk, done: dict[str, int]) -> None:
    async with engine.database.connection() as db:
        await db.run(CLOCKS.finish, **walk.key, state="ready", failure=None, done=done)


async def _fail(engine: Engine, walk: Walk, bug: Exception) -> None:
    sentence = (
        f"Something due could not be done ({type(bug).__name__}); the log of the service says"
        " more. Advance the clock again to try again."
    )
    try:
        async with engine.database.connection() as db:
            await db.run(CLOCKS.finish, **walk.key, state="failed", failure=sentence, done=None)
    except Unavailable:
        LOG.warning("clock %s waits for the worker", ClockId.text(walk.clock_id))


async def _let_go(engine: Engine, walk: Walk, pause: timedelta) -> None:
    try:
        async with engine.database.connection() as db:
            await db.run(CLOCKS.lease, **walk.key, lease_until=engine.clock() + pause)
    except Unavailable:
        # The lease runs out by itself.
        LOG.warning("clock %s waits for the worker", ClockId.text(walk.clock_id))
