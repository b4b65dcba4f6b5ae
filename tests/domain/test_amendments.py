"""Amendments: from which day they hold, what they bill, and what stands in the way."""

from dataclasses import replace

import pytest

from seatkeeper.domain.accounts import Scheduled
from seatkeeper.domain.amendments import (
    ACCEPTED,
    AMENDMENT_TRANSITIONS,
    Amendment,
    AmendmentState,
    decide_accept,
    decide_amend,
    decide_step,
    effective_when,
    merged,
    repriced,
)
from seatkeeper.domain.changes import Offer
from seatkeeper.domain.policies import When
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Code
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.terms import Terms
from tests.domain.facts import (
    applied,
    begun,
    code_of,
    day,
    due,
    standing,
    with_people,
    with_policies,
)
from tests.domain.shipped import ASSISTED, ENTERPRISE, SINGLE, WORKSPACE

BUSINESS, YEARLY = WORKSPACE["business"], WORKSPACE["business_yearly"]
LEGACY = ENTERPRISE["standard_and_premium"]
MARCH, APRIL = day(3, 10), day(4, 1)


def amending(account, now, **amendment):
    return decide_amend(account, Amendment(**amendment), People(), now)


def units(**minor):
    return {"seats": {key: {"unit_minor": n} for key, n in minor.items()}}


def chosen(plan):
    return Choice(plan, plan.price_in("USD"))


def test_t34_every_state_of_an_amendment_is_reached_and_left_as_drawn():
    assert set(AMENDMENT_TRANSITIONS) == set(AmendmentState)
    reached = {to for states in AMENDMENT_TRANSITIONS.values() for to in states}
    assert reached == set(AmendmentState) - {AmendmentState.REQUESTED}
    ends = {state for state, to in AMENDMENT_TRANSITIONS.items() if not to}
    assert ends == {"applied", "declined", "expired"}
    assert {"accepted", "scheduled", "applied"} == ACCEPTED


@pytest.mark.parametrize(
    ("state", "to", "code"),
    [
        ("requested", "quoted", None),
        ("quoted", "quoted", None),  # a newer offer
        ("requested", "accepted", Code.STATE_CONFLICT),
        ("declined", "quoted", Code.STATE_CONFLICT),
        ("applied", "declined", Code.STATE_CONFLICT),
    ],
)
def test_t34_steps_follow_the_table(state, to, code):
    assert code_of(decide_step(AmendmentState(state), AmendmentState(to))) is code


@pytest.mark.parametrize(
    ("state", "expires_at", "code"),
    [
        ("quoted", day(3, 11), None),
        ("quoted", None, None),
        ("quoted", MARCH, Code.QUOTE_EXPIRED),  # half-open: at its end it is over
        ("requested", day(3, 11), Code.STATE_CONFLICT),
        ("expired", day(3, 1), Code.STATE_CONFLICT),
    ],
)
def test_t34_an_offer_is_accepted_within_its_validity(state, expires_at, code):
    assert code_of(decide_accept(AmendmentState(state), expires_at, MARCH)) is code


@pytest.mark.parametrize(
    ("plan", "amendment", "when"),
    [
        (BUSINESS, Amendment({"member": 2}), When.PERIOD_END),  # monthly: the next cycle
        (YEARLY, Amendment({"member": 2}), When.NOW),  # annual upfront: prorated
        (BUSINESS, Amendment({"member": -2}), When.PERIOD_END),
        (YEARLY, Amendment({"member": -2}), When.TERM_END),  # at the renewal
        (YEARLY, Amendment({"member": -2}, when=When.NOW), When.NOW),  # the exception
        (YEARLY, Amendment(amounts=units(member=90_000)), When.TERM_END),
        (YEARLY, Amendment({"member": 2}, units(member=90_000)), When.NOW),
        (YEARLY, Amendment(choice=chosen(BUSINESS)), When.TERM_END),
        (LEGACY, Amendment({"standard": 2, "premium": -1}), When.TERM_END),  # the later of both
        (with_policies(BUSINESS, reduce_when=When.NEVER), Amendment({"member": -1}), When.TERM_END),
    ],
)
def test_t30_t31_t33_the_policies_say_from_when_an_amendment_holds(plan, amendment, when):
    seats = dict.fromkeys(plan.seat_types, 20)
    assert effective_when(begun(plan, seats), amendment) is when


def test_t30_two_more_on_a_monthly_contract_cost_nothing_until_the_next_cycle():
    offer = amending(begun(BUSINESS, 10, on=day(3, 1).date()), MARCH, seats={"member": 2})
    assert isinstance(offer, Offer)
    assert (offer.scheduled, offer.effective_at) == (True, day(4, 1, hour=0))
    assert (dict(offer.deltas), due(offer)) == ({"member": 2}, 0)


def test_t30_two_more_on_a_yearly_contract_pay_for_the_rest_of_it_now():
    offer = amending(begun(YEARLY, 10), APRIL, seats={"member": 2})
    assert due(offer) == 144_658  # 2 x 960.00 x 275/365
    assert not offer.scheduled


def test_a26_more_seats_at_an_agreed_amount_pay_that_amount():
    offer = amending(begun(YEARLY, 10), APRIL, seats={"member": 2}, amounts=units(member=90_000))
    assert due(offer) == 135_616  # 2 x 900.00 x 275/365


