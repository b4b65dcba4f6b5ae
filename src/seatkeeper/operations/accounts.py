"""Accounts: one subscription with all the facts its changes are decided on, under lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import msgspec

from seatkeeper.domain.billed import Billed, Sum, standing
from seatkeeper.domain.billing import BilledPool, effective_instant, inside
from seatkeeper.domain.changes import Account, Asker, Scheduled
from seatkeeper.domain.ids import ChangeId, InvoiceId
from seatkeeper.domain.payments import Waiting, decide_beside
from seatkeeper.domain.prices import DayLevel
from seatkeeper.domain.refusals import Refused
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.operations import own_seats
from seatkeeper.operations.context import Context
from seatkeeper.operations.effect_words import Effect
from seatkeeper.store.database import Db, Row
from seatkeeper.store.discounts import DISCOUNTS, discount_of
from seatkeeper.store.seats import SEATS, pool_of
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")
INVOICES: Final = Statements("invoices")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An account with what only operations need of it."""

    account: Account
    net_terms_days: int | None
    waiting: Waiting | None

    def check_waiting(self) -> None:
        """Stops what would cross a payment. Refuses: request_in_progress, state_conflict."""
        if (refusal := decide_beside(self.waiting)) is not None:
            raise Refused(refusal)


async def load_account(
    ctx: Context, db: Db, subscription: Subscription, *, only_more: bool = False
) -> Loaded:
    """The account of a locked subscription; locks its pools.

    With `only_more` nothing is asked that could give back what was billed, which is then not read
    unless seats were converted today. Cost: three or four statements.
    """
    payer = subscription.payer_member_id
    if payer is None:
        rows = await db.rows(SEATS.lock_pools, organization_id=ctx.organization_id)
    else:
        rows = await own_seats.lock_pools(ctx, db, payer)
    return await _loaded(ctx, db, (subscription, rows), only_more=only_more)


async def read_account(
    ctx: Context, db: Db, subscription: Subscription, *, only_more: bool = False
) -> Loaded:
    """The same without locks, for quotes and previews."""
    rows = await db.rows(SEATS.pools, organization_id=ctx.organization_id)
    return await _loaded(ctx, db, (subscription, rows), only_more=only_more)


async def _loaded(
    ctx: Context, db: Db, what: tuple[Subscription, list[Row]], *, only_more: bool
) -> Loaded:
    subscription, rows = what
    own = [row for row in rows if row["subscription_id"] == subscription.subscription_id]
    pools = {row["seat_type"]: billed_pool(row) for row in own}
    billed = None
    if not only_more or any(row["level"] < row["paid"] for row in own):
        billed = await read_billed(ctx, db, subscription)
        pools = {key: replace(pool, worth=_worth(billed, key)) for key, pool in pools.items()}
    key = {
        "organization_id": ctx.organization_id,
        "subscription_id": subscription.subscription_id,
    }
    facts = await db.one(CHANGES.facts, **key, now=ctx.now)
    scheduled = await db.rows(CHANGES.scheduled, **key)
    account = Account(
        subscription=subscription,
        pools=pools,
        scheduled=tuple(item for row in scheduled for item in scheduled_of(row)),
        overdue=facts["overdue"],
        unsigned=facts["unsigned"],
        discount=None if facts["discount_id"] is None else discount_of(facts),
        billed=billed,
    )
    return Loaded(account, facts["net_terms_days"], waiting_of(facts))


def _worth(billed: Billed, seat_type: str) -> tuple[Fraction, Fraction]:
    return billed.worth(seat_type), billed.worth(seat_type, before_today=True)


async def read_billed(ctx: Context, db: Db, subscription: Subscription) -> Billed:
    """What the running period has billed and still stands. Cost: one pass over its invoices."""
    if subscription.in_trial:
        return Billed()
    period = subscription.period
    basis = subscription.plan.policies.proration
    rows = await db.rows(
        INVOICES.billed,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
        # What is kept, and what the zone says by now of the same period.
        starts=[subscription.period_starts_at, period.starts_at],
        ends=[subscription.period_ends_at, period.ends_at],
        today=effective_instant(basis, period, inside(period, ctx.now)),
    )
    sums = [
        Sum(
            plan=await ctx.engine.plan(db, row["plan_version_id"]),
            seat_type=row["seat_type"],
            full_minor=row["full_minor"],
            amount_minor=row["amount_minor"],
            fixed_minor=row["fixed_minor"],
            basis_points=row["discount_basis_points"],
            is_today=row["is_today"],
            is_running=row["is_running"],
            noted_minor=row["noted_minor"],
            charged_minor=row["charged_minor"],
        )
        for row in rows
    ]
    return standing(sums, subscription.plan)


def waiting_of(facts: Row) -> Waiting | None:
    """The change of a subscription that waits for its payment."""
    change, invoice = facts["waiting_change_id"], facts["waiting_invoice_id"]
    if change is None:
        return None
    return Waiting(ChangeId.text(change), InvoiceId.text(invoice), facts["in_flight"])


async def account_at_end(
    ctx: Context, db: Db, subscription: Subscription
) -> tuple[Account, list[Row]]:
    """The account as the end of its period finds it, with the scheduled changes due by then."""
    pools = await db.rows(SEATS.pools, organization_id=ctx.organization_id)
    scheduled = await db.rows(
        CHANGES.scheduled,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )
    due = [row for row in scheduled if row["effective_at"] <= subscription.period_ends_at]
    live = await db.row(
        DISCOUNTS.live,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )
    account = Account(
        subscription=subscription,
        pools={
            row["seat_type"]: billed_pool(row)
            for row in pools
            if row["subscription_id"] == subscription.subscription_id
        },
        scheduled=tuple(item for row in due for item in scheduled_of(row)),
        discount=None if live is None else discount_of(live),
    )
    return account, due


def billed_pool(row: Row) -> BilledPool:
    """A locked pool with what its latest effective day has billed."""
    return BilledPool(
        pool_of(row),
        row["billed_at"],
        DayLevel(row["paid"], row["level"], row["billed_minor"]),
    )


def scheduled_of(row: Row) -> list[Scheduled]:
    """What a scheduled change will do, per seat type."""
    effect = msgspec.convert(row["effect"], Effect)
    limit = effect.limit
    if not effect.deltas:
        return [Scheduled(row["kind"], limit=limit, effective_at=row["effective_at"])]
    return [
        Scheduled(row["kind"], seat_type, delta, limit, row["effective_at"])
        for seat_type, delta in effect.deltas.items()
    ]


def asker_of(ctx: Context) -> Asker:
    """In whose capacity the caller asks."""
    return Asker.ACCOUNT_MANAGER if ctx.by_account_manager() else Asker.BILLING


def stored(value: Any) -> Any:  # noqa: ANN401  any struct becomes plain JSON
    """A struct as the JSON that is stored."""
    return msgspec.to_builtins(value)
