"""Accepting an invitation: from the bearer's token to a member on the seat it held."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain.invitations import (
    Acceptance,
    decide_accept,
    decide_accepted_hold,
    decide_domain,
    decide_frozen,
    state_at,
)
from seatkeeper.domain.members import Role, Source
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.operations import inviting, workspace
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.engine import ORGANIZATIONS, OrganizationFacts
from seatkeeper.operations.people import (
    REMOVED,
    Member,
    Newcomer,
    address_of,
    allow,
    enter,
    household,
    view,
)
from seatkeeper.operations.queue import leave_queue, serve_waiting
from seatkeeper.operations.seating import Arrival, Room, lock_room, look_again, settle
from seatkeeper.operations.words import Command, Email, ExternalId, Name
from seatkeeper.store.database import Db, Row
from seatkeeper.store.invitations import INVITATIONS
from seatkeeper.store.members import MEMBERS


class AcceptInvitation(Command):
    """The bearer of a token comes in. The e-mail address is the one the vendor has proven.

    `payment_method` pays where members pay for themselves.
    """

    token: Annotated[str, Meta(min_length=1, max_length=200)]
    user: ExternalId
    email: Email
    name: Name
    payment_method: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


async def accept(ctx: Context, command: AcceptInvitation) -> Member | Refusal:
    """See `operations/invitations.accept`."""
    email = address_of(command.email, "/email")
    await _enter_organization(ctx, command.token)
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db)
        row = await db.row(
            INVITATIONS.lock_token,
            organization_id=ctx.organization_id,
            token_hash=inviting.token_hash(command.token),
        )
        if row is None:
            raise not_found()
        user = await db.one(
            MEMBERS.user, external_id=command.user, user_id=ctx.new_id(), now=ctx.now
        )
        known = await db.row(
            MEMBERS.lock_user, organization_id=ctx.organization_id, user_id=user["user_id"]
        )
        decided = decide_accept(
            state_at(row["state"], row["expires_at"], ctx.now),
            own=row["email"] == email,
            same_user=known is not None and known["member_id"] == row["member_id"],
        )
        if isinstance(decided, Refusal):
            raise Refused(decided)
        if decided is Acceptance.REPEATED:
            return await view(ctx, db, row["member_id"], existed=True)
        allow(decide_domain(email, room.domains))
        allow(decide_frozen(await household(ctx, db, room.plan)))
        if known is not None and known["standing"] == "suspended":
            raise Refused(refuse(Code.STATE_CONFLICT, state="suspended"))
        newcomer = Newcomer(
            user["user_id"], email, command.name, Role(row["role"]), Source.INVITATION
        )
        if room.plan is None or not room.plan.is_per_member:
            return await _accept(ctx, db, room, (row, known, newcomer))
        method = command.payment_method
        joiner = workspace.Joiner(row["invitation_id"], newcomer, known, method)
        joined = await workspace.join(ctx, db, room.plan, joiner)
    # The payment is asked for outside the transaction.
    return await workspace.complete(ctx, joined)


async def _enter_organization(ctx: Context, token: str) -> None:
    """Finds the organization which the token names, and its time. Refuses: not_found."""
    organization_id = inviting.organization_of(token)
    bound = ctx.principal.organization_id
    if organization_id is None or (bound is not None and bound != organization_id):
        raise not_found()
    facts = ctx.engine.organizations.get(organization_id)
    # On this request's own connection: inside its transaction a second one might never come free.
    async with ctx.connection() as db:
        if facts is None:
            found = await db.row(ORGANIZATIONS.facts, organization_id=organization_id)
            if found is None:
                raise not_found()
            facts = OrganizationFacts(**found)
        if facts.clock_id is not None:
            ctx.now = (await db.one(ORGANIZATIONS.clock_time, clock_id=facts.clock_id))["now_at"]
    ctx.facts = facts


async def _accept(
    ctx: Context, db: Db, room: Room, what: tuple[Row, Row | None, Newcomer]
) -> Member:
    row, known, newcomer = what
    is_member = known is not None and known["standing"] != REMOVED
    if known is not None and is_member:
        member_id: UUID = known["member_id"]
    else:
        member_id = await enter(ctx, db, newcomer, known)
    room = await look_again(ctx, db, room, member_id)
    seat = await db.row(MEMBERS.seat, organization_id=ctx.organization_id, member_id=member_id)
    pool = room.pool(row["pool_id"])
    takes_seat = pool is not None and seat is None
    if takes_seat:
        allow(decide_accepted_hold(pool))
    await db.run(
        INVITATIONS.accept,
        organization_id=ctx.organization_id,
        invitation_id=row["invitation_id"],
        member_id=member_id,
        takes_seat=takes_seat,
        assignment_id=ctx.new_id(),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    if seat is None and not takes_seat:
        await settle(ctx, db, room, Arrival(member_id, Source.INVITATION, row["seat_type"]))
    if room.anyone_waits:
        await _leave_queue_seated(ctx, db, member_id)
        await serve_waiting(ctx, db)
    return await view(ctx, db, member_id, existed=is_member)


async def _leave_queue_seated(ctx: Context, db: Db, member_id: UUID) -> None:
    seat = await db.row(MEMBERS.seat, organization_id=ctx.organization_id, member_id=member_id)
    if seat is not None:
        await leave_queue(ctx, db, [(member_id, seat["seat_type"])], state="served")
