"""Access: may this person use this now, and the chain of facts behind the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.members import (
    MemberState,
    Permission,
    Role,
    decide_permission,
    member_state,
    permissions_of,
)
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse
from seatkeeper.domain.subscriptions import Status, gives_access

BUILT_IN: Final = frozenset(Permission)


class Asks(StrEnum):
    """What a question is about."""

    FEATURE = "feature"
    PLAN = "plan"
    SEAT_TYPE = "seat_type"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one person: whether they have that feature, plan, seat or permission."""

    asks: Asks
    key: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The subscription that covers a person: their seat's, else the one in force here."""

    plan: Plan
    status: Status
    stops_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom to ask."""

    member_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A member with all that decides about access."""

    member_id: UUID
    standing: str
    role: Role
    may_bill: bool = False
    seat_type: str | None = None
    coverage: Coverage | None = None
    waiting_since: datetime | None = None
    owner: Owner | None = None

    @property
    def state(self) -> MemberState:
        """Where the member stands."""
        return member_state(
            self.standing,
            seated=self.seat_type is not None,
            waiting=self.waiting_since is not None,
        )


class Ground(StrEnum):
    """A link of the chain; the last one is the ground on which someone is let in."""

    MEMBERSHIP = "membership"
    ROLE = "role"
    SUBSCRIPTION = "subscription"
    SEAT = "seat"
    PLAN = "plan"
    SEAT_TYPE = "seat_type"


