"""Billed: what of a period stands, and what of it comes back."""

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.billed import Billed, Sum, standing
from seatkeeper.domain.billing import step
from seatkeeper.domain.discounts import Off
from seatkeeper.domain.policies import ReductionMoney
from seatkeeper.domain.prices import DayLevel, SeatPrice, Tier, TierMode, adjust
from seatkeeper.domain.proration import Basis, Share
from seatkeeper.domain.unused import is_fewer, unused_lines
from tests.domain.facts import begun, day, with_policies
from tests.domain.facts import standing as with_terms
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, SINGLE

TEAM, LEGACY = ENTERPRISE["team"], ENTERPRISE["chat_and_code"]
FREE = ORGANIZATION["unlimited"]
HALF = Share(15, 30, Basis.DAY)


def billing(plan, *sums, seats=10):
    """An account that owns so many seats and has billed these (type, full, amount, …)."""
    account = begun(plan, seats, on=date(2026, 4, 1))
    made = [Sum(plan, *given) if isinstance(given, tuple) else given for given in sums]
    return replace(account, billed=standing(made, plan))


def back(account, quantities, now=None, **how):
    lines = unused_lines(account, quantities, now or day(4, 16), **how)  # 15 of 30 days
    return [line.amount_minor for line in lines]


PER_SEAT = ORGANIZATION["per_seat"]  # 8.00 a seat and month


@pytest.mark.parametrize(
    ("noted", "charged", "amount"),
    [(0, 0, -40_00), (80_00, 80_00, None), (20_00, 80_00, -30_00), (30_00, 90_00, -26_67)],
    # 80.00 x 15/30; nothing stands; 3/4 of it; 2/3 of it
)
def test_m7_m10_a_credit_note_takes_of_each_charge_alike(noted, charged, amount):
    seats = Sum(PER_SEAT, "member", 80_00, 80_00, noted_minor=noted, charged_minor=charged)
    assert back(billing(PER_SEAT, seats), {"member": 10}) == ([] if amount is None else [amount])


def test_c50_what_a_plan_without_proration_sold_does_not_stand():
    whole = with_policies(PER_SEAT, proration=Basis.NONE)
    assert standing([Sum(whole, "member", 80_00, 80_00)], PER_SEAT) == Billed()
    assert unused_lines(billing(whole, ("member", 80_00, 80_00)), {}, day(4, 16)) == ()


def test_a95_lines_of_an_earlier_plan_count_for_what_its_seats_became():
    found = standing([Sum(LEGACY, "chat", 480_00, 480_00)], SINGLE)
    assert found.worth("enterprise") == 480_00
    assert found.worth("chat") == 0


def test_c54_parts_under_different_percentages_come_back_apart():
    account = billing(
        PER_SEAT,
        Sum(PER_SEAT, "member", 64_00, 51_20, basis_points=20_00),
        Sum(PER_SEAT, "member", 16_00, 16_00),
    )
    lines = unused_lines(account, {"member": 10}, day(4, 16))
    assert [(x.amount_minor, x.discount_basis_points) for x in lines] == [
        (-25_60, 20_00),
        (-8_00, 0),
    ]


def test_c54_billed_under_a_discount_and_returned_without_it_only_the_sum_comes_back():
    account = billing(
        PER_SEAT,
        Sum(PER_SEAT, "member", 80_00, 64_00, basis_points=20_00),
        Sum(PER_SEAT, "member", -16_00, -16_00),
        Sum(PER_SEAT, "member", 8_00, 8_00, is_today=True),
    )
    assert back(account, {"member": 10}) == [-28_00]  # (64.00 - 16.00 + 8.00) x 15/30


def test_m7_no_more_comes_back_than_stands_however_it_was_rounded():
    # Three seats of 0.01, each bought when less than half of its price was left.
    account = billing(PER_SEAT, ("member", 3, 1), seats=3)
    assert back(account, {"member": 3}, day(4, 1)) == [-1]
    assert back(billing(PER_SEAT, ("member", 3, 0), seats=3), {"member": 3}, day(4, 1)) == []
    nothing = billing(PER_SEAT, ("member", 80_00, -1), (None, 10_00, -1))
    assert back(nothing, {"member": 10}) == []


@pytest.mark.parametrize(
    ("quantity", "most", "amount"),
    [
        (10, None, -40_00),
        (12, None, -40_00),
        (4, None, -16_00),  # of ten paid seats four move along: 4/10 x 80.00 x 15/30
        (4, 12_00, -12_00),  # and no more than the new plan bills
        (0, None, None),
    ],
)
def test_a32_g6_only_seats_that_move_along_come_back(quantity, most, amount):
    account = billing(PER_SEAT, ("member", 80_00, 80_00))
    found = back(account, {"any": quantity}, most=most)
    assert found == ([] if amount is None else [amount])
    assert is_fewer(account, {"any": quantity}, day(4, 16)) == (quantity < 10)


