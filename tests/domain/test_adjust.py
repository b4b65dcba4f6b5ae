"""Changes inside a paid period: the bill does not depend on how people click."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.discounts import Off
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.prices import (
    Adjustment,
    DayLevel,
    Price,
    SeatPrice,
    Tier,
    TierMode,
    adjust,
)
from seatkeeper.domain.proration import Basis, Share

MONTHLY = Price("monthly", "USD", Interval.MONTH, Interval.MONTH, Interval.MONTH)
YEARLY = Price("yearly", "USD", Interval.YEAR, Interval.YEAR, Interval.YEAR)
YEARLY_BY_MONTH = Price("split", "USD", Interval.YEAR, Interval.MONTH, Interval.YEAR)
MONTHLY_BY_YEAR = Price("upfront", "USD", Interval.MONTH, Interval.YEAR, Interval.YEAR)
PRICES = [MONTHLY, YEARLY, YEARLY_BY_MONTH, MONTHLY_BY_YEAR]
HALF = Share(15, 30, Basis.DAY)


def per_seat(unit: int) -> SeatPrice:
    return SeatPrice((Tier(None, unit=unit),))


def walk(
    price: Price,
    seats: SeatPrice,
    share: Share,
    *,
    paid: int,
    levels: list[int],
    credited: bool = False,
) -> list[Adjustment]:
    """The lines of one day on which the quantity goes through `levels`."""
    day = DayLevel(paid=paid, level=paid, billed=0, credited=credited)
    lines = []
    for level in levels:
        line = adjust(price, seats, day, level, share)
        day = replace(day, level=line.level, billed=day.billed + line.due)
        lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("added", "unit", "passed", "full", "discount", "due"),
    [
        (1, 5_00, (0, 30), 5_00, 0, 5_00),
        (1, 10_00, (15, 30), 10_00, 5_00, 5_00),
        (1, 5_00, (10, 31), 5_00, 1_61, 3_39),  # 5.00 x 21/31 = 3.387
        (2, 5_00, (10, 31), 10_00, 3_23, 6_77),  # 10.00 x 21/31 = 6.774
        (3, 12_00, (20, 30), 36_00, 24_00, 12_00),
        (3, 5_00, (29, 30), 15_00, 14_50, 50),
        (1, 5_01, (15, 30), 5_01, 2_50, 2_51),  # 2.505: the charge is rounded, not the discount
    ],
)
def test_g5_full_price_discount_and_amount_due_add_up(
    *, added: int, unit: int, passed: tuple[int, int], full: int, discount: int, due: int
) -> None:
    gone, days = passed
    share = Share(days - gone, days, Basis.DAY)
    [line] = walk(MONTHLY, per_seat(unit), share, paid=5, levels=[5 + added])
    assert (line.full, line.full - line.due, line.due) == (full, discount, due)
    assert line.level == 5 + added


@pytest.mark.parametrize(
    ("paid", "level", "due"),
    [
        (3, 5, 0),  # inside the five included
        (3, 7, 10_00),  # 2 of 4 are included: 2 x 10.00 x 15/30
        (5, 7, 10_00),  # 2 x 10.00 x 15/30
    ],
)
def test_c24_seats_inside_the_included_tier_cost_nothing(paid: int, level: int, due: int) -> None:
    seats = SeatPrice((Tier(5), Tier(None, unit=10_00)))
    assert walk(MONTHLY, seats, HALF, paid=paid, levels=[level])[0].due == due


def test_c24_two_seats_above_the_five_included() -> None:
    seats = SeatPrice((Tier(5), Tier(None, unit=5_00)))
    [line] = walk(MONTHLY, seats, HALF, paid=5, levels=[7])
    assert line.due == 5_00  # 2 x 5.00 x 15/30
    assert seats.amount(7) == 10_00  # and the next period pays both in full


@pytest.mark.parametrize(
    ("levels", "dues"),
    [
        ([57], [1_265_75]),  # 7 x 240.00 x 275/365 = 1,265.753
        ([51, 53, 57], [180_82, 361_65, 723_28]),  # levels 180.82, 542.47, 1,265.75
        ([57, 50], [1_265_75, -1_265_75]),  # changed their mind the same day
        ([57, 52, 57], [1_265_75, -904_11, 904_11]),  # levels 1,265.75, 361.64, 1,265.75
        ([40], [0]),  # a reduction gives nothing back
        ([40, 51], [0, 180_82]),  # and an increase after it bills above the paid level only
        ([60], [1_808_22]),  # 10 x 240.00 x 275/365
        (
            [51, 52, 53, 54, 55, 56, 57, 58, 59, 60],
            [180_82, 180_82, 180_83, 180_82, 180_82, 180_82, 180_82, 180_83, 180_82, 180_82],
        ),
    ],
)
def test_g1_a_days_lines_add_up_to_its_rounded_level(levels: list[int], dues: list[int]) -> None:
    share = Share(275, 365, Basis.DAY)
    lines = walk(YEARLY, per_seat(240_00), share, paid=50, levels=levels)
    assert [line.due for line in lines] == dues


@pytest.mark.parametrize(
    ("levels", "dues"),
    [
        ([60], [1_446_58]),  # 10 x 240.00 x 275/365 x 80 % = 1,446.575
        ([55, 60], [723_29, 723_29]),  # levels 723.29 (723.2877) and 1,446.58
        ([51, 53, 57], [144_66, 289_31, 578_63]),  # levels 144.66, 433.97, 1,012.60
        ([57, 50], [1_012_60, -1_012_60]),  # changed their mind the same day
    ],
)
def test_c54_a_percentage_is_off_the_days_level(levels: list[int], dues: list[int]) -> None:
    price, share = replace(YEARLY, off=Off(20_00)), Share(275, 365, Basis.DAY)
    lines = walk(price, per_seat(240_00), share, paid=50, levels=levels)
    assert [line.due for line in lines] == dues
    assert sum(line.full for line in lines) == (levels[-1] - 50) * 240_00


def test_g1_a_hundred_one_cent_seats_bought_singly_cost_fifty_cents() -> None:
    lines = walk(MONTHLY, per_seat(1), HALF, paid=0, levels=list(range(1, 101)))
    assert sum(line.due for line in lines) == 50  # 100 x 0.01 x 15/30
    assert walk(MONTHLY, per_seat(1), HALF, paid=0, levels=[100])[0].due == 50


def random_share(random: Random) -> Share:
    whole = random.choice([28, 29, 30, 31, 90, 365, 366])
    return Share(random.randint(0, whole), whole, Basis.DAY)


def random_seats(random: Random) -> SeatPrice:
    bounds = sorted(random.sample(range(1, 60), random.randint(0, 3)))
    tiers = [Tier(b, random.randint(0, 3_000), random.choice([0, 7_77])) for b in (*bounds, None)]
    return SeatPrice(tuple(tiers), random.choice(list(TierMode)))


@pytest.mark.parametrize("is_discounted", [False, True], ids=["full price", "discounted"])
@pytest.mark.parametrize("seed", range(10))
def test_c54_g1_ten_thousand_splits_cost_what_the_change_costs_at_once(
    seed: int, *, is_discounted: bool
) -> None:
    random = Random(seed)
    for _ in range(1_000):
        price, seats, share = random.choice(PRICES), random_seats(random), random_share(random)
        if is_discounted:
            price = replace(price, off=Off(random.randint(1, 10_000)))
        paid, credited = random.randrange(80), random.random() < 0.5
        levels = [random.randrange(80) for _ in range(10)]
        lines = walk(price, seats, share, paid=paid, levels=levels, credited=credited)
        due = full = 0
        for line, level in zip(lines, levels, strict=True):  # each step ends one split more
            due, full = due + line.due, full + line.full
            [once] = walk(price, seats, share, paid=paid, levels=[level], credited=credited)
            assert once == Adjustment(due=due, full=full, level=line.level)


quantities = st.integers(0, 1_000)
units = st.integers(0, 1_000_00)
shares = st.tuples(st.integers(0, 366), st.integers(1, 366)).map(
    lambda pair: Share(min(pair), max(pair), Basis.DAY)
)


@given(
    price=st.sampled_from([*PRICES, *(replace(price, off=Off(33_33)) for price in PRICES)]),
    unit=units,
    paid=quantities,
    added=quantities,
    share=shares,
    credited=st.booleans(),
)
def test_c54_m8_add_then_remove_nets_to_nothing(
    *,
    price: Price,
    unit: int,
    paid: int,
    added: int,
    share: Share,
    credited: bool,
) -> None:
    levels = [paid + added, paid]
    lines = walk(price, per_seat(unit), share, paid=paid, levels=levels, credited=credited)
    assert sum(line.due for line in lines) == 0
    assert sum(line.full for line in lines) == 0
    assert lines[-1].level == paid


def test_b067_a_thousand_times_three_more_and_three_fewer_cost_nothing() -> None:
    lines = walk(YEARLY_BY_MONTH, per_seat(99_99), HALF, paid=7, levels=[10, 7] * 1_000)
    assert sum(line.due for line in lines) == 0


@given(st.sampled_from(PRICES), units, quantities, quantities, shares)
def test_m8_seats_bought_by_two_people_cost_what_one_pays(
    price: Price, unit: int, one: int, other: int, share: Share
) -> None:
    apart = walk(price, per_seat(unit), share, paid=0, levels=[one, one + other])
    [together] = walk(price, per_seat(unit), share, paid=0, levels=[one + other])
    assert sum(line.due for line in apart) == together.due


@given(st.sampled_from(PRICES), units, quantities, quantities, shares)
def test_g5_an_increase_is_due_between_nothing_and_its_full_price(
    price: Price, unit: int, paid: int, added: int, share: Share
) -> None:
    [line] = walk(price, per_seat(unit), share, paid=paid, levels=[paid + added])
    assert 0 <= line.due <= line.full


@given(st.sampled_from(PRICES), units, quantities, st.lists(quantities, min_size=1), shares)
def test_g6_without_credit_a_day_never_gives_money_back(
    price: Price, unit: int, paid: int, levels: list[int], share: Share
) -> None:
    lines = walk(price, per_seat(unit), share, paid=paid, levels=levels)
    assert sum(line.due for line in lines) >= 0
    assert all(line.level >= paid for line in lines)


def test_a32_a_reduction_is_not_refunded() -> None:
    [line] = walk(YEARLY, per_seat(240_00), HALF, paid=50, levels=[45])
    assert line == Adjustment(due=0, full=0, level=50)


@pytest.mark.parametrize(
    ("levels", "dues"),
    [
        ([8], [-10_00]),  # 2 x 10.00 x 15/30 back
        ([8, 10], [-10_00, 10_00]),
        ([8, 12], [-10_00, 20_00]),
        ([12, 8], [10_00, -20_00]),
    ],
)
def test_g6_a_policy_may_credit_a_reduction(levels: list[int], dues: list[int]) -> None:
    lines = walk(MONTHLY, per_seat(10_00), HALF, paid=10, levels=levels, credited=True)
    assert [line.due for line in lines] == dues
    assert lines[-1].level == levels[-1]


def test_g1_a_credit_is_rounded_away_from_zero_like_its_charge() -> None:
    down = walk(MONTHLY, per_seat(5_01), HALF, paid=2, levels=[1], credited=True)
    up = walk(MONTHLY, per_seat(5_01), HALF, paid=1, levels=[2], credited=True)
    assert (down[0].due, up[0].due) == (-2_51, 2_51)  # 2.505


@pytest.mark.parametrize(
    ("credited", "level", "due", "full"),
    [
        (False, 11, 0, 0),  # 11 x 8.00 = 88.00 is less than the 100.00 paid: nothing comes back
        (True, 11, -6_00, -12_00),  # (88.00 - 100.00) x 15/30
        (False, 13, 2_00, 4_00),  # (104.00 - 100.00) x 15/30
        (True, 13, 2_00, 4_00),
    ],
)
def test_g6_more_seats_at_a_lower_volume_price_earn_money_only_by_policy(
    credited: bool,
    level: int,
    due: int,
    full: int,
) -> None:
    seats = SeatPrice((Tier(10, unit=10_00), Tier(None, unit=8_00)), TierMode.VOLUME)
    [line] = walk(MONTHLY, seats, HALF, paid=10, levels=[level], credited=credited)
    assert line == Adjustment(due=due, full=full, level=level)


def test_g5_the_full_price_counts_from_the_paid_level() -> None:
    seats = SeatPrice((Tier(10, unit=10_00), Tier(None, unit=8_00)), TierMode.VOLUME)
    day = DayLevel(paid=11, level=10, billed=0)
    line = adjust(MONTHLY, seats, day, 12, HALF)
    assert line == Adjustment(due=4_00, full=8_00, level=12)  # 96.00 - 88.00, and half of it


def test_g5_the_full_prices_of_a_split_year_add_up_too() -> None:
    # 0.05 a year is 0.0042 a month: 0, 0, 0 … would add up to nothing; ten cost 0.04.
    lines = walk(YEARLY_BY_MONTH, per_seat(5), HALF, paid=0, levels=list(range(1, 11)))
    assert sum(line.full for line in lines) == 4
    assert sum(line.due for line in lines) == 2


@pytest.mark.parametrize(
    ("share", "due"),
    [
        (Share(275, 365, Basis.DAY), 1_808_22),  # 10 x 240.00 x 275/365
        (Share(9, 12, Basis.MONTH), 1_800_00),  # 10 x 240.00 x 9/12
        (Share(1, 1, Basis.NONE), 2_400_00),  # 10 x 240.00
        (Share(274, 365, Basis.DAY_AFTER), 1_801_64),  # 10 x 240.00 x 274/365
        (Share(23_716_800, 31_536_000, Basis.SECOND), 1_804_93),  # noon: 10 x 240.00 x 274.5/365
    ],
)
def test_g4_ten_seats_in_april_by_basis(share: Share, due: int) -> None:
    [line] = walk(YEARLY, per_seat(240_00), share, paid=50, levels=[60])
    assert line == Adjustment(due=due, full=2_400_00, level=60)
