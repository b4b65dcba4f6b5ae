"""Which plans an organization may choose, and the refusal that says why not."""

from dataclasses import replace

import pytest

from seatkeeper.domain.catalog_format import plan_from, plans_from
from seatkeeper.domain.choices import Chooser, decide_choose, is_visible, limit_for
from seatkeeper.domain.refusals import Way
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, WORKSPACE
from tests.domain.small_catalog import SMALL

SHOP = {key: plan_from(plan, catalog="shop", version=1) for key, plan in plans_from(SMALL).items()}
FREE, PRO, OLD = SHOP["free"], SHOP["pro"], SHOP["old"]
EVERYONE = replace(PRO, policies=ORGANIZATION[next(iter(ORGANIZATION))].policies)
SHOPPER = Chooser("shop", "EUR")


def code_of(plan, **facts):
    refusal = decide_choose(plan, replace(SHOPPER, **facts))
    return None if refusal is None else str(refusal.code)


@pytest.mark.parametrize(
    ("plan", "facts", "code"),
    [
        (PRO, {}, None),
        (PRO, {"catalog": "other"}, "not_found"),
        (OLD, {}, "not_found"),  # A14: closed to new organizations,
        (OLD, {"held": OLD}, None),  # A13: open to those that have it.
        (OLD, {"held": PRO}, "not_found"),
        (replace(PRO, hidden=True), {}, None),  # C8: kept out of the list, not out of reach.
        (PRO, {"currency": "JPY"}, "currency_mismatch"),
        (FREE, {"currency": "JPY"}, None),  # What costs nothing costs nothing in any currency.
        # Precedence: another catalog's plan is not found, whatever else is wrong with it.
        (PRO, {"catalog": "other", "currency": "JPY", "occupied": 51}, "not_found"),
        (PRO, {"currency": "JPY", "occupied": 51}, "currency_mismatch"),
    ],
)
def test_a13_a14_c8_who_may_choose_what(plan, facts, code):
    assert code_of(plan, **facts) == code


@pytest.mark.parametrize(
    ("plan", "facts", "code"),
    [
        # C16: members and pending invitations count, where every member has a seat; limit 50.
        (EVERYONE, {"members": 50}, None),
        (EVERYONE, {"members": 49, "pending": 1}, None),
        (EVERYONE, {"members": 50, "pending": 1}, "over_plan_limit"),
        (EVERYONE, {"members": 51}, "over_plan_limit"),
        (EVERYONE, {"members": 1, "min_seats": 50}, None),
        (EVERYONE, {"members": 1, "min_seats": 51}, "over_plan_limit"),
        # Where members can be without a seat, only seats that are taken must fit.
        (PRO, {"members": 900, "occupied": 50}, None),
        (PRO, {"members": 900, "occupied": 51}, "over_plan_limit"),
        # C10, C49: a plan that is not based on seats has the catalog's limit (5) or the own one.
        (FREE, {"occupied": 5}, None),
        (FREE, {"occupied": 6}, "over_plan_limit"),
        (FREE, {"occupied": 6, "membership_limit": 6}, None),
        (FREE, {"occupied": 4, "membership_limit": 3}, "over_plan_limit"),
        (FREE, {"occupied": 9999, "membership_limit": 0}, None),
        # C11: on a plan that is based on seats the own limit means nothing.
        (PRO, {"occupied": 51, "membership_limit": 0}, "over_plan_limit"),
        (PRO, {"occupied": 40, "membership_limit": 3}, None),
        (replace(PRO, limit=None), {"occupied": 5000}, None),
    ],
)
def test_c16_c48_c49_who_is_in_must_fit(plan, facts, code):
    assert code_of(plan, **facts) == code


def test_c16_the_sentence_counts_invitations_too():
    refusal = decide_choose(EVERYONE, replace(SHOPPER, members=48, pending=4))
    assert refusal is not None
    assert refusal.sentence == (
        "Your organization has 52 members (including pending invitations)."
        " This plan only allows 50 members."
    )
    assert refusal.facts == {"limit": 50, "count": 52, "needed": 2}
    ways = [(remedy.way, dict(remedy.facts)) for remedy in refusal.remedies]
    assert ways == [(Way.REMOVE_MEMBERS, {"needed": 2}), (Way.REVOKE_INVITATION, {"held": 4})]


