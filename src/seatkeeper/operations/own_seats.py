"""Seats that members pay themselves: come in with one, sit on it, leave it when it ends."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.invitations import InvitationState
from seatkeeper.domain.members import Role, Source
from seatkeeper.domain.policies import SeatUse
from seatkeeper.domain.refusals import Refused
from seatkeeper.domain.workspace import Workspace
from seatkeeper.operations.context import Context
from seatkeeper.operations.people import REMOVED, Newcomer, enter
from seatkeeper.operations.sitting import move_seat
from seatkeeper.operations.standing import current
from seatkeeper.store.database import Db, Row
from seatkeeper.store.invitations import INVITATIONS
from seatkeeper.store.members import MEMBERS
from seatkeeper.store.statements import Statements
from seatkeeper.store.workspace import WORKSPACE

RENEWALS: Final = Statements("renewals")


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who comes in when they have paid: the invitation they answer, and who they are."""

    invitation_id: UUID
    user_id: UUID
    email: str
    name: str
    role: Role


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """The member whose own subscription a change is about, and with what they pay."""

    member_id: UUID
    payment_method: str | None = None
    admission: Admission | None = None


async def payer_of(ctx: Context, db: Db, subscription_id: UUID) -> UUID | None:
    """The member who pays a subscription; None where it is the organization's own."""
    row = await db.one(
        WORKSPACE.payer, organization_id=ctx.organization_id, subscription_id=subscription_id
    )
    payer: UUID | None = row["payer_member_id"]
    return payer


async def admit(ctx: Context, db: Db, payer: Payer) -> bool:
    """Lets someone in whose invitation waits for their payment; whether they are in now.

    An invitation that was revoked meanwhile, or an address that someone else has now, keeps them
    out; what they paid for they keep elsewhere. Source: T7, T9, G11, M-18.
    """
    admission = payer.admission
    if admission is None:
        return True
    try:
        # A savepoint: who cannot come in must leave nothing behind.
        async with db.connection.transaction():
            return await enter_by(ctx, db, payer.member_id, admission)
    except Refused:
        return False


async def enter_by(ctx: Context, db: Db, member_id: UUID, admission: Admission) -> bool:
    """The invited person becomes a member and the invitation is used up; False when it is not open.

    Refuses: already_exists where another member has that address. Source: G11, S-10.
    """
    invitation = await db.row(
        INVITATIONS.lock,
        organization_id=ctx.organization_id,
        invitation_id=admission.invitation_id,
    )
    if invitation is None or invitation["state"] != InvitationState.PENDING:
        return False
    member = await lock_member(ctx, db, member_id)
    if member["standing"] == REMOVED:
        newcomer = Newcomer(
            admission.user_id, admission.email, admission.name, admission.role, Source.INVITATION
        )
        await enter(ctx, db, newcomer, member)
    await db.run(
        INVITATIONS.accept,
        organization_id=ctx.organization_id,
        invitation_id=admission.invitation_id,
        member_id=member_id,
        takes_seat=False,
        assignment_id=ctx.new_id(),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    return True


async def lock_member(ctx: Context, db: Db, member_id: UUID) -> Row:
    """A member of any standing, locked, with the user they are."""
    return await db.one(WORKSPACE.member, organization_id=ctx.organization_id, member_id=member_id)


async def lock_pools(ctx: Context, db: Db, member_id: UUID) -> list[Row]:
    """The pools which a member pays, locked."""
    return await db.rows(
        WORKSPACE.lock_pools, organization_id=ctx.organization_id, member_id=member_id
    )


async def give_pools(ctx: Context, db: Db, owner: tuple[UUID, UUID], plan: Plan) -> None:
    """One pool per seat type for a (subscription, member); those that are there go on."""
    subscription_id, member_id = owner
    types = list(plan.by_rank)
    await db.run(
        WORKSPACE.upsert_pools,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        member_id=member_id,
        pool_ids=[ctx.new_id() for _ in types],
        seat_types=[t.key for t in types],
        ranks=[t.rank for t in types],
        capacity=plan.capacity,
        every_member=plan.policies.seat_use is SeatUse.EVERY_MEMBER,
        now=ctx.now,
    )


async def sit(ctx: Context, db: Db, member_id: UUID) -> None:
    """Seats a paying member on the seat they own, unless they sit already. Source: T7, T8."""
    pools = await lock_pools(ctx, db, member_id)
    free = next((p for p in pools if p["purchased"] > p["assigned"] + p["held"]), None)
    member = await lock_member(ctx, db, member_id)
    seat = await db.row(MEMBERS.seat, organization_id=ctx.organization_id, member_id=member_id)
    if free is not None and seat is None and member["standing"] == "active":
        await move_seat(ctx, db, member_id, free["pool_id"], "signup")


async def leave(ctx: Context, db: Db, member_id: UUID, rule: str) -> None:
    """Takes a member off the seat they pay; one of the organization's own stays theirs.

    Source: T15, T17.
    """
    pools = {row["pool_id"] for row in await lock_pools(ctx, db, member_id)}
    seat = await db.row(MEMBERS.seat, organization_id=ctx.organization_id, member_id=member_id)
    if seat is not None and seat["pool_id"] in pools:
        await move_seat(ctx, db, member_id, None, rule)


async def workspace_of(
    ctx: Context, db: Db, member_id: UUID, *, invited: bool = False
) -> Workspace:
    """What of the workspace bears on that member; who is invited is counted as such."""
    row = await db.one(
        WORKSPACE.others, organization_id=ctx.organization_id, member_id=member_id, now=ctx.now
    )
    version = row["plan_version_id"]
    tier = None if version is None else await ctx.engine.plan(db, version)
    people = row["members"] + row["invited"] + (0 if invited else 1)
    own = await current(ctx, db)
    return Workspace(tier, people, own=own is not None and not own.plan.is_per_member)


async def lapse(ctx: Context, db: Db, owner: tuple[UUID, UUID], rule: str) -> None:
    """Ends what a (subscription, member) owns: what was scheduled, their seat, the pool's size.

    Nobody else is touched. Source: T15, T38.
    """
    subscription_id, member_id = owner
    key = {"organization_id": ctx.organization_id, "subscription_id": subscription_id}
    await db.run(RENEWALS.cancel_scheduled, **key, now=ctx.now)
    await leave(ctx, db, member_id, rule)
    pools = await lock_pools(ctx, db, member_id)
    await db.run(RENEWALS.lapse, **key, now=ctx.now, ids=[ctx.new_id() for _ in pools])
