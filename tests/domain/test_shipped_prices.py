"""Every worked price of the rule book, computed from the shipped catalogs."""

from datetime import UTC, date, datetime

import pytest

from seatkeeper.domain.periods import Recurrence
from seatkeeper.domain.policies import Collect, When
from seatkeeper.domain.proration import Basis, Share, share_left
from tests.domain.shipped import ASSISTED, ENTERPRISE, ORGANIZATION, SINGLE, WORKSPACE


def per_interval(plan, seats, currency="USD", key=None, kind=None):
    """Base and seats for one interval of the price."""
    price = plan.price_in(currency, key)
    seat_price = price.seats[kind or plan.entry_type.key]
    return price.base + seat_price.amount(seats)


def per_period(plan, seats, **which):
    """The same for one billing period: what an invoice says."""
    price = plan.price_in(which.get("currency", "USD"), which.get("key"))
    return price.of_period(per_interval(plan, seats, **which), 0)


def added(plan, seats, on, start, key=None):
    """What seats added on a day owe for the rest of the billing period that began at `start`."""
    price = plan.price_in("USD", key)
    period = Recurrence(start, price.billing, "UTC").period(0)
    noon = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    share = share_left(plan.policies.proration, period, noon)
    return price.prorated(price.seats[plan.entry_type.key].amount(seats), share)


@pytest.mark.parametrize(
    ("key", "seats", "due"),
    [
        ("base_and_seats", 1, 25_00),  # 20 + 1 x 5
        ("base_and_seats", 2, 30_00),
        ("base_and_seats", 3, 35_00),
        ("base_and_seats", 10, 70_00),
        ("base_and_seats", 5, 45_00),  # checkout with 3 members and 2 invitations
        ("base_and_seats", 6, 50_00),
        ("one_included", 1, 25_00),
        ("one_included", 2, 35_00),  # 25 + 1 x 10
        ("one_included", 4, 55_00),
        ("one_included", 10, 115_00),
        ("per_seat", 1, 8_00),
        ("per_seat", 10, 80_00),
        ("per_seat_limited", 9, 45_00),
        ("per_seat_limited", 10, 50_00),
        ("first_five_flat", 1, 10_00),
        ("first_five_flat", 5, 10_00),
        ("first_five_flat", 6, 15_00),  # 10 + 1 x 5
        ("first_five_flat", 8, 25_00),
        ("first_five_flat", 10, 35_00),
        ("ten_included", 10, 25_00),
        ("ten_included", 12, 45_00),  # 25 + 0 + 2 x 10
        ("five_included", 5, 25_00),  # the floor of a renewal with three members
        ("five_included", 7, 45_00),
    ],
)
def test_c14_base_and_tiers_over_the_seats(key, seats, due):
    assert per_period(ORGANIZATION[key], seats) == due


@pytest.mark.parametrize(
    ("key", "seats", "due"),
    [
        ("graduated", 10, 100_00),  # 10 x 10
        ("graduated", 11, 108_00),  # 10 x 10 + 1 x 8
        ("graduated", 60, 480_00),  # 10 x 10 + 40 x 8 + 10 x 6
        ("volume", 10, 100_00),  # 10 x 10
        ("volume", 11, 88_00),  # 11 x 8
        ("volume", 60, 360_00),  # 60 x 6
    ],
)
def test_c6_graduated_and_volume_tiers(key, seats, due):
    assert per_period(ORGANIZATION[key], seats) == due


@pytest.mark.parametrize(
    ("currency", "due"),
    [("USD", 35_00), ("EUR", 32_50), ("JPY", 5250)],  # 20 + 15; 19 + 13.50; 3000 + 2250
)
def test_g1_the_same_plan_in_several_currencies(currency, due):
    assert per_period(ORGANIZATION["base_and_seats"], 3, currency=currency) == due


def test_annual_variants():
    base = ORGANIZATION["base_and_seats"]
    assert per_period(base, 3, key="yearly_usd") == 350_00  # 200 + 3 x 50
    assert per_period(ORGANIZATION["trial"], 4, key="yearly_usd") == 480_00  # 4 x 10 x 12
    assert base.price_in("USD").key == "monthly_usd"  # the first binds least


