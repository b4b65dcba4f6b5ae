"""Contracts: which plans are sold under one, what is signed until when, what follows on a term."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from seatkeeper.domain.accounts import Scheduled
from seatkeeper.domain.contracts import (
    CONTRACT_TRANSITIONS,
    Contract,
    ContractState,
    Kind,
    Turn,
    decide_convert_to_contract,
    decide_sell,
    decide_sign,
    decide_signed_seats,
    decide_turn,
    due_on_terms,
    keeps_period,
    kind_of,
    lapses_at,
    signed_account,
    signed_quantities,
    signed_terms,
    signed_until,
)
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import Capacity, Payer
from seatkeeper.domain.prices import SeatPrice, Tier, agreed
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Code
from seatkeeper.domain.renewals import decide_renewal
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.terms import Terms
from tests.domain.facts import (
    NEW_YEAR,
    begun,
    code_of,
    day,
    refused,
    standing,
    with_people,
    with_policies,
)
from tests.domain.shipped import ASSISTED, ENTERPRISE, ORGANIZATION, SINGLE, WORKSPACE

BUSINESS, YEARLY = WORKSPACE["business"], WORKSPACE["business_yearly"]
LEGACY = ENTERPRISE["chat_and_code"]
NEXT_YEAR = day(1, 1, 2027, hour=0)


def chosen(plan, price=None, **seats):
    return Choice(plan, plan.prices[price] if price else plan.price_in("USD"), seats)


def a_contract(state=ContractState.ACTIVE, until=NEXT_YEAR, *, signed=False):
    return Contract(state, until, signed)


def test_the_states_of_a_contract_lead_to_its_end():
    assert set(CONTRACT_TRANSITIONS) == set(ContractState)
    assert CONTRACT_TRANSITIONS[ContractState.UNSIGNED] == {"active", "ended"}
    assert not CONTRACT_TRANSITIONS[ContractState.ENDED]


@pytest.mark.parametrize(
    ("plan", "price", "kind"),
    [
        (BUSINESS, "monthly", Kind.MONTHLY),
        (
            ENTERPRISE["standard_and_premium"],
            "monthly",
            Kind.ANNUAL,
        ),  # bound a year, billed by month
        (YEARLY, "yearly", Kind.ANNUAL_UPFRONT),
        (ASSISTED, "yearly", Kind.ANNUAL_UPFRONT),
    ],
)
def test_t30_the_price_says_what_kind_of_contract_it_is(plan, price, kind):
    assert kind_of(plan.prices[price]) is kind


@pytest.mark.parametrize(
    ("choice", "kind", "months", "code"),
    [
        (chosen(BUSINESS), Kind.MONTHLY, 5, None),
        (chosen(YEARLY), None, 24, None),
        (chosen(YEARLY), None, 18, Code.INVALID_REQUEST),  # half a year is no term of its price
        (chosen(YEARLY), Kind.MONTHLY, None, Code.INVALID_REQUEST),
        (chosen(SINGLE), None, None, Code.INVALID_REQUEST),  # an owner buys it alone
        (chosen(WORKSPACE["pro"]), None, None, Code.INVALID_REQUEST),
        (
            chosen(replace(BUSINESS, capacity=Capacity.UNLIMITED)),
            None,
            None,
            Code.INVALID_REQUEST,
        ),
        (chosen(with_policies(BUSINESS, payer=Payer.MEMBER)), None, None, Code.INVALID_REQUEST),
    ],
)
def test_t29_a92_what_is_sold_under_a_contract(choice, kind, months, code):
    assert code_of(decide_sell(choice, kind, months)) is code


@pytest.mark.parametrize(
    ("plan", "number", "months", "until"),
    [
        (YEARLY, 0, None, date(2027, 1, 1)),
        (YEARLY, 0, 36, date(2029, 1, 1)),
        (YEARLY, 1, None, date(2028, 1, 1)),
        (BUSINESS, 0, None, date(2027, 1, 1)),  # by the month, signed for a year
        (BUSINESS, 12, 6, date(2027, 7, 1)),
        (YEARLY, -1, None, date(2027, 1, 1)),
    ],
)
def test_t30_what_is_signed_counts_from_the_anchor(plan, number, months, until):
    assert signed_until(plan.price_in("USD"), NEW_YEAR, number, months) == until


@pytest.mark.parametrize(
    ("contract", "at", "turn"),
    [
        (a_contract(until=day(1, 1, 2028, hour=0)), NEXT_YEAR, Turn.GO_ON),
        (a_contract(signed=True), NEXT_YEAR, Turn.BEGIN),
        (a_contract(ContractState.UNSIGNED, signed=True), day(1, 20, 2027), Turn.BEGIN),
        (a_contract(), NEXT_YEAR, Turn.WAIT),
        (a_contract(ContractState.UNSIGNED), day(1, 30, 2027), Turn.WAIT),
        (a_contract(ContractState.UNSIGNED), day(1, 31, 2027, hour=0), Turn.END),  # 30 days later
    ],
)
def test_a96_a95_the_end_of_a_term_begins_what_is_signed_or_waits_through_the_grace(
    contract, at, turn
):
    assert decide_turn(contract, begun(ASSISTED, 50).subscription, at) is turn


def test_a96_the_grace_ends_at_local_midnight_and_never_outlasts_the_arrears():
    plan = with_policies(ASSISTED, unsigned_grace_days=10)
    subscription = begun(plan, 50, time_zone="Europe/Berlin").subscription
    assert lapses_at(subscription) == day(1, 10, 2027, hour=23)  # midnight of the 11th in Berlin
    behind = replace(subscription, status=Status.PAST_DUE, grace_ends_at=day(1, 5, 2027))
    assert lapses_at(behind) == day(1, 5, 2027)


@pytest.mark.parametrize(
    ("contract", "at", "state"),
    [
        (a_contract(), day(6, 1), None),
        (a_contract(), day(1, 30, 2027), None),
        (a_contract(ContractState.UNSIGNED), day(1, 31, 2027), "ended"),
        (a_contract(ContractState.ENDED), day(6, 1), "ended"),
    ],
)
def test_a96_signing_is_possible_until_the_grace_is_over(contract, at, state):
    refusal = decide_sign(contract, begun(ASSISTED, 50).subscription, at)
    assert (refusal and refusal.facts["state"]) == state


def test_a96_t7_what_is_canceled_has_nothing_that_could_follow():
    account = begun(ASSISTED, 50)
    end = account.subscription.term_ends_at
    canceled = standing(account, status=Status.CANCELING, cancel_at=end).subscription
    refusal = decide_sign(a_contract(), canceled, day(6, 1))
    assert refusal is not None
    assert refusal.facts == {"state": "canceling"}


def test_a95_the_successor_begins_with_the_sum_of_the_old_types_and_at_least_the_minimum():
    account = begun(LEGACY, {"chat": 30, "chat_code": 12})
    assert signed_quantities(account, chosen(ASSISTED), NEXT_YEAR) == {"enterprise": 42}
    few = begun(LEGACY, {"chat": 6, "chat_code": 5})
    assert signed_quantities(few, chosen(ASSISTED), NEXT_YEAR) == {"enterprise": 20}


def test_a95_signed_seats_hold_unless_more_people_sit_there():
    account = begun(LEGACY, {"chat": 30, "chat_code": 12})
    assert signed_quantities(account, chosen(ASSISTED, enterprise=25), NEXT_YEAR) == {
        "enterprise": 25
    }
    full = with_people(with_people(account, "chat", assigned=20, held=3), "chat_code", assigned=9)
    assert signed_quantities(full, chosen(ASSISTED, enterprise=25), NEXT_YEAR) == {"enterprise": 32}


def test_a95_what_waits_for_that_day_is_added_and_included_seats_are_there():
    account = replace(
        begun(LEGACY, {"chat": 30, "chat_code": 12}),
        scheduled=(Scheduled("amendment", "chat", 5),),
    )
    price = ASSISTED.prices["yearly"]
    tiers = SeatPrice((Tier(50), Tier(None, unit=2000)))
    included = Choice(ASSISTED, replace(price, seats={"enterprise": tiers}))
    assert signed_quantities(account, chosen(ASSISTED), NEXT_YEAR) == {"enterprise": 47}
    assert signed_quantities(account, included, NEXT_YEAR) == {"enterprise": 50}
    none = Choice(ASSISTED, replace(price, seats={}))
    assert signed_quantities(account, none, NEXT_YEAR) == {"enterprise": 47}


def test_a95_the_signed_plan_begins_where_the_old_term_ends():
    account = begun(LEGACY, {"chat": 30, "chat_code": 12})
    terms = signed_terms(account, chosen(ASSISTED), NEXT_YEAR)
    assert isinstance(terms, Terms)
    assert (terms.starts_at, terms.quantities) == (NEXT_YEAR, {"enterprise": 42})
    assert terms.due_now == 42 * 24_000  # 42 x 20.00 x 12
    assert terms.successors == {"chat": "enterprise", "chat_code": "enterprise"}


def test_a95_a_plan_that_cannot_hold_the_people_is_refused():
    account = with_people(begun(BUSINESS, 10), assigned=10)
    small = replace(YEARLY, limit=5)
    assert code_of(signed_terms(account, chosen(small), day(2, 1, hour=0))) is Code.OVER_PLAN_LIMIT


@pytest.mark.parametrize(
    ("seats", "code"),
    [({}, None), ({"enterprise": 20}, None), ({"enterprise": 19}, Code.BELOW_MINIMUM_SEATS)],
)
def test_a12_signed_seats_must_fit_the_plan(seats, code):
    account = begun(LEGACY, {"chat": 30, "chat_code": 12})
    outcome = decide_signed_seats(account, chosen(ASSISTED, **seats), People())
    assert code_of(outcome) is code


@pytest.mark.parametrize(
    ("seats", "assigned", "renewed", "lines"),
    [
        ({}, 37, 37, 37 * 18_000),  # as the policy has it: in use; 37 x 15.00 x 12
        ({"enterprise": 30}, 22, 30, 30 * 18_000),
        ({"enterprise": 30}, 37, 37, 37 * 18_000),  # nobody loses a seat
    ],
)
def test_a36_a35_a_signed_renewal_of_the_same_plan(seats, assigned, renewed, lines):
    account = with_people(begun(ASSISTED, 50), assigned=assigned)
    price = agreed(ASSISTED.prices["yearly"], {"seats": {"enterprise": {"unit_minor": 1500}}})
    renewal = decide_renewal(signed_account(account, price, seats))
    assert renewal.quantities["enterprise"].purchased == renewed
    assert sum(line.amount_minor for line in renewal.lines) == lines


def test_a30_a_running_subscription_comes_under_a_contract_as_it_is():
    account = begun(SINGLE, 50)
    terms = decide_convert_to_contract(account, chosen(ASSISTED), People(), day(6, 1))
    assert isinstance(terms, Terms)
    assert terms.keeps_period
    assert (terms.plan.key, terms.quantities, terms.lines) == (ASSISTED.key, {"enterprise": 50}, ())
    assert (terms.ends_at, terms.term_ends_at) == (NEXT_YEAR, NEXT_YEAR)


def test_a30_c50_from_another_rhythm_it_begins_anew_with_credit_for_the_rest():
    team = begun(ENTERPRISE["team"], {"standard": 25, "premium": 0}, price="monthly")
    assert not keeps_period(team, chosen(ASSISTED))
    terms = decide_convert_to_contract(team, chosen(ASSISTED), People(), day(1, 16))
    assert isinstance(terms, Terms)
    # 25 x 240.00, less 25 x 30.00 x 15/31: the day after counts on the team plan.
    assert terms.due_now == 25 * 24_000 - 36_290
    assert terms.starts_at == day(1, 16, hour=0)


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (replace(begun(SINGLE, 50), overdue=True), Code.PAST_DUE),
        (replace(begun(SINGLE, 50), unsigned=True), Code.STATE_CONFLICT),
        (standing(begun(SINGLE, 50), status=Status.ENDED), Code.STATE_CONFLICT),
        (begun(replace(SINGLE, minimum=1), 10), Code.BELOW_MINIMUM_SEATS),
        (replace(begun(with_policies(SINGLE), 50), overdue=False), None),
    ],
)
def test_a30_a28_what_does_not_come_under_a_contract(account, code):
    outcome = decide_convert_to_contract(account, chosen(ASSISTED), People(), day(6, 1))
    assert code_of(outcome) is code


def test_a30_what_is_free_or_in_trial_or_of_other_seats_begins_anew():
    growth = ORGANIZATION["base_and_seats"]
    trial = begun(replace(SINGLE, trial_days=14), 50, trial=True)
    assert not keeps_period(trial, chosen(ASSISTED))
    quarterly = replace(SINGLE.prices["yearly"], billing=Interval.QUARTER)
    account = standing(begun(SINGLE, 50), price=quarterly)
    assert not keeps_period(account, chosen(ASSISTED))
    assert not keeps_period(begun(SINGLE, 50), chosen(growth))
    assert refused(
        decide_convert_to_contract(
            standing(begun(SINGLE, 50), price=quarterly), chosen(SINGLE), People(), day(6, 1)
        )
    )[0] in (Code.STATE_CONFLICT, Code.CONTRACT_MANAGED)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (day(4, 1, hour=0), day(5, 1, hour=0)),
        (day(4, 1, hour=9), day(5, 1, hour=0)),  # the same day, some hours late
        (day(4, 20, hour=9), day(5, 20, hour=0)),  # issued late, due late
    ],
)
def test_a27_an_invoice_on_terms_counts_from_its_period_or_a_later_day_of_issue(now, due):
    assert due_on_terms(day(4, 1, hour=0), now, 30, "UTC") == due
    assert due - now <= timedelta(days=30)
