"""Effects: what a change does to a subscription, kept with the change and applied exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.contracts import kind_of
from seatkeeper.domain.periods import local_day, midnight
from seatkeeper.domain.policies import SeatUse, Who
from seatkeeper.domain.prices import QUANTITY_MAX, Price
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.terms import is_free
from seatkeeper.operations import own_seats
from seatkeeper.operations.context import Context
from seatkeeper.operations.effect_words import Cause, Effect, TermsEffect
from seatkeeper.operations.own_seats import Payer
from seatkeeper.operations.queue import (
    SERVED_MAX,
    leave_queue,
    rename_waiting,
    serve_waiting,
)
from seatkeeper.store.contracts import CONTRACTS
from seatkeeper.store.database import Db, Row
from seatkeeper.store.discounts import DISCOUNTS
from seatkeeper.store.seats import SEATS
from seatkeeper.store.statements import Statements
from seatkeeper.store.workspace import WORKSPACE

CHANGES: Final = Statements("changes")
RENEWALS: Final = Statements("renewals")


async def apply_effect(
    ctx: Context, db: Db, subscription_id: UUID, effect: Effect, cause: Cause
) -> None:
    """Applies an effect on a locked subscription; new seats go to those who wait.

    Cost: two to ten statements. Source: A23, A67, S-9, S-15.
    """
    payer = effect.payer
    if payer is not None:
        await own_seats.admit(ctx, db, payer)
    key = {"organization_id": ctx.organization_id, "subscription_id": subscription_id}
    if effect.terms is not None:
        # What waited for the old terms ends with them.
        await db.run(RENEWALS.cancel_scheduled, **key, now=ctx.now)
        await apply_terms(ctx, db, subscription_id, effect.terms, cause)
    elif effect.deltas:
        await db.run(CHANGES.touch, **key)
        pools = await _pools(ctx, db, None)
        await _apply_levels(ctx, db, pools, effect, cause)
        if effect.serves != "nobody" and any(delta > 0 for delta in effect.deltas.values()):
            await serve_waiting(ctx, db, bought=effect.serves == "bought")
    if effect.status is not None:
        if payer is not None and effect.status is Status.ENDED:
            owner = (subscription_id, payer.member_id)
            await own_seats.lapse(ctx, db, owner, "subscription_ended")
        await _set_status(ctx, db, subscription_id, effect)
    if payer is not None and effect.terms is not None:
        await _pay_with(ctx, db, subscription_id, payer)


async def insert_subscription(
    ctx: Context, db: Db, terms: TermsEffect, payer_member_id: UUID | None = None
) -> UUID:
    """Writes a subscription that is in force once its terms are applied; its id. Source: C19."""
    subscription_id = ctx.new_id()
    await db.run(
        CHANGES.insert_subscription,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        payer_member_id=payer_member_id,
        plan_version_id=terms.plan_version_id,
        price_key=terms.price_key,
        status=Status.INCOMPLETE,
        anchor_on=terms.anchor,
        period_number=terms.number,
        period_starts_at=terms.starts_at,
        period_ends_at=terms.ends_at,
        term_ends_at=terms.term_ends_at,
        trial_ends_at=terms.trial_ends_at,
        due_at=terms.ends_at,
        now=ctx.now,
    )
    return subscription_id


async def _pay_with(ctx: Context, db: Db, subscription_id: UUID, payer: Payer) -> None:
    await db.run(
        WORKSPACE.set_payment_method,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        payment_method=payer.payment_method,
    )


async def _pools(ctx: Context, db: Db, payer: UUID | None) -> dict[str, Row]:
    if payer is None:
        rows = await db.rows(SEATS.lock_pools, organization_id=ctx.organization_id)
    else:
        rows = await own_seats.lock_pools(ctx, db, payer)
    return {row["seat_type"]: row for row in rows}


async def _apply_levels(
    ctx: Context, db: Db, pools: Mapping[str, Row], effect: Effect, cause: Cause
) -> None:
    keys = sorted(effect.deltas)
    levels = [
        effect.levels.get(
            key, (pools[key]["paid"], pools[key]["level"], pools[key]["billed_minor"])
        )
        for key in keys
    ]
    await db.run(
        CHANGES.apply_levels,
        organization_id=ctx.organization_id,
        pool_ids=[pools[key]["pool_id"] for key in keys],
        deltas=[effect.deltas[key] for key in keys],
        paid=[level[0] for level in levels],
        levels=[level[1] for level in levels],
        billed=[level[2] for level in levels],
        entry_ids=[ctx.new_id() for _ in keys],
        level_at=effect.level_at,
        now=ctx.now,
        cause=cause.word,
        cause_id=cause.id,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def end_contract(ctx: Context, db: Db, subscription_id: UUID) -> None:
    """Ends the contract of a subscription that ends or leaves the plans sold under contracts."""
    await db.run(
        CONTRACTS.end,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def end_discount(ctx: Context, db: Db, subscription_id: UUID, because: str) -> None:
    """Ends the discount of a locked subscription, if it has one, and tells. Source: C54."""
    await db.run(
        DISCOUNTS.finish,
        organization_ids=[ctx.organization_id],
        subscription_ids=[subscription_id],
        because=because,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def _set_status(ctx: Context, db: Db, subscription_id: UUID, effect: Effect) -> None:
    if effect.status is Status.ENDED:
        await end_contract(ctx, db, subscription_id)
    await db.run(
        CHANGES.set_status,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        status=effect.status,
        cancel_at=effect.cancel_at,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def apply_terms(
    ctx: Context, db: Db, subscription_id: UUID, terms: TermsEffect, cause: Cause
) -> None:
    """Puts a locked subscription on terms: its period, its pools, its people.

    Seat types that have another name under the new plan take their people and holds along. A
    discount was granted on the old terms and ends with them; a debt does not: who is overdue is in
    arrears on the new terms too. Source: A95, A99, C12, C42, C48, C50, C54, C58.
    """
    plan = await ctx.engine.plan(db, terms.plan_version_id)
    price = plan.price_in(ctx.organization.currency, terms.price_key)
    assert price is not None
    key = {"organization_id": ctx.organization_id, "subscription_id": subscription_id}
    if plan.policies.change_plan_who is not Who.ACCOUNT_MANAGER:
        # Before the terms it had agreed on are gone.
        await end_contract(ctx, db, subscription_id)
    await _set_terms(ctx, db, subscription_id, (terms, plan, price))
    if not terms.keeps_price:
        await end_discount(ctx, db, subscription_id, "plan")
    if not terms.keeps_period:
        await _begin_period(ctx, db, subscription_id, terms)
    payer = await own_seats.payer_of(ctx, db, subscription_id)
    if payer is not None:
        await own_seats.give_pools(ctx, db, (subscription_id, payer), plan)
        await _settle_pools(ctx, db, payer, (terms, plan), cause)
        await own_seats.sit(ctx, db, payer)
        return
    await _share_pools(ctx, db, subscription_id, (terms, plan))
    pools = await _settle_pools(ctx, db, None, (terms, plan), cause)
    await _rename_waiting(ctx, db, pools, (terms, plan))
    if plan.policies.change_plan_who is Who.ACCOUNT_MANAGER:
        await db.run(CONTRACTS.set_kind, **key, kind=kind_of(price))
    if plan.policies.seat_use is SeatUse.EVERY_MEMBER:
        await _seat_everyone(ctx, db, plan)
    await serve_waiting(ctx, db)


async def _begin_period(ctx: Context, db: Db, subscription_id: UUID, terms: TermsEffect) -> None:
    key = {"organization_id": ctx.organization_id, "subscription_id": subscription_id}
    await db.run(CHANGES.cut_period, **key, starts_at=terms.starts_at)
    await db.run(
        CHANGES.insert_period,
        **key,
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        number=terms.number,
        plan_version_id=terms.plan_version_id,
        kind="trial" if terms.number < 0 else "paid",
    )


async def _set_terms(
    ctx: Context, db: Db, subscription_id: UUID, what: tuple[TermsEffect, Plan, Price]
) -> None:
    terms, plan, price = what
    zone = ctx.organization.time_zone
    grace_ends_on = local_day(ctx.now, zone) + timedelta(days=plan.policies.overdue.grace_days)
    await db.run(
        CHANGES.set_terms,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        plan_version_id=terms.plan_version_id,
        price_key=terms.price_key,
        status=terms.status,
        anchor_on=terms.anchor,
        period_number=terms.number,
        period_starts_at=terms.starts_at,
        period_ends_at=terms.ends_at,
        term_ends_at=terms.term_ends_at,
        trial_ends_at=terms.trial_ends_at,
        due_at=terms.ends_at,
        cancel_at=terms.cancel_at,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        now=ctx.now,
        plan_key=plan.key,
        plan_version=plan.version,
        keeps_price=terms.keeps_price,
        priced=not is_free(plan, price),
        grace_ends_at=midnight(grace_ends_on, zone),
    )


async def _share_pools(
    ctx: Context, db: Db, subscription_id: UUID, what: tuple[TermsEffect, Plan]
) -> None:
    terms, plan = what
    types = list(plan.by_rank)
    await db.run(
        CHANGES.upsert_pools,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        pool_ids=[ctx.new_id() for _ in types],
        seat_types=[t.key for t in types],
        ranks=[t.rank for t in types],
        capacity=plan.capacity,
        every_member=plan.policies.seat_use is SeatUse.EVERY_MEMBER,
        now=terms.level_at,
    )
    await db.run(CHANGES.set_ceiling, organization_id=ctx.organization_id, ceiling=QUANTITY_MAX)


async def _settle_pools(
    ctx: Context, db: Db, payer: UUID | None, what: tuple[TermsEffect, Plan], cause: Cause
) -> dict[str, Row]:
    """Sizes the pools and takes people along; the pools as they were, locked."""
    terms, plan = what
    pools = await _pools(ctx, db, payer)
    deltas = {key: terms.quantities.get(key, 0) - row["purchased"] for key, row in pools.items()}
    # Where a period goes on as it was billed, seats given back in it stay paid to its end.
    kept = terms.keeps_period and not terms.bills_period
    paid = {
        key: max(terms.quantities.get(key, 0), row["level"] if kept else 0)
        for key, row in pools.items()
    }
    levels = {key: (level, level, 0) for key, level in paid.items()}
    effect = Effect(deltas=deltas, levels=levels, level_at=terms.level_at)
    await _apply_levels(ctx, db, pools, effect, cause)
    for old, row in pools.items():
        new = old if old in plan.seat_types else terms.successors.get(old, plan.entry_type.key)
        people = row["assigned"] + row["held"]
        if new != old and people:
            await db.run(
                CHANGES.transfer,
                organization_id=ctx.organization_id,
                from_pool_id=row["pool_id"],
                to_pool_id=pools[new]["pool_id"],
                ids=[ctx.new_id() for _ in range(people)],
                now=ctx.now,
                actor=ctx.actor_text,
                request_id=ctx.request_id,
            )
    return pools


async def _rename_waiting(
    ctx: Context, db: Db, pools: Mapping[str, Row], what: tuple[TermsEffect, Plan]
) -> None:
    """Nobody waits for a seat type that the plan does not have. Source: S-15."""
    terms, plan = what
    gone = [key for key, row in pools.items() if row["waiting"] and key not in plan.seat_types]
    if gone:
        entry = plan.entry_type.key
        await rename_waiting(ctx, db, {key: terms.successors.get(key, entry) for key in gone})


async def _seat_everyone(ctx: Context, db: Db, plan: Plan) -> None:
    """Seats all who are there; nobody goes on waiting for a seat they have. Source: C58, S-15."""
    people = await db.one(CHANGES.people, organization_id=ctx.organization_id)
    pools = await _pools(ctx, db, None)
    await db.run(
        CHANGES.seat_everyone,
        organization_id=ctx.organization_id,
        pool_id=pools[plan.entry_type.key]["pool_id"],
        hold_invitations=plan.policies.invitations.hold_seat,
        ids=[ctx.new_id() for _ in range(people["members"] + people["invited"])],
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    key = {"organization_id": ctx.organization_id, "seat_types": [plan.entry_type.key]}
    while waiting := await db.rows(SEATS.waiting, **key, most=SERVED_MAX):
        members = [(row["member_id"], None) for row in waiting]
        await leave_queue(ctx, db, members, state="served")
