"""How an organization stands: its subscription, plan and pools, as the decisions need them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.discounts import Off
from seatkeeper.domain.prices import Price, agreed
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Db, Row
from seatkeeper.store.subscriptions import SUBSCRIPTIONS, subscription_of


async def current(ctx: Context, db: Db) -> Subscription | None:
    """The organization's own live subscription, or None."""
    row = await db.row(SUBSCRIPTIONS.current, organization_id=ctx.organization_id)
    return None if row is None else await _subscription(ctx, db, row)


async def lock_current(ctx: Context, db: Db) -> Subscription | None:
    """The same, locked: whoever changes what is bought holds this lock first."""
    row = await db.row(SUBSCRIPTIONS.lock_current, organization_id=ctx.organization_id)
    return None if row is None else await _subscription(ctx, db, row)


async def lock_of_member(ctx: Context, db: Db, member_id: UUID) -> Subscription | None:
    """The live subscription which a member pays, locked, or None. Source: T8."""
    row = await db.row(
        SUBSCRIPTIONS.lock_of_member, organization_id=ctx.organization_id, member_id=member_id
    )
    return None if row is None else await _subscription(ctx, db, row)


async def plan_in_force(ctx: Context, db: Db) -> Plan | None:
    """The plan whose policies hold: the organization's own, or the one its members pay."""
    found = await current(ctx, db)
    if found is not None:
        return found.plan
    row = await db.row(SUBSCRIPTIONS.any_member_plan, organization_id=ctx.organization_id)
    return None if row is None else await ctx.engine.plan(db, row["plan_version_id"])


async def _subscription(ctx: Context, db: Db, row: Row) -> Subscription:
    plan = await ctx.engine.plan(db, row["plan_version_id"])
    price = price_of(plan, row, ctx.organization.currency)
    return subscription_of(row, plan, price, ctx.organization.time_zone)


def price_of(plan: Plan, row: Row, currency: str) -> Price:
    """The price a subscription pays: the plan's, with what was agreed for this organization.

    With the percentage that is off the running period.
    """
    price = plan.price_in(currency, row["price_key"])
    assert price is not None
    overrides = row["overrides"]
    if overrides is not None:
        price = agreed(price, overrides)
    percentage = row["discount_basis_points"]
    return replace(price, off=Off(percentage)) if percentage else price
