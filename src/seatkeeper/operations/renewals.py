"""Renewals: subscriptions that have come due, taken in bounded batches and renewed exactly once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from seatkeeper.domain.billing import total
from seatkeeper.domain.bounds import OutOfBounds, decide_renewed
from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.changes import Account
from seatkeeper.domain.contracts import due_on_terms
from seatkeeper.domain.discounts import NOTHING_OFF, Discount
from seatkeeper.domain.ids import SubscriptionId
from seatkeeper.domain.policies import Collect, RenewalQuantity
from seatkeeper.domain.renewals import Due, Renewal, decide_renewal, next_due, what_is_due
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.domain.terms import is_free
from seatkeeper.operations.accounts import billed_pool, scheduled_of
from seatkeeper.operations.context import Context, system_context
from seatkeeper.operations.engine import Engine, OrganizationFacts
from seatkeeper.operations.invoices import INVOICES, line_columns
from seatkeeper.operations.standing import price_of
from seatkeeper.operations.turns import take_turn
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.discounts import DISCOUNTS, discount_of
from seatkeeper.store.statements import Statements
from seatkeeper.store.subscriptions import subscription_of

RENEWALS: Final = Statements("renewals")
ACTOR: Final = "seatkeeper"
CATCH_UP_PERIODS_MAX: Final = 2
TOO_LATE: Final = "more periods are due at once than are billed without a confirmation"
LOG: Final = logging.getLogger("seatkeeper.renewals")


@dataclass(frozen=True, slots=True)
class Claimed:
    """One subscription that has come due, with its pools and what is scheduled."""

    row: Row
    account: Account
    pool_rows: tuple[Row, ...]
    changes: tuple[Row, ...]


@dataclass(slots=True)
class Batch:
    """Renewals that are written together."""

    claimed: list[Claimed] = field(default_factory=list)
    renewals: list[Renewal] = field(default_factory=list)


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
    await _write(engine, db, batch, now)


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


async def write_renewal(
    ctx: Context, db: Db, account: Account, changes: Sequence[Row], row: Row
) -> Renewal:
    """Writes one renewal that takes its turn alone; the account's pools are locked."""
    renewal = decide_renewal(account)
    if (reason := decide_renewed(account, renewal, ctx.now)) is not None:
        raise OutOfBounds(reason)
    pools = await db.rows(
        RENEWALS.lock_pools,
        organization_ids=[ctx.organization_id],
        subscription_ids=[account.subscription.subscription_id],
    )
    batch = Batch([Claimed(row, account, tuple(pools), tuple(changes))], [renewal])
    await _write(ctx.engine, db, batch, ctx.now)
    return renewal


async def _write(engine: Engine, db: Db, batch: Batch, now: datetime) -> None:
    if not batch.claimed:
        return
    pairs = list(zip(batch.claimed, batch.renewals, strict=True))
    await db.run(RENEWALS.renew, now=now, actor=ACTOR, **_period_columns(pairs))
    await db.run(RENEWALS.resize, now=now, actor=ACTOR, **_pool_columns(engine, pairs))
    done = [(item, change) for item, _ in pairs for change in item.changes]
    if done:
        await db.run(
            RENEWALS.applied,
            organization_ids=[item.row["organization_id"] for item, _ in done],
            change_ids=[change["change_id"] for _, change in done],
            now=now,
            actor=ACTOR,
        )
    await _discount(db, pairs, now)
    # What a discount takes off to nothing is invoiced too: it says for what nothing is owed.
    billed = [(item, r) for item, r in pairs if total(r.lines) or r.off != NOTHING_OFF]
    if billed:
        await _invoice(engine, db, billed, now)


async def _discount(db: Db, pairs: Sequence[tuple[Claimed, Renewal]], now: datetime) -> None:
    """Says what is off the new periods, and ends the discounts that are over. Source: C54."""
    moved = [
        (item, renewal)
        for item, renewal in pairs
        if renewal.off != NOTHING_OFF or item.account.subscription.price.off != NOTHING_OFF
    ]
    if moved:
        used = [item.account.discount if r.off != NOTHING_OFF else None for item, r in moved]
        fixed = [sum(line.discount_fixed_minor for line in r.lines) for _, r in moved]
        await db.run(
            DISCOUNTS.carry,
            organization_ids=[item.row["organization_id"] for item, _ in moved],
            subscription_ids=[item.row["subscription_id"] for item, _ in moved],
            starts=[renewal.starts_at for _, renewal in moved],
            discount_ids=[None if each is None else each.discount_id for each in used],
            basis_points=[renewal.off.basis_points for _, renewal in moved],
            amounts=fixed,
        )
    over = [
        item.row
        for item, renewal in pairs
        if item.account.discount is not None and not renewal.keeps(item.account.discount)
    ]
    if over:
        await db.run(
            DISCOUNTS.finish,
            organization_ids=[row["organization_id"] for row in over],
            subscription_ids=[row["subscription_id"] for row in over],
            because="over",
            now=now,
            actor=ACTOR,
            request_id=None,
        )


