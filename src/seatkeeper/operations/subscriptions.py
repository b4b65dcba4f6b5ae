"""Subscriptions: what is in force now."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.ids import OrganizationId, SubscriptionId
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.operations.answers import CurrencyText, Moment, StatusText, SubscriptionText
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.decisions import CHANGES
from seatkeeper.operations.standing import current
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Db
from seatkeeper.store.statements import Statements

ORGANIZATIONS: Final = Statements("organizations")


class ReadSubscription(Command):
    """What an organization is subscribed to."""

    organization: OrganizationId


class SubscriptionView(Result):
    """The organization's own subscription as it is now."""

    subscription: SubscriptionText
    plan: Key
    plan_version: int
    price: Key
    status: StatusText
    currency: CurrencyText
    period_start: Moment
    period_end: Moment
    term_end: Moment
    trial_end: Moment | None
    cancel_at: Moment | None
    grace_ends_at: Moment | None
    seats: dict[Key, int]
    version: int


async def show(ctx: Context, command: ReadSubscription) -> SubscriptionView:
    """The organization's own subscription. Refuses: not_found when there is none."""
    del command
    async with ctx.connection() as db:
        found = await current(ctx, db)
        if found is None:
            raise not_found()
        return await _view(ctx, db, found)


async def _view(ctx: Context, db: Db, found: Subscription) -> SubscriptionView:
    rows = await db.rows(CHANGES.purchased, organization_id=ctx.organization_id)
    return SubscriptionView(
        subscription=SubscriptionId.text(found.subscription_id),
        plan=found.plan.key,
        plan_version=found.plan.version,
        price=found.price.key,
        status=found.status,
        currency=found.price.currency,
        period_start=found.period_starts_at,
        period_end=found.period_ends_at,
        term_end=found.term_ends_at,
        trial_end=found.trial_ends_at,
        cancel_at=found.cancel_at,
        grace_ends_at=found.grace_ends_at,
        seats={row["seat_type"]: row["purchased"] for row in rows},
        version=found.version,
    )