def test_a32_the_dearest_types_move_along_first():
    account = billing(
        TEAM,
        ("standard", 300_00, 300_00),
        ("premium", 750_00, 750_00),
        seats={"standard": 10, "premium": 5},
    )
    # day_after: 14 of 30 days; five premium and one of ten standard seats
    assert back(account, {"any": 6}) == [-350_00, -14_00]


def test_a32_seats_that_have_no_price_move_along_by_their_number():
    free = SeatPrice((Tier(None),))
    price = replace(PER_SEAT.prices["monthly_usd"], seats={"member": free})
    account = billing(PER_SEAT, ("member", 80_00, 80_00))
    account = with_terms(account, price=price)
    assert back(account, {"any": 5}) == [-20_00]
    assert back(with_terms(account, price=replace(price, seats={})), {"any": 5}) == [-20_00]


def test_c9_seats_that_a_plan_grants_are_not_given_back_one_by_one():
    account = billing(FREE, (None, 499_00, 499_00), seats=1_000)
    assert not is_fewer(account, {"member": 4}, day(4, 16))
    assert back(account, {"member": 4}) == [-249_50]


def test_c21_a_trial_gives_nothing_back():
    account = with_terms(billing(PER_SEAT, ("member", 80_00, 80_00)), number=-1)
    assert unused_lines(account, {}, day(4, 16)) == ()


PRICE = PER_SEAT.prices["monthly_usd"]


@pytest.mark.parametrize(
    ("worth", "level", "due", "full", "listed"),
    [
        (None, 6, -16_00, -32_00, True),  # 4 x 8.00 x 15/30, as priced
        (80_00, 6, -16_00, -32_00, True),  # the same, because that is what was billed
        (40_00, 6, -8_00, -16_00, False),  # 4/10 of 40.00
        (400_00, 6, -80_00, -160_00, False),
        (0, 6, 0, 0, False),  # credited by a note: nothing stands
        (40_00, 12, 8_00, 16_00, True),  # what is added costs what it costs now
    ],
)
def test_m14_seats_come_back_at_what_they_were_billed(*, worth, level, due, full, listed):
    known = None if worth is None else Fraction(worth)
    today = DayLevel(paid=10, level=10, billed=0, credited=True, worth=known)
    moved = adjust(PRICE, PRICE.seats["member"], today, level, HALF)
    assert (moved.due, moved.full, moved.listed) == (due, full, listed)


def test_c54_of_what_was_free_nothing_comes_back():
    price = replace(PRICE, off=Off(100_00))
    today = DayLevel(paid=10, level=10, billed=0, credited=True, worth=Fraction(0))
    assert adjust(price, price.seats["member"], today, 5, HALF).due == 0


@given(
    worth=st.integers(0, 10**7),
    levels=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    part=st.integers(0, 30),
    mode=st.sampled_from(TierMode),
)
def test_m8_steps_of_a_day_add_up_to_one_whatever_was_billed(worth, levels, part, mode):
    seats = SeatPrice((Tier(5, unit=10_00, flat=3), Tier(None, unit=7_01)), mode)
    share, paid = Share(part, 30, Basis.DAY), 10

    def walked(*quantities):
        today = DayLevel(paid, paid, 0, credited=True, worth=Fraction(worth))
        for quantity in quantities:
            moved = adjust(PRICE, seats, today, quantity, share)
            today = replace(today, level=moved.level, billed=today.billed + moved.due)
        return today.billed

    assert walked(*levels) == walked(levels[-1])
    assert walked(*levels, paid) == 0
    assert walked(*levels) >= -worth


@pytest.mark.parametrize(
    ("level", "billed", "now"),
    [
        (10, 0, 160_00),  # 1/10 x 160.00 x 15/30 comes back
        (12, 8_00, 176_00),  # two of today at 8.00 first, then one as above
        (8, -16_00, 128_00),  # two have come back already: one more stands again
    ],
)
def test_m11_paid_seats_are_worth_what_was_billed_before_today(level, billed, now):
    plan = with_policies(PER_SEAT, reduction_money=ReductionMoney.CREDIT)
    account = begun(plan, 10, on=date(2026, 4, 1))
    seats = replace(
        account.pools["member"],
        pool=replace(account.pools["member"].pool, purchased=level),
        billed_at=datetime(2026, 4, 16, tzinfo=UTC),
        day=DayLevel(10, level, billed),
        worth=(Fraction(now), Fraction(160_00)),
    )
    taken = step(account.subscription, seats, 9, day(4, 16))
    assert taken.line is not None
    assert (taken.line.amount_minor, taken.line.unit_minor) == (-8_00 - billed, None)