@pytest.mark.parametrize(
    ("key", "seats", "left", "full", "due"),
    [
        ("base_and_seats", 1, (30, 30), 5_00, 5_00),
        ("one_included", 1, (15, 30), 10_00, 5_00),
        ("base_and_seats", 1, (21, 31), 5_00, 3_39),  # 5 x 21/31
        ("base_and_seats", 2, (21, 31), 10_00, 6_77),  # 10 x 21/31
        ("trial", 3, (10, 30), 36_00, 12_00),  # 3 x 12 x 10/30
        ("base_and_seats", 3, (1, 30), 15_00, 50),  # 15 x 1/30
        ("five_included", 2, (15, 30), 20_00, 10_00),
    ],
)
def test_c24_seats_added_inside_the_period(key, seats, left, full, due):
    price = ORGANIZATION[key].price_in("USD")
    member = price.seats["member"]
    more = member.amount(member.included + seats) - member.amount(member.included)
    assert ORGANIZATION[key].policies.proration is Basis.DAY
    assert more == full
    assert price.prorated(more, Share(*left, Basis.DAY)) == due


@pytest.mark.parametrize(
    ("seats", "on", "due"),
    [
        (50, date(2026, 1, 1), 12_000_00),
        (1, date(2026, 1, 1), 240_00),
        (5, date(2026, 3, 1), 1006_03),  # 5 x 240 x 306/365
        (10, date(2026, 4, 1), 1808_22),  # 10 x 240 x 275/365
        (20, date(2026, 6, 15), 2630_14),  # 20 x 240 x 200/365
        (1, date(2026, 7, 2), 120_33),  # 240 x 183/365
        (7, date(2026, 9, 30), 428_05),  # 7 x 240 x 93/365
        (3, date(2026, 12, 31), 1_97),  # 3 x 240 x 1/365
        (10, date(2028, 4, 1), 1803_28),  # 10 x 240 x 275/366
    ],
)
def test_a20_added_seats_pay_for_the_rest_of_the_term(seats, on, due):
    assert added(SINGLE, seats, on, date(on.year, 1, 1)) == due


@pytest.mark.parametrize(
    ("seats", "due"),
    [(20, 4_800_00), (60, 14_400_00), (45, 10_800_00), (48, 11_520_00)],  # seats x 240
)
def test_a24_the_next_year_bills_the_count_at_full_price(seats, due):
    assert per_period(SINGLE, seats) == due


@pytest.mark.parametrize(
    ("seats", "on", "due"),
    [
        (5, date(2026, 3, 1), 1000_00),  # 5 x 20 x 10 months
        (10, date(2026, 4, 1), 1800_00),  # 10 x 20 x 9 months
        (10, date(2026, 4, 17), 1800_00),  # the started month counts
    ],
)
def test_under_a_contract_added_seats_are_invoiced_by_the_month(seats, on, due):
    assert ASSISTED.policies.collect is Collect.INVOICE
    assert added(ASSISTED, seats, on, date(2026, 1, 1)) == due


def test_team_prices_reproduce_the_printed_examples():
    team = ENTERPRISE["team"]
    january = date(2026, 1, 1)
    assert per_period(team, 10, key="monthly") == 300_00  # 10 x 30
    assert per_period(team, 15, key="monthly") == 450_00
    assert per_period(team, 10, key="yearly") == 3_000_00  # 10 x 25 x 12
    assert added(team, 5, date(2026, 1, 15), january, "monthly") == 77_42  # 150 x 16/31


def test_a46_moving_up_to_premium_costs_the_difference_for_the_days_left():
    team = ENTERPRISE["team"]
    price = team.prices["monthly"]
    difference = price.seats["premium"].amount(1) - price.seats["standard"].amount(1)
    assert difference == 120_00  # 150 - 30
    assert price.prorated(difference, Share(16, 31, Basis.DAY_AFTER)) == 61_94


@pytest.mark.parametrize(
    ("members", "due"),
    [(1, 99_00), (2, 198_00), (3, 297_00), (5, 495_00)],  # each pays 99.00
)
def test_t2_each_pro_member_pays_99_a_month(members, due):
    pro = WORKSPACE["pro"]
    assert pro.is_per_member
    assert per_period(pro, 1) * members == due


def test_t10_a_pro_seat_is_charged_in_full_at_signup():
    assert added(WORKSPACE["pro"], 1, date(2026, 3, 20), date(2026, 3, 5), "monthly") == 99_00


def test_t30_business_changes_apply_next_cycle_or_at_once_when_paid_ahead():
    monthly, yearly = WORKSPACE["business"], WORKSPACE["business_yearly"]
    assert monthly.policies.purchase_when is When.PERIOD_END
    assert per_period(monthly, 12) == 960_00  # 12 x 80, from the next cycle
    assert yearly.policies.purchase_when is When.NOW
    # 2 x 960 x 275/365
    assert added(yearly, 2, date(2026, 4, 1), date(2026, 1, 1)) == 1446_58
    assert per_period(yearly, 12) == 11_520_00
