"""What the stories about people share: addresses, the acting role, the member as readers see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from seatkeeper.domain import addresses
from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.ids import AssignmentId, MemberId
from seatkeeper.domain.invitations import Household
from seatkeeper.domain.members import Role, Source, decide_admin, member_state
from seatkeeper.domain.refusals import Code, Fact, Refusal, Refused, refuse, refuse_field
from seatkeeper.operations.answers import (
    MemberStateText,
    MemberText,
    Moment,
    RoleText,
    SeatText,
    SourceText,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.words import Key, Result
from seatkeeper.store.database import Db, Row
from seatkeeper.store.members import MEMBERS

REMOVED = "removed"


class Member(Result):
    """A user in an organization. `state` follows from standing, seat and place in the queue."""

    member: MemberText
    user: str
    email: str
    name: str
    role: RoleText
    may_bill: bool
    source: SourceText
    state: MemberStateText
    seat: SeatText | None
    seat_type: Key | None
    waiting_since: Moment | None
    joined_at: Moment
    removed_at: Moment | None
    version: int
    existed: bool = False


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A user who comes in, or comes back."""

    user_id: UUID
    email: str
    name: str
    role: Role
    source: Source


def member_of(row: Row, *, existed: bool = False) -> Member:
    """The member that a row of `one` or `page` describes."""
    seated, waiting = row["assignment_id"] is not None, row["queued_at"] is not None
    return Member(
        member=MemberId.text(row["member_id"]),
        user=row["external_id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        may_bill=row["may_bill"],
        source=row["source"],
        state=member_state(row["standing"], seated=seated, waiting=waiting),
        seat=AssignmentId.text_or_none(row["assignment_id"]),
        seat_type=row["seat_type"],
        waiting_since=row["queued_at"],
        joined_at=row["joined_at"],
        removed_at=row["removed_at"],
        version=row["version"],
        existed=existed,
    )


async def view(ctx: Context, db: Db, member_id: UUID, *, existed: bool = False) -> Member:
    """A member as they are now. Refuses: not_found."""
    row = await db.row(MEMBERS.one, organization_id=ctx.organization_id, member_id=member_id)
    if row is None:
        raise not_found()
    return member_of(row, existed=existed)


async def lock_member(ctx: Context, db: Db, member_id: UUID) -> Row:
    """A live member's row, locked. Refuses: not_found, precondition_failed."""
    row = await db.row(MEMBERS.lock, organization_id=ctx.organization_id, member_id=member_id)
    if row is None or row["standing"] == REMOVED:
        raise not_found()
    check_version(ctx, row)
    return row


async def enter(ctx: Context, db: Db, newcomer: Newcomer, known: Row | None) -> UUID:
    """Makes the newcomer a member, or brings the removed one back. Source: A61.

    Refuses: already_exists where another member has that address.
    """
    await check_address(ctx, db, newcomer.email)
    values = {
        "organization_id": ctx.organization_id,
        "email": newcomer.email,
        "name": newcomer.name,
        "role": newcomer.role,
        "source": newcomer.source,
        "now": ctx.now,
        "actor": ctx.actor_text,
        "request_id": ctx.request_id,
    }
    if known is not None:
        member_id: UUID = known["member_id"]
        await db.run(MEMBERS.restore, **values, member_id=member_id)
        return member_id
    member_id = ctx.new_id()
    await db.run(MEMBERS.insert, **values, member_id=member_id, user_id=newcomer.user_id)
    return member_id


async def check_address(ctx: Context, db: Db, email: str) -> None:
    """Stops two live members from having one address. Refuses: already_exists. Source: A56."""
    row = await db.row(MEMBERS.with_email, organization_id=ctx.organization_id, email=email)
    if row is not None:
        raise already(email=email, member=MemberId.text(row["member_id"]))


async def household(ctx: Context, db: Db, plan: Plan | None) -> Household:
    """Who is in the organization; people are counted where the plan limits them itself."""
    row = await db.one(
        MEMBERS.household,
        organization_id=ctx.organization_id,
        counted=plan is not None and plan.is_per_member and plan.limit is not None,
        now=ctx.now,
    )
    return Household(plan, row["has_primary_owner"], row["people"])


def check_version(ctx: Context, row: Row) -> None:
    """Stops a caller who read an older version. Refuses: precondition_failed."""
    if ctx.if_match is not None and ctx.if_match != row["version"]:
        raise Refused(refuse(Code.PRECONDITION_FAILED, version=row["version"]))


def acting_role(ctx: Context) -> Role | None:
    """The role of the member in whose name the key acts; None is the vendor."""
    return None if ctx.actor is None else ctx.actor.role


def is_self(ctx: Context, member_id: UUID) -> bool:
    """Whether the acting member is that member."""
    return ctx.actor is not None and ctx.actor.member_id == member_id


def allow(refusal: Refusal | None) -> None:
    """Goes on where a decision has nothing against it. Raises: Refused."""
    if refusal is not None:
        raise Refused(refusal)


def allow_admin(ctx: Context, plan: Plan | None, wanted: Role, before: Role | None = None) -> None:
    """Goes on where the plan lets this caller raise someone to that role.

    Refuses: contract_managed. Source: T35.
    """
    by_account_manager = ctx.by_account_manager()
    allow(decide_admin(plan, before=before, wanted=wanted, by_account_manager=by_account_manager))


def address_of(text: str, pointer: str) -> str:
    """The one spelling of an e-mail address. Refuses: invalid_request."""
    email = addresses.normalized(text)
    if email is None:
        raise Refused(refuse_field(pointer, "must be an e-mail address such as ada@example.com."))
    return email


def domains_of(texts: Sequence[str], pointer: str) -> list[str]:
    """Domains in their one spelling, each once. Refuses: invalid_request. Source: A52."""
    found = [addresses.normalized_domain(text) for text in texts]
    if None in found:
        sentence = "must be a domain such as example.com."
        raise Refused(refuse_field(f"{pointer}/{found.index(None)}", sentence))
    return sorted({domain for domain in found if domain is not None})


def already(**facts: Fact) -> Refused:
    """What asking for something gets that is there with other content. Source: A56."""
    return Refused(Refusal(Code.ALREADY_EXISTS, facts))


async def tell(
    ctx: Context, db: Db, kind: str, member_id: UUID, facts: Mapping[str, object]
) -> None:
    """Records one event about a member; facts name no personal data. Source: G13, G16."""
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=ctx.organization_id,
        kind=kind,
        subject_id=member_id,
        member_id=member_id,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts=dict(facts),
    )
