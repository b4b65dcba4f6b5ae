"""Departures: a member's own subscription goes on in another organization, without a charge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.members import Role, Source
from seatkeeper.domain.periods import instant_text, local_day, midnight
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.domain.subscriptions import Status
from seatkeeper.operations import organizations, own_seats
from seatkeeper.operations.context import Context
from seatkeeper.operations.effect_words import Cause, Effect, TermsEffect
from seatkeeper.operations.effects import apply_effect, insert_subscription
from seatkeeper.operations.engine import ORGANIZATIONS, OrganizationFacts
from seatkeeper.operations.own_seats import Payer
from seatkeeper.operations.people import REMOVED
from seatkeeper.operations.standing import lock_of_member
from seatkeeper.store.database import Db, Row
from seatkeeper.store.members import MEMBERS
from seatkeeper.store.statements import Statements
from seatkeeper.store.subscriptions import SUBSCRIPTIONS
from seatkeeper.store.workspace import WORKSPACE

CHANGES: Final = Statements("changes")
BOUNDS: Final = (
    "period_starts_at",
    "period_ends_at",
    "term_ends_at",
    "trial_ends_at",
    "cancel_at",
)
MOMENTS: Final = ("starts_at", "ends_at", "term_ends_at", "trial_ends_at", "level_at")


@dataclass(frozen=True, slots=True)
class Place:
    """One organization and a member there."""

    ctx: Context
    member_id: UUID


async def lock_own(ctx: Context, db: Db, member_id: UUID) -> None:
    """Locks the organization and what a member pays there, before any pool. Source: design §4."""
    key = {"organization_id": ctx.organization_id}
    await db.one(ORGANIZATIONS.lock, **key)
    await db.row(SUBSCRIPTIONS.lock_of_member, **key, member_id=member_id)


async def detach(ctx: Context, db: Db, member_id: UUID) -> None:
    """What a removed member pays goes on in a workspace of their own: same period, no charge.

    Nothing is refunded; a period that is not paid ends, for there is nothing to take along, and
    stays owed. The caller holds the locks of `lock_own`. Refuses: request_in_progress (a payment
    is on its way). Source: T16, T17.
    """
    own = await lock_of_member(ctx, db, member_id)
    if own is None or own.status is Status.INCOMPLETE:
        return
    if own.status is not Status.PAST_DUE:
        await check_settled(ctx, db, own.subscription_id)
    if own.status is Status.PAST_DUE or await owes(ctx, db, own.subscription_id):
        await own_seats.lapse(ctx, db, (own.subscription_id, member_id), "removed")
        await _end(ctx, db, own.subscription_id)
        return
    member = await own_seats.lock_member(ctx, db, member_id)
    await carry_over(db, Place(ctx, member_id), await _found(ctx, db, member))


async def check_settled(ctx: Context, db: Db, subscription_id: UUID) -> None:
    """Stops what would cross a payment on its way. Refuses: request_in_progress."""
    row = await db.row(
        WORKSPACE.awaiting, organization_id=ctx.organization_id, subscription_id=subscription_id
    )
    if row is not None:
        raise Refused(refuse(Code.REQUEST_IN_PROGRESS))


async def owes(ctx: Context, db: Db, subscription_id: UUID) -> bool:
    """Whether something of a member's subscription is invoiced and not paid, due or not yet."""
    row = await db.one(
        WORKSPACE.owes, organization_id=ctx.organization_id, subscription_id=subscription_id
    )
    found: bool = row["found"]
    return found


async def keep_outside(ctx: Context, db: Db, paid: Effect) -> None:
    """Who has just paid and is no member here keeps the seat in a workspace of their own.

    An invitation can be revoked, a member removed, while a payment runs. Source: T17, M-18.
    """
    if paid.payer is None or paid.terms is None:
        return
    member_id = paid.payer.member_id
    member = await own_seats.lock_member(ctx, db, member_id)
    if member["standing"] == REMOVED:
        await carry_over(db, Place(ctx, member_id), await _found(ctx, db, member))


