"""Invitations: who may be invited to what, the seats they hold, and the states they go through."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from seatkeeper.domain.addresses import domain_of
from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.members import Role, decide_manage, decide_one_admin
from seatkeeper.domain.policies import Invitations, TypeChoice
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse
from seatkeeper.domain.seats import SeatPool, choose_type, decide_take


class InvitationState(StrEnum):
    """Where an invitation stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


TRANSITIONS: Final[Mapping[InvitationState, frozenset[InvitationState]]] = {
    InvitationState.PENDING: frozenset(
        {InvitationState.ACCEPTED, InvitationState.REVOKED, InvitationState.EXPIRED}
    ),
    InvitationState.ACCEPTED: frozenset(),
    InvitationState.REVOKED: frozenset(),
    InvitationState.EXPIRED: frozenset({InvitationState.PENDING}),
}


def state_at(state: str, expires_at: datetime, now: datetime) -> InvitationState:
    """The state at that instant: what is past its time has expired, noted or not. Source: A53."""
    found = InvitationState(state)
    overdue = found is InvitationState.PENDING and expires_at <= now
    return InvitationState.EXPIRED if overdue else found


def lifetime(plan: Plan | None) -> timedelta:
    """How long an invitation lives. Source: A53, C53, T9."""
    return (plan.policies.invitations if plan else Invitations()).lives


def holds_seat(plan: Plan | None) -> bool:
    """Whether a pending invitation holds a seat of a shared pool. Source: A50, T9."""
    return plan is not None and not plan.is_per_member and plan.policies.invitations.hold_seat


@dataclass(frozen=True, slots=True)
class Household:
    """Who is in an organization already, as far as an invitation depends on it."""

    plan: Plan | None
    has_primary_owner: bool
    people: int = 0  # live members and live invitations; counted where a plan limits them


def decide_invite(
    roles: Sequence[Role], actor: Role | None, household: Household
) -> Refusal | None:
    """Whether people may be invited to those roles at all; None means yes.

    Refuses: forbidden (A3), primary_owner_required (a workspace whose members pay stands still
    without its admin: T16), state_conflict, quantity_out_of_range (one at a time: T14),
    over_plan_limit.
    """
    for role in roles:
        refusal = decide_manage(actor, role)
        if refusal is None and role is Role.PRIMARY_OWNER:
            refusal = decide_first_owner(actor, household, count=roles.count(role))
        if refusal is not None:
            return refusal
    plan = household.plan
    if plan is None:
        return None
    if not plan.policies.invitations.bulk and len(roles) > 1:
        return refuse(Code.QUANTITY_OUT_OF_RANGE, minimum=1, maximum=1)
    if not plan.is_per_member:
        return None
    if not household.has_primary_owner and Role.PRIMARY_OWNER not in roles:
        return decide_frozen(household)
    return decide_workspace(roles, household)


def decide_frozen(household: Household) -> Refusal | None:
    """Whether invitations rest: where members pay for themselves, while there is no admin.

    Refuses: primary_owner_required. Source: T16.
    """
    if household.has_primary_owner or household.plan is None or not household.plan.is_per_member:
        return None
    return refuse(
        Code.PRIMARY_OWNER_REQUIRED,
        detail="The workspace has no admin now; invitations rest until it has one again.",
    )


def decide_first_owner(
    actor: Role | None, household: Household, *, count: int = 1
) -> Refusal | None:
    """Whether someone can come in as the primary owner: only the first, brought by the vendor.

    Refuses: forbidden, state_conflict. Source: A5, A63.
    """
    if actor is not None:
        return refuse(Code.FORBIDDEN, role=Role.PRIMARY_OWNER)
    if household.has_primary_owner or count > 1:
        return refuse(
            Code.STATE_CONFLICT,
            Remedy(Way.TRANSFER_PRIMARY_OWNER),
            detail="The organization has a primary owner; the role can be transferred.",
        )
    return None


def decide_workspace(roles: Sequence[Role], household: Household) -> Refusal | None:
    """Whether a workspace whose members pay for themselves can take in people of those roles.

    Refuses: state_conflict (one admin), over_plan_limit. Source: T1, T6.
    """
    plan = household.plan
    assert plan is not None
    for role in roles:
        if (refusal := decide_one_admin(role)) is not None:
            return refusal
    if plan.limit is not None and household.people + len(roles) > plan.limit:
        return refuse(
            Code.OVER_PLAN_LIMIT,
            Remedy(Way.CHOOSE_PLAN, {"min_seats": household.people + len(roles)}),
            limit=plan.limit,
            count=household.people,
            needed=household.people + len(roles) - plan.limit,
        )
    return None


def decide_domain(email: str, allowed: Collection[str]) -> Refusal | None:
    """Whether an organization lets that address in by invitation; None means yes.

    Nothing allowed is no restriction; a domain does not speak for those below it.
    Refuses: domain_not_verified. Source: A52.
    """
    domain = domain_of(email)
    if not allowed or domain in allowed:
        return None
    return refuse(Code.DOMAIN_NOT_VERIFIED, domain=domain)


