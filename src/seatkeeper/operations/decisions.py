"""Decisions on what is asked: facts gathered, the domain asked, the answer in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

import msgspec

from seatkeeper.domain import changes as domain
from seatkeeper.domain.billing import Line, total
from seatkeeper.domain.catalog import Plan, successors_of
from seatkeeper.domain.catalog_format import plan_from
from seatkeeper.domain.changes import Offer
from seatkeeper.domain.discounts import Discount
from seatkeeper.domain.prices import Price
from seatkeeper.domain.quantities import Choice, People, seated_in
from seatkeeper.domain.refusals import (
    Code,
    Refusal,
    Refused,
    Remedy,
    Way,
    refuse,
    refuse_field,
)
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.domain.terms import (
    Terms,
    ceilings_of,
    decide_change_plan,
    decide_subscribe,
    is_free,
)
from seatkeeper.domain.workspace import decide_for_organization
from seatkeeper.operations import asked as ask
from seatkeeper.operations.accounts import Loaded, asker_of, load_account, read_account
from seatkeeper.operations.context import Context
from seatkeeper.operations.effect_words import Effect, counted, effect_of_offer, effect_of_terms
from seatkeeper.operations.standing import current, lock_current
from seatkeeper.store.database import Db
from seatkeeper.store.seats import SEATS, pool_of
from seatkeeper.store.statements import Statements

# What can give back some of what the running period has billed.
GIVES_BACK: Final = (ask.Subscribe, ask.ChangePlan, ask.ConvertSeats, ask.ReduceSeats)
CATALOG: Final = Statements("catalog")
CHANGES: Final = Statements("changes")
ORGANIZATIONS: Final = Statements("organizations")


@dataclass(frozen=True, slots=True)
class Decided:
    """What was asked, as it would be done: its effect, its lines, and when."""

    kind: str
    subscription: Subscription | None
    plan: Plan
    effect: Effect
    effective_at: datetime
    lines: tuple[Line, ...]
    scheduled: bool
    slot: str | None
    net_terms_days: int | None = None
    ends_discount: Discount | None = None

    @property
    def due_now(self) -> int:
        """What is owed at once. Units: minor."""
        return max(total(self.lines), 0)


async def decide(ctx: Context, db: Db, asked: ask.Asked, *, lock: bool) -> Decided:
    """What the asked change does and costs now, or the refusal, raised.

    With `lock` the subscription and its pools stay locked for the change that follows.
    """
    own = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    if own["parked_at"] is not None:
        raise Refused(refuse(Code.PARKED))
    subscription = await (lock_current(ctx, db) if lock else current(ctx, db))
    if subscription is None:
        if isinstance(asked, ask.Subscribe):
            return await _subscribe(ctx, db, asked, lock=lock)
        raise Refused(refuse(Code.STATE_CONFLICT, Remedy(Way.CHOOSE_PLAN), state="no subscription"))
    load = load_account if lock else read_account
    only_more = not isinstance(asked, GIVES_BACK)
    loaded = await load(ctx, db, subscription, only_more=only_more)
    loaded.check_waiting()
    if isinstance(asked, (ask.Subscribe, ask.ChangePlan)):
        return await _change_plan(ctx, db, asked, loaded)
    if isinstance(asked, ask.Cancel):
        await _check_way_out(ctx, db, subscription)
    outcome = _of_running(ctx, asked, loaded)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    slot = None
    if outcome.scheduled:
        # A newer reduction takes the place of an older one; purchases add up.
        seat_type = next(iter(outcome.deltas))
        slot = f"{outcome.kind}:{seat_type}"
        if outcome.kind == "purchase_seats":
            slot = f"{slot}:{ctx.new_id()}"
    return Decided(
        kind=outcome.kind,
        subscription=subscription,
        plan=subscription.plan,
        effect=counted(effect_of_offer(outcome), loaded.account),
        effective_at=outcome.effective_at,
        lines=outcome.lines,
        scheduled=outcome.scheduled,
        slot=slot,
        net_terms_days=loaded.net_terms_days,
    )


def _of_running(
    ctx: Context,
    asked: ask.PurchaseSeats | ask.ReduceSeats | ask.ConvertSeats | ask.Cancel | ask.Resume,
    loaded: Loaded,
) -> Offer | Refusal:
    account, asker = loaded.account, asker_of(ctx)
    plan = account.subscription.plan
    match asked:
        case ask.PurchaseSeats():
            seat_type = _seat_type(plan, asked.seat_type)
            wanted = domain.PurchaseSeats(seat_type, asked.quantity, asked.total)
            return domain.decide_purchase(account, wanted, asker, ctx.now)
        case ask.ReduceSeats():
            seat_type = _seat_type(plan, asked.seat_type)
            fewer = domain.ReduceSeats(seat_type, asked.target, now=asked.now)
            return domain.decide_reduce(account, fewer, asker, ctx.now)
        case ask.ConvertSeats():
            other = domain.ConvertSeats(asked.from_type, asked.to_type, asked.quantity)
            return domain.decide_convert(account, other, asker, ctx.now)
        case ask.Cancel():
            return domain.decide_cancel(account.subscription, asker, ctx.now)
        case ask.Resume():
            return domain.decide_resume(account.subscription, asker, ctx.now)
        case _:
            assert_never(asked)


def _seat_type(plan: Plan, asked: str | None) -> str:
    """The seat type that is meant; only where there is one it goes without saying. Source: A20."""
    if asked is not None:
        return asked
    if len(plan.seat_types) > 1:
        several = ", ".join(kind.key for kind in plan.by_rank)
        sentence = f"is needed, there are several: {several}."
        raise Refused(refuse_field("/change/seat_type", sentence))
    return plan.entry_type.key


async def _check_way_out(ctx: Context, db: Db, subscription: Subscription) -> None:
    """From the default plan there is nowhere to fall back to. Source: C9."""
    row = await db.row(CATALOG.default_plan, catalog_key=ctx.organization.catalog_key)
    free = is_free(subscription.plan, subscription.price)
    if free and row is not None and row["plan_key"] == subscription.plan.key:
        ways = Remedy(Way.CHOOSE_PLAN)
        raise Refused(refuse(Code.STATE_CONFLICT, ways, state="the default plan"))


async def choose(
    ctx: Context, db: Db, asked: ask.Subscribe | ask.ChangePlan, own: Subscription | None = None
) -> tuple[Choice, UUID]:
    """The plan and price someone named, as on offer now.

    Without a price's name that in the rhythm which is paid already, else the first.
    Refuses: not_found (closed, hidden from this catalog, unknown), currency_mismatch,
    invalid_request. Source: A13, A14, M-13.
    """
    row = await db.row(
        CHANGES.plan_for_sale,
        plan_key=asked.plan,
        catalog_key=ctx.organization.catalog_key,
    )
    if row is None:
        raise Refused(
            refuse(Code.NOT_FOUND, Remedy(Way.CHOOSE_PLAN), detail=f"No plan {asked.plan}.")
        )
    plan = plan_from(row["document"], catalog=row["catalog_key"], version=row["version"])
    if plan.closed and not ctx.by_account_manager():
        raise Refused(
            refuse(
                Code.NOT_FOUND,
                Remedy(Way.CHOOSE_PLAN),
                Remedy(Way.CONTACT_ACCOUNT_MANAGER),
                detail=f"The plan {asked.plan} is not sold any more.",
            )
        )
    price = plan.price_in(ctx.organization.currency, asked.price, like=paid_price(own))
    if price is None:
        raise Refused(refuse(Code.CURRENCY_MISMATCH, currency=ctx.organization.currency))
    if len({s.seat_type for s in asked.seats}) != len(asked.seats):
        raise Refused(refuse(Code.INVALID_REQUEST, detail="Name each seat type once."))
    trial = isinstance(asked, ask.Subscribe) and asked.trial
    seats = {s.seat_type: s.quantity for s in asked.seats}
    return Choice(plan, price, seats, trial), row["plan_version_id"]


def paid_price(own: Subscription | None) -> Price | None:
    """The price whose rhythm goes on; what is free has none that anyone chose."""
    return None if own is None or is_free(own.plan, own.price) else own.price


async def people_of(ctx: Context, db: Db) -> People:
    """Who needs seats, and the organization's own membership limit."""
    counts = await db.one(CHANGES.people, organization_id=ctx.organization_id)
    own = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    return People(counts["members"], counts["invited"], own["membership_limit"])


