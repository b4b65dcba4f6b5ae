"""Access: the question every request of the vendor's app asks, and the facts behind the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain.access import (
    Allowed,
    Asks,
    Coverage,
    Owner,
    Person,
    Question,
    decide_access,
    features_of,
    rights_of,
)
from seatkeeper.domain.access import (
    explain as chain_of,
)
from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.members import Role
from seatkeeper.domain.refusals import Refusal, Refused, refuse_field
from seatkeeper.domain.subscriptions import Status, stops_at
from seatkeeper.operations.answers import GroundText, MemberStateText, MemberText, Moment
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.words import Command, ExternalId, Key, Result
from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements

ACCESS: Final = Statements("access")

PermissionKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_.:-]{0,127}$(?!\n)",
        description="one of ours such as seats.assign, which a role gives, or "
        "`feature:action` of your own, which needs the seat that grants the feature",
    ),
]


class Asking(Command, kw_only=True):
    """What is asked for: exactly one of the four."""

    organization: OrganizationId
    feature: Key | None = None
    plan: Key | None = None
    seat_type: Key | None = None
    permission: PermissionKey | None = None


class CheckAccess(Asking, kw_only=True):
    """May this user, named by your own id or by member id, use that in this organization now?"""

    user: ExternalId


class Checked(Result):
    """The answer. `reason` is the ground of a yes or the code of a no; `state` the member's."""

    allowed: bool
    reason: str
    sentence: str
    remedies: list[dict[str, Any]]
    state: MemberStateText | None
    seat_type: Key | None
    plan: Key | None
    as_of: Moment


@dataclass(frozen=True, slots=True)
class Sought:
    """One person of a batch."""

    organization_id: UUID
    member_id: UUID | None
    external_id: str | None


async def check(ctx: Context, command: CheckAccess) -> Checked:
    """Say whether a user may use a feature, plan, seat or permission now, and if not, why.

    The answer is as fresh as the database: 200 with `allowed` true or false, also for a user
    nobody knows. Cost: a share of one statement. Source: A9, A41, A69, C56, C57, S-13.
    """
    question = _question(command)
    user = command.user
    member_id = _member_id(user)
    person = await _person(ctx, Sought(ctx.organization_id, member_id, user))
    return _checked(person, decide_access(person, question, ctx.now), ctx.now)


async def check_unlogged(ctx: Context, command: CheckAccess) -> Checked:
    """The same, asked in a body, so that no user's id stands in an address. Source: A-4."""
    return await check(ctx, command)


class ReadEntitlements(Command):
    """All that a member may use and do now."""

    organization: OrganizationId
    member: MemberId


class Entitlements(Result):
    """Features of the seat, and permissions of the role, which need no seat."""

    member: MemberText
    state: MemberStateText
    seat_type: Key | None
    plan: Key | None
    features: list[str]
    permissions: list[str]
    as_of: Moment


async def entitlements(ctx: Context, command: ReadEntitlements) -> Entitlements:
    """List all features and permissions a member has now. Refuses: not_found. Source: A9, S-13."""
    person = await _person(ctx, Sought(ctx.organization_id, command.member, None))
    if person is None:
        raise not_found()
    return Entitlements(
        member=MemberId.text(person.member_id),
        state=person.state,
        seat_type=person.seat_type,
        plan=None if person.coverage is None else person.coverage.plan.key,
        features=sorted(features_of(person, ctx.now)),
        permissions=sorted(rights_of(person)),
        as_of=ctx.now,
    )


class ExplainAccess(Asking, kw_only=True):
    """Why a member may or may not use something."""

    member: MemberId


class Fact(Result):
    """One link of the chain."""

    about: GroundText
    holds: bool
    sentence: str


class Explained(Result):
    """The answer with the facts that led to it, in their order."""

    member: MemberText
    answer: Checked
    facts: list[Fact]


async def explain(ctx: Context, command: ExplainAccess) -> Explained:
    """Explain an answer fact by fact, up to the one that says no. Refuses: not_found."""
    question = _question(command)
    person = await _person(ctx, Sought(ctx.organization_id, command.member, None))
    if person is None:
        raise not_found()
    chain = chain_of(person, question, ctx.now)
    return Explained(
        member=MemberId.text(person.member_id),
        answer=_checked(person, decide_access(person, question, ctx.now), ctx.now),
        facts=[
            Fact(about=link.ground, holds=link.refusal is None, sentence=link.sentence)
            for link in chain
        ],
    )


async def find_people(engine: Engine, db: Db, sought: Sequence[Sought]) -> Sequence[Person | None]:
    """One batch of people with all that decides about their access. Cost: one statement."""
    rows = await db.rows(
        ACCESS.people,
        organization_ids=[s.organization_id for s in sought],
        member_ids=[s.member_id for s in sought],
        external_ids=[s.external_id for s in sought],
    )
    versions = {row["plan_version_id"] for row in rows} - {None}
    plans = await engine.plans_of(db, versions)
    return [_person_of(row, plans) for row in rows]


async def _person(ctx: Context, sought: Sought) -> Person | None:
    found: Person | None = await ctx.ask("people", sought)
    return found


def _question(command: Asking) -> Question:
    asked = [
        Question(asks, key)
        for asks, key in (
            (Asks.FEATURE, command.feature),
            (Asks.PLAN, command.plan),
            (Asks.SEAT_TYPE, command.seat_type),
            (Asks.PERMISSION, command.permission),
        )
        if key is not None
    ]
    if len(asked) != 1:
        ways = "exactly one of feature, plan, seat_type and permission"
        raise Refused(refuse_field("/feature", f"Ask for {ways}."))
    return asked[0]


def _member_id(user: str) -> UUID | None:
    if not user.startswith("mem_"):
        return None
    try:
        return MemberId.parse(user)
    except ValueError:
        return None


def _checked(person: Person | None, outcome: Allowed | Refusal, now: datetime) -> Checked:
    allowed = isinstance(outcome, Allowed)
    known = person if person is not None and person.standing != "removed" else None
    coverage = None if known is None else known.coverage
    return Checked(
        allowed=allowed,
        reason=outcome.ground if isinstance(outcome, Allowed) else outcome.code,
        sentence=outcome.sentence,
        remedies=[] if isinstance(outcome, Allowed) else _remedies(outcome),
        state=None if known is None else known.state,
        seat_type=None if known is None else known.seat_type,
        plan=None if coverage is None else coverage.plan.key,
        as_of=now,
    )


def _remedies(refusal: Refusal) -> list[dict[str, Any]]:
    return [{**remedy.facts, "way": remedy.way} for remedy in refusal.ways_out]


def _person_of(row: Row, plans: Mapping[UUID, Plan]) -> Person | None:
    if row["member_id"] is None:
        return None
    return Person(
        member_id=row["member_id"],
        standing=row["standing"],
        role=Role(row["role"]),
        may_bill=row["may_bill"],
        seat_type=row["seat_type"],
        coverage=None if row["plan_version_id"] is None else _coverage(row, plans),
        waiting_since=row["queued_at"],
        owner=None if row["owner_id"] is None else Owner(row["owner_id"], row["owner_name"]),
    )


def _coverage(row: Row, plans: Mapping[UUID, Plan]) -> Coverage:
    status = Status(row["status"])
    stop = stops_at(status, cancel_at=row["cancel_at"], grace_ends_at=row["grace_ends_at"])
    return Coverage(plans[row["plan_version_id"]], status, stop)
