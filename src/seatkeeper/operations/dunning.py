"""Dunning: open invoices are tried on their days; arrears end access only after the grace."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.money import Money
from seatkeeper.domain.periods import local_day, midnight
from seatkeeper.domain.policies import Overdue
from seatkeeper.domain.refusals import Refusal
from seatkeeper.domain.terms import is_free
from seatkeeper.operations.attempts import (
    attempt,
    lock_subscription,
    pay_from_balance,
    settle_invoice,
)
from seatkeeper.operations.changes import settle
from seatkeeper.operations.context import SYSTEM, Context
from seatkeeper.operations.engine import Engine, OrganizationFacts
from seatkeeper.operations.payments import give_up, retry_at
from seatkeeper.payments.port import Charge, Outcome
from seatkeeper.store.database import Db, Row, Unavailable
from seatkeeper.store.statements import Statements

PAYMENTS: Final = Statements("payments")
RENEWALS: Final = Statements("renewals")
LOG: Final = logging.getLogger("seatkeeper.dunning")
UNPAID_PATIENCE: Final = timedelta(minutes=1)
UNPAID_MAX: Final = timedelta(hours=24)


async def attempt_due(engine: Engine, now: datetime, clock_id: UUID | None, most: int = 100) -> int:
    """Tries up to `most` open invoices whose day has come; how many it took.

    The next try is set before this one is made, so that a crash loses nothing and repeats
    nothing: the rail knows the charge by its key. Before anything is charged or anybody in
    arrears, what the vendor owes the payer is used. Source: A99, C42, M-10, M-16, M-18.
    """
    await _use_balances(engine, now, clock_id, most)
    async with engine.database.transaction() as db:
        rows = await db.rows(RENEWALS.attempts, now=now, clock_id=clock_id, most=most)
        plans = await engine.plans_of(db, {row["plan_version_id"] for row in rows})
        for row in rows:
            plan = plans[row["plan_version_id"]]
            overdue = plan.policies.overdue
            attempts = row["attempts"] + 1
            following = retry_at(now, overdue.retry_days, attempts)
            if row["payment_method"] is None:
                following = None  # There is nothing to try: who did not pay is in arrears.
                await _fall_behind(_context(engine, row, now), db, row, plan)
            await db.run(
                RENEWALS.plan_attempt,
                organization_id=row["organization_id"],
                invoice_id=row["invoice_id"],
                attempts=attempts,
                next_attempt_at=following,
            )
    for row in rows:
        if row["payment_method"] is not None:
            await _try(_context(engine, row, now), row, plans[row["plan_version_id"]])
    return len(rows)


async def _use_balances(engine: Engine, now: datetime, clock_id: UUID | None, most: int) -> None:
    async with engine.database.connection() as db:
        rows = await db.rows(PAYMENTS.covered, now=now, clock_id=clock_id, most=most)
    for row in rows:
        ctx = _context(engine, row, now)
        async with ctx.transaction() as db:
            await lock_subscription(ctx, db, row["invoice_id"])
            await pay_from_balance(ctx, db, row["invoice_id"])


def _grace_days(row: Row, overdue: Overdue) -> int:
    """What the contract agrees on, else the plan's. Source: A99."""
    agreed: int | None = row["contract_grace_days"]
    return overdue.grace_days if agreed is None else agreed


async def _try(ctx: Context, row: Row, plan: Plan) -> None:
    try:
        outcome = await attempt(ctx, row["invoice_id"], method=row["payment_method"])
    except Unavailable:
        return
    except Exception:
        LOG.exception("invoice %s could not be tried", row["invoice_id"])
        return
    if isinstance(outcome, Refusal):
        async with ctx.transaction() as db:
            await _fall_behind(ctx, db, row, plan)


async def _fall_behind(ctx: Context, db: Db, row: Row, plan: Plan) -> None:
    price = plan.price_in(ctx.organization.currency, row["price_key"])
    if price is None or is_free(plan, price):
        return  # What is had for nothing is not taken away for an old debt. Source: C9, C44.
    grace_days = _grace_days(row, plan.policies.overdue)
    # Grace counts from the first try that failed: a late one must not cost anyone their access.
    zone = ctx.organization.time_zone
    last_day = local_day(ctx.now, zone) + timedelta(days=grace_days)
    await db.run(
        RENEWALS.fall_behind,
        organization_id=ctx.organization_id,
        subscription_id=row["subscription_id"],
        invoice_id=row["invoice_id"],
        grace_ends_at=midnight(last_day, zone),
        now=ctx.now,
        actor=ctx.actor_text,
    )


async def complete_unpaid(
    engine: Engine, now: datetime, clock_id: UUID | None, most: int = 100
) -> int:
    """Brings changes whose payment was cut off to their end; how many it settled.

    The rail is asked what became of the charge; one that never arrived is made again under the
    same key; one that waits for the payer is given up after a day, or when its subscription is
    due: a period or a grace that ends waits for nobody. Source: B025, B063, I-5, R-9, T-5.
    """
    async with engine.database.connection() as db:
        rows = await db.rows(
            RENEWALS.unpaid_changes,
            before=now - UNPAID_PATIENCE,
            now=now,
            clock_id=clock_id,
            most=most,
        )
    settled = 0
    for row in rows:
        try:
            settled += await _complete(_context(engine, row, now), row)
        except Unavailable:
            continue
        except Exception:
            LOG.exception("change %s could not be completed", row["change_id"])
    return settled


async def _complete(ctx: Context, row: Row) -> int:
    if row["provider"] == "manual":
        return await _give_up(ctx, row)
    provider = ctx.engine.providers[row["provider"]]
    key = row["provider_key"]
    result = await provider.find(key)
    if result is None and row["too_late"]:
        return await _give_up(ctx, row)
    if result is None:
        amount = Money(row["amount_minor"], row["currency"])
        result = await provider.charge(Charge(key, row["method"], amount))
    if result.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED):
        if row["invoice_state"] == "draft":
            await settle(ctx, row["change_id"], row["payment_id"], result)
        else:  # An invoice that went out to be paid by hand, and was tried on a rail.
            await settle_invoice(ctx, row["invoice_id"], row["payment_id"], result)
        return 1
    if result.outcome is Outcome.UNKNOWN:
        return 0
    # Who has not confirmed when a period or a grace ends holds up nothing that is due then.
    patient = ctx.now - row["requested_at"] < UNPAID_MAX and not row["too_late"]
    return 0 if patient else await _give_up(ctx, row)


async def _give_up(ctx: Context, row: Row) -> int:
    return int(await give_up(ctx, row["invoice_id"]))


def _context(engine: Engine, row: Row, now: datetime) -> Context:
    facts = OrganizationFacts(
        row["organization_id"],
        row["catalog_key"],
        row["currency"],
        row["time_zone"],
        row["clock_id"],
    )
    return Context(engine, SYSTEM, now, engine.new_id(), facts)
