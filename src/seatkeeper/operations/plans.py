"""Plans: what is offered, and which of it an organization may choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.catalog_format import plan_from
from seatkeeper.domain.choices import Chooser, decide_choose, is_visible, limit_for
from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.prices import QUANTITY_MAX, Price
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.operations.answers import (
    CapacityText,
    CodeText,
    CurrencyText,
    IntervalText,
    Minor,
    PayerText,
    TierModeText,
)
from seatkeeper.operations.context import Context
from seatkeeper.operations.engine import CATALOG
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Db, Row


class ListPlans(Command):
    """Plans that are offered; with an organization, whether it may choose each of them."""

    organization: OrganizationId | None = None
    min_seats: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)] = 0


class OfferedSeatType(Result):
    """A kind of seat of a plan."""

    seat_type: Key
    name: str
    rank: int
    features: list[str]


class OfferedTier(Result):
    """Seats up to and including `up_to` (null: no bound). Amounts are minor units."""

    up_to: int | None
    unit_minor: Minor
    flat_minor: Minor


class OfferedSeatPrice(Result):
    """What seats of one type cost in one interval."""

    seat_type: Key
    mode: TierModeText
    tiers: list[OfferedTier]


class OfferedPrice(Result):
    """One way of paying for a plan: amounts per `per`, collected every `billing`."""

    price: Key
    currency: CurrencyText
    per: IntervalText
    billing: IntervalText
    term: IntervalText
    base_minor: Minor
    seats: list[OfferedSeatPrice]


class WhyNot(Result):
    """A refusal in advance: what asking for it would be answered."""

    code: CodeText
    detail: str
    facts: dict[str, Any]
    remedies: list[dict[str, Any]]


class OfferedPlan(Result):
    """A plan, and whether the organization asked about may choose it (null: none was named)."""

    plan: Key
    catalog: Key
    version: int
    name: str
    rank: int
    capacity: CapacityText
    minimum: int
    limit: int | None
    features: list[str]
    trial_days: int
    trial_payment_method: bool
    contact: str | None
    payer: PayerText
    seat_types: list[OfferedSeatType]
    prices: list[OfferedPrice]
    current: bool = False
    may_choose: bool | None = None
    why_not: WhyNot | None = None


class OfferedPlans(Result):
    """Plans, lowest rank first."""

    items: list[OfferedPlan]


async def list_all(ctx: Context, command: ListPlans) -> OfferedPlans:
    """The plans that are offered, and for an organization whether it may choose each, or why not.

    What an organization has it sees even when the plan is closed or hidden. Cost: two statements.
    Source: A13, A14, C8, C16, C27, C48, C49.
    """
    async with ctx.connection() as db:
        if ctx.facts is None:
            rows = await db.rows(CATALOG.offered, catalog_key=None, plan_key=None)
            found = await _plans(ctx, db, rows)
            return _offered(p for p in found if is_visible(p, None))
        chooser = await chooser_of(ctx, db, min_seats=command.min_seats)
        rows = await db.rows(CATALOG.offered, catalog_key=chooser.catalog, plan_key=None)
        found = await _plans(ctx, db, rows)
    held = chooser.held
    if held is not None and all(plan.key != held.key for plan in found):
        found.append(held)
    return _offered((p for p in found if is_visible(p, held)), chooser)


async def chooser_of(ctx: Context, db: Db, *, min_seats: int = 0) -> Chooser:
    """The facts on which `decide_choose` decides for the organization of the request."""
    row = await db.one(CATALOG.chooser, organization_id=ctx.organization_id)
    versions = {row["plan_version_id"], row["workspace_plan_version_id"]} - {None}
    known = await ctx.engine.plans_of(db, versions)
    workspace = known.get(row["workspace_plan_version_id"])
    return Chooser(
        catalog=ctx.organization.catalog_key,
        currency=ctx.organization.currency,
        members=row["members"],
        pending=row["pending"],
        occupied=row["occupied"],
        held=known.get(row["plan_version_id"]) or workspace,
        workspace_plan=None if workspace is None else workspace.key,
        membership_limit=row["membership_limit"],
        min_seats=min_seats,
        by_account_manager=ctx.by_account_manager(),
    )


def why_not(refusal: Refusal) -> WhyNot:
    """A refusal told in advance."""
    remedies = [{**remedy.facts, "way": remedy.way} for remedy in refusal.ways_out]
    return WhyNot(
        code=refusal.code, detail=refusal.sentence, facts=dict(refusal.facts), remedies=remedies
    )


async def _plans(ctx: Context, db: Db, rows: list[Row]) -> list[Plan]:
    known = await ctx.engine.plans_of(db, {row["plan_version_id"] for row in rows})
    return list(known.values())


def _offered(found: Iterable[Plan], chooser: Chooser | None = None) -> OfferedPlans:
    ordered = sorted(found, key=lambda plan: (plan.catalog, plan.rank, plan.key))
    return OfferedPlans(items=[_item(plan, chooser) for plan in ordered])


def _item(plan: Plan, chooser: Chooser | None) -> OfferedPlan:
    refusal = None if chooser is None else decide_choose(plan, chooser)
    held = None if chooser is None else chooser.held
    own_limit = None if chooser is None else chooser.membership_limit
    return OfferedPlan(
        plan=plan.key,
        catalog=plan.catalog,
        version=plan.version,
        name=plan.name,
        rank=plan.rank,
        capacity=plan.capacity,
        minimum=plan.minimum,
        limit=limit_for(plan, own_limit),
        features=sorted(plan.features),
        trial_days=plan.trial_days,
        trial_payment_method=plan.trial_payment_method,
        contact=plan.contact,
        payer=plan.policies.payer,
        seat_types=[
            OfferedSeatType(
                seat_type=kind.key, name=kind.name, rank=kind.rank, features=sorted(kind.features)
            )
            for kind in plan.by_rank
        ],
        prices=[
            _price(price)
            for price in plan.prices.values()
            if chooser is None or price.currency == chooser.currency
        ],
        current=held is not None and held.key == plan.key,
        may_choose=None if chooser is None else refusal is None,
        why_not=None if refusal is None else why_not(refusal),
    )


def _price(price: Price) -> OfferedPrice:
    return OfferedPrice(
        price=price.key,
        currency=price.currency,
        per=price.per,
        billing=price.billing,
        term=price.term,
        base_minor=price.base,
        seats=[
            OfferedSeatPrice(
                seat_type=key,
                mode=seat.mode,
                tiers=[
                    OfferedTier(up_to=tier.up_to, unit_minor=tier.unit, flat_minor=tier.flat)
                    for tier in seat.tiers
                ],
            )
            for key, seat in price.seats.items()
        ],
    )


async def check_sold(db: Db, catalog: str, currency: str) -> None:
    """Goes on where something can be bought in that currency, or nothing has a price at all.

    An organization keeps its currency for good. Refuses: currency_mismatch. Source: M-13.
    """
    rows = await db.rows(CATALOG.offered, catalog_key=catalog, plan_key=None)
    plans = [plan_from(r["document"], catalog=catalog, version=r["version"]) for r in rows]
    sold = sorted({price.currency for plan in plans for price in plan.prices.values()})
    if sold and currency not in sold:
        raise Refused(
            refuse(
                Code.CURRENCY_MISMATCH,
                Remedy(Way.CORRECT_REQUEST, {"currencies": sold}),
                detail=f"This catalog has prices in {', '.join(sold)} only.",
                currency=currency,
            )
        )
