"""Invitations: invite, resend, revoke, list and accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from seatkeeper.domain.ids import InvitationId, MemberId, OrganizationId
from seatkeeper.domain.invitations import (
    InvitationState,
    decide_domain,
    decide_frozen,
    decide_invite,
    decide_resend,
    decide_revoke,
    repeated,
    state_at,
)
from seatkeeper.domain.members import Role, decide_manage
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.domain.seats import SeatPool
from seatkeeper.operations import acceptance, inviting, resume
from seatkeeper.operations.answers import (
    Actor,
    CodeText,
    InvitationStateText,
    InvitationText,
    MemberText,
    Moment,
    RoleText,
    actor_of,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.inviting import Invitee, Sent
from seatkeeper.operations.people import (
    Member,
    acting_role,
    address_of,
    allow,
    allow_admin,
    already,
    check_version,
    household,
)
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.operations.seating import Room, lock_room
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Email,
    Key,
    Limit,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Db, Row
from seatkeeper.store.invitations import INVITATIONS
from seatkeeper.store.members import MEMBERS


class Invite(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One address to invite; without a seat type the plan chooses."""

    email: Email
    role: Role = Role.MEMBER
    seat_type: Key | None = None


class CreateInvitations(Command):
    """Invite people, all or none; with `partial` as many as there are seats."""

    organization: OrganizationId
    invitations: Annotated[list[Invite], Meta(min_length=1, max_length=500)]
    partial: bool = False


class Invitation(Result):
    """An invitation. `held_seat_type` is the type of the seat it holds now, null for none."""

    invitation: InvitationText
    email: str
    role: RoleText
    seat_type: Key | None
    held_seat_type: Key | None
    state: InvitationStateText
    invited_by: Actor
    member: MemberText | None
    created_at: Moment
    sent_at: Moment
    expires_at: Moment
    closed_at: Moment | None
    version: int


class Invited(Result):
    """What became of one address. The token is shown only here; `code` says why there is none."""

    email: str
    invitation: Invitation | None = None
    token: str | None = None
    code: CodeText | None = None
    detail: str | None = None


class Invitations(Result):
    """What became of each address, in the order they were given."""

    items: list[Invited]


class ReadInvitation(Command):
    """One invitation."""

    organization: OrganizationId
    invitation: InvitationId


class ListInvitations(Command):
    """Invitations, newest first."""

    organization: OrganizationId
    state: InvitationState | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class ResendInvitation(ReadInvitation):
    """Send an invitation again: the old token dies, a new life begins."""


class RevokeInvitation(ReadInvitation):
    """Take a pending invitation back."""


async def create(ctx: Context, command: CreateInvitations) -> Invitations:
    """Invite up to 500 people, all or none; each holds a seat if the plan wants it so.

    With `partial` those who cannot be invited are named and the others are. Refuses: forbidden,
    contract_managed, domain_not_verified and already_exists (which: `emails`),
    primary_owner_required, quantity_out_of_range, and the refusals of a seat, where `needed` speaks
    for the whole list and `resume` goes on after a purchase. Cost: eight statements whatever the
    size.
    Source: A3, A50-A56, C26-C30, T14, T16, T35.
    """
    invitees = [
        Invitee(address_of(one.email, f"/invitations/{n}/email"), one.role, one.seat_type)
        for n, one in enumerate(command.invitations)
    ]
    async with ctx.transaction() as db:
        room = await inviting.lock_fresh_room(ctx, db)
        roles = [invitee.role for invitee in invitees]
        who = await household(ctx, db, room.plan)
        allow(decide_invite(roles, acting_role(ctx), who))
        for role in roles:
            allow_admin(ctx, room.plan, role)
        outside = _outside(room, invitees)
        if outside and not command.partial:
            raise _all_outside(invitees, outside)
        refused = await _known(ctx, db, invitees)
        if refused - outside.keys() and not command.partial:
            raise already(emails=sorted({invitees[place].email for place in refused}))
        left = [n for n in range(len(invitees)) if n not in refused and n not in outside]
        try:
            asked = [invitees[n] for n in left]
            holds = inviting.holds_for(room, asked, partial=command.partial)
        except Refused as error:
            raise resume.resumable(ctx, "invitations.create", command, error) from None
        pools = {**outside, **dict(zip(left, holds, strict=True))}
        return await _invite(ctx, db, room, (invitees, pools))


def _outside(room: Room, invitees: Sequence[Invitee]) -> dict[int, Refusal]:
    """Who is at a domain that the organization does not let in, by their place. Source: A52."""
    asked = enumerate(decide_domain(invitee.email, room.domains) for invitee in invitees)
    return {place: refusal for place, refusal in asked if refusal is not None}


def _all_outside(invitees: Sequence[Invitee], outside: Mapping[int, Refusal]) -> Refused:
    first = next(iter(outside.values()))
    emails = sorted({invitees[place].email for place in outside})
    return Refused(replace(first, facts={**first.facts, "emails": emails}))


async def _known(ctx: Context, db: Db, invitees: Sequence[Invitee]) -> frozenset[int]:
    emails = [invitee.email for invitee in invitees]
    rows = await db.rows(MEMBERS.by_email, organization_id=ctx.organization_id, emails=emails)
    return repeated(emails, {row["email"] for row in rows})