async def _subscribe(ctx: Context, db: Db, asked: ask.Subscribe, *, lock: bool) -> Decided:
    choice, version_id = await choose(ctx, db, asked)
    await _check_trial(ctx, db, choice)
    refusal = decide_for_organization(choice.plan) or _who_may_start(ctx, choice.plan)
    if refusal is not None:
        raise Refused(refusal)
    await _check_debt(ctx, db, choice.plan)
    people, becomes = await still_seated(ctx, db, choice.plan, lock=lock)
    terms = decide_subscribe(choice, people, ctx.organization.time_zone, ctx.now)
    if isinstance(terms, Refusal):
        raise Refused(terms)
    return decided_terms("subscribe", None, replace(terms, successors=becomes), version_id)


async def _check_debt(ctx: Context, db: Db, plan: Plan) -> None:
    """What an earlier subscription left unpaid stands in the way. Source: A28, C42, C43."""
    row = await db.one(CHANGES.owes, organization_id=ctx.organization_id, now=ctx.now)
    if row["found"] and not plan.policies.overdue.may_buy:
        raise Refused(refuse(Code.PAST_DUE))


async def still_seated(
    ctx: Context, db: Db, plan: Plan, *, lock: bool
) -> tuple[People, Mapping[str, str]]:
    """Who needs seats of a plan that begins, and what the types they sit in become.

    An end takes nobody's seat, so the pools of an earlier subscription may be full of people.
    Source: C44, M-12, S-2.
    """
    key = {"organization_id": ctx.organization_id}
    rows = await db.rows(SEATS.lock_pools if lock else SEATS.pools, **key)
    people = await people_of(ctx, db)
    before = await db.row(CHANGES.plan_before, **key)
    if before is None:
        return people, {}
    old = await ctx.engine.plan(db, before["plan_version_id"])
    seated = seated_in(old, plan, [pool_of(row) for row in rows])
    return replace(people, seated=seated), successors_of(old, plan)


