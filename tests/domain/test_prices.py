"""Prices: what a quantity of seats costs for one period."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.periods import Interval
from seatkeeper.domain.prices import QUANTITY_MAX, Price, SeatPrice, Tier, TierMode

MONTH, QUARTER, YEAR = Interval.MONTH, Interval.QUARTER, Interval.YEAR


def per_seat(unit: int, limit: int | None = None) -> SeatPrice:
    return SeatPrice((Tier(limit, unit=unit),))


def with_included(included: int, unit: int) -> SeatPrice:
    return SeatPrice((Tier(included), Tier(None, unit=unit)))


def price_of(per: Interval, billing: Interval, *, base: int = 0, currency: str = "USD") -> Price:
    return Price("standard", currency, per=per, billing=billing, term=YEAR, base=base)


FIRST_FIVE = SeatPrice((Tier(5, flat=10_00), Tier(None, unit=5_00)))
GRADUATED = SeatPrice((Tier(10, unit=10_00), Tier(20, unit=8_00, flat=5_00), Tier(None, unit=6_00)))
VOLUME = SeatPrice(
    (Tier(10, unit=10_00), Tier(20, unit=8_00), Tier(50, unit=6_00)), TierMode.VOLUME
)


@pytest.mark.parametrize(
    ("base", "seats", "quantity", "due"),
    [
        # $20 base and $5 a seat
        (20_00, per_seat(5_00), 1, 25_00),
        (20_00, per_seat(5_00), 2, 30_00),
        (20_00, per_seat(5_00), 3, 35_00),
        (20_00, per_seat(5_00), 10, 70_00),
        # $25 base, one seat included, $10 for each further one
        (25_00, with_included(1, 10_00), 1, 25_00),
        (25_00, with_included(1, 10_00), 2, 35_00),
        (25_00, with_included(1, 10_00), 4, 55_00),
        (25_00, with_included(1, 10_00), 10, 115_00),
        # $8 a seat and no base
        (0, per_seat(8_00), 1, 8_00),
        (0, per_seat(8_00), 10, 80_00),
        # $5 a seat, at most ten
        (0, per_seat(5_00, limit=10), 9, 45_00),
        (0, per_seat(5_00, limit=10), 10, 50_00),
        # the first five seats for $10, then $5 each
        (0, FIRST_FIVE, 1, 10_00),
        (0, FIRST_FIVE, 5, 10_00),
        (0, FIRST_FIVE, 6, 15_00),
        (0, FIRST_FIVE, 8, 25_00),
        (0, FIRST_FIVE, 10, 35_00),
        # $25 base, ten included, $10 extra: 25.00 + 0.00 + 20.00
        (25_00, with_included(10, 10_00), 12, 45_00),
    ],
)
def test_c14_price_is_base_and_tiers_over_purchased_seats(
    base: int, seats: SeatPrice, quantity: int, due: int
) -> None:
    price = price_of(MONTH, MONTH, base=base)
    assert price.of_period(price.base + seats.amount(quantity), 0) == due


@pytest.mark.parametrize(
    ("base", "seats", "quantity", "due"),
    [
        (20_00, per_seat(5_00), 3 + 2, 45_00),  # 3 members and 2 invitations
        (20_00, per_seat(5_00), 5, 45_00),  # bought 8, 5 members renew
        (20_00, per_seat(5_00), 8, 60_00),  # what all 8 would have cost
        (20_00, per_seat(5_00), 5 + 1, 50_00),  # 5 members and an invitation renew
        (25_00, with_included(5, 10_00), 5, 25_00),  # bought 7, 3 left: the included 5 renew
    ],
)
def test_c34_renewal_bills_the_seats_in_use(
    base: int, seats: SeatPrice, quantity: int, due: int
) -> None:
    price = price_of(MONTH, MONTH, base=base)
    assert price.of_period(price.base + seats.amount(quantity), 7) == due


@pytest.mark.parametrize(
    ("seats", "quantity"),
    [
        (per_seat(5_00, limit=10), 11),
        (per_seat(5_00, limit=10), 12),
        (VOLUME, 51),
        (per_seat(5_00), QUANTITY_MAX + 1),
        (per_seat(5_00), -1),
    ],
)
def test_c6_a_quantity_past_the_last_bound_has_no_amount(seats: SeatPrice, quantity: int) -> None:
    with pytest.raises(AssertionError):
        seats.amount(quantity)


@pytest.mark.parametrize(
    ("seats", "bound"),
    [
        (per_seat(5_00), QUANTITY_MAX),
        (per_seat(5_00, limit=10), 10),
        (VOLUME, 50),
        (per_seat(5_00, limit=2 * QUANTITY_MAX), QUANTITY_MAX),
    ],
)
def test_c6_the_last_tier_bounds_the_quantity(seats: SeatPrice, bound: int) -> None:
    assert seats.bound == bound
    seats.amount(bound)


def test_b079_a_million_seats_at_a_great_price_are_exact() -> None:
    assert per_seat(10**15 + 1).amount(QUANTITY_MAX) == 10**21 + 10**6


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        (0, 0),
        (1, 10_00),
        (10, 100_00),
        (11, 113_00),  # 10 x 10.00 + 5.00 + 8.00
        (20, 185_00),  # 10 x 10.00 + 5.00 + 10 x 8.00
        (21, 191_00),  # and 6.00
        (100, 665_00),  # 185.00 + 80 x 6.00
    ],
)
def test_c6_graduated_each_seat_pays_its_own_tier(quantity: int, amount: int) -> None:
    assert GRADUATED.amount(quantity) == amount


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        (0, 0),
        (10, 100_00),  # 10 x 10.00
        (11, 88_00),  # 11 x 8.00
        (20, 160_00),  # 20 x 8.00, up to and including
        (21, 126_00),  # 21 x 6.00
        (50, 300_00),  # 50 x 6.00
    ],
)
def test_c6_volume_all_seats_pay_the_last_tier(quantity: int, amount: int) -> None:
    assert VOLUME.amount(quantity) == amount


@pytest.mark.parametrize(
    ("seats", "included", "is_free"),
    [
        (per_seat(5_00), 0, False),
        (with_included(5, 10_00), 5, False),
        (FIRST_FIVE, 0, False),  # five for $10 are not for nothing
        (per_seat(0, limit=10), 0, True),  # a limit, nothing to count
        (per_seat(0), 0, True),
        (SeatPrice((Tier(5), Tier(None, unit=10_00)), TierMode.VOLUME), 0, False),
        (SeatPrice((Tier(5), Tier(None))), 5, True),
    ],
)
def test_c2_seats_of_a_free_first_tier_are_included(
    seats: SeatPrice, included: int, *, is_free: bool
) -> None:
    assert seats.included == included
    assert seats.is_free == is_free


@pytest.mark.parametrize(
    "tiers",
    [
        (),
        (Tier(None, unit=1), Tier(10, unit=1)),  # only the last may be open
        (Tier(None, unit=1), Tier(None, unit=1)),
        (Tier(10, unit=1), Tier(10, unit=1), Tier(None)),  # an empty tier
        (Tier(10, unit=1), Tier(5, unit=1)),  # backwards
        (Tier(0, unit=1), Tier(None, unit=1)),
        (Tier(0, unit=1),),
    ],
)
def test_c7_tiers_rise_and_only_the_last_is_open(tiers: tuple[Tier, ...]) -> None:
    with pytest.raises(AssertionError):
        SeatPrice(tiers)


def test_c7_a_tier_costs_nothing_or_more() -> None:
    with pytest.raises(AssertionError):
        Tier(10, unit=-1)
    with pytest.raises(AssertionError):
        Tier(10, flat=-1)


@st.composite
def tiered(draw: st.DrawFn, mode: TierMode) -> SeatPrice:
    """A price of one to four tiers, often with the last one open."""
    bounds = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=4)))
    costs = st.integers(0, 20_00)
    last = draw(st.sampled_from([bounds[-1], None]))
    tiers = [Tier(bound, draw(costs), draw(costs)) for bound in bounds[:-1]]
    return SeatPrice((*tiers, Tier(last, draw(costs), draw(costs))), mode)


@given(tiered(TierMode.GRADUATED), st.integers(0, 80))
def test_c6_graduated_equals_counting_seat_by_seat(seats: SeatPrice, quantity: int) -> None:
    quantity = min(quantity, seats.bound)
    total = 0
    opened = set()
    for seat in range(1, quantity + 1):
        number, tier = next(
            (number, tier)
            for number, tier in enumerate(seats.tiers)
            if tier.up_to is None or seat <= tier.up_to
        )
        total += tier.unit
        if number not in opened:
            total += tier.flat
            opened.add(number)
    assert seats.amount(quantity) == total


@given(tiered(TierMode.VOLUME), st.integers(1, 80))
def test_c6_volume_equals_counting_seat_by_seat(seats: SeatPrice, quantity: int) -> None:
    quantity = min(quantity, seats.bound)
    reached = next(t for t in seats.tiers if t.up_to is None or quantity <= t.up_to)
    assert seats.amount(quantity) == reached.flat + sum(reached.unit for _ in range(quantity))


@given(tiered(TierMode.GRADUATED))
def test_c6_graduated_more_seats_never_cost_less(seats: SeatPrice) -> None:
    amounts = [seats.amount(quantity) for quantity in range(min(seats.bound, 80) + 1)]
    assert all(fewer <= more for fewer, more in pairwise(amounts))


@pytest.mark.parametrize(
    ("per", "billing", "seats", "unit", "due"),
    [
        (MONTH, MONTH, 10, 30_00, 300_00),  # 10 x 30.00
        (MONTH, MONTH, 15, 30_00, 450_00),  # 15 x 30.00
        (MONTH, YEAR, 10, 25_00, 3_000_00),  # 10 x 25.00 x 12
        (MONTH, YEAR, 20, 20_00, 4_800_00),  # the minimum: 20 x 20.00 x 12
        (YEAR, YEAR, 20, 240_00, 4_800_00),  # the same, priced by the year
        (YEAR, YEAR, 50, 240_00, 12_000_00),  # 50 x 240.00
        (YEAR, YEAR, 60, 240_00, 14_400_00),  # 50 and the 10 added in April
        (YEAR, YEAR, 45, 240_00, 10_800_00),  # reduced to 45
        (YEAR, YEAR, 48, 240_00, 11_520_00),  # reduced to 45, but 48 are occupied
        (YEAR, YEAR, 12, 960_00, 11_520_00),  # 10 and the 2 added in April
        (MONTH, MONTH, 12, 80_00, 960_00),  # 10 and the 2 agreed the month before
        (MONTH, QUARTER, 1, 99_00, 297_00),  # 99.00 x 3
        (QUARTER, YEAR, 1, 297_00, 1_188_00),  # 297.00 x 4
        (YEAR, MONTH, 1, 240_00, 20_00),  # 240.00 / 12
        (YEAR, QUARTER, 1, 240_00, 60_00),  # 240.00 / 4
        (QUARTER, MONTH, 1, 297_00, 99_00),  # 297.00 / 3
    ],
)
def test_a24_a_period_bills_the_whole_quantity(
    per: Interval, billing: Interval, seats: int, unit: int, due: int
) -> None:
    assert price_of(per, billing).of_period(per_seat(unit).amount(seats), 0) == due


@pytest.mark.parametrize(("seats", "due"), [(1, 99_00), (2, 198_00), (3, 297_00), (5, 495_00)])
def test_t2_every_pro_member_pays_for_one_seat(seats: int, due: int) -> None:
    pro = Price("pro", "USD", per=MONTH, billing=MONTH, term=MONTH)
    charges = [pro.of_period(per_seat(99_00).amount(1), 0) for _ in range(seats)]
    assert sum(charges) == due


@pytest.mark.parametrize(
    ("per", "billing", "amount", "parts"),
    [
        # 100.00 / 12 = 8.3333: levels 8.33, 16.67, 25.00, 33.33 …
        (YEAR, MONTH, 100_00, [8_33, 8_34, 8_33] * 4),
        (YEAR, QUARTER, 100_01, [25_00, 25_01, 25_00, 25_00]),  # levels 25.00, 50.01, 75.01, 100.01
        (QUARTER, MONTH, 1_00, [33, 34, 33]),  # levels 0.33, 0.67, 1.00
        (YEAR, MONTH, 5, [0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0]),  # 0.42, 0.83, 1.25, 1.67, 2.08, 2.5
    ],
)
def test_m8_a_split_price_is_paid_in_parts_that_add_up(
    per: Interval, billing: Interval, amount: int, parts: list[int]
) -> None:
    price = price_of(per, billing)
    assert [price.of_period(amount, number) for number in range(len(parts))] == parts
    assert sum(parts) == amount


@given(
    st.integers(0, 10**9),
    st.sampled_from([(YEAR, MONTH, 12), (YEAR, QUARTER, 4), (QUARTER, MONTH, 3)]),
    st.integers(-50, 50),
)
def test_m8_any_yearly_price_billed_by_the_month_adds_up_exactly(
    amount: int, split: tuple[Interval, Interval, int], interval: int
) -> None:
    per, billing, parts = split
    price = price_of(per, billing)
    first = interval * parts
    due = [price.of_period(amount, first + part) for part in range(parts)]
    assert sum(due) == amount
    assert max(due) - min(due) <= 1


@given(
    st.integers(0, 10**9),
    st.sampled_from([(MONTH, YEAR, 12), (MONTH, QUARTER, 3), (QUARTER, YEAR, 4), (YEAR, YEAR, 1)]),
    st.integers(0, 100),
)
def test_m8_a_monthly_price_billed_by_the_year_is_a_multiple(
    amount: int, multiple: tuple[Interval, Interval, int], number: int
) -> None:
    per, billing, times = multiple
    assert price_of(per, billing).of_period(amount, number) == times * amount


@pytest.mark.parametrize(
    ("billing", "term", "periods"),
    [
        (MONTH, MONTH, 1),
        (MONTH, QUARTER, 3),
        (MONTH, YEAR, 12),
        (QUARTER, YEAR, 4),
        (YEAR, YEAR, 1),
    ],
)
def test_a_term_holds_whole_billing_periods(
    billing: Interval, term: Interval, periods: int
) -> None:
    assert Price("p", "USD", per=MONTH, billing=billing, term=term).periods_per_term == periods


def test_c7_prices_that_cannot_be_billed_do_not_exist() -> None:
    with pytest.raises(AssertionError):
        Price("p", "USD", per=MONTH, billing=YEAR, term=MONTH)  # bound for less than is billed
    with pytest.raises(AssertionError):
        price_of(MONTH, MONTH, base=-1)
    with pytest.raises(AssertionError):
        price_of(MONTH, MONTH, currency="usd")


def test_a15_a_price_knows_the_seats_of_each_type() -> None:
    seats = {"standard": per_seat(30_00), "premium": per_seat(150_00)}
    price = Price("team", "USD", per=MONTH, billing=MONTH, term=MONTH, seats=seats)
    bought = {"standard": 30, "premium": 10}
    total = sum(price.seats[name].amount(quantity) for name, quantity in bought.items())
    assert total == 2_400_00  # 30 x 30.00 + 10 x 150.00
    assert price_of(MONTH, MONTH).seats == {}
