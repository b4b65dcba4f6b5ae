"""Turns: what comes due and changes more than a period, one subscription at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import msgspec

from seatkeeper.domain.billing import period_lines
from seatkeeper.domain.catalog import successors_of
from seatkeeper.domain.catalog_format import plan_from
from seatkeeper.domain.changes import Account, in_use
from seatkeeper.domain.periods import Recurrence
from seatkeeper.domain.policies import Capacity, RenewalQuantity
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.quantities import Choice, People, quantities_of
from seatkeeper.domain.refusals import Refusal
from seatkeeper.domain.renewals import Due, what_is_due
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.terms import Terms, begin, beside_cancellation, lines_with_people
from seatkeeper.operations import contract_renewals
from seatkeeper.operations.asked import ChangePlan, Subscribe
from seatkeeper.operations.context import Context
from seatkeeper.operations.decisions import CHANGES, people_of
from seatkeeper.operations.departures import depart
from seatkeeper.operations.effect_words import Effect, TermsEffect
from seatkeeper.operations.endings import come_onto, end
from seatkeeper.operations.renewal_writing import RENEWALS, renew_alone
from seatkeeper.store.database import Db, Row

CARRIED: Final = (
    RenewalQuantity.CARRY_PURCHASED,
    RenewalQuantity.CARRY_ASSIGNED,
    RenewalQuantity.CONTRACT,
)


async def take_turn(ctx: Context, db: Db, account: Account, changes: Sequence[Row]) -> None:
    """Ends, changes or renews one locked subscription whose instant has come."""
    subscription = account.subscription
    due = what_is_due(subscription, ctx.now)
    if due is Due.END:
        await end(ctx, db, account)
        return
    if due is None:
        return
    plan_change = await due_plan_change(ctx, db, account, changes)
    if plan_change is not None and await _change_plan(ctx, db, account, plan_change):
        return
    if subscription.contract_id is not None:
        if await contract_renewals.renew(ctx, db, account, changes):
            return
    elif subscription.plan.transition_to is not None and await _transition(ctx, db, account):
        return
    await renew_alone(ctx, db, account, [c for c in changes if c["slot"] != "plan"])


async def due_plan_change(
    ctx: Context, db: Db, account: Account, changes: Sequence[Row]
) -> Row | None:
    """The scheduled change of plan whose day has come, unless a contract has its say first."""
    found = next((c for c in changes if c["slot"] == "plan"), None)
    if found is None or account.subscription.contract_id is None:
        return found
    return None if await contract_renewals.outranks(ctx, db, account, found) else found


async def planned(
    ctx: Context, db: Db, account: Account, change: Row
) -> tuple[Terms, UUID] | Refusal:
    """The terms that a scheduled change of plan begins now; refused when people do not fit."""
    asked = msgspec.convert(change["command"], ChangePlan | Subscribe)
    effect = msgspec.convert(change["effect"], Effect)
    assert effect.terms is not None
    version_id = effect.terms.plan_version_id
    plan = await ctx.engine.plan(db, version_id)
    seats = {s.seat_type: s.quantity for s in asked.seats}
    price = plan.price_in(ctx.organization.currency, effect.terms.price_key)
    assert price is not None
    choice = Choice(plan, price, seats)
    paid_by_member = account.subscription.payer_member_id is not None
    people = People(members=1) if paid_by_member else await people_of(ctx, db)
    quantities = _fitting(account, choice, people, effect.terms)
    if isinstance(quantities, Refusal):
        return quantities
    terms = _as_planned(account, choice, quantities, effect.terms)
    outcome = beside_cancellation(terms, account.subscription)
    return outcome if isinstance(outcome, Refusal) else (outcome, version_id)


async def _change_plan(ctx: Context, db: Db, account: Account, change: Row) -> bool:
    """Carries out a scheduled change of plan; when people no longer fit, it fails.

    A change that fails leaves the old plan to renew, and owners are told. Source: C50, C51.
    """
    outcome = await planned(ctx, db, account, change)
    paid_by_member = account.subscription.payer_member_id is not None
    if not paid_by_member:
        await db.run(CHANGES.set_ceiling, organization_id=ctx.organization_id, ceiling=QUANTITY_MAX)
    if isinstance(outcome, Refusal):
        await db.run(
            RENEWALS.fail_change,
            organization_id=ctx.organization_id,
            change_id=change["change_id"],
            failure={"code": outcome.code, **outcome.facts},
            now=ctx.now,
            actor=ctx.actor_text,
        )
        return False
    terms, version_id = outcome
    await db.run(
        RENEWALS.applied,
        organization_ids=[ctx.organization_id],
        change_ids=[change["change_id"]],
        now=ctx.now,
        actor=ctx.actor_text,
    )
    await db.run(
        RENEWALS.cancel_scheduled,
        organization_id=ctx.organization_id,
        subscription_id=account.subscription.subscription_id,
        now=ctx.now,
    )
    if paid_by_member:
        ctx, account = await depart(ctx, db, account, terms.plan)
    await come_onto(ctx, db, account, (terms, version_id), "change_plan")
    return True


def _fitting(
    account: Account, choice: Choice, people: People, planned: TermsEffect
) -> Mapping[str, int] | Refusal:
    """The seats with which a planned change begins now; nobody who sits may be without one.

    What was bought or came in since counts; quantities that were named stay. Source: A35, C51.
    """
    old, new = account.subscription.plan, choice.plan
    becomes = successors_of(old, new)
    entry = new.entry_type.key
    seated = dict.fromkeys(new.seat_types, 0)
    carried = dict.fromkeys(new.seat_types, 0)
    for key, billed in account.pools.items():
        target, pool = becomes.get(key, entry), billed.pool
        seated[target] += pool.occupied
        sized = old.capacity is Capacity.PURCHASED and new.policies.renewal_quantity in CARRIED
        bought = pool.purchased + account.scheduled_delta(key) if sized else 0
        carried[target] += max(bought, pool.occupied)
    for key, quantity in planned.quantities.items():
        if old.capacity is not Capacity.PURCHASED:
            carried[key] = max(carried[key], quantity)
    quantities = quantities_of(choice, people, {} if choice.seats else carried)
    if isinstance(quantities, Refusal) or new.capacity is not Capacity.PURCHASED:
        return quantities
    for kind in new.by_rank:
        held = seated[kind.key]
        pool = SeatPool(UUID(int=0), kind.key, kind.rank, held, held, 0)
        if (refusal := in_use(pool, quantities.get(kind.key, 0))) is not None:
            return refusal
    return quantities


def _as_planned(
    account: Account, choice: Choice, quantities: Mapping[str, int], planned: TermsEffect
) -> Terms:
    """The terms as they were agreed on, whose anchor goes on where the rhythm does. Source: G3."""
    subscription, plan, price = account.subscription, choice.plan, choice.price
    recurrence = Recurrence(planned.anchor, price.billing, subscription.time_zone)
    pools = {
        kind.key: SeatPool(UUID(int=0), kind.key, kind.rank, quantities.get(kind.key, 0), 0, 0)
        for kind in plan.by_rank
    }
    period = recurrence.period(planned.number)
    return Terms(
        plan=plan,
        price=price,
        status=planned.status,
        anchor=planned.anchor,
        number=planned.number,
        starts_at=planned.starts_at,
        ends_at=planned.ends_at,
        term_ends_at=planned.term_ends_at,
        quantities=quantities,
        lines=lines_with_people(
            period_lines(plan, price, planned.number, period, pools), account, plan
        ),
        successors=successors_of(subscription.plan, plan),
    )


async def _transition(ctx: Context, db: Db, account: Account) -> bool:
    """At a term's end an old plan without a contract gives way to its successor. Source: A95."""
    found = await successor(ctx, db, account)
    if found is None:
        return False
    await db.run(
        RENEWALS.cancel_scheduled,
        organization_id=ctx.organization_id,
        subscription_id=account.subscription.subscription_id,
        now=ctx.now,
    )
    await come_onto(ctx, db, account, found, "transition")
    return True