async def _change_plan(
    ctx: Context, db: Db, asked: ask.Subscribe | ask.ChangePlan, loaded: Loaded
) -> Decided:
    account = loaded.account
    subscription = account.subscription
    choice, version_id = await choose(ctx, db, asked, subscription)
    if (refusal := decide_for_organization(choice.plan)) is not None:
        raise Refused(refusal)
    if isinstance(asked, ask.Subscribe):
        if not is_free(subscription.plan, subscription.price):
            raise Refused(refuse(Code.STATE_CONFLICT, state=subscription.status))
        await _check_trial(ctx, db, choice)
    people = await people_of(ctx, db)
    terms = decide_change_plan(account, choice, asker_of(ctx), people, ctx.now)
    if isinstance(terms, Refusal):
        raise Refused(terms)
    kind = "subscribe" if isinstance(asked, ask.Subscribe) else "change_plan"
    decided = decided_terms(kind, subscription, terms, version_id)
    effect = counted(decided.effect, account)
    if not terms.scheduled:
        effect = msgspec.structs.replace(effect, ceilings=dict(ceilings_of(account, terms)))
    return replace(
        decided,
        effect=effect,
        net_terms_days=loaded.net_terms_days,
        ends_discount=account.discount,
    )


def _who_may_start(ctx: Context, plan: Plan) -> Refusal | None:
    return domain.decide_who(plan.policies.change_plan_who, asker_of(ctx), plan.contact)


async def _check_trial(ctx: Context, db: Db, choice: Choice) -> None:
    """Only who never paid and never tried gets a trial, and can pay when it ends. Source: C20."""
    if not choice.trial:
        return
    own = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    if choice.plan.trial_payment_method and own["payment_method"] is None:
        detail = "This trial needs a payment method, which pays when it ends."
        ways = Remedy(Way.OTHER_PAYMENT_METHOD)
        raise Refused(refuse(Code.STATE_CONFLICT, ways, detail=detail))
    row = await db.one(CHANGES.tried, organization_id=ctx.organization_id)
    if row["tried"] or not choice.plan.trial_days:
        raise Refused(
            refuse(Code.STATE_CONFLICT, Remedy(Way.CHOOSE_PLAN), state="no trial available")
        )


def decided_terms(
    kind: str, subscription: Subscription | None, terms: Terms, version_id: UUID
) -> Decided:
    """What coming onto terms does, as a decision."""
    return Decided(
        kind=kind,
        subscription=subscription,
        plan=terms.plan,
        effect=effect_of_terms(terms, version_id),
        effective_at=terms.effective_at or terms.starts_at,
        lines=terms.lines,
        scheduled=terms.scheduled,
        slot="plan" if terms.scheduled else None,
    )