@dataclass(frozen=True, slots=True)
class Link:
    """One fact of the chain, as a sentence; it breaks the chain where it carries a refusal."""

    ground: Ground
    sentence: str
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, and on what ground."""

    ground: Ground
    sentence: str


def decide_access(person: Person | None, question: Question, now: datetime) -> Allowed | Refusal:
    """Whether the person may use what the question asks for, now; None is nobody here.

    A seat gates the product, never administration. A permission of the vendor's own
    (`feature:action`) is a use of that feature: it needs a plan with the feature and a seat that
    grants it, as the feature itself does. Refuses: not_found, forbidden,
    billing_permission_required, no_seat, past_due, state_conflict, plan_tier_mismatch.
    Source: A9, A39-A43, A69, A99, C56-C58, S-13.
    """
    link = explain(person, question, now)[-1]
    return link.refusal or Allowed(link.ground, link.sentence)


def explain(person: Person | None, question: Question, now: datetime) -> tuple[Link, ...]:
    """The facts in their order, up to the one that says no, or to the end. Shapes: never empty."""
    chain: list[Link] = []
    for link in _chain(person, question, now):
        chain.append(link)
        if link.refusal is not None:
            break
    return tuple(chain)


def features_of(person: Person | None, now: datetime) -> frozenset[str]:
    """All features the person may use now. Source: S-13."""
    if person is None or person.coverage is None or person.seat_type is None:
        return frozenset()
    if person.standing != "active" or not _lets_in(person.coverage, now):
        return frozenset()
    return _granted(person.coverage.plan, person.seat_type)


def rights_of(person: Person | None) -> frozenset[Permission]:
    """What the person may administer, with a seat or without. Source: A9."""
    if person is None or person.standing != "active":
        return frozenset()
    return permissions_of(person.role, may_bill=person.may_bill)


def _chain(person: Person | None, question: Question, now: datetime) -> Iterator[Link]:
    yield _membership(person)
    assert person is not None
    if question.asks is Asks.PERMISSION and question.key in BUILT_IN:
        yield _role(person, Permission(question.key))
        return
    yield _subscription(person, now)
    yield _seat(person)
    if question.asks is Asks.PERMISSION:
        feature = _feature_of(question.key)
        yield _plan_feature(person, question.key, feature)
        question = Question(Asks.FEATURE, feature)
    yield _grant(person, question)


def _membership(person: Person | None) -> Link:
    if person is None or person.standing == "removed":
        no = "This person is not a member of the organization."
        return Link(Ground.MEMBERSHIP, no, refuse(Code.NOT_FOUND, detail=no))
    if person.standing == "suspended":
        no = "This member is suspended."
        refusal = refuse(Code.FORBIDDEN, _ask(person), detail=no, state=person.state)
        return Link(Ground.MEMBERSHIP, no, refusal)
    return Link(Ground.MEMBERSHIP, "This person is an active member of the organization.")


def _role(person: Person, permission: Permission) -> Link:
    refusal = decide_permission(person.role, permission, may_bill=person.may_bill)
    says = "has" if refusal is None else "does not have"
    return Link(Ground.ROLE, f"The role {person.role} {says} the permission {permission}.", refusal)


def _seat(person: Person) -> Link:
    if person.seat_type is not None:
        return Link(Ground.SEAT, f"This member has a seat of the type {person.seat_type}.")
    if person.waiting_since is None:
        no = "This member has no seat; an owner or admin can assign one."
    else:
        no = "The organization has no free seat; its owners were told. This member waits."
    refusal = refuse(Code.NO_SEAT, _ask(person), detail=no, state=person.state)
    return Link(Ground.SEAT, no, refusal)


def _subscription(person: Person, now: datetime) -> Link:
    coverage = person.coverage
    if coverage is None:
        no = "There is no subscription in force for this member."
        return Link(
            Ground.SUBSCRIPTION,
            no,
            refuse(Code.STATE_CONFLICT, Remedy(Way.CHOOSE_PLAN), detail=no, state="none"),
        )
    if _lets_in(coverage, now):
        says = f"The subscription to the plan {coverage.plan.key} is {coverage.status}."
        return Link(Ground.SUBSCRIPTION, says)
    if coverage.status is Status.PAST_DUE:
        no = "An invoice is overdue and the time to pay it is over."
        refusal = refuse(Code.PAST_DUE, Remedy(Way.PAY), _ask(person), detail=no)
        return Link(Ground.SUBSCRIPTION, no, refusal)
    begun = coverage.status not in (Status.INCOMPLETE, Status.SCHEDULED)
    no = "The subscription has ended." if begun else "The subscription has not begun yet."
    refusal = refuse(Code.STATE_CONFLICT, _ask(person), detail=no, state=coverage.status)
    return Link(Ground.SUBSCRIPTION, no, refusal)


def _feature_of(permission: str) -> str:
    # The feature stands before the last colon: `reports:export`, `org:reports:export`.
    return permission.rpartition(":")[0].rpartition(":")[2]


def _plan_feature(person: Person, permission: str, feature: str) -> Link:
    plan = _plan_of(person)
    offered = plan.features.union(*(kind.features for kind in plan.seat_types.values()))
    if feature in offered:
        return Link(Ground.PLAN, f"The plan {plan.key} has the feature {feature}.")
    no = f"The plan {plan.key} has no feature for the permission {permission}."
    refusal = refuse(Code.PLAN_TIER_MISMATCH, Remedy(Way.CHOOSE_PLAN), detail=no, plan=plan.key)
    return Link(Ground.PLAN, no, refusal)


def _grant(person: Person, question: Question) -> Link:
    plan, key = _plan_of(person), question.key
    seat_type = person.seat_type
    assert seat_type is not None
    if question.asks is Asks.PLAN:
        says = f"This member's seat is under the plan {plan.key}."
        choose = Remedy(Way.CHOOSE_PLAN, {"plan": key})
        no = refuse(Code.PLAN_TIER_MISMATCH, choose, detail=says, plan=plan.key)
        return Link(Ground.PLAN, says, None if plan.key == key else no)
    if question.asks is Asks.SEAT_TYPE:
        says = f"This member's seat is of the type {seat_type}."
        givers = [key] if key in plan.seat_types else []
        no = _not_granted(person, givers, f"{says[:-1]}, not {key}.")
        return Link(Ground.SEAT_TYPE, says, None if seat_type == key else no)
    if key in _granted(plan, seat_type):
        return Link(Ground.SEAT_TYPE, f"The seat type {seat_type} grants the feature {key}.")
    givers = [kind.key for kind in reversed(plan.by_rank) if key in kind.features]
    says = f"The seat type {seat_type} does not grant the feature {key}."
    return Link(Ground.SEAT_TYPE, says, _not_granted(person, givers, says))


def _not_granted(person: Person, givers: list[str], sentence: str) -> Refusal:
    # A higher seat helps where the plan has one; otherwise only another plan does.
    ways = [Remedy(Way.REASSIGN, {"seat_type": kind}) for kind in givers]
    code = Code.NO_SEAT if ways else Code.PLAN_TIER_MISMATCH
    last = _ask(person) if ways else Remedy(Way.CHOOSE_PLAN)
    facts = {"state": person.state, "seat_type": person.seat_type}
    return Refusal(code, facts, (*ways, last), sentence)


def _granted(plan: Plan, seat_type: str) -> frozenset[str]:
    kind = plan.seat_types.get(seat_type)
    return plan.features if kind is None else plan.features | kind.features


def _lets_in(coverage: Coverage, now: datetime) -> bool:
    return gives_access(coverage.status, coverage.stops_at, now)


def _plan_of(person: Person) -> Plan:
    assert person.coverage is not None
    return person.coverage.plan


def _ask(person: Person) -> Remedy:
    owner = person.owner
    facts = {} if owner is None else {"owner": MemberId.text(owner.member_id), "name": owner.name}
    return Remedy(Way.ASK_OWNER, facts)