async def depart(ctx: Context, db: Db, account: Account, plan: Plan) -> tuple[Context, Account]:
    """Where a member's subscription goes on under the plan: here, unless the others differ.

    Who moves to another plan than the others share leaves their pool. Source: T13, T15.
    """
    member_id = account.subscription.payer_member_id
    assert member_id is not None
    workspace = await own_seats.workspace_of(ctx, db, member_id)
    if workspace.tier is None or workspace.tier.key == plan.key:
        return ctx, account
    member = await own_seats.lock_member(ctx, db, member_id)
    place = await _found(ctx, db, member)
    await carry_over(db, Place(ctx, member_id), place)
    moved = await lock_of_member(place.ctx, db, place.member_id)
    assert moved is not None
    return place.ctx, Account(subscription=moved, pools={})


async def elsewhere(ctx: Context, db: Db, user_id: UUID) -> Place | None:
    """Where a user pays for themselves and is alone, locked; None where there is no such place.

    Only in the same catalog, currency and time: there is nothing to carry over elsewhere.
    Source: T11.
    """
    here = ctx.organization
    row = await db.row(
        WORKSPACE.elsewhere,
        user_id=user_id,
        organization_id=ctx.organization_id,
        catalog_key=here.catalog_key,
        currency=here.currency,
        clock_id=here.clock_id,
    )
    if row is None:
        return None
    facts = OrganizationFacts(**{name: row[name] for name in OrganizationFacts.__slots__})
    there = _in(ctx, facts)
    await db.one(ORGANIZATIONS.lock, organization_id=there.organization_id)
    return Place(there, row["member_id"])


def _in(ctx: Context, facts: OrganizationFacts) -> Context:
    """The same moment and transaction, in another organization: nobody there has acted."""
    return replace(ctx, facts=facts, actor=None, if_match=None, idempotency_key=None, keep=None)


async def _found(ctx: Context, db: Db, member: Row) -> Place:
    """A new organization which that person owns alone."""
    facts = await organizations.insert(ctx, db, member["name"], ctx.organization)
    there = _in(ctx, facts)
    member_id = ctx.new_id()
    await db.run(
        MEMBERS.insert,
        organization_id=facts.organization_id,
        member_id=member_id,
        user_id=member["user_id"],
        email=member["email"],
        name=member["name"],
        role=Role.PRIMARY_OWNER,
        source=Source.CREATION,
        now=ctx.now,
        actor=there.actor_text,
        request_id=ctx.request_id,
    )
    told = {
        "name": member["name"],
        "catalog": facts.catalog_key,
        "primary_owner": MemberId.text(member_id),
    }
    await _tell(there, db, "organization.created", facts.organization_id, {"after": told})
    return Place(there, member_id)


async def carry_over(db: Db, leaving: Place, arriving: Place) -> None:
    """Ends a member's subscription in one organization and goes on with it in another.

    The same plan, price, anchor and paid period, no charge and no refund: what is left of the
    period is cut off there and begins here as carried. A change of plan that waits comes along.
    Source: T11, T15, T17, M-11.
    """
    old, new = leaving.ctx, arriving.ctx
    row = await db.one(
        SUBSCRIPTIONS.lock_of_member,
        organization_id=old.organization_id,
        member_id=leaving.member_id,
    )
    subscription_id: UUID = row["subscription_id"]
    key = {"organization_id": old.organization_id, "subscription_id": subscription_id}
    paid = await db.one(WORKSPACE.payment_method, **key)
    pools = await own_seats.lock_pools(old, db, leaving.member_id)
    quantities = {pool["seat_type"]: pool["purchased"] for pool in pools if pool["purchased"]}
    waiting = await db.rows(CHANGES.scheduled, **key)
    await own_seats.lapse(old, db, (subscription_id, leaving.member_id), "moved")
    await db.run(CHANGES.cut_period, **key, starts_at=old.now)
    await _end(old, db, subscription_id)
    payer = Payer(member_id=arriving.member_id, payment_method=paid["payment_method"])
    zones = (old.organization.time_zone, new.organization.time_zone)
    begun = await _begin(new, db, _in_zone_of(row, zones), (payer, quantities))
    for change in waiting:
        await _schedule(new, db, (begun, payer), (change, zones))