async def successor(ctx: Context, db: Db, account: Account) -> tuple[Terms, UUID] | None:
    """The terms of the plan that takes the place of an old one where its term ends, or None.

    The quantity is the sum over the old types, at least the new minimum; everyone has a seat of
    their new type. The price is one in the same rhythm, where there is one. Source: A95.
    """
    subscription = account.subscription
    if subscription.period_ends_at < subscription.term_ends_at:
        return None
    row = await db.row(
        CHANGES.plan_for_sale,
        plan_key=subscription.plan.transition_to,
        catalog_key=ctx.organization.catalog_key,
    )
    if row is None:
        return None
    plan = plan_from(row["document"], catalog=row["catalog_key"], version=row["version"])
    price = plan.price_in(ctx.organization.currency, like=subscription.price)
    if price is None:
        return None
    becomes = successors_of(subscription.plan, plan)
    carried: dict[str, int] = {}
    for key, billed in account.pools.items():
        quantity = max(billed.pool.purchased + account.scheduled_delta(key), billed.pool.occupied)
        target = becomes.get(key, plan.entry_type.key)
        carried[target] = carried.get(target, 0) + quantity
    choice = Choice(plan, price)
    quantities = quantities_of(choice, People(), carried)
    assert not isinstance(quantities, Refusal), quantities
    terms = begin(choice, quantities, subscription.time_zone, subscription.period.end)
    lines = lines_with_people(terms.lines, account, plan)
    outcome = beside_cancellation(replace(terms, successors=becomes, lines=lines), subscription)
    return None if isinstance(outcome, Refusal) else (outcome, row["plan_version_id"])
