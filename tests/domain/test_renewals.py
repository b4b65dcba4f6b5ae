"""Renewals: the quantity, the period and the lines with which a subscription goes on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.billing import total
from seatkeeper.domain.changes import Account, Asker, Scheduled, decide_cancel
from seatkeeper.domain.policies import Capacity, RenewalQuantity, When
from seatkeeper.domain.prices import SeatPrice, Tier
from seatkeeper.domain.renewals import (
    Due,
    Quantity,
    decide_renewal,
    instalment_quantities,
    next_due,
    renewal_quantities,
    what_is_due,
)
from seatkeeper.domain.subscriptions import Status
from tests.domain.facts import (
    applied,
    begun,
    buying,
    day,
    renewed,
    standing,
    with_people,
    with_policies,
)
from tests.domain.shipped import ASSISTED, ENTERPRISE, ORGANIZATION, SINGLE, WORKSPACE

END = datetime(2027, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
PAIR = ENTERPRISE["standard_and_premium"]


def reduction(delta, seat_type="enterprise", at=None):
    return (Scheduled("reduce_seats", seat_type, delta, effective_at=at),)


def renewing(account, scheduled=()):
    """The quantity of the entry type in the next period, and what it costs."""
    renewal = decide_renewal(replace(account, scheduled=scheduled))
    return renewal.quantities[account.subscription.plan.entry_type.key], total(renewal.lines)


# --- Plans that carry what was bought ------------------------------------------------------------


@pytest.mark.parametrize(
    ("occupied", "scheduled", "seats", "kept", "due"),
    [
        (0, 0, 60, False, 14_400_00),  # 60 x 240
        (40, 0, 60, False, 14_400_00),  # A37: unassigned members count for nothing
        (40, -15, 45, False, 10_800_00),  # 45 x 240
        (45, -15, 45, False, 10_800_00),
        (48, -15, 48, True, 11_520_00),  # A35: 48 x 240
        (10, -45, 20, False, 4_800_00),  # the minimum: 20 x 240
    ],
)
def test_a24_a29_a35_fifty_and_ten_more_at_the_next_new_year(occupied, scheduled, seats, kept, due):
    account = begun(SINGLE, 50)
    account = applied(account, buying(account, 10, day(4, 1)))
    account = with_people(account, assigned=occupied)
    assert renewing(account, reduction(scheduled)) == (Quantity(seats, kept), due)


@pytest.mark.parametrize(("assigned", "held"), [(48, 0), (40, 8), (0, 48)])
def test_a35_renewal_never_unseats_anyone(assigned, held):
    account = with_people(begun(SINGLE, 60), assigned=assigned, held=held)  # G18
    quantity, _ = renewing(account, reduction(-40))
    assert quantity == Quantity(48, kept_for_occupied=True)


@pytest.mark.parametrize(
    ("policy", "seats", "kept"),
    [
        (RenewalQuantity.CARRY_PURCHASED, 50, False),
        (RenewalQuantity.CONTRACT, 50, False),
        (RenewalQuantity.CARRY_ASSIGNED, 43, True),  # 40 in use, and 3 invitations keep theirs
        (RenewalQuantity.OCCUPIED, 43, False),
        (RenewalQuantity.MEMBERS, 40, False),  # C36: invitations stand without their seats
    ],
)
def test_a36_c36_the_policies_of_renewal(policy, seats, kept):
    account = with_people(
        begun(with_policies(SINGLE, renewal_quantity=policy), 50), assigned=40, held=3
    )
    assert renewing(account)[0] == Quantity(seats, kept)


@pytest.mark.parametrize(
    ("policy", "held", "seats"),
    [
        (RenewalQuantity.CARRY_ASSIGNED, 3, 43),  # max(40 + 2, 40 + 3): docs/policies.md
        (RenewalQuantity.OCCUPIED, 3, 45),  # 40 + 3 + 2
        (RenewalQuantity.CARRY_ASSIGNED, 0, 42),  # 40 + 2
        (RenewalQuantity.OCCUPIED, 0, 42),
    ],
)
def test_a36_c36_what_was_bought_for_the_new_period_comes_on_top(policy, held, seats):
    plan = with_policies(SINGLE, renewal_quantity=policy, purchase_when=When.PERIOD_END)
    account = with_people(begun(plan, 50), assigned=40, held=held)
    bought = (Scheduled("purchase_seats", "enterprise", 2),)
    assert renewing(account, bought)[0].purchased == seats


@pytest.mark.parametrize("policy", list(RenewalQuantity))
def test_t30_seats_bought_for_the_renewal_are_there_under_every_policy(policy):
    plan = with_policies(SINGLE, renewal_quantity=policy, purchase_when=When.PERIOD_END)
    account = with_people(begun(plan, 40), assigned=40)
    assert renewing(account, (Scheduled("purchase_seats", "enterprise", 2),))[0].purchased == 42


@pytest.mark.parametrize(("assigned", "seats"), [(33, 33), (12, 20)])
def test_a36_a_contract_renews_the_seats_in_use(assigned, seats):
    quantity, due = renewing(with_people(begun(ASSISTED, 50), assigned=assigned))
    assert (quantity.purchased, due) == (seats, seats * 240_00)


@pytest.mark.parametrize(
    ("standard", "premium", "quantities"),
    [
        (12, 10, {"standard": 12, "premium": 10}),
        (3, 10, {"standard": 10, "premium": 10}),  # A16: twenty in all
        (0, 25, {"standard": 0, "premium": 25}),
    ],
)
def test_a16_the_minimum_at_renewal_is_over_all_types(standard, premium, quantities):
    account = with_people(begun(PAIR, {"standard": 30, "premium": 30}), assigned=standard)
    account = with_people(account, "premium", assigned=premium)
    found = renewal_quantities(account, account.subscription.price)
    assert {key: quantity.purchased for key, quantity in found.items()} == quantities


# --- Plans that right-size -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "bought", "assigned", "held", "seats", "due"),
    [
        ("base_and_seats", 8, 5, 0, 5, 45_00),  # C34, C38: 20 + 5 x 5, not 60.00
        ("base_and_seats", 8, 5, 1, 6, 50_00),  # C36: 20 + 6 x 5
        ("five_included", 7, 3, 0, 5, 25_00),  # C35: the five included
        ("five_included", 7, 6, 0, 6, 35_00),  # 25 + 1 x 10
        ("limit_only", 10, 3, 0, 10, 30_00),  # C35: no fee per seat, no adjustment
        ("unlimited", 1_000_000, 3, 0, 1_000_000, 499_00),
        ("per_seat", 3, 5, 0, 5, 40_00),  # C37: upwards too, 5 x 8
        ("per_seat", 4, 0, 0, 1, 8_00),  # the minimum is one
    ],
)
def test_c34_c35_c37_c38_the_seats_follow_the_people(key, bought, assigned, held, seats, due):
    account = with_people(begun(ORGANIZATION[key], bought), assigned=assigned, held=held)
    quantity, billed = renewing(account)
    assert (quantity.purchased, quantity.over_limit, billed) == (seats, False, due)


def test_c36_members_only_is_the_other_reading():
    plan = with_policies(ORGANIZATION["base_and_seats"], renewal_quantity=RenewalQuantity.MEMBERS)
    account = with_people(begun(plan, 8), assigned=5, held=1)
    assert renewing(account) == (Quantity(5), 45_00)  # 20 + 5 x 5


@pytest.mark.parametrize(
    ("assigned", "held", "seats", "over"), [(10, 0, 10, False), (9, 3, 10, True), (12, 0, 10, True)]
)
def test_c37_beyond_the_limit_the_limit_is_billed(assigned, held, seats, over):
    account = begun(ORGANIZATION["per_seat_limited"], 10)
    account = with_people(account, assigned=assigned, held=held)
    quantity, due = renewing(account)
    assert (quantity.purchased, quantity.over_limit, due) == (seats, over, 50_00)  # 10 x 5


def test_c37_beyond_the_last_price_the_last_priced_quantity_is_billed():
    plan = replace(ORGANIZATION["volume"], limit=None)
    quantity, due = renewing(with_people(begun(plan, 500), assigned=501))
    assert (quantity.purchased, quantity.over_limit, due) == (500, True, 3_000_00)  # 500 x 6


@pytest.mark.parametrize(
    ("limit", "standard", "premium", "found"),
    [
        (30, (10, 10), (10, 10), {"standard": (10, False), "premium": (10, False)}),
        (15, (10, 4), (10, 10), {"standard": (5, False), "premium": (10, False)}),  # free seats go
        (15, (10, 10), (10, 4), {"standard": (10, False), "premium": (5, False)}),
        (15, (10, 8), (10, 9), {"standard": (6, True), "premium": (9, False)}),  # then the lowest
        (8, (10, 9), (10, 9), {"standard": (0, True), "premium": (8, True)}),
    ],
)
def test_c37_over_the_limit_free_seats_go_first_and_the_lowest_type_first(
    limit, standard, premium, found
):
    plan = replace(PAIR, minimum=1, limit=limit)
    plan = with_policies(plan, renewal_quantity=RenewalQuantity.CARRY_PURCHASED)
    account = begun(plan, {"standard": standard[0], "premium": premium[0]})
    account = with_people(account, assigned=standard[1])
    account = with_people(account, "premium", assigned=premium[1])
    quantities = renewal_quantities(account, account.subscription.price)
    assert {key: (q.purchased, q.over_limit) for key, q in quantities.items()} == found


def test_c35_a_free_seat_type_is_not_counted_but_nobody_there_loses_a_seat():
    price = replace(
        PAIR.price_in("USD") or ORGANIZATION["per_seat"].prices["monthly_usd"],
        seats={"standard": SeatPrice((Tier(None),)), "premium": SeatPrice((Tier(None, unit=1),))},
    )
    account = begun(PAIR, {"standard": 30, "premium": 5})
    account = with_people(standing(account, price=price), assigned=25)
    account = replace(account, scheduled=reduction(-10, "standard"))
    assert renewal_quantities(account, price)["standard"] == Quantity(25)


# --- Periods and terms ---------------------------------------------------------------------------


def test_t30_business_monthly_bills_twelve_from_april_on():
    account = begun(WORKSPACE["business"], 10, on=date(2026, 3, 1))
    quantity, due = renewing(account, (Scheduled("purchase_seats", "member", 2),))
    assert (quantity.purchased, due) == (12, 960_00)  # 12 x 80


def test_t31_business_yearly_renews_what_was_bought():
    account = begun(WORKSPACE["business_yearly"], 10)
    account = applied(account, buying(account, 2, day(4, 1), asker=Asker.ACCOUNT_MANAGER))
    assert renewing(account) == (Quantity(12), 11_520_00)  # 12 x 960


@pytest.mark.parametrize(
    ("price", "assigned", "seats", "due"),
    [("yearly_usd", 3, 3, 360_00), ("monthly_usd", 3, 3, 36_00)],  # 3 x 10 x 12; 3 x 12
)
def test_c39_right_sizing_happens_once_a_period_of_the_subscription(price, assigned, seats, due):
    account = with_people(begun(ORGANIZATION["trial"], 8, price=price), assigned=assigned)
    assert renewing(account) == (Quantity(seats), due)


def test_c39_inside_a_longer_term_the_owned_seats_are_billed():
    account = with_people(begun(PAIR, {"standard": 20, "premium": 5}), assigned=3)
    months = []
    for _ in range(12):
        renewal = decide_renewal(account)
        account = renewed(account, renewal)
        months.append((renewal.number, renewal.new_term, total(renewal.lines)))
    assert months[:11] == [(n, False, 1_800_00) for n in range(1, 12)]  # 20 x 40 + 5 x 200
    assert months[11] == (12, True, 800_00)  # 20 x 40: 3 and 0 in use, raised to twenty
    assert account.subscription.term_ends_at == datetime(2028, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("occupied", "delta", "at", "found"),
    [
        (0, -5, None, Quantity(25)),  # due at the end of this month
        (0, -5, FEBRUARY, Quantity(25)),
        (0, -5, END, Quantity(30)),  # waits for the end of the term
        (28, -5, FEBRUARY, Quantity(28, kept_for_occupied=True)),  # T-9: nobody loses a seat
        (0, -25, FEBRUARY, Quantity(20)),  # A12
        (28, 3, FEBRUARY, Quantity(33)),
        (35, 0, None, Quantity(30)),  # over the limit already: it stays so until the term ends
    ],
)
def test_a35_t9_what_is_scheduled_for_an_instalment(occupied, delta, at, found):
    account = with_people(begun(PAIR, {"standard": 30}), assigned=occupied)
    account = replace(account, scheduled=reduction(delta, "standard", at))
    assert instalment_quantities(account)["standard"] == found
    assert decide_renewal(account).quantities["standard"] == found


def test_a25_t2_periods_meet_and_added_seats_end_with_the_others():
    account = begun(ORGANIZATION["per_seat"], 3, on=date(2026, 1, 31), time_zone="Europe/Vienna")
    for _ in range(30):
        renewal = decide_renewal(account)
        assert renewal.starts_at == account.subscription.period_ends_at
        assert renewal.starts_at < renewal.ends_at == renewal.term_ends_at
        account = renewed(with_people(account, assigned=3), renewal)
    assert account.subscription.period.start == date(2028, 7, 31)


def test_g15_a_late_renewal_says_what_a_punctual_one_says():
    account = with_people(begun(ORGANIZATION["per_seat"], 8), assigned=5)
    assert decide_renewal(account) == decide_renewal(account)  # no clock goes into it
    assert decide_renewal(account).starts_at == FEBRUARY


def test_c20_c40_a_trial_renews_into_the_first_paid_period_with_who_is_there_then():
    account = begun(ORGANIZATION["trial"], 3, on=date(2026, 1, 20), trial=True)
    account = applied(account, buying(account, 4, day(1, 22)))  # C21: 7 seats, nothing billed
    renewal = decide_renewal(with_people(account, assigned=5))
    assert (renewal.number, renewal.new_term) == (0, True)
    assert renewal.starts_at == datetime(2026, 2, 3, tzinfo=UTC)
    assert renewal.ends_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert total(renewal.lines) == 60_00  # 5 x 12


def test_c41_a_seat_of_an_expired_invitation_stays_bought_until_the_next_renewal():
    account = with_people(begun(ORGANIZATION["per_seat"], 6), assigned=5, held=1)
    account = renewed(account, decide_renewal(account))
    assert account.purchased == 6
    expired = with_people(account, assigned=5, held=0)
    assert expired.purchased == 6
    assert renewing(expired) == (Quantity(5), 40_00)  # 5 x 8


def test_c1_what_is_granted_by_the_plan_renews_as_granted():
    for capacity in (Capacity.PLAN_LIMIT, Capacity.UNLIMITED, Capacity.MEMBERSHIP_LIMIT):
        plan = replace(ORGANIZATION["limit_only"], capacity=capacity)
        account = with_people(begun(plan, 10), assigned=12)
        assert renewing(account) == (Quantity(10), 30_00)


# --- What is due ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "now", "due", "next_at"),
    [
        ({}, END - timedelta(seconds=1), None, END),
        ({}, END, Due.RENEW, END),
        ({"status": Status.CANCELING, "cancel_at": END}, END, Due.END, END),  # C52, T-7
        ({"status": Status.CANCELING, "cancel_at": END}, day(6, 1), None, END),
        ({"status": Status.PAST_DUE, "grace_ends_at": day(2, 1)}, day(2, 1), Due.END, day(2, 1)),
        ({"status": Status.PAST_DUE, "grace_ends_at": day(2, 1)}, day(1, 31), None, day(2, 1)),
        ({"status": Status.ACTIVE, "grace_ends_at": day(2, 1)}, day(2, 1), None, END),
        ({"status": Status.INCOMPLETE}, END, Due.END, END),  # never paid: it does not renew
        ({"status": Status.INCOMPLETE}, day(6, 1), None, END),
        ({"status": Status.ENDED}, END, None, END),
    ],
)
def test_t7_what_is_due(changes, now, due, next_at):
    subscription = standing(begun(SINGLE, 20), **changes).subscription
    assert what_is_due(subscription, now) is due
    assert next_due(subscription) == next_at


def test_t8_after_an_outage_instalments_before_the_end_are_still_billed():
    account = begun(PAIR, {"standard": 20})  # a year, invoiced each month
    offer = decide_cancel(account.subscription, Asker.ACCOUNT_MANAGER, day(1, 10))
    account, late, done = applied(account, offer), day(2, 1, 2027), 0
    while what_is_due(account.subscription, late) is Due.RENEW:
        end = account.subscription.cancel_at
        account = standing(
            renewed(account, decide_renewal(account)), status=Status.CANCELING, cancel_at=end
        )
        done += 1
    assert done == 11  # February to December
    assert what_is_due(account.subscription, late) is Due.END
    assert next_due(account.subscription) == END


# --- Always --------------------------------------------------------------------------------------


@given(
    plan=st.sampled_from([SINGLE, ASSISTED, *ORGANIZATION.values(), *WORKSPACE.values(), PAIR]),
    policy=st.sampled_from(RenewalQuantity),
    purchased=st.integers(0, 80),
    people=st.tuples(st.integers(0, 60), st.integers(0, 30)),
    delta=st.integers(-80, 20),
)
def test_a35_c35_no_quantity_at_renewal_is_too_small_or_too_large(
    *, plan, policy, purchased, people, delta
):
    assigned, held = people
    plan = with_policies(plan, renewal_quantity=policy)
    price = plan.price_in("USD") or ORGANIZATION["limit_only"].prices["monthly_usd"]
    account: Account = begun(replace(plan, prices={"only": price}), purchased)
    account = with_people(account, assigned=assigned, held=held)
    entry = plan.entry_type.key
    found = renewal_quantities(replace(account, scheduled=reduction(delta, entry)), price)
    if plan.capacity is not Capacity.PURCHASED:
        assert found[entry] == Quantity(purchased)
        return
    seats, sum_of_all = found[entry].purchased, sum(q.purchased for q in found.values())
    needed = assigned if policy is RenewalQuantity.MEMBERS else assigned + held
    assert sum_of_all >= plan.minimum
    assert plan.limit is None or sum_of_all <= plan.limit
    assert seats >= price.seats[entry].included
    assert found[entry].over_limit is (seats < needed)
