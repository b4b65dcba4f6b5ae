"""Members: roles, what each may do, and the states a member goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.policies import Admins, Payer, Policies, PoolFull, SeatUse, TypeChoice
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse


class Role(StrEnum):
    """What a member is within the organization, from the highest down. Source: A1-A6."""

    PRIMARY_OWNER = "primary_owner"
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Permission(StrEnum):
    """What a role may do. Source: design §5 "Who acts"."""

    SEATS_PURCHASE = "seats.purchase"
    SEATS_ASSIGN = "seats.assign"
    MEMBERS_MANAGE = "members.manage"
    BILLING_READ = "billing.read"
    BILLING_MANAGE = "billing.manage"
    SETTINGS_MANAGE = "settings.manage"


BILLING_PERMISSIONS: Final = frozenset(
    {Permission.SEATS_PURCHASE, Permission.BILLING_READ, Permission.BILLING_MANAGE}
)
_OWNER: Final = frozenset(Permission)
_ADMIN: Final = frozenset({Permission.SEATS_ASSIGN, Permission.MEMBERS_MANAGE})
PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.PRIMARY_OWNER: _OWNER,
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.MEMBER: frozenset(),
}


class MemberState(StrEnum):
    """Where a member stands; seats are derived from assignments, never stored twice."""

    AWAITING_SEAT = "awaiting_seat"
    SEATED = "seated"
    UNSEATED = "unseated"
    SUSPENDED = "suspended"
    REMOVED = "removed"


TRANSITIONS: Final[Mapping[MemberState, frozenset[MemberState]]] = {
    MemberState.AWAITING_SEAT: frozenset(
        {MemberState.SEATED, MemberState.UNSEATED, MemberState.SUSPENDED, MemberState.REMOVED}
    ),
    MemberState.SEATED: frozenset(
        {MemberState.UNSEATED, MemberState.SUSPENDED, MemberState.REMOVED}
    ),
    MemberState.UNSEATED: frozenset(
        {
            MemberState.SEATED,
            MemberState.AWAITING_SEAT,
            MemberState.SUSPENDED,
            MemberState.REMOVED,
        }
    ),
    MemberState.SUSPENDED: frozenset(
        {
            MemberState.SEATED,
            MemberState.AWAITING_SEAT,
            MemberState.UNSEATED,
            MemberState.REMOVED,
        }
    ),
    MemberState.REMOVED: frozenset(
        {MemberState.SEATED, MemberState.AWAITING_SEAT, MemberState.UNSEATED}
    ),
}


def member_state(standing: str, *, seated: bool, waiting: bool) -> MemberState:
    """The state which a member's standing, seat and place in the queue amount to."""
    if standing != "active":
        return MemberState(standing)
    if seated:
        return MemberState.SEATED
    return MemberState.AWAITING_SEAT if waiting else MemberState.UNSEATED


def permissions_of(role: Role, *, may_bill: bool) -> frozenset[Permission]:
    """What a member may do; a custom billing permission adds to the role. Source: A1."""
    return PERMISSIONS[role] | (BILLING_PERMISSIONS if may_bill else frozenset())


def decide_permission(role: Role, needed: Permission, *, may_bill: bool) -> Refusal | None:
    """Whether a member may do what needs that permission; None means yes.

    Refuses: billing_permission_required (A4, C17), forbidden.
    """
    if needed in permissions_of(role, may_bill=may_bill):
        return None
    if needed in BILLING_PERMISSIONS:
        return refuse(Code.BILLING_PERMISSION_REQUIRED, permission=needed)
    return refuse(Code.FORBIDDEN, permission=needed)


def decide_manage(actor: Role | None, target: Role) -> Refusal | None:
    """Whether the actor may invite, remove or change someone of the target role; None means yes.

    Only owners handle owners and admins; an actor of None is the vendor. Refuses: forbidden.
    Source: A3, A6.
    """
    if actor is None or actor in (Role.PRIMARY_OWNER, Role.OWNER):
        return None
    if actor is Role.ADMIN and target is Role.MEMBER:
        return None
    return refuse(Code.FORBIDDEN, role=target)


def decide_removal(
    target: Role, *, themselves: bool, paid_by_members: bool, provisioned: bool = False
) -> Refusal | None:
    """Whether a member of that role can leave or be removed; None means yes.

    Refuses: primary_owner_required (A8, the only admin of a paid workspace may go: T16),
    forbidden when an owner removes themselves (A7), or who came in through the directory (C59).
    """
    if target is Role.PRIMARY_OWNER and not paid_by_members:
        return refuse(Code.PRIMARY_OWNER_REQUIRED)
    if themselves and (target is Role.OWNER or provisioned):
        return refuse(Code.FORBIDDEN, role=target)
    return None


def decide_suspension(target: Role, *, themselves: bool) -> Refusal | None:
    """Whether a member of that role can be suspended; None means yes.

    Refuses: primary_owner_required (A8), forbidden for oneself (A7).
    """
    if target is Role.PRIMARY_OWNER:
        return refuse(Code.PRIMARY_OWNER_REQUIRED)
    return refuse(Code.FORBIDDEN, role=target) if themselves else None


