"""Workspaces whose members pay for themselves: who may sign up, who may join, on which plan."""

from dataclasses import replace

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.policies import Payer
from seatkeeper.domain.refusals import Code, Refusal
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.workspace import (
    Joining,
    Workspace,
    decide_for_organization,
    decide_join,
    decide_own,
    decide_sign_up,
)
from tests.domain.facts import begun, with_policies
from tests.domain.shipped import WORKSPACE

STARTER, PRO, BUSINESS = WORKSPACE["starter"], WORKSPACE["pro"], WORKSPACE["business"]
ADA, BOB = MemberId(int=1), MemberId(int=2)


def subscription_on(plan):
    return begun(plan, 1).subscription


@pytest.mark.parametrize(
    ("actor", "allowed"),
    [
        (None, True),  # the vendor, on the member's behalf
        (ADA, True),
        (BOB, False),
    ],
)
def test_t8_t18_only_the_payer_and_the_vendor_see_what_a_member_pays(actor, allowed):
    refusal = decide_own(actor, ADA)
    assert (refusal is None) is allowed
    assert refusal is None or refusal.code is Code.FORBIDDEN


@pytest.mark.parametrize(
    ("plan", "workspace", "code"),
    [
        (PRO, Workspace(), None),  # the first one makes the tier
        (PRO, Workspace(PRO, people=30), None),
        (STARTER, Workspace(), None),
        # T13: everyone on one plan; the tier is said before the limit.
        (STARTER, Workspace(PRO), "plan_tier_mismatch"),
        (STARTER, Workspace(PRO, people=4), "plan_tier_mismatch"),
        (PRO, Workspace(STARTER), "plan_tier_mismatch"),
        # T1: one person alone.
        (STARTER, Workspace(people=2), "over_plan_limit"),
        # T8: seats that the organization pays are not signed up for.
        (BUSINESS, Workspace(), "state_conflict"),
        (PRO, Workspace(own=True), "state_conflict"),
    ],
)
def test_t1_t8_t12_t13_who_can_sign_up_to_what(plan, workspace, code):
    refusal = decide_sign_up(plan, workspace)
    assert (refusal and refusal.code) == code


def test_t13_a_mismatch_names_the_plan_and_both_ways_out():
    refusal = decide_sign_up(STARTER, Workspace(PRO))
    assert refusal is not None
    assert refusal.facts == {"plan": "pro"}
    ways = [(remedy.way, remedy.facts) for remedy in refusal.ways_out]
    assert ways == [("choose_plan", {"plan": "pro"}), ("contact_account_manager", {})]


def test_t1_too_many_people_are_counted():
    refusal = decide_sign_up(STARTER, Workspace(people=3))
    assert refusal is not None
    assert refusal.facts == {"limit": 1, "count": 3}
    assert [remedy.facts for remedy in refusal.remedies] == [{"min_seats": 3}, {"quantity": 2}]


def test_t13_plans_that_may_be_mixed_are_mixed():
    loose_starter = with_policies(STARTER, one_plan_per_workspace=False)
    loose_pro = with_policies(PRO, one_plan_per_workspace=False)
    assert decide_sign_up(loose_starter, Workspace(loose_pro)) is None
    assert decide_join(loose_pro, subscription_on(loose_starter)) is Joining.PAY


@pytest.mark.parametrize(
    ("plan", "status", "outcome"),
    [
        (PRO, Status.ACTIVE, "attach"),
        (PRO, Status.CANCELING, "attach"),  # and still ends when it was to end
        (PRO, Status.PAST_DUE, "past_due"),
        (PRO, Status.INCOMPLETE, "request_in_progress"),
        (STARTER, Status.ACTIVE, "plan_tier_mismatch"),  # T12: upgrade first
    ],
)
def test_t11_t12_what_someone_pays_elsewhere_comes_along_on_the_same_plan(plan, status, outcome):
    decided = decide_join(PRO, replace(subscription_on(plan), status=status))
    assert (decided.code if isinstance(decided, Refusal) else decided) == outcome


def test_t7_who_pays_nowhere_pays_here():
    assert decide_join(PRO, None) is Joining.PAY


def test_t8_an_organization_does_not_subscribe_to_what_members_pay():
    refusal = decide_for_organization(PRO)
    assert refusal is not None
    assert refusal.code is Code.STATE_CONFLICT
    assert decide_for_organization(BUSINESS) is None
    assert decide_for_organization(with_policies(PRO, payer=Payer.ORGANIZATION)) is None
