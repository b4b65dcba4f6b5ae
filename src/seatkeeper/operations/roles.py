"""Roles: what a member is within the organization, and who its primary owner is."""

from __future__ import annotations

from uuid import UUID

from seatkeeper.domain import addresses
from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.members import Role, decide_role, decide_transfer
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.people import Member, acting_role, allow, allow_admin, lock_member, view
from seatkeeper.operations.standing import plan_in_force
from seatkeeper.operations.words import Command, Email
from seatkeeper.store.database import Db
from seatkeeper.store.members import MEMBERS

ACTIVE = "active"


class ChangeRole(Command):
    """Give a member another role; the primary owner's is transferred instead."""

    organization: OrganizationId
    member: MemberId
    role: Role


class TransferPrimaryOwner(Command):
    """Make another member the primary owner; confirmed by typing that member's address."""

    organization: OrganizationId
    member: MemberId
    confirm_email: Email


async def change(ctx: Context, command: ChangeRole) -> Member:
    """Give a member another role; the same role twice succeeds.

    Refuses: forbidden, contract_managed, not_found, precondition_failed, primary_owner_required,
    state_conflict. Source: A3, A6, T6, T35.
    """
    async with ctx.transaction() as db:
        await db.one(ORGANIZATIONS.lock, organization_id=ctx.organization_id)
        plan = await plan_in_force(ctx, db)
        row = await lock_member(ctx, db, command.member)
        now = Role(row["role"])
        paid_by_members = plan is not None and plan.is_per_member
        allow(decide_role(acting_role(ctx), now, command.role, paid_by_members=paid_by_members))
        allow_admin(ctx, plan, command.role, now)
        if now is not command.role:
            await _set(ctx, db, (command.member, now, command.role), forced=None)
        return await view(ctx, db, command.member)


async def transfer(ctx: Context, command: TransferPrimaryOwner) -> Member:
    """Make another member the primary owner; the one before becomes an owner.

    Where members pay for themselves the one before becomes a member. The vendor may do it without
    the present one, which the event says. Twice succeeds. Refuses: forbidden, contract_managed,
    invalid_request, not_found. Source: A5, A6, A8, T16, T35.
    """
    async with ctx.transaction() as db:
        await db.one(ORGANIZATIONS.lock, organization_id=ctx.organization_id)
        plan = await plan_in_force(ctx, db)
        rows = await db.rows(
            MEMBERS.lock_owners, organization_id=ctx.organization_id, member_id=command.member
        )
        by_id = {row["member_id"]: row for row in rows}
        target = by_id.pop(command.member, None)
        confirmed = (
            target is not None and addresses.normalized(command.confirm_email) == target["email"]
        )
        allow(decide_transfer(acting_role(ctx), confirmed=confirmed or target is None))
        if target is None or target["standing"] != ACTIVE:
            raise not_found()
        if target["role"] == Role.PRIMARY_OWNER:
            return await view(ctx, db, command.member, existed=True)
        # Who passes the role on stays an owner, so it would make one more admin of a mere member.
        allow_admin(ctx, plan, Role.ADMIN, Role(target["role"]))
        before = Role.MEMBER if plan is not None and plan.is_per_member else Role.OWNER
        forced = None if ctx.actor is not None else True
        for member_id in by_id:
            await _set(ctx, db, (member_id, Role.PRIMARY_OWNER, before), forced=forced)
        change_of_target = (command.member, Role(target["role"]), Role.PRIMARY_OWNER)
        await _set(ctx, db, change_of_target, forced=forced)
        return await view(ctx, db, command.member)


async def _set(ctx: Context, db: Db, what: tuple[UUID, Role, Role], *, forced: bool | None) -> None:
    member_id, before, role = what
    await db.run(
        MEMBERS.set_role,
        organization_id=ctx.organization_id,
        member_id=member_id,
        before=before,
        role=role,
        forced=forced,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
