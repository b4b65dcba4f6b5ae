"""Endings: a subscription ends or comes onto other terms where it stopped, with their bill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seatkeeper.domain.catalog import successors_of
from seatkeeper.domain.changes import Account
from seatkeeper.domain.contracts import due_on_terms
from seatkeeper.domain.quantities import Choice, People, quantities_of
from seatkeeper.domain.refusals import Refusal
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.terms import Terms, begin
from seatkeeper.operations import own_seats
from seatkeeper.operations.context import Context
from seatkeeper.operations.decisions import CHANGES, people_of
from seatkeeper.operations.default_plan import default_choice
from seatkeeper.operations.effect_words import Cause, effect_of_terms
from seatkeeper.operations.effects import apply_terms, end_contract, end_discount
from seatkeeper.operations.invoices import Bill, issue
from seatkeeper.operations.renewal_writing import RENEWALS, due_date, period_cause
from seatkeeper.store.database import Db


async def end(ctx: Context, db: Db, account: Account) -> None:
    """Ends a subscription: back to the catalog's default plan, else seats lapse.

    Nobody is removed and nobody loses an assignment; pools over their limit take nobody new.
    Source: A94, C9, C42, C44, C52, T15, S-2, T-7.
    """
    subscription = account.subscription
    key = {
        "organization_id": ctx.organization_id,
        "subscription_id": subscription.subscription_id,
    }
    await db.run(RENEWALS.cancel_scheduled, **key, now=ctx.now)
    if subscription.contract_id is not None:
        await end_contract(ctx, db, subscription.subscription_id)
    if subscription.payer_member_id is None:
        choice = await default_choice(ctx, db)
        if choice is not None and choice[0].plan.key != subscription.plan.key:
            await _fall_back(ctx, db, account, choice)
            return
    await end_discount(ctx, db, subscription.subscription_id, "subscription")
    if subscription.payer_member_id is not None:
        # A member's own seat goes with it; everybody else stays as they were.
        await own_seats.leave(ctx, db, subscription.payer_member_id, "subscription_ended")
    await db.run(RENEWALS.lapse, **key, now=ctx.now, ids=[ctx.new_id() for _ in account.pools])
    await db.run(
        CHANGES.set_status,
        **key,
        status=Status.ENDED,
        cancel_at=subscription.cancel_at,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def come_onto(
    ctx: Context, db: Db, account: Account, what: tuple[Terms, Any], word: str
) -> None:
    """Puts a locked subscription on other terms and invoices their first period."""
    terms, version_id = what
    effect = effect_of_terms(terms, version_id)
    assert effect.terms is not None
    subscription_id = account.subscription.subscription_id
    await apply_terms(ctx, db, subscription_id, effect.terms, Cause(word, subscription_id))
    if terms.due_now:
        key = {"organization_id": ctx.organization_id, "subscription_id": subscription_id}
        row = await db.one(RENEWALS.due_row, **key)
        if (days := row["net_terms_days"]) is not None:
            due_at = due_on_terms(terms.starts_at, ctx.now, days, row["time_zone"])
        else:
            due_at = due_date(terms.plan, row["payment_method"], terms.starts_at)
        await issue(
            ctx,
            db,
            Bill(
                subscription_id,
                terms.lines,
                "period",
                period_cause(subscription_id, terms.starts_at),
                due_at=due_at,
                next_attempt_at=due_at,
                payer_member_id=account.subscription.payer_member_id,
            ),
            draft=False,
        )


async def _fall_back(ctx: Context, db: Db, account: Account, choice: tuple[Choice, Any]) -> None:
    """Onto the default plan from the end on; people above its limit stay. Source: C44."""
    chosen, version_id = choice
    own = await people_of(ctx, db)
    limits = quantities_of(chosen, People(membership_limit=own.membership_limit), {})
    assert not isinstance(limits, Refusal)
    subscription = account.subscription
    on = min(subscription.stops_at or ctx.now, ctx.now)
    day = on.astimezone(subscription.anchor_zone).date()
    terms = begin(chosen, limits, subscription.time_zone, day)
    terms = replace(terms, successors=successors_of(subscription.plan, chosen.plan))
    await come_onto(ctx, db, account, (terms, version_id), "ended")
