"""Events: what happened, for programs that follow along and for people who ask who did it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain import ids
from seatkeeper.domain.ids import MemberId, OrganizationId, RequestId
from seatkeeper.operations.answers import (
    Actor,
    MemberText,
    Moment,
    OrganizationText,
    RequestText,
    SubjectText,
    actor_of,
)
from seatkeeper.operations.context import Context
from seatkeeper.operations.cursors import FIRST, after, before, cursor, walk, walked
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Instant,
    Limit,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements

EVENTS: Final = Statements("events")
EVENTS_MAX: Final = 1_000
_SERIAL_MAX: Final = 2**63 - 1
VENDOR: Final = UUID(int=0)  # Whose events those are that concern no organization.

Kind = Annotated[
    str,
    Meta(
        max_length=80,
        pattern=r"^[a-z_]+\.([a-z_]+|\*)$(?!\n)",
        description="such as `seat.assigned`, or `seat.*` for all of a noun",
    ),
]

SUBJECTS: Final[Mapping[str, type[ids.Id]]] = {
    "amendment": ids.AmendmentId,
    "api_key": ids.KeyId,
    "balance": ids.BalanceEntryId,
    "catalog": ids.KeyId,
    "change": ids.ChangeId,
    "clock": ids.ClockId,
    "contract": ids.ContractId,
    "credit_note": ids.CreditNoteId,
    "discount": ids.DiscountId,
    "invitation": ids.InvitationId,
    "invoice": ids.InvoiceId,
    "member": ids.MemberId,
    "organization": ids.OrganizationId,
    "payment": ids.PaymentId,
    "pool": ids.PoolId,
    "quote": ids.QuoteId,
    "role": ids.MemberId,
    "seat": ids.AssignmentId,
    "seats": ids.PoolId,
    "seat_request": ids.SeatRequestId,
    "subscription": ids.SubscriptionId,
}


class FollowEvents(Command):
    """Events in order, oldest first; go on with `next` to miss none and see none twice."""

    organization: OrganizationId | None = None
    kind: Kind | None = None
    member: MemberId | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Meta(ge=1, description="page size; more than 1000 counts as 1000")] = (
        PAGE_DEFAULT
    )
    after: Cursor | None = None


class Event(Result):
    """Something that happened. `organization` is null for what concerns the vendor alone."""

    event: int
    kind: Kind
    organization: OrganizationText | None
    subject: SubjectText
    member: MemberText | None
    occurred_at: Moment
    actor: Actor
    channel: str
    request: RequestText | None
    facts: dict[str, Any]


class Events(Result):
    """Some events. `next` continues behind the last one, also when there is none yet."""

    items: list[Event]
    next: str | None
    has_more: bool


class ReadAudit(Command):
    """Who did what in one organization, newest first."""

    organization: OrganizationId
    kind: Kind | None = None
    member: MemberId | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


async def follow(ctx: Context, command: FollowEvents) -> Events:
    """Events in their one order, oldest first, for programs that follow along.

    An event appears once no transaction that began before its own is still open, so that what
    comes later always stands behind the cursor. Cost: one statement. Source: W-1, I-9, design §7.
    """
    size = min(command.limit, EVENTS_MAX)
    start = after(ctx, "events", command.after)
    transaction, event = _place(start)
    filters = _filters(command)
    most = walk(size, filtered=any(each is not None for each in filters.values()))
    async with ctx.connection() as db:
        rows = await db.rows(
            EVENTS.page,
            **filters,
            organization_id=command.organization or ctx.principal.organization_id,
            after_transaction=transaction,
            after_event=event,
            page=size + 1,
            walk=most,
        )
    items, last = walked(rows, size, most)
    end = last or (items[-1] if items else None)
    still = None if start == FIRST else start
    return Events(
        items=[_event(row) for row in items],
        next=cursor(ctx, "events", still if end is None else _key(end)),
        has_more=last is not None,
    )


async def audit(ctx: Context, command: ReadAudit) -> Page[Event]:
    """Who did what in the organization, by which way, and what it was before and after.

    Cost: one statement. Source: G13.
    """
    size = page_size(command.limit)
    start = before(ctx, "audit", command.after)
    transaction, event = _place(start)
    filters = _filters(command)
    most = walk(size, filtered=any(each is not None for each in filters.values()))
    async with ctx.connection() as db:
        rows = await db.rows(
            EVENTS.audit,
            **filters,
            organization_id=ctx.organization_id,
            before_transaction=transaction,
            before_event=event,
            page=size + 1,
            walk=most,
        )
    items, last = walked(rows, size, most)
    following = None if last is None else _key(last)
    return Page(items=[_event(row) for row in items], next=cursor(ctx, "audit", following))


async def tell_vendor(
    ctx: Context, db: Db, kind: str, subject: UUID, facts: Mapping[str, object]
) -> None:
    """Records an event that concerns no organization, in the transaction it tells of."""
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=VENDOR,
        kind=kind,
        subject_id=subject,
        member_id=None,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts=facts,
    )


def _filters(command: FollowEvents | ReadAudit) -> dict[str, object]:
    kind = command.kind
    all_of_noun = kind is not None and kind.endswith("*")
    return {
        "kind": None if all_of_noun else kind,
        "kind_start": kind.rstrip("*") if kind is not None and all_of_noun else None,
        "member_id": command.member,
        "since": command.since,
        "until": command.until,
    }


def _key(row: Row) -> UUID:
    """The place of an event, in the form in which cursors are signed."""
    return UUID(int=(row["transaction_number"] << 64) + row["event_id"])


def _place(key: UUID) -> tuple[int, int]:
    return min(key.int >> 64, _SERIAL_MAX), min(key.int & (2**64 - 1), _SERIAL_MAX)


def _event(row: Row) -> Event:
    organization_id = row["organization_id"]
    actor = actor_of(row["actor"])
    return Event(
        event=row["event_id"],
        kind=row["kind"],
        organization=None if organization_id == VENDOR else OrganizationId.text(organization_id),
        subject=_subject(row["kind"], row["subject_id"]),
        member=MemberId.text_or_none(row["member_id"]),
        occurred_at=row["occurred_at"],
        actor=actor,
        channel="api" if actor.system is None else actor.system,
        request=RequestId.text_or_none(row["request_id"]),
        facts=row["facts"] or {},
    )


def _subject(kind: str, subject_id: UUID) -> str:
    named = SUBJECTS.get(kind.partition(".")[0])
    return str(subject_id) if named is None else named.text(subject_id)
