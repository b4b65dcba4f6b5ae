"""The worker: claims due work in bounded batches; any number of workers may run at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from seatkeeper.operations.due import HOUSEKEEPING, JOBS
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.renewals import renew_due
from seatkeeper.operations.walks import resume_abandoned
from seatkeeper.store.database import Unavailable

LOG: Final = logging.getLogger("seatkeeper.worker")
IDLE_SECONDS: Final = 1.0
BATCHES_AT_ONCE: Final = 3
FAULT_SECONDS: Final = 5.0


async def run(engine: Engine, stop: asyncio.Event) -> None:
    """Works until `stop` is set; a fault or a bug costs one round, never the worker."""
    # Beside the rounds: a test clock on a long way must not keep live organizations waiting.
    walking = asyncio.create_task(_rounds("walks", partial(resume_abandoned, engine), stop))
    try:
        await _rounds("due work", partial(work_once, engine), stop)
    finally:
        # Cut off where it is: another worker goes on from there.
        walking.cancel()
        await asyncio.wait((walking,))


async def _rounds(name: str, work: Callable[[], Awaitable[int]], stop: asyncio.Event) -> None:
    """One round after the other, with a pause where there was nothing to do."""
    while not stop.is_set():
        pause = IDLE_SECONDS
        try:
            if await work():
                pause = 0.0
        except Unavailable as fault:
            LOG.warning("the database is not available: %s", fault)
            pause = FAULT_SECONDS
        except Exception:
            LOG.exception("a round of %s failed", name)
            pause = FAULT_SECONDS
        if pause:
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue


async def work_once(engine: Engine) -> int:
    """One batch of each kind for live organizations; how much was done."""
    took = 0
    for name, job, most in JOBS:
        # Claims skip each other's rows; while one batch is computed another is written.
        batches = [
            job(engine, now=engine.clock(), clock_id=None, most=most)
            for _ in range(BATCHES_AT_ONCE if job is renew_due else 1)
        ]
        took += await _done(name, batches)
    for name, job, most in HOUSEKEEPING:
        took += await _done(name, [job(engine, now=engine.clock(), most=most)])
    return took


async def _done(name: str, batches: list[Awaitable[int]]) -> int:
    """What the batches of one kind did; a bug in one kind does not keep the others from theirs."""
    outcomes = await asyncio.gather(*batches, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Unavailable):
            raise outcome
        if isinstance(outcome, BaseException):
            LOG.error("%s failed", name, exc_info=outcome)
    count = sum(outcome for outcome in outcomes if isinstance(outcome, int))
    if count:
        LOG.info("%s: %d", name, count)
    return count
