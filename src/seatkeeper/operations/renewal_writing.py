"""Writing renewals: periods, quantities and invoices of one subscription or of many as one set."""

from __future__ import annotations

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
from seatkeeper.domain.discounts import NOTHING_OFF
from seatkeeper.domain.ids import SubscriptionId
from seatkeeper.domain.policies import Collect, RenewalQuantity
from seatkeeper.domain.renewals import Renewal, decide_renewal, next_due
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.operations.accounts import billed_pool
from seatkeeper.operations.context import Context
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.invoices import INVOICES, line_columns
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.store.database import Db, Row
from seatkeeper.store.discounts import DISCOUNTS
from seatkeeper.store.statements import Statements

RENEWALS: Final = Statements("renewals")
ACTOR: Final = "seatkeeper"


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


async def renew_alone(ctx: Context, db: Db, account: Account, changes: Sequence[Row]) -> None:
    """One renewal by itself, and then whoever waits for a seat is served."""
    subscription = account.subscription
    row = await db.one(
        RENEWALS.due_row,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )
    if subscription.plan.policies.renewal_quantity is RenewalQuantity.MEMBERS:
        for billed in account.pools.values():
            if billed.pool.held:
                await db.run(
                    RENEWALS.release_holds,
                    organization_id=ctx.organization_id,
                    pool_id=billed.pool.pool_id,
                    now=ctx.now,
                )
        account = await reloaded(ctx, db, account)
    await write_renewal(ctx, db, account, changes, row)
    await serve_waiting(ctx, db)


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
    await write(ctx.engine, db, batch, ctx.now)
    return renewal


async def write(engine: Engine, db: Db, batch: Batch, now: datetime) -> None:
    """Writes renewals that were decided, all of them as one set. Cost: about six statements."""
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


def period_cause(subscription_id: UUID, starts_at: datetime) -> str:
    """The one cause of a period's invoice. Source: M-6."""
    return f"{SubscriptionId.text(subscription_id)}:{starts_at.isoformat()}"


def due_date(plan: Plan, method: str | None, starts_at: datetime) -> datetime:
    """When a period's invoice is to be paid: at once from a rail, else on terms."""
    if plan.policies.collect is Collect.CHARGE and method is not None:
        return starts_at
    return starts_at + timedelta(days=plan.policies.net_terms_days)


async def reloaded(ctx: Context, db: Db, account: Account) -> Account:
    """The account with its pools as they are now."""
    rows = await db.rows(
        RENEWALS.lock_pools,
        organization_ids=[ctx.organization_id],
        subscription_ids=[account.subscription.subscription_id],
    )
    return replace(account, pools={row["seat_type"]: billed_pool(row) for row in rows})


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


def _due(item: Claimed, renewal: Renewal, now: datetime) -> datetime:
    """When a renewal's invoice is to be paid: at once from a rail, else on terms."""
    contract_days: int | None = item.row.get("net_terms_days")
    if contract_days is not None:
        zone: str = item.row["time_zone"]
        return due_on_terms(renewal.starts_at, now, contract_days, zone)
    plan = item.account.subscription.plan
    return due_date(plan, item.row["payment_method"], renewal.starts_at)
