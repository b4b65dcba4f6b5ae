"""Choices: which plans an organization may change to or begin with, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.policies import Capacity, SeatUse, Who
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse


@dataclass(frozen=True, slots=True)
class Chooser:
    """What of an organization decides about its choice of a plan.

    `held` is the plan it is on; `workspace_plan` the key of the plan which all its paying members
    share, where they do; `occupied` counts seats assigned and held; `membership_limit` is its own
    (0: none, None: the catalog's); `min_seats` is what the choice must have room for.
    """

    catalog: str
    currency: str
    members: int = 0
    pending: int = 0
    occupied: int = 0
    held: Plan | None = None
    workspace_plan: str | None = None
    membership_limit: int | None = None
    min_seats: int = 0
    by_account_manager: bool = False


def limit_for(plan: Plan, membership_limit: int | None) -> int | None:
    """The most seats an organization can have on the plan; None means no limit.

    Only a plan that is not based on seats heeds the organization's own limit. Source: C10, C11.
    """
    if plan.capacity is Capacity.MEMBERSHIP_LIMIT and membership_limit is not None:
        return membership_limit or None
    return plan.limit


def is_visible(plan: Plan, held: Plan | None) -> bool:
    """Whether an organization is shown the plan; what it has, it always sees. Source: A13, C8."""
    return _is_held(plan, held) or not (plan.closed or plan.hidden)


def decide_choose(plan: Plan, chooser: Chooser) -> Refusal | None:
    """Whether an organization can be on the plan; None means yes.

    A hidden plan can be chosen by whoever knows its key. Refuses: not_found (another catalog's, or
    closed and not held), contract_managed, currency_mismatch, plan_tier_mismatch, over_plan_limit.
    Source: A13, A14, C8, C16, C27, C48, C49, T12.
    """
    if plan.catalog != chooser.catalog or (plan.closed and not _is_held(plan, chooser.held)):
        return refuse(Code.NOT_FOUND)
    if not chooser.by_account_manager and (by_contract := _by_contract(plan, chooser.held)):
        contact = by_contract.contact
        facts = {} if contact is None else {"contact": contact}
        return Refusal(Code.CONTRACT_MANAGED, facts, (Remedy(Way.CONTACT_ACCOUNT_MANAGER, facts),))
    if plan.prices and plan.price_in(chooser.currency) is None:
        return refuse(Code.CURRENCY_MISMATCH, currency=chooser.currency)
    shared = chooser.workspace_plan
    if plan.policies.one_plan_per_workspace and shared not in (None, plan.key):
        return refuse(Code.PLAN_TIER_MISMATCH, plan=shared)
    return _decide_room(plan, chooser)


def _is_held(plan: Plan, held: Plan | None) -> bool:
    return held is not None and held.key == plan.key


def _by_contract(plan: Plan, held: Plan | None) -> Plan | None:
    """The plan because of which only the account manager can make this change, if one is."""
    for either in (plan, held):
        if either is not None and either.policies.change_plan_who is Who.ACCOUNT_MANAGER:
            return either
    return None


def _decide_room(plan: Plan, chooser: Chooser) -> Refusal | None:
    limit = limit_for(plan, chooser.membership_limit)
    # Where members need no seat, only those who have one must fit.
    everyone = plan.policies.seat_use is SeatUse.EVERY_MEMBER
    count = chooser.members + chooser.pending if everyone else chooser.occupied
    wanted = max(count, chooser.min_seats)
    if limit is None or wanted <= limit:
        return None
    facts = {"limit": limit, "count": count, "needed": wanted - limit}
    if count <= limit:
        other = Remedy(Way.CHOOSE_PLAN, {"min_seats": wanted})
        return Refusal(Code.OVER_PLAN_LIMIT, facts, (other,))
    ways = [Remedy(Way.REMOVE_MEMBERS if everyone else Way.FREE_SEAT, {"needed": count - limit})]
    if chooser.pending:
        ways.append(Remedy(Way.REVOKE_INVITATION, {"held": chooser.pending}))
    sentence = _MEMBERS if everyone else _SEATS
    return Refusal(Code.OVER_PLAN_LIMIT, facts, tuple(ways), sentence.format_map(facts))


_MEMBERS: Final = (
    "Your organization has {count} members (including pending invitations)."
    " This plan only allows {limit} members."
)
_SEATS: Final = "Your organization uses {count} seats. This plan only allows {limit} seats."