def decide_billing_right(actor: Role | None) -> Refusal | None:
    """Whether the actor may give or take the custom billing permission; None means yes.

    Refuses: forbidden. Source: A1, A3.
    """
    if actor in (None, Role.PRIMARY_OWNER, Role.OWNER):
        return None
    return refuse(Code.FORBIDDEN, permission=Permission.BILLING_MANAGE)


def decide_role(
    actor: Role | None, now: Role, wanted: Role, *, paid_by_members: bool
) -> Refusal | None:
    """Whether the actor may turn that role into the wanted one; None means yes.

    Refuses: forbidden, primary_owner_required for the primary owner's own role, state_conflict
    where the role can only be transferred or the workspace has one admin. Source: A3, A6, T6.
    """
    if actor not in (None, Role.PRIMARY_OWNER, Role.OWNER):
        return refuse(Code.FORBIDDEN, role=wanted)
    if now is wanted:
        return None
    if now is Role.PRIMARY_OWNER:
        return refuse(Code.PRIMARY_OWNER_REQUIRED)
    if wanted is Role.PRIMARY_OWNER:
        return refuse(
            Code.STATE_CONFLICT,
            Remedy(Way.TRANSFER_PRIMARY_OWNER),
            detail="There is one primary owner; the role can only be transferred.",
        )
    return decide_one_admin(wanted) if paid_by_members else None


def decide_admin(
    plan: Plan | None, *, before: Role | None, wanted: Role, by_account_manager: bool
) -> Refusal | None:
    """Whether someone can be raised to that role under the plan; None means yes.

    `before` is what they are now, None for who is not in yet. Owners may always lower a role, so
    that nobody has to wait for the vendor to lose an admin; the primary owner comes with the
    organization or by transfer. Refuses: contract_managed. Source: T35.
    """
    if plan is None or plan.policies.admins is Admins.OWNERS or by_account_manager:
        return None
    order = tuple(Role)
    raised = order.index(wanted) < order.index(before or Role.MEMBER)
    if wanted is Role.PRIMARY_OWNER or not raised:
        return None
    contact = {} if plan.contact is None else {"contact": plan.contact}
    return refuse(Code.CONTRACT_MANAGED, Remedy(Way.CONTACT_ACCOUNT_MANAGER, contact), role=wanted)


def decide_one_admin(role: Role) -> Refusal | None:
    """Whether a workspace whose members pay for themselves knows that role; None means yes.

    Its one admin is the primary owner. Refuses: state_conflict. Source: T6.
    """
    if role in (Role.MEMBER, Role.PRIMARY_OWNER):
        return None
    return refuse(
        Code.STATE_CONFLICT,
        Remedy(Way.TRANSFER_PRIMARY_OWNER),
        detail="This workspace has one admin; the role can only be transferred.",
    )


def decide_transfer(actor: Role | None, *, confirmed: bool) -> Refusal | None:
    """Whether the actor may pass on the primary owner's role; None means yes.

    Only who has it, after typing the other's address; the vendor may force it. Refuses: forbidden,
    invalid_request. Source: A6, A8, T16.
    """
    if actor not in (None, Role.PRIMARY_OWNER):
        return refuse(Code.FORBIDDEN, role=Role.PRIMARY_OWNER)
    if not confirmed:
        return refuse(
            Code.INVALID_REQUEST, detail="Confirm with the e-mail address of that member."
        )
    return None


class Source(StrEnum):
    """How a member came in."""

    CREATION = "creation"  # with the organization, as its first owner
    API = "api"
    JIT = "jit"  # at the first sign-in through the organization's identity provider
    SCIM = "scim"
    LINK = "link"  # by an invite link, or by discovering the organization
    INVITATION = "invitation"

    @property
    def is_provisioned(self) -> bool:
        """Whether a directory brings and takes this member. Source: C59."""
        return self in (Source.JIT, Source.SCIM)


@dataclass(frozen=True, slots=True)
class Seating:
    """How someone who comes in gets a seat: which type, and what happens when none is free."""

    choice: TypeChoice
    full: PoolFull


def decide_seating(
    policies: Policies, source: Source, *, asked: bool | None
) -> Seating | Refusal | None:
    """How a member who comes in that way gets a seat; None when they get none now.

    `asked` says whether a seat was asked for, or refused, or nothing was said. Where members pay
    for themselves the seat comes with the payment. Refuses: state_conflict where every member has
    a seat. Source: A38, A57, A65, C31, C58, T8.
    """
    if policies.payer is Payer.MEMBER:
        return None
    if asked is False:
        return _every_member() if policies.seat_use is SeatUse.EVERY_MEMBER else None
    match source:
        case Source.JIT | Source.SCIM:
            return Seating(policies.type_provisioned, policies.full_provisioned)
        case Source.LINK:
            return Seating(policies.type_self_joined, policies.full_self_joined)
        case Source.INVITATION:
            return Seating(policies.type_self_joined, PoolFull.REFUSE)
        case Source.API | Source.CREATION:
            if policies.seat_use is SeatUse.EVERY_MEMBER or asked:
                return Seating(policies.type_provisioned, PoolFull.REFUSE)
            return None
        case _:
            assert_never(source)


def _every_member() -> Refusal:
    return refuse(Code.STATE_CONFLICT, detail="On this plan every member has a seat.")
