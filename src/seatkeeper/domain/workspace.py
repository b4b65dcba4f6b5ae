"""Workspaces whose members pay for themselves: who may sign up, who may join, and on which plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse
from seatkeeper.domain.subscriptions import Status, Subscription


@dataclass(frozen=True, slots=True)
class Workspace:
    """What of a workspace bears on one member's own subscription.

    `tier` is the plan of the others who pay there (None: nobody does); `people` are live members
    and pending invitations; `own` says that the organization pays for seats itself.
    """

    tier: Plan | None = None
    people: int = 1
    own: bool = False


class Joining(StrEnum):
    """How someone who answers an invitation gets their seat."""

    ATTACH = "attach"  # the subscription they have goes on here
    PAY = "pay"


def decide_own(actor: UUID | None, member: UUID) -> Refusal | None:
    """Whether the actor may see and change what that member pays; None means yes.

    Only the payer, or the vendor on their behalf (an actor of None). Refuses: forbidden.
    Source: T8, T18.
    """
    if actor in (None, member):
        return None
    return refuse(Code.FORBIDDEN, detail="Only who pays for a seat can do this.")


def decide_sign_up(plan: Plan, workspace: Workspace) -> Refusal | None:
    """Whether a member can pay for a seat of the plan there; None means yes.

    The first one makes the workspace's tier. Refuses: state_conflict (the organization pays),
    plan_tier_mismatch, over_plan_limit (one person alone: T1). Source: T1, T6, T8, T12, T13.
    """
    if not plan.is_per_member or workspace.own:
        return refuse(
            Code.STATE_CONFLICT,
            Remedy(Way.CHOOSE_PLAN),
            detail="The organization pays for its seats, not each member.",
        )
    tier = workspace.tier
    if tier is not None and tier.key != plan.key and _one_tier(plan, tier):
        return _mismatch(tier)
    if plan.limit is not None and workspace.people > plan.limit:
        return refuse(
            Code.OVER_PLAN_LIMIT,
            Remedy(Way.CHOOSE_PLAN, {"min_seats": workspace.people}),
            Remedy(Way.REMOVE_MEMBERS, {"quantity": workspace.people - plan.limit}),
            limit=plan.limit,
            count=workspace.people,
        )
    return None


def decide_join(tier: Plan, elsewhere: Subscription | None) -> Joining | Refusal:
    """How someone with (or without) a subscription of their own elsewhere joins that tier.

    On the same plan it goes on here without a second charge; on another one it must be changed
    first. Refuses: plan_tier_mismatch, past_due, request_in_progress. Source: T7, T11, T12, T13.
    """
    if elsewhere is None:
        return Joining.PAY
    if elsewhere.plan.key != tier.key and _one_tier(elsewhere.plan, tier):
        return _mismatch(tier)
    if elsewhere.plan.key != tier.key:
        return Joining.PAY
    match elsewhere.status:
        case Status.INCOMPLETE:
            return refuse(Code.REQUEST_IN_PROGRESS)
        case Status.PAST_DUE:
            return refuse(Code.PAST_DUE)
        case _:
            return Joining.ATTACH


def decide_for_organization(plan: Plan) -> Refusal | None:
    """Whether the organization itself can subscribe to the plan; None means yes.

    Refuses: state_conflict where each member pays for themselves. Source: T8.
    """
    if not plan.is_per_member:
        return None
    return refuse(
        Code.STATE_CONFLICT,
        Remedy(Way.CHOOSE_PLAN),
        detail="On this plan each member pays for themselves.",
    )


def _one_tier(plan: Plan, tier: Plan) -> bool:
    return plan.policies.one_plan_per_workspace or tier.policies.one_plan_per_workspace


def _mismatch(tier: Plan) -> Refusal:
    return refuse(
        Code.PLAN_TIER_MISMATCH,
        Remedy(Way.CHOOSE_PLAN, {"plan": tier.key}),
        Remedy(Way.CONTACT_ACCOUNT_MANAGER),
        plan=tier.key,
    )
