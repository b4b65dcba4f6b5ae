"""Renewals: subscriptions that have come due, taken in bounded batches and renewed exactly once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from seatkeeper.domain.bounds import OutOfBounds, decide_renewed
from seatkeeper.domain.changes import Account
from seatkeeper.domain.discounts import Discount
from seatkeeper.domain.policies import RenewalQuantity
from seatkeeper.domain.renewals import Due, decide_renewal, what_is_due
from seatkeeper.domain.terms import is_free
from seatkeeper.operations.accounts import billed_pool, scheduled_of
from seatkeeper.operations.context import Context, system_context
from seatkeeper.operations.engine import Engine, OrganizationFacts
from seatkeeper.operations.renewal_writing import ACTOR, RENEWALS, Batch, Claimed, write
from seatkeeper.operations.standing import price_of
from seatkeeper.operations.turns import take_turn
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.discounts import DISCOUNTS, discount_of
from seatkeeper.store.subscriptions import subscription_of

CATCH_UP_PERIODS_MAX: Final = 2
TOO_LATE: Final = "more periods are due at once than are billed without a confirmation"
LOG: Final = logging.getLogger("seatkeeper.renewals")


async def renew_due(engine: Engine, now: datetime, clock_id: UUID | None, most: int = 500) -> int:
    """Carries out what has come due for up to `most` subscriptions; how many it took.

    Plain renewals are written as one set; what changes more than a period takes its turn alone in
    the same transaction. `now` is the clock's time, or the wall's for live organizations. When a
    batch meets a bug it is done again one by one: only whose turn it breaks is parked. Cost:
    about ten statements a batch. Source: C34, C40, G15, T-1, T-8, T-9, M-19, design "Parking".
    """
    try:
        async with engine.database.transaction() as db:
            rows = await db.rows(RENEWALS.claim, now=now, clock_id=clock_id, most=most)
            await _together(engine, db, rows, now)
    except Unavailable:
        raise
    except Exception:
        LOG.exception("a batch of renewals failed; each is tried alone")
        async with engine.database.transaction() as db:
            rows = await db.rows(RENEWALS.claim, now=now, clock_id=clock_id, most=most)
            for row in rows:
                await _alone(engine, db, row, now)
    return len(rows)


async def _alone(engine: Engine, db: Db, row: Row, now: datetime) -> None:
    try:
        # A savepoint: what breaks leaves nothing behind and harms nobody else.
        async with db.connection.transaction():
            await _together(engine, db, [row], now)
    except Unavailable:
        raise
    except OutOfBounds as found:
        await _stop(db, row, now, str(found))
    except Exception:
        LOG.exception("the renewal of %s failed; its billing is parked", row["organization_id"])
        await _park(db, row, now, "what came due could not be carried out")


async def _together(engine: Engine, db: Db, rows: Sequence[Row], now: datetime) -> None:
    if not rows:
        return
    batch = Batch()
    for item in await _load(engine, db, rows):
        if _too_late(item, now):
            await _park(db, item.row, now, TOO_LATE)
        elif _is_plain(item, now):
            renewal = decide_renewal(item.account)
            if (reason := decide_renewed(item.account, renewal, now)) is not None:
                await _stop(db, item.row, now, reason)
                continue
            batch.claimed.append(item)
            batch.renewals.append(renewal)
        else:
            ctx = _context(engine, item.row, now, db)
            await take_turn(ctx, db, item.account, item.changes)
    await write(engine, db, batch, now)


async def _load(engine: Engine, db: Db, rows: Sequence[Row]) -> list[Claimed]:
    keys = {
        "organization_ids": [row["organization_id"] for row in rows],
        "subscription_ids": [row["subscription_id"] for row in rows],
    }
    pools: dict[UUID, list[Row]] = defaultdict(list)
    for pool in await db.rows(RENEWALS.lock_pools, **keys):
        pools[pool["subscription_id"]].append(pool)
    changes: dict[UUID, list[Row]] = defaultdict(list)
    discounts: dict[UUID, Discount] = {}
    if any(row["has_discount"] for row in rows):
        found = await db.rows(DISCOUNTS.of_claimed, **keys)
        discounts = {row["subscription_id"]: discount_of(row) for row in found}
    if any(row["has_scheduled"] for row in rows):
        for change in await db.rows(RENEWALS.scheduled, **keys):
            changes[change["subscription_id"]].append(change)
    await engine.plans_of(db, {row["plan_version_id"] for row in rows})
    claimed = []
    for row in rows:
        key = row["subscription_id"]
        item = _claimed(engine, row, pools[key], changes[key])
        if key in discounts:
            item = replace(item, account=replace(item.account, discount=discounts[key]))
        claimed.append(item)
    return claimed


def _claimed(engine: Engine, row: Row, pools: Sequence[Row], changes: Sequence[Row]) -> Claimed:
    plan = engine.plans[row["plan_version_id"]]
    price = price_of(plan, row, row["currency"])
    subscription = subscription_of(row, plan, price, row["time_zone"])
    due = [c for c in changes if c["effective_at"] <= subscription.period_ends_at]
    account = Account(
        subscription=subscription,
        pools={pool["seat_type"]: billed_pool(pool) for pool in pools},
        scheduled=tuple(item for change in due for item in scheduled_of(change)),
    )
    return Claimed(row, account, tuple(pools), tuple(due))


def _too_late(item: Claimed, now: datetime) -> bool:
    """Whether a live organization would be billed for more past periods than anyone expects.

    A test clock brings every instant in order, so there nothing is ever late. Source: M-19, T-6.
    """
    subscription = item.account.subscription
    if item.row["clock_id"] is not None or item.row["period_number"] < 0:
        return False
    if what_is_due(subscription, now) is not Due.RENEW:
        return False  # What ends bills nothing,
    if is_free(subscription.plan, subscription.price):
        return False  # nor does what is free.
    after = subscription.recurrence.period(subscription.number + CATCH_UP_PERIODS_MAX)
    agreed: datetime | None = item.row["catch_up_until"]
    due: datetime = item.row["due_at"]
    # Due after its period's end it is unsigned, in a grace after which nothing is billed.
    if due > subscription.period_ends_at:
        return False
    return after.ends_at <= now and (agreed is None or agreed < due)


async def _stop(db: Db, row: Row, now: datetime, reason: str) -> None:
    """Parks for what only a bug of ours can have made, so that someone looks. Source: M-19."""
    LOG.error("the billing of %s is parked: %s", row["organization_id"], reason)
    await _park(db, row, now, reason)


async def _park(db: Db, row: Row, now: datetime, reason: str) -> None:
    await db.run(
        RENEWALS.park,
        organization_ids=[row["organization_id"]],
        reason=reason,
        now=now,
        actor=ACTOR,
    )


def _is_plain(item: Claimed, now: datetime) -> bool:
    """Whether only a period follows on a period, so that it can be written with many others."""
    subscription = item.account.subscription
    if what_is_due(subscription, now) is not Due.RENEW:
        return False
    if any(change["slot"] == "plan" for change in item.changes):
        return False
    plan = subscription.plan
    if plan.transition_to is not None or subscription.contract_id is not None:
        return False
    counts_members = plan.policies.renewal_quantity is RenewalQuantity.MEMBERS
    return not any(
        billed.pool.waiting or (counts_members and billed.pool.held)
        for billed in item.account.pools.values()
    )


def _context(engine: Engine, row: Row, now: datetime, db: Db) -> Context:
    facts = OrganizationFacts(
        row["organization_id"],
        row["catalog_key"],
        row["currency"],
        row["time_zone"],
        row["clock_id"],
    )
    return system_context(engine, facts, now, db)