def test_m14_an_agreed_amount_bills_nothing_that_is_billed_already_and_starts_the_day_afresh():
    account = begun(YEARLY, 10)
    account = applied(account, amending(account, APRIL, seats={"member": 2}))
    now = amending(account, APRIL, amounts=units(member=48_000), when=When.NOW)
    assert (due(now), dict(now.deltas)) == (0, {"member": 0})
    account = applied(account, now)
    cheaper = replace(account, subscription=repriced(account, units(member=48_000)).subscription)
    more = amending(cheaper, APRIL, seats={"member": 2})
    assert due(more) == 72_329  # 2 x 480.00 x 275/365: what was bought before stays at its price


def test_t33_the_exception_takes_seats_back_at_once_without_money():
    offer = amending(begun(YEARLY, 10), APRIL, seats={"member": -3}, when=When.NOW)
    assert (dict(offer.deltas), due(offer)) == ({"member": -3}, 0)


@pytest.mark.parametrize(
    ("account", "amendment", "code"),
    [
        (begun(YEARLY, 10), {}, Code.INVALID_REQUEST),
        (begun(YEARLY, 10), {"seats": {"member": 0}}, Code.INVALID_REQUEST),
        (begun(YEARLY, 10), {"seats": {"guest": 1}}, Code.INVALID_REQUEST),
        (begun(YEARLY, 10), {"amounts": units(guest=1)}, Code.INVALID_REQUEST),
        (replace(begun(YEARLY, 10), unsigned=True), {"seats": {"member": 1}}, Code.STATE_CONFLICT),
        (replace(begun(YEARLY, 10), overdue=True), {"seats": {"member": 1}}, Code.PAST_DUE),
        (replace(begun(YEARLY, 10), overdue=True), {"choice": chosen(BUSINESS)}, Code.PAST_DUE),
        (replace(begun(YEARLY, 10), overdue=True), {"seats": {"member": -1}}, None),
        (begun(YEARLY, 10), {"seats": {"member": -11}}, Code.QUANTITY_OUT_OF_RANGE),
        (begun(YEARLY, 10), {"seats": {"member": 1_000_000}}, Code.QUANTITY_OUT_OF_RANGE),
        (with_people(begun(YEARLY, 10), assigned=8), {"seats": {"member": -3}}, Code.SEATS_IN_USE),
        (begun(replace(YEARLY, limit=11), 10), {"seats": {"member": 2}}, Code.OVER_PLAN_LIMIT),
        (begun(ASSISTED, 25), {"seats": {"enterprise": -6}}, Code.BELOW_MINIMUM_SEATS),
        (begun(ASSISTED, 25), {"seats": {"enterprise": -5}}, None),
    ],
)
def test_g19_what_stands_in_the_way_of_an_amendment(account, amendment, code):
    assert code_of(amending(account, APRIL, **amendment)) is code


def test_a31_what_waits_already_counts_for_a_later_amendment():
    account = replace(begun(ASSISTED, 25), scheduled=(Scheduled("amendment", "enterprise", -3),))
    outcome = amending(account, APRIL, seats={"enterprise": -3})
    assert code_of(outcome) is Code.BELOW_MINIMUM_SEATS  # 25 - 3 - 3 < 20


def test_c37_a_reduction_is_possible_while_over_the_limit():
    account = begun(replace(YEARLY, limit=12), 10)
    account = replace(account, scheduled=(Scheduled("change_plan", limit=5),))
    assert amending(account, APRIL, seats={"member": -2}).scheduled


def test_a30_another_plan_waits_for_the_renewal_or_comes_at_once_as_an_exception():
    account = begun(BUSINESS, 10)
    later = amending(account, day(1, 16), choice=chosen(YEARLY))
    assert isinstance(later, Offer)
    assert (later.scheduled, later.effective_at) == (True, day(2, 1, hour=0))
    now = amending(account, day(1, 16), choice=chosen(YEARLY), when=When.NOW)
    assert isinstance(now, Terms)
    assert now.due_now == 10 * 96_000 - 41_290  # less 10 x 80.00 x 16/31
    down = amending(begun(YEARLY, 10), day(1, 16), choice=chosen(BUSINESS), when=When.NOW)
    assert isinstance(down, Terms)


@pytest.mark.parametrize(
    ("amendment", "code"),
    [
        ({"choice": chosen(YEARLY), "seats": {"member": 1}}, Code.INVALID_REQUEST),
        ({"choice": chosen(SINGLE)}, Code.INVALID_REQUEST),  # not sold under a contract
        ({"choice": chosen(replace(YEARLY, limit=5))}, Code.OVER_PLAN_LIMIT),
    ],
)
def test_g18_what_stands_in_the_way_of_another_plan(amendment, code):
    account = with_people(begun(BUSINESS, 10), assigned=8)
    assert code_of(amending(account, day(1, 16), **amendment)) is code


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        (None, units(a=1), units(a=1)),
        (units(a=1, b=2), units(a=3), units(a=3, b=2)),
        ({"base_minor": 5}, {}, {"base_minor": 5}),
        ({"base_minor": 5, **units(a=1)}, {"base_minor": 6}, {"base_minor": 6, **units(a=1)}),
    ],
)
def test_a26_newer_amounts_lie_over_older_ones(old, new, both):
    assert merged(old, new) == both


def test_t7_an_amendment_for_the_day_of_the_end_is_refused():
    account = begun(BUSINESS, 10)
    canceled = standing(
        account, status=Status.CANCELING, cancel_at=account.subscription.term_ends_at
    )
    outcome = amending(canceled, MARCH.replace(month=1), seats={"member": 2})
    assert outcome.facts == {"state": "canceling"}
    now = amending(canceled, MARCH.replace(month=1), seats={"member": 2}, when=When.NOW)
    assert code_of(now) is None
