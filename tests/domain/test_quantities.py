"""Quantities: how many seats of each type an organization starts a plan with."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from seatkeeper.domain.periods import Interval
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Code, Way
from seatkeeper.domain.subscriptions import TRANSITIONS, Status
from seatkeeper.domain.terms import Terms, decide_subscribe
from tests.domain.facts import code_of, day, refused, with_policies
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, SINGLE, WORKSPACE

TEAM = ENTERPRISE["team"]
FREE = replace(ORGANIZATION["free"], prices={})
ANY_PRICE = TEAM.prices["monthly"]


def choice(plan, **seats):
    return Choice(plan, plan.price_in("USD") or ANY_PRICE, seats)


def subscribing(plan, people, **seats):
    return decide_subscribe(choice(plan, **seats), people, "UTC", day(1, 1))


@pytest.mark.parametrize(
    ("key", "members", "invited", "seats", "due_now"),
    [
        ("base_and_seats", 3, 2, 5, 45_00),  # 20 + 5 x 5
        ("base_and_seats", 1, 0, 1, 25_00),
        ("five_included", 3, 0, 5, 25_00),  # C13: the included five
        ("five_included", 5, 2, 7, 45_00),  # 25 + 2 x 10
        ("first_five_flat", 7, 1, 8, 25_00),  # 10 + 3 x 5
        ("per_seat_limited", 10, 0, 10, 50_00),
        ("limit_only", 3, 0, 10, 30_00),  # C15: the plan's limit, no seat is bought
        ("unlimited", 40, 0, 1_000_000, 499_00),
    ],
)
def test_c12_c13_c15_the_first_seats_are_for_members_and_invitations(
    key, members, invited, seats, due_now
):
    terms = subscribing(ORGANIZATION[key], People(members, invited))
    assert isinstance(terms, Terms)
    assert (terms.quantities, terms.due_now) == ({"member": seats}, due_now)
    assert terms.status in TRANSITIONS[Status.INCOMPLETE]


@pytest.mark.parametrize(
    ("people", "seats", "code", "facts"),
    [
        (People(9, 1), {}, None, {}),
        (People(9, 2), {}, Code.OVER_PLAN_LIMIT, {"limit": 10, "count": 11}),  # C16: both count
        (People(3), {"member": 11}, Code.OVER_PLAN_LIMIT, {"limit": 10, "count": 11}),
        (People(3), {"member": 0}, Code.BELOW_MINIMUM_SEATS, {"minimum": 1}),
        (People(5, 1), {"member": 4}, Code.SEATS_IN_USE, {"needed": 2, "seat_type": "member"}),
        (People(3), {"chat": 5}, Code.INVALID_REQUEST, {}),
    ],
)
def test_c16_what_a_limited_plan_can_start_with(people, seats, code, facts):
    outcome = subscribing(ORGANIZATION["per_seat_limited"], people, **seats)
    assert code_of(outcome) is code
    if code is not None:
        assert refused(outcome)[1] == facts


def test_c16_c48_the_ways_out_of_too_many_people():
    limited = ORGANIZATION["per_seat_limited"]
    both = subscribing(limited, People(11, 2))
    assert refused(both)[2] == [Way.REMOVE_MEMBERS, Way.REVOKE_INVITATION, Way.CHOOSE_PLAN]
    assert both.ways_out[0].facts == {"quantity": 3}
    assert refused(subscribing(limited, People(11)))[2] == [Way.REMOVE_MEMBERS, Way.CHOOSE_PLAN]
    # Where only the number was too large, nobody has to go.
    assert refused(subscribing(limited, People(3), member=12))[2] == [Way.CHOOSE_PLAN]
    assert refused(subscribing(limited, People(10), member=12))[2] == [Way.CHOOSE_PLAN]


@pytest.mark.parametrize(
    ("own", "members", "code"),
    [
        (None, 5, None),  # C10: the default limit is 5
        (None, 6, Code.OVER_PLAN_LIMIT),  # C49
        (8, 8, None),  # one organization's own
        (8, 9, Code.OVER_PLAN_LIMIT),
        (0, 500, None),  # no limit
    ],
)
def test_c49_a_plan_not_based_on_seats_has_the_membership_limit(own, members, code):
    outcome = decide_subscribe(choice(FREE), People(members, 0, own), "UTC", day(1, 1))
    assert code_of(outcome) is code


def test_c11_where_no_seat_is_sold_none_can_be_asked_for():
    outcome = subscribing(ORGANIZATION["limit_only"], People(3), member=5)
    assert code_of(outcome) is Code.LIMIT_MANAGED_BY_PLAN


@pytest.mark.parametrize(
    ("seats", "code", "due_now"),
    [
        (20, None, 4_800_00),  # 20 x 240
        (50, None, 12_000_00),
        (19, Code.BELOW_MINIMUM_SEATS, 0),
        (-1, Code.QUANTITY_OUT_OF_RANGE, 0),
        (1_000_001, Code.QUANTITY_OUT_OF_RANGE, 0),
    ],
)
def test_a12_an_enterprise_plan_starts_with_twenty_seats(seats, code, due_now):
    outcome = subscribing(SINGLE, People(8), enterprise=seats)
    assert code_of(outcome) is code
    if isinstance(outcome, Terms):
        assert outcome.due_now == due_now


@pytest.mark.parametrize(("members", "seats"), [(8, 20), (26, 26)])
def test_a98_fewer_people_than_twenty_still_buy_twenty(members, seats):
    terms = subscribing(SINGLE, People(members))
    assert isinstance(terms, Terms)
    assert terms.quantities == {"enterprise": seats}


@pytest.mark.parametrize(
    ("seats", "quantities", "code"),
    [
        ({}, {"standard": 20, "premium": 0}, None),
        ({"premium": 5, "standard": 15}, {"standard": 15, "premium": 5}, None),
        ({"premium": 5, "standard": 14}, None, Code.BELOW_MINIMUM_SEATS),  # A16: the sum counts
        ({"premium": 25}, {"standard": 0, "premium": 25}, None),
        ({"premium": -5, "standard": 40}, None, Code.QUANTITY_OUT_OF_RANGE),
    ],
)
def test_a16_the_minimum_is_over_all_types(seats, quantities, code):
    outcome = subscribing(ENTERPRISE["standard_and_premium"], People(8), **seats)
    assert code_of(outcome) is code
    if isinstance(outcome, Terms):
        assert outcome.quantities == quantities


def test_included_seats_come_along_whatever_was_asked():
    terms = subscribing(ORGANIZATION["five_included"], People(2), member=3)
    assert isinstance(terms, Terms)
    assert (terms.quantities, terms.due_now) == ({"member": 5}, 25_00)


def test_where_every_member_sits_the_types_not_named_hold_the_rest():
    pair = replace(with_policies(TEAM, seat_use=ORGANIZATION["free"].policies.seat_use), minimum=1)
    terms = subscribing(pair, People(8, 2), premium=3)
    assert isinstance(terms, Terms)
    assert terms.quantities == {"standard": 7, "premium": 3}


def test_t10_a_pro_seat_is_one_persons_own_at_the_full_price():
    for chosen in (choice(WORKSPACE["pro"]), choice(WORKSPACE["pro"], member=1)):
        terms = decide_subscribe(chosen, People(3, 1), "UTC", day(3, 20))  # the others pay theirs
        assert isinstance(terms, Terms)
        assert (terms.quantities, terms.due_now) == ({"member": 1}, 99_00)
        assert terms.anchor == date(2026, 3, 20)
        assert terms.ends_at == datetime(2026, 4, 20, tzinfo=UTC)


def test_c15_the_plans_limit_is_seats_of_the_entry_type():
    two = replace(ORGANIZATION["limit_only"], seat_types=TEAM.seat_types)
    terms = subscribing(two, People(3))
    assert isinstance(terms, Terms)
    assert terms.quantities == {"standard": 10, "premium": 0}


def test_m8_the_first_month_of_a_split_year_is_the_first_part():
    yearly = ORGANIZATION["base_and_seats"].prices["yearly_usd"]
    split = replace(yearly, billing=Interval.MONTH)
    chosen = Choice(ORGANIZATION["base_and_seats"], split)
    terms = decide_subscribe(chosen, People(1), "UTC", day(1, 1))
    assert isinstance(terms, Terms)
    assert terms.due_now == 20_84  # 200 / 12 = 16.67, and 50 / 12 = 4.17


def test_c20_a_trial_bills_nothing_until_it_ends():
    chosen = replace(choice(ORGANIZATION["trial"]), trial=True)
    terms = decide_subscribe(chosen, People(4), "UTC", day(1, 20))
    assert isinstance(terms, Terms)
    assert (terms.status, terms.lines, terms.number) == (Status.TRIALING, (), -1)
    assert terms.trial_ends_at == terms.ends_at == datetime(2026, 2, 3, tzinfo=UTC)
    paid = decide_subscribe(
        replace(chosen, plan=ORGANIZATION["per_seat"]), People(4), "UTC", day(1, 20)
    )
    assert isinstance(paid, Terms)
    assert paid.status is Status.ACTIVE  # a plan without a trial has none