def _in_zone_of(row: Row, zones: tuple[str, str]) -> dict[str, Any]:
    """The subscription with the same days, bounded by the midnights of where it goes on."""
    return {**row, **{name: _same_day(row[name], zones) for name in BOUNDS}}


def _same_day(at: datetime | None, zones: tuple[str, str]) -> datetime | None:
    old, new = zones
    return None if at is None else midnight(local_day(at, old), new)


async def _schedule(
    ctx: Context, db: Db, owner: tuple[UUID, Payer], what: tuple[Row, tuple[str, str]]
) -> None:
    """A change of plan that the member had scheduled comes here, on the same day. Source: T15."""
    (subscription_id, payer), (change, zones) = owner, what
    effect = msgspec.convert(change["effect"], Effect)
    assert effect.terms is not None
    moved = {name: _same_day(getattr(effect.terms, name), zones) for name in MOMENTS}
    paid = effect.payer
    if paid is not None:
        payer = msgspec.structs.replace(paid, member_id=payer.member_id)
    effect = msgspec.structs.replace(
        effect, terms=msgspec.structs.replace(effect.terms, **moved), payer=payer
    )
    change_id = ctx.new_id()
    effective_at = _same_day(change["effective_at"], zones)
    assert effective_at is not None
    await db.run(
        CHANGES.insert,
        organization_id=ctx.organization_id,
        change_id=change_id,
        subscription_id=subscription_id,
        kind=change["kind"],
        state="scheduled",
        command=change["command"],
        quote_id=None,
        slot=change["slot"],
        effective_at=effective_at,
        now=ctx.now,
        actor=ctx.actor_text,
        invoice_id=None,
        effect=msgspec.to_builtins(effect),
        request_key=None,
        request_hash=None,
        resume=None,
    )
    facts = {"kind": change["kind"], "effective_at": instant_text(effective_at)}
    await _tell(ctx, db, "change.scheduled", change_id, facts)


async def _begin(
    ctx: Context, db: Db, row: Mapping[str, Any], what: tuple[Payer, dict[str, int]]
) -> UUID:
    payer, quantities = what
    terms = _terms(row, quantities)
    subscription_id = await insert_subscription(ctx, db, terms, payer.member_id)
    ends_at: datetime = row["period_ends_at"]
    if ctx.now < ends_at:
        await db.run(
            CHANGES.insert_period,
            organization_id=ctx.organization_id,
            subscription_id=subscription_id,
            starts_at=ctx.now,
            ends_at=ends_at,
            number=row["period_number"],
            plan_version_id=row["plan_version_id"],
            kind="carried",
        )
    canceling = row["status"] == Status.CANCELING
    effect = Effect(
        terms=terms,
        status=Status.CANCELING if canceling else None,
        cancel_at=row["cancel_at"],
        payer=payer,
    )
    await apply_effect(ctx, db, subscription_id, effect, Cause("moved", subscription_id))
    await _tell(
        ctx, db, "subscription.moved", subscription_id, {"paid_until": instant_text(ends_at)}
    )
    return subscription_id


def _terms(row: Mapping[str, Any], quantities: dict[str, int]) -> TermsEffect:
    trial = row["status"] == Status.TRIALING or row["period_number"] < 0
    return TermsEffect(
        plan_version_id=row["plan_version_id"],
        price_key=row["price_key"],
        status=Status.TRIALING if trial else Status.ACTIVE,
        anchor=row["anchor_on"],
        number=row["period_number"],
        starts_at=row["period_starts_at"],
        ends_at=row["period_ends_at"],
        term_ends_at=row["term_ends_at"],
        trial_ends_at=row["trial_ends_at"],
        quantities=quantities,
        successors={},
        keeps_period=True,
        level_at=row["period_starts_at"],
    )


async def _end(ctx: Context, db: Db, subscription_id: UUID) -> None:
    await db.run(
        CHANGES.set_status,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        status=Status.ENDED,
        cancel_at=None,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def _tell(
    ctx: Context, db: Db, kind: str, subject_id: UUID, facts: dict[str, object]
) -> None:
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=ctx.organization_id,
        kind=kind,
        subject_id=subject_id,
        member_id=None,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts=facts,
    )
