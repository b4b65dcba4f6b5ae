"""Everything that comes due, in order, for live organizations or those on one test clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from seatkeeper.operations import amendments, arrivals, dunning, expiry, idempotency, renewals
from seatkeeper.operations.engine import Engine

Job = Callable[..., Awaitable[int]]

# In the order in which they are done when several fall on one instant: a hold that expires is free
# before seats are counted, and what is renewed can be charged in the same round.
JOBS: Final[tuple[tuple[str, Job, int], ...]] = (
    ("payments_completed", dunning.complete_unpaid, 100),
    ("seats_bought_for_arrivals", arrivals.buy_due, 100),
    ("invitations_expired", expiry.expire_due, 500),
    ("amendments_expired", amendments.expire_due, 500),
    ("subscriptions", renewals.renew_due, 500),
    ("invoices_attempted", dunning.attempt_due, 100),
)
# What only the wall clock makes due, whatever organization it belongs to.
HOUSEKEEPING: Final[tuple[tuple[str, Job, int], ...]] = (
    ("cut_off_requests_freed", idempotency.free_cut_off, 500),
    ("old_answers_dropped", idempotency.drop_old, 500),
)
ROUNDS_MAX: Final = 100_000


async def do_due(engine: Engine, now: datetime, clock_id: UUID | None) -> dict[str, int]:
    """Does all that is due at `now`, batch by batch until nothing is left; counts per job."""
    done: dict[str, int] = {}
    for _ in range(ROUNDS_MAX):
        took = 0
        for name, job, most in JOBS:
            count = await job(engine, now=now, clock_id=clock_id, most=most)
            if count:
                done[name] = done.get(name, 0) + count
            took += count
        if not took:
            return done
    return done