def test_a_plan_with_seats_to_assign_asks_to_free_some():
    refusal = decide_choose(PRO, replace(SHOPPER, occupied=53))
    assert refusal is not None
    assert refusal.sentence == "Your organization uses 53 seats. This plan only allows 50 seats."
    assert [remedy.way for remedy in refusal.remedies] == [Way.FREE_SEAT]


def test_c27_a_plan_that_is_only_too_small_for_what_is_wanted_points_to_others():
    refusal = decide_choose(EVERYONE, replace(SHOPPER, members=2, min_seats=60))
    assert refusal is not None
    assert [(r.way, dict(r.facts)) for r in refusal.remedies] == [
        (Way.CHOOSE_PLAN, {"min_seats": 60})
    ]
    assert refusal.facts == {"limit": 50, "count": 2, "needed": 10}


BUSINESS, MEMBER_PRO, STARTER = WORKSPACE["business"], WORKSPACE["pro"], WORKSPACE["starter"]
VISITOR = Chooser("workspace", "USD")


@pytest.mark.parametrize(
    ("plan", "facts", "code"),
    [
        (BUSINESS, {}, "contract_managed"),
        (BUSINESS, {"by_account_manager": True}, None),
        # Leaving a contract takes the account manager as well.
        (MEMBER_PRO, {"held": BUSINESS}, "contract_managed"),
        (MEMBER_PRO, {"held": BUSINESS, "by_account_manager": True}, None),
        # T12: everyone in a workspace is on the same plan.
        (MEMBER_PRO, {"workspace_plan": "pro"}, None),
        (STARTER, {"workspace_plan": "pro"}, "plan_tier_mismatch"),
        (STARTER, {"workspace_plan": "pro", "members": 3}, "plan_tier_mismatch"),
        (STARTER, {"members": 2}, "over_plan_limit"),
    ],
)
def test_t12_t32_contracts_and_workspaces(plan, facts, code):
    refusal = decide_choose(plan, replace(VISITOR, **facts))
    assert (None if refusal is None else str(refusal.code)) == code


def test_t32_a_contract_names_whom_to_ask_where_the_plan_does():
    told = decide_choose(BUSINESS, VISITOR)
    untold = decide_choose(replace(BUSINESS, contact=None), VISITOR)
    assert told is not None
    assert untold is not None
    assert told.facts == {"contact": "Your account manager"}
    assert untold.facts == {}
    assert untold.remedies[0].way is Way.CONTACT_ACCOUNT_MANAGER


@pytest.mark.parametrize(
    ("plan", "held", "seen"),
    [
        (PRO, None, True),
        (OLD, None, False),
        (OLD, OLD, True),
        (OLD, replace(OLD, version=2), True),  # Any version of it.
        (OLD, PRO, False),
        (replace(PRO, hidden=True), None, False),
        (replace(PRO, hidden=True), PRO, True),
    ],
)
def test_a13_a_closed_or_hidden_plan_is_seen_by_those_who_have_it(plan, held, seen):
    assert is_visible(plan, held) is seen


def test_a13_the_legacy_pairs_are_sold_to_nobody_new():
    closed = [plan for plan in ENTERPRISE.values() if plan.closed]
    assert closed
    newcomer = Chooser("enterprise", "USD", by_account_manager=True)
    refusals = [decide_choose(plan, newcomer) for plan in closed]
    assert all(refusal is not None and refusal.code == "not_found" for refusal in refusals)
    assert all(decide_choose(p, replace(newcomer, held=p)) is None for p in closed)


@pytest.mark.parametrize(("own", "limit"), [(None, 5), (0, None), (1, 1), (700, 700)])
def test_c10_the_own_limit_wins_over_the_catalogs(own, limit):
    assert limit_for(FREE, own) == limit