def repeated(emails: Sequence[str], known: Collection[str]) -> frozenset[int]:
    """Places in the list whose address is known already or stands earlier in it. Source: A56."""
    seen = set(known)
    found = set()
    for place, email in enumerate(emails):
        if email in seen:
            found.add(place)
        seen.add(email)
    return frozenset(found)


def decide_holds(
    pools: Iterable[SeatPool], wanted: Sequence[str | None], choice: TypeChoice, entry: str
) -> tuple[SeatPool | Refusal, ...]:
    """For each invitation the pool that holds its seat, or why there is none.

    Named types choose first, then those who take what is free; `entry` is the type to speak of
    where no pool is owned. Shapes: as long as `wanted`, in its order. Source: A50, A51, A55.
    """
    room = {pool.seat_type: pool for pool in pools}
    outcomes: dict[int, SeatPool | Refusal] = {}
    for place in sorted(range(len(wanted)), key=lambda i: wanted[i] is None):
        pool = choose_type(room.values(), choice, wanted[place])
        if pool is None:
            outcomes[place] = _full(room, wanted[place] or _spoken_of(room, choice, entry), 1)
        else:
            outcomes[place] = pool
            room[pool.seat_type] = replace(pool, held=pool.held + 1)
    return tuple(outcomes[place] for place in range(len(wanted)))


def decide_all_holds(
    pools: Iterable[SeatPool], wanted: Sequence[str | None], choice: TypeChoice, entry: str
) -> tuple[SeatPool, ...] | Refusal:
    """The same for all or none; one refusal speaks for the whole shortage.

    Its `needed` is the sum over all types, `short` names each. Source: A55, C26, C27.
    """
    known = {pool.seat_type: pool for pool in pools}
    outcomes = decide_holds(known.values(), wanted, choice, entry)
    held = tuple(outcome for outcome in outcomes if not isinstance(outcome, Refusal))
    if len(held) == len(outcomes):
        return held
    room = dict(known)
    for pool in held:
        taken = room[pool.seat_type]
        room[pool.seat_type] = replace(taken, held=taken.held + 1)
    short: dict[str, int] = {}
    for want, outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            seat_type = want or _spoken_of(known, choice, entry)
            short[seat_type] = short.get(seat_type, 0) + 1
    refusals = [_full(room, seat_type, count) for seat_type, count in sorted(short.items())]
    codes = list(Code)
    first = min(refusals, key=lambda refusal: codes.index(refusal.code))
    if len(refusals) == 1:
        return first
    needed = sum(int(str(r.facts.get("needed", 0))) for r in refusals)
    remedies = tuple(remedy for refusal in refusals for remedy in refusal.remedies)
    facts = {**first.facts, "needed": needed, "short": short} if needed else first.facts
    return replace(first, facts=facts, remedies=remedies)


def _full(room: Mapping[str, SeatPool], seat_type: str, count: int) -> Refusal:
    refused = decide_take(room.get(seat_type), count, seat_type=seat_type)
    assert isinstance(refused, Refusal)
    return refused


def _spoken_of(room: Mapping[str, SeatPool], choice: TypeChoice, entry: str) -> str:
    owned = sorted((p.rank, p.seat_type) for p in room.values() if p.purchased > 0)
    if not owned:
        return entry
    return owned[0][1] if choice is TypeChoice.LOWEST else owned[-1][1]


class Acceptance(StrEnum):
    """What accepting amounts to."""

    FIRST = "first"
    REPEATED = "repeated"


def decide_accept(state: InvitationState, *, own: bool, same_user: bool) -> Acceptance | Refusal:
    """Whether the bearer of the token can accept: `own` says the proven address is the invited one.

    Refuses: forbidden, invitation_unavailable with the same words for expired, revoked and used.
    Source: G11, S-10.
    """
    if not own:
        return refuse(Code.FORBIDDEN, detail="This invitation was sent to another e-mail address.")
    if state is InvitationState.PENDING:
        return Acceptance.FIRST
    if state is InvitationState.ACCEPTED and same_user:
        return Acceptance.REPEATED
    return refuse(Code.INVITATION_UNAVAILABLE)


def decide_accepted_hold(pool: SeatPool | None) -> Refusal | None:
    """Whether the seat which an invitation holds in that pool can be taken; None means yes.

    Refuses: over_limit; the invitation stays as it is. Source: C46, S-2.
    """
    if pool is None or pool.state == "open":
        return None
    return _full({pool.seat_type: pool}, pool.seat_type, 1)


def decide_resend(state: InvitationState) -> Refusal | None:
    """Whether it can be sent again; None means yes. Refuses: state_conflict. Source: A53, T9."""
    if state in (InvitationState.PENDING, InvitationState.EXPIRED):
        return None
    return refuse(Code.STATE_CONFLICT, state=state)


def decide_revoke(state: InvitationState) -> Refusal | None:
    """Whether it can be taken back; None means yes, twice too. Refuses: state_conflict.

    Source: A54, S-10.
    """
    if state in (InvitationState.PENDING, InvitationState.REVOKED):
        return None
    return refuse(Code.STATE_CONFLICT, state=state)
