"""Workspaces whose members pay for themselves: join one, bring a seat along, leave with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.quantities import People
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse, refuse_field
from seatkeeper.domain.terms import decide_subscribe
from seatkeeper.domain.workspace import Joining, decide_join, decide_sign_up
from seatkeeper.operations import changes, departures, organizations, own_seats
from seatkeeper.operations.asked import Asked, Subscribe
from seatkeeper.operations.context import Context
from seatkeeper.operations.contract_terms import not_parked
from seatkeeper.operations.decisions import Decided, choose, decided_terms
from seatkeeper.operations.own_seats import Admission, Payer
from seatkeeper.operations.people import REMOVED, Member, Newcomer, allow, view
from seatkeeper.operations.standing import lock_of_member
from seatkeeper.store.database import Db, Row
from seatkeeper.store.workspace import WORKSPACE


@dataclass(frozen=True, slots=True)
class Joiner:
    """Someone who answers an invitation; `known` is their row where they were here before."""

    invitation_id: UUID
    newcomer: Newcomer
    known: Row | None = None
    payment_method: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A member, and the change that first waits for their payment, if one does."""

    member_id: UUID
    begun: changes.Begun | None = None


async def join(ctx: Context, db: Db, tier: Plan, joiner: Joiner) -> Joined:
    """Begins to let someone in on their own seat; `complete` takes the payment and ends it.

    Who pays elsewhere for themselves alone on the same plan brings that subscription along, with
    its period and without a charge; anyone else pays the full price on an anchor of their own.
    The caller holds the organization's lock. Refuses: plan_tier_mismatch, past_due,
    over_plan_limit, request_in_progress, invalid_request (no payment method).
    Source: T7-T13.
    """
    who = joiner.newcomer
    member_id = await _expect(ctx, db, joiner)
    admission = Admission(
        invitation_id=joiner.invitation_id,
        user_id=who.user_id,
        email=who.email,
        name=who.name,
        role=who.role,
    )
    own = await lock_of_member(ctx, db, member_id)
    if own is not None:
        return await _go_on(ctx, db, member_id, own.subscription_id, admission)
    elsewhere = await departures.elsewhere(ctx, db, who.user_id)
    there = None
    if elsewhere is not None:
        there = await lock_of_member(elsewhere.ctx, db, elsewhere.member_id)
    outcome = decide_join(tier, there)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    if outcome is Joining.ATTACH and elsewhere is not None and there is not None:
        await departures.check_settled(elsewhere.ctx, db, there.subscription_id)
        if await departures.owes(elsewhere.ctx, db, there.subscription_id):
            # An unpaid period cannot be brought along. Source: T11, T17.
            raise Refused(refuse(Code.PAST_DUE))
        await own_seats.enter_by(ctx, db, member_id, admission)
        await departures.carry_over(db, elsewhere, departures.Place(ctx, member_id))
        return Joined(member_id)
    if joiner.payment_method is None:
        raise Refused(refuse_field("/payment_method", "is needed: members pay for their own seat."))
    payer = Payer(member_id=member_id, payment_method=joiner.payment_method, admission=admission)
    return Joined(member_id, await sign_up(ctx, db, Subscribe(plan=tier.key), payer))


async def complete(ctx: Context, joined: Joined) -> Member | Refusal:
    """Takes the payment that someone's joining waits for; declined, nothing has changed.

    Refuses: payment_declined, payment_action_required, invitation_unavailable (revoked while the
    payment ran: the seat that was paid goes on in a workspace of their own). Source: T7, M-18.
    """
    if joined.begun is not None:
        outcome = await finish(ctx, joined.begun)
        if isinstance(outcome, Refusal):
            return outcome
    async with ctx.connection() as db:
        member = await view(ctx, db, joined.member_id)
    if member.state == REMOVED:
        sentence = "The invitation was withdrawn; your paid seat is in a workspace of your own."
        raise Refused(refuse(Code.INVITATION_UNAVAILABLE, detail=sentence))
    return member


async def finish(ctx: Context, begun: changes.Begun) -> changes.Change | Refusal:
    """Takes the payment of a member's change; what is kept under a key is the caller's answer.

    A refusal is raised where nothing is kept.
    """
    keep, ctx.keep = ctx.keep, None
    try:
        outcome = await changes.finish(ctx, begun)
    finally:
        ctx.keep = keep
    if isinstance(outcome, Refusal) and keep is None:
        raise Refused(outcome)
    return outcome


async def sign_up(ctx: Context, db: Db, asked: Subscribe, payer: Payer) -> changes.Begun:
    """Writes a member's first subscription here: the full price, their own anchor, no proration.

    The caller holds the organization's lock. Refuses: parked, not_found, state_conflict,
    plan_tier_mismatch, over_plan_limit, invalid_request. Source: T1, T8, T10, T12, T13.
    """
    await not_parked(ctx, db)
    choice, version_id = await choose(ctx, db, asked)
    arriving = payer.admission is not None
    allow(
        decide_sign_up(
            choice.plan, await own_seats.workspace_of(ctx, db, payer.member_id, invited=arriving)
        )
    )
    if payer.payment_method is not None:
        organizations.check_payment_method(ctx, payer.payment_method)
    terms = decide_subscribe(choice, People(members=1), ctx.organization.time_zone, ctx.now)
    if isinstance(terms, Refusal):
        raise Refused(terms)
    decided = paid_by(decided_terms("subscribe", None, terms, version_id), payer)
    return await record(ctx, db, decided, asked)


async def record(ctx: Context, db: Db, decided: Decided, asked: Asked) -> changes.Begun:
    """Writes a change of a member's own subscription; its payer says with what it is paid."""
    keep, ctx.keep = ctx.keep, None
    command = changes.MakeChange(organization=OrganizationId(int=ctx.organization_id.int))
    try:
        return await changes.record(ctx, db, (decided, asked), command)
    finally:
        ctx.keep = keep


def paid_by(decided: Decided, payer: Payer) -> Decided:
    """The same decision about the member's own subscription; its limit binds nobody else."""
    effect = msgspec.structs.replace(decided.effect, limit=None, ceilings={}, payer=payer)
    return replace(decided, effect=effect)


async def _expect(ctx: Context, db: Db, joiner: Joiner) -> UUID:
    """The member id under which someone pays before they are in."""
    if joiner.known is not None:
        known: UUID = joiner.known["member_id"]
        return known
    member_id = ctx.new_id()
    await db.run(
        WORKSPACE.expect,
        organization_id=ctx.organization_id,
        member_id=member_id,
        user_id=joiner.newcomer.user_id,
        email=joiner.newcomer.email,
        name=joiner.newcomer.name,
        source=joiner.newcomer.source,
        now=ctx.now,
    )
    return member_id


async def _go_on(
    ctx: Context, db: Db, member_id: UUID, subscription_id: UUID, admission: Admission
) -> Joined:
    """Someone who pays here already: their payment is on its way, or they only come in."""
    row = await db.row(
        WORKSPACE.awaiting, organization_id=ctx.organization_id, subscription_id=subscription_id
    )
    if row is not None:
        return Joined(member_id, await changes.begun_of(ctx, db, row))
    await own_seats.enter_by(ctx, db, member_id, admission)
    await own_seats.sit(ctx, db, member_id)
    return Joined(member_id)
