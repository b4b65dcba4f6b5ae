"""Members: add, read, change, suspend and remove people of an organization."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.invitations import decide_first_owner, decide_workspace
from seatkeeper.domain.members import (
    MemberState,
    Permission,
    Role,
    Source,
    decide_billing_right,
    decide_manage,
    decide_permission,
    decide_removal,
    decide_suspension,
)
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations import departures, resume
from seatkeeper.operations.context import Context
from seatkeeper.operations.cursors import after, cursor, walk, walked
from seatkeeper.operations.people import (
    REMOVED,
    Member,
    Newcomer,
    acting_role,
    address_of,
    allow,
    allow_admin,
    already,
    check_address,
    enter,
    household,
    is_self,
    lock_member,
    member_of,
    tell,
    view,
)
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.operations.seating import Arrival, Room, lock_room, look_again, settle, vacate
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Email,
    ExternalId,
    Key,
    Limit,
    Name,
    Page,
    page_size,
)
from seatkeeper.store.database import Db, Row
from seatkeeper.store.invitations import INVITATIONS
from seatkeeper.store.members import MEMBERS


class AddMember(Command):
    """A user becomes a member. `seat` is by default what the plan wants for the source."""

    organization: OrganizationId
    user: ExternalId
    email: Email
    name: Name
    role: Role = Role.MEMBER
    source: Literal["api", "jit", "scim", "link"] = "api"
    seat_type: Key | None = None
    seat: Literal["automatic", "none"] | None = None

    @property
    def arrival_source(self) -> Source:
        """How the member comes in."""
        return Source(self.source)


class ListMembers(Command):
    """Members by id; `q` is the beginning of an e-mail address or a name."""

    organization: OrganizationId
    state: MemberState | None = None
    role: Role | None = None
    seat_type: Key | None = None
    q: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class ReadMember(Command):
    """One member, also one who was removed."""

    organization: OrganizationId
    member: MemberId


class ChangeMember(Command):
    """What may be changed of a member; what is not named stays."""

    organization: OrganizationId
    member: MemberId
    name: Name | None = None
    email: Email | None = None
    standing: Literal["active", "suspended"] | None = None
    may_bill: bool | None = None


class RemoveMember(Command):
    """A member leaves; what they had here is kept for the day they come back."""

    organization: OrganizationId
    member: MemberId


async def add(ctx: Context, command: AddMember) -> Member:
    """Add a user as a member, and seat them as the plan wants it for the way they came.

    A removed member comes back with their history; an invitation that waits for them is used up.
    The same user again succeeds. Refuses: forbidden, already_exists, state_conflict,
    contract_managed, over_plan_limit, and the refusals of a seat.
    Source: A3, A61, A65-A72, A78, C31, C58, S-11, T35.
    """
    email = address_of(command.email, "/email")
    allow(decide_manage(acting_role(ctx), command.role))
    if ctx.actor is not None and command.arrival_source is not Source.API:
        raise Refused(refuse(Code.FORBIDDEN, detail="Only the vendor provisions members."))
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db)
        user = await db.one(
            MEMBERS.user, external_id=command.user, user_id=ctx.new_id(), now=ctx.now
        )
        known = await db.row(
            MEMBERS.lock_user, organization_id=ctx.organization_id, user_id=user["user_id"]
        )
        if known is not None and known["standing"] != REMOVED:
            _check_same(command, email, known)
            return await view(ctx, db, known["member_id"], existed=True)
        await _check_entry(ctx, db, room, command.role)
        newcomer = Newcomer(
            user["user_id"], email, command.name, command.role, command.arrival_source
        )
        member_id = await enter(ctx, db, newcomer, known)
        try:
            room = await look_again(ctx, db, room, member_id)
            if not await _use_invitation(ctx, db, room, (command, email, member_id)):
                await _arrive(ctx, db, room, (command, member_id))
        except Refused as refused:
            raise resume.resumable(ctx, "members.add", command, refused) from None
        return await view(ctx, db, member_id)


async def show(ctx: Context, command: ReadMember) -> Member:
    """One member with their seat, also one who was removed. Refuses: not_found."""
    async with ctx.connection() as db:
        return await view(ctx, db, command.member)


async def list_all(ctx: Context, command: ListMembers) -> Page[Member]:
    """Members by id with their seats; who was removed only when asked for.

    Cost: one statement. Source: A66.
    """
    size = page_size(command.limit)
    lead, standing = _lead(command)
    filtered = (command.state, command.role, command.seat_type, command.q) != (None,) * 4
    most = walk(size, filtered=filtered)
    async with ctx.connection() as db:
        rows = await db.rows(
            MEMBERS.page,
            organization_id=ctx.organization_id,
            lead=lead,
            standing=standing,
            state=command.state,
            role=command.role,
            seat_type=command.seat_type,
            start=None if command.q is None else command.q.lower(),
            after=after(ctx, "members", command.after),
            page=size + 1,
            walk=most,
        )
    shown, last = walked(rows, size, most)
    following = None if last is None else last["member_id"]
    return Page(items=[member_of(row) for row in shown], next=cursor(ctx, "members", following))


def _lead(command: ListMembers) -> tuple[str, str | None]:
    """Which index leads to the fewest members that can fit, and the standing it is of."""
    if command.state in ("removed", "suspended"):
        return "standing", command.state
    if command.role not in (None, Role.MEMBER):
        return "role", None
    if command.state == "awaiting_seat":
        return "queue", None
    if command.state == "seated" or command.seat_type is not None:
        return "seat", None
    return "live", "active"


async def change(ctx: Context, command: ChangeMember) -> Member:
    """Change a member's name, address or billing right, suspend or reactivate them.

    Suspension frees the seat, reactivation takes one as arriving does; setting what is so already
    succeeds. Refuses: forbidden, not_found, precondition_failed, already_exists,
    primary_owner_required, and the refusals of a seat. Source: A1, A8, A41, A77, S-6.
    """
    email = None if command.email is None else address_of(command.email, "/email")
    async with ctx.transaction() as db:
        room = await lock_room(ctx, db, command.member)
        row = await lock_member(ctx, db, command.member)
        role = Role(row["role"])
        allow(decide_manage(acting_role(ctx), role) if not is_self(ctx, command.member) else None)
        wanted = {
            "name": command.name,
            "email": email,
            "standing": command.standing,
            "may_bill": command.may_bill,
        }
        fields = {k: v for k, v in wanted.items() if v is not None and v != row[k]}
        if "may_bill" in fields:
            allow(decide_billing_right(acting_role(ctx)))
        if fields.get("standing") == "suspended":
            allow(decide_suspension(role, themselves=is_self(ctx, command.member)))
        if email is not None and "email" in fields:
            await check_address(ctx, db, email)
        if fields:
            await _change(ctx, db, room, (row, fields))
        return await view(ctx, db, command.member)


async def remove(ctx: Context, command: RemoveMember) -> Member:
    """Remove a member; their seat goes to whoever waits longest, the bill stays as it is.

    Refuses: forbidden, not_found, precondition_failed, primary_owner_required.
    Source: A3, A7, A8, A33, A62, C59, C61, T16, T17, S-6.
    """
    themselves = is_self(ctx, command.member)
    async with ctx.transaction() as db:
        await departures.lock_own(ctx, db, command.member)
        room = await lock_room(ctx, db, command.member)
        row = await lock_member(ctx, db, command.member)
        role = Role(row["role"])
        if ctx.actor is not None and not themselves:
            needed = Permission.MEMBERS_MANAGE
            allow(decide_permission(ctx.actor.role, needed, may_bill=ctx.actor.may_bill))
            allow(decide_manage(ctx.actor.role, role))
        allow(
            decide_removal(
                role,
                themselves=themselves,
                paid_by_members=room.plan is not None and room.plan.is_per_member,
                provisioned=Source(row["source"]).is_provisioned,
            )
        )
        await vacate(ctx, db, command.member, REMOVED)
        await db.run(
            MEMBERS.remove,
            organization_id=ctx.organization_id,
            member_id=command.member,
            now=ctx.now,
            actor=ctx.actor_text,
            request_id=ctx.request_id,
        )
        await departures.detach(ctx, db, command.member)
        if room.anyone_waits:
            await serve_waiting(ctx, db)
        return await view(ctx, db, command.member)


def _check_same(command: AddMember, email: str, known: Row) -> None:
    """The same thing twice succeeds; who signs in again is simply there. Source: design §5."""
    if command.arrival_source is not Source.API:
        return
    asked = {"email": email, "name": command.name, "role": command.role}
    differing = [field for field, value in asked.items() if value != known[field]]
    if differing:
        raise already(member=MemberId.text(known["member_id"]), differs=differing)


async def _check_entry(ctx: Context, db: Db, room: Room, role: Role) -> None:
    allow_admin(ctx, room.plan, role)
    per_member = room.plan is not None and room.plan.is_per_member
    if role is not Role.PRIMARY_OWNER and not per_member:
        return
    who = await household(ctx, db, room.plan)
    if role is Role.PRIMARY_OWNER:
        allow(decide_first_owner(acting_role(ctx), who))
    if per_member:
        allow(decide_workspace([role], who))


async def _use_invitation(
    ctx: Context, db: Db, room: Room, entry: tuple[AddMember, str, UUID]
) -> bool:
    """Uses up the invitation that waits for a newcomer; whether its seat is theirs now.

    One person is counted once, whichever way they come. Source: S-11.
    """
    command, email, member_id = entry
    row = await db.row(INVITATIONS.lock_email, organization_id=ctx.organization_id, email=email)
    if row is None:
        return False
    pool = room.pool(row["pool_id"])
    wanted = command.seat != "none" and command.seat_type in {None, pool and pool.seat_type}
    takes = pool is not None and pool.state == "open" and wanted
    await db.run(
        INVITATIONS.accept,
        organization_id=ctx.organization_id,
        invitation_id=row["invitation_id"],
        member_id=member_id,
        takes_seat=takes,
        assignment_id=ctx.new_id(),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    return takes


async def _arrive(ctx: Context, db: Db, room: Room, entry: tuple[AddMember, UUID]) -> None:
    command, member_id = entry
    said = command.seat is not None or command.seat_type is not None
    # The invitation that was used up may have left its seat.
    room = await look_again(ctx, db, room, member_id)
    arrival = Arrival(
        member_id,
        command.arrival_source,
        wanted=command.seat_type,
        asked=command.seat != "none" if said else None,
    )
    await settle(ctx, db, room, arrival)
    if room.anyone_waits:
        await serve_waiting(ctx, db)


async def _change(
    ctx: Context, db: Db, room: Room, what: tuple[Row, dict[str, str | bool]]
) -> None:
    row, fields = what
    member_id = row["member_id"]
    standing = fields.get("standing")
    if standing == "suspended":
        await vacate(ctx, db, member_id, "suspended")
    values = {name: row[name] for name in ("email", "name", "may_bill", "standing")}
    await db.run(
        MEMBERS.change,
        organization_id=ctx.organization_id,
        member_id=member_id,
        **{**values, **fields},
    )
    others = sorted(field for field in fields if field != "standing")
    if others:
        facts = {"fields": others, "may_bill": fields.get("may_bill")}
        await tell(ctx, db, "member.changed", member_id, facts)
    if standing == "suspended":
        await tell(ctx, db, "member.suspended", member_id, {})
        if room.anyone_waits:
            await serve_waiting(ctx, db)
    elif standing == "active":
        await tell(ctx, db, "member.reactivated", member_id, {})
        await _return(ctx, db, room, row)


async def _return(ctx: Context, db: Db, room: Room, row: Row) -> None:
    """Takes the seat that the suspension took; without one, comes in as one of that source."""
    key = {"organization_id": ctx.organization_id, "member_id": row["member_id"]}
    last = await db.row(MEMBERS.last_seat, **key)
    seat_type = last["seat_type"] if last and last["ended_rule"] == "suspended" else None
    owned = {pool.seat_type for pool in room.shared if pool.purchased > 0}
    wanted = seat_type if seat_type in owned else None
    arrival = Arrival(
        row["member_id"], Source(row["source"]), wanted, asked=True if seat_type else None
    )
    await settle(ctx, db, room, arrival)