async def _invite(
    ctx: Context,
    db: Db,
    room: Room,
    what: tuple[Sequence[Invitee], dict[int, SeatPool | Refusal | None]],
) -> Invitations:
    invitees, pools = what
    taken = {n: pool for n, pool in pools.items() if not isinstance(pool, Refusal)}
    made = await inviting.insert(ctx, db, room, [(invitees[n], p) for n, p in taken.items()])
    sent = dict(zip(taken, made, strict=True))
    rows = await db.rows(
        INVITATIONS.several,
        organization_id=ctx.organization_id,
        invitation_ids=[one.invitation_id for one in made],
    )
    by_id = {row["invitation_id"]: _invitation(ctx, row) for row in rows}
    sentence = "Someone with this address is a member, or invited, already."
    exists = refuse(Code.ALREADY_EXISTS, detail=sentence)
    items = []
    for n, invitee in enumerate(invitees):
        refusal = pools.get(n, exists)
        if isinstance(refusal, Refusal):
            items.append(Invited(email=invitee.email, code=refusal.code, detail=refusal.sentence))
        else:
            items.append(_invited(sent[n], by_id[sent[n].invitation_id]))
    return Invitations(items=items)


def _invited(sent: Sent, invitation: Invitation) -> Invited:
    return Invited(email=invitation.email, invitation=invitation, token=sent.token)


async def show(ctx: Context, command: ReadInvitation) -> Invitation:
    """One invitation, whatever became of it. Refuses: not_found."""
    async with ctx.connection() as db:
        return await _view(ctx, db, command.invitation)


async def list_all(ctx: Context, command: ListInvitations) -> Page[Invitation]:
    """Invitations, newest first. Cost: one statement."""
    size = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            INVITATIONS.page,
            organization_id=ctx.organization_id,
            state=command.state,
            now=ctx.now,
            before=before(ctx, "invitations", command.after),
            page=size + 1,
        )
    last = rows[size - 1]["invitation_id"] if len(rows) > size else None
    items = [_invitation(ctx, row) for row in rows[:size]]
    return Page(items=items, next=cursor(ctx, "invitations", last))


async def resend(ctx: Context, command: ResendInvitation) -> Invited:
    """Send an invitation again: a new token and a new life; an expired one takes a seat again.

    Refuses: forbidden, contract_managed, domain_not_verified, not_found, precondition_failed,
    state_conflict, already_exists, primary_owner_required, and the refusals of a seat.
    Source: A52, A53, A63, T9, T16, T35.
    """
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db)
        row = await _lock(ctx, db, command.invitation)
        allow(decide_domain(row["email"], room.domains))
        allow(decide_resend(InvitationState(row["state"])))
        who = await household(ctx, db, room.plan)
        allow(decide_frozen(who))
        if row["state"] == InvitationState.EXPIRED:
            roles = [Role(row["role"])]
            allow(decide_invite(roles, acting_role(ctx), who))
            allow_admin(ctx, room.plan, roles[0])
            if await _known(ctx, db, [Invitee(row["email"], roles[0], None)]):
                raise already(emails=[row["email"]])
        try:
            token = await inviting.renew(ctx, db, room, row)
        except Refused as error:
            raise resume.resumable(ctx, "invitations.resend", command, error) from None
        view = await _view(ctx, db, command.invitation)
        return Invited(email=view.email, invitation=view, token=token)


async def revoke(ctx: Context, command: RevokeInvitation) -> Invitation:
    """Take a pending invitation back; its seat goes to whoever waits longest. Twice succeeds.

    Refuses: forbidden, not_found, precondition_failed, state_conflict. Source: A3, A54, S-10.
    """
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db)
        row = await _lock(ctx, db, command.invitation)
        allow(decide_revoke(InvitationState(row["state"])))
        await inviting.close(ctx, db, [command.invitation], InvitationState.REVOKED)
        if room.anyone_waits:
            await serve_waiting(ctx, db)
        return await _view(ctx, db, command.invitation)


async def accept(ctx: Context, command: acceptance.AcceptInvitation) -> Member | Refusal:
    """Accept an invitation by its token: its bearer becomes a member, on the seat it held.

    The same user again succeeds. Refuses: not_found, forbidden (another address),
    domain_not_verified (no longer let in), invitation_unavailable, over_limit, already_exists,
    primary_owner_required, plan_tier_mismatch, and the refusals of a seat or a payment, which
    leave the invitation as it was. Source: A52, A61, C46, G11, S-10, S-11, T7, T16.
    """
    return await acceptance.accept(ctx, command)


async def _lock(ctx: Context, db: Db, invitation_id: UUID) -> Row:
    row = await db.row(
        INVITATIONS.lock, organization_id=ctx.organization_id, invitation_id=invitation_id
    )
    if row is None:
        raise not_found()
    allow(decide_manage(acting_role(ctx), Role(row["role"])))
    check_version(ctx, row)
    return row


async def _view(ctx: Context, db: Db, invitation_id: UUID) -> Invitation:
    row = await db.row(
        INVITATIONS.one, organization_id=ctx.organization_id, invitation_id=invitation_id
    )
    if row is None:
        raise not_found()
    return _invitation(ctx, row)


def _invitation(ctx: Context, row: Row) -> Invitation:
    return Invitation(
        invitation=InvitationId.text(row["invitation_id"]),
        email=row["email"],
        role=row["role"],
        seat_type=row["seat_type"],
        held_seat_type=row["held_type"],
        state=state_at(row["state"], row["expires_at"], ctx.now),
        invited_by=actor_of(row["invited_by"]),
        member=MemberId.text_or_none(row["member_id"]),
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        expires_at=row["expires_at"],
        closed_at=row["closed_at"],
        version=row["version"],
    )