def _period_columns(pairs: Sequence[tuple[Claimed, Renewal]]) -> dict[str, list[Any]]:
    renewed = [_renewed(item.account.subscription, renewal) for item, renewal in pairs]
    return {
        "organization_ids": [item.row["organization_id"] for item, _ in pairs],
        "subscription_ids": [item.row["subscription_id"] for item, _ in pairs],
        "numbers": [renewal.number for _, renewal in pairs],
        "starts": [renewal.starts_at for _, renewal in pairs],
        "ends": [renewal.ends_at for _, renewal in pairs],
        "term_ends": [renewal.term_ends_at for _, renewal in pairs],
        "dues": [next_due(subscription) for subscription in renewed],
        "statuses": [subscription.status for subscription in renewed],
        "plan_version_ids": [item.row["plan_version_id"] for item, _ in pairs],
    }


def _renewed(subscription: Subscription, renewal: Renewal) -> Subscription:
    status = subscription.status
    return replace(
        subscription,
        number=renewal.number,
        period_starts_at=renewal.starts_at,
        period_ends_at=renewal.ends_at,
        term_ends_at=renewal.term_ends_at,
        status=Status.ACTIVE if status is Status.TRIALING else status,
    )


def _pool_columns(engine: Engine, pairs: Sequence[tuple[Claimed, Renewal]]) -> dict[str, list[Any]]:
    rows = [
        (pool, renewal.quantities[pool["seat_type"]].purchased, renewal, item)
        for item, renewal in pairs
        for pool in item.pool_rows
    ]
    return {
        "organization_ids": [pool["organization_id"] for pool, *_ in rows],
        "pool_ids": [pool["pool_id"] for pool, *_ in rows],
        "quantities": [quantity for _, quantity, *_ in rows],
        "deltas": [quantity - pool["purchased"] for pool, quantity, *_ in rows],
        "starts": [renewal.starts_at for _, _, renewal, _ in rows],
        "entry_ids": [engine.new_id() for _ in rows],
        "cause_ids": [item.row["subscription_id"] for *_, item in rows],
    }


async def _invoice(
    engine: Engine, db: Db, pairs: Sequence[tuple[Claimed, Renewal]], now: datetime
) -> None:
    organizations = [item.row["organization_id"] for item, _ in pairs]
    invoices = [engine.new_id() for _ in pairs]
    dues = [_due(item, renewal, now) for item, renewal in pairs]
    await db.run(
        RENEWALS.invoice,
        organization_ids=organizations,
        subscription_ids=[item.row["subscription_id"] for item, _ in pairs],
        invoice_ids=invoices,
        cause_ids=[period_cause(item.row["subscription_id"], r.starts_at) for item, r in pairs],
        currencies=[item.row["currency"] for item, _ in pairs],
        subtotals=[total(renewal.lines) for _, renewal in pairs],
        dues=dues,
        attempts=dues,
        entry_ids=[engine.new_id() for _ in pairs],
        payer_member_ids=[item.row["payer_member_id"] for item, _ in pairs],
        now=now,
        actor=ACTOR,
    )
    columns: dict[str, list[Any]] = defaultdict(list)
    for organization, invoice, (_, renewal) in zip(organizations, invoices, pairs, strict=True):
        for name, values in line_columns(renewal.lines).items():
            columns[name].extend(values)
        columns["organization_ids"].extend([organization] * len(renewal.lines))
        columns["invoice_ids"].extend([invoice] * len(renewal.lines))
    await db.run(RENEWALS.lines, **columns)
    await db.run(INVOICES.seal, organization_ids=organizations, invoice_ids=invoices)


def period_cause(subscription_id: UUID, starts_at: datetime) -> str:
    """The one cause of a period's invoice. Source: M-6."""
    return f"{SubscriptionId.text(subscription_id)}:{starts_at.isoformat()}"


def _due(item: Claimed, renewal: Renewal, now: datetime) -> datetime:
    """When a renewal's invoice is to be paid: at once from a rail, else on terms."""
    contract_days: int | None = item.row.get("net_terms_days")
    if contract_days is not None:
        zone: str = item.row["time_zone"]
        return due_on_terms(renewal.starts_at, now, contract_days, zone)
    plan = item.account.subscription.plan
    return due_date(plan, item.row["payment_method"], renewal.starts_at)


def due_date(plan: Plan, method: str | None, starts_at: datetime) -> datetime:
    """When a period's invoice is to be paid: at once from a rail, else on terms."""
    if plan.policies.collect is Collect.CHARGE and method is not None:
        return starts_at
    return starts_at + timedelta(days=plan.policies.net_terms_days)
