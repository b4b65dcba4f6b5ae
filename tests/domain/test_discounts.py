"""Discounts: one at a time, rounded once, and gone with the price they were off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.billed import Billed
from seatkeeper.domain.billing import period_lines, total
from seatkeeper.domain.changes import Asker
from seatkeeper.domain.discounts import NOTHING_OFF, Discount, Off, decide_discount
from seatkeeper.domain.prices import SeatPrice, Tier, agreed
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Code
from seatkeeper.domain.renewals import decide_renewal
from seatkeeper.domain.terms import Terms, decide_change_plan
from seatkeeper.domain.unused import unused_lines
from tests.domain.facts import applied, begun, buying, code_of, day, due, renewed, with_lines
from tests.domain.shipped import ORGANIZATION, SINGLE

TWENTY = Off(20_00)
FIFTEEN_AMOUNT = Off(minor=15_00)
BASE_AND_SEATS = ORGANIZATION["base_and_seats"]  # 20.00 and 5.00 a seat, by the month
NEXT = datetime(2027, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))


def granted(off=TWENTY, **how):
    return Discount(UUID(int=9), off, **how)


def discounted(account, discount):
    """The account as the start of its next period finds it, under a discount."""
    account = replace(account, discount=discount)
    renewal = decide_renewal(account)
    account = renewed(account, renewal)
    price = replace(account.subscription.price, off=Off(renewal.off.basis_points))
    account = replace(account, subscription=replace(account.subscription, price=price))
    return renewal, with_lines(replace(account, billed=Billed()), renewal.lines)


@pytest.mark.parametrize(
    ("full", "off", "charge", "discount"),
    [
        (129_89, Off(20_00), 103_91, 25_98),  # 129.89 x 80 % = 103.912
        (129_89, Off(12_50), 113_65, 16_24),  # 113.65375
        (5_01, Off(50_00), 2_51, 2_50),  # 2.505: the charge is rounded, not the discount
        (129_89, Off(100_00), 0, 129_89),
        (129_89, Off(1), 129_88, 1),  # 129.877011
    ],
)
def test_c54_g5_a_discount_is_the_full_price_less_the_charge(*, full, off, charge, discount):
    seats = {"member": SeatPrice((Tier(None, unit=full),))}
    price = replace(BASE_AND_SEATS.prices["monthly_usd"], base=0, seats=seats, off=off)
    account = begun(BASE_AND_SEATS, 1)
    pools = {key: billed.pool for key, billed in account.pools.items()}
    [line] = period_lines(BASE_AND_SEATS, price, 0, account.subscription.period, pools)
    assert (line.full_minor, line.amount_minor) == (full, charge)
    assert line.full_minor - line.amount_minor == discount
    assert line.discount_basis_points == off.basis_points


@pytest.mark.parametrize(
    ("minor", "amounts", "parts"),
    [
        (15_00, [20_00, 25_00], [6_67, 8_33]),  # 15 x 20/45 = 6.667, and what is left
        (100_00, [20_00, 25_00], [20_00, 25_00]),  # never below nothing
        (1, [1, 1, 1], [0, 1, 0]),  # levels 0.33, 0.67, 1
        (5_00, [], []),
        (5_00, [0, 0], [0, 0]),
        (0, [20_00], [0]),
    ],
)
def test_c54_a_fixed_amount_is_dealt_out_over_the_lines(minor, amounts, parts):
    assert Off(minor=minor).of_each(amounts) == parts


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**8), max_size=6))
def test_c54_no_line_gets_more_off_than_it_is(minor, amounts):
    parts = Off(minor=minor).of_each(amounts)
    assert sum(parts) == min(minor, sum(amounts))
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))


@pytest.mark.parametrize(
    ("discount", "offs"),
    [
        (granted(periods=1), [True, False, False]),
        (granted(periods=2), [True, True, False]),
        (granted(), [True, True, True]),
        # The period that begins on 1 March is the first that does not begin before then.
        (granted(until=datetime(2026, 3, 1, tzinfo=UTC)), [True, False, False]),
        (granted(until=datetime(2026, 3, 1, 1, tzinfo=UTC)), [True, True, False]),
    ],
)
def test_c54_a_discount_lasts_as_long_as_it_was_granted(discount, offs):
    account, found = begun(BASE_AND_SEATS, 5), []
    for _ in offs:
        renewal, account = discounted(account, discount)
        found.append(renewal.off == TWENTY)
        assert renewal.keeps(discount) == (renewal.off == TWENTY)
        # Nobody sits there, so one seat renews: 20.00 + 5.00, less 20 %.
        assert total(renewal.lines) == (20_00 if found[-1] else 25_00)
        if found[-1]:
            discount = replace(discount, used=discount.used + 1)
    assert found == offs


def test_c54_a_period_that_bills_nothing_does_not_use_a_discount_up():
    empty = replace(ORGANIZATION["per_seat"], minimum=0)
    renewal, _ = discounted(begun(empty, 0), granted(periods=1))
    assert (renewal.off, renewal.lines) == (NOTHING_OFF, ())
    assert renewal.keeps(granted(periods=1))
    assert not renewal.keeps(None)


def test_c54_seats_added_in_a_discounted_period_are_discounted_too():
    renewal, account = discounted(begun(SINGLE, 50), granted(periods=1))
    assert total(renewal.lines) == 9_600_00  # 50 x 240.00 x 80 %
    offer = buying(account, 10, day(4, 1, 2027))
    assert due(offer) == 1_446_58  # 10 x 240.00 x 275/365 x 80 % = 1,446.575
    assert offer.lines[0].full_minor == 2_400_00
    assert due(buying(applied(account, offer), 1, day(4, 1, 2027))) == 144_65  # 1,591.23 in all


def test_c54_a_fixed_amount_is_not_off_seats_added_later():
    renewal, account = discounted(begun(SINGLE, 50), granted(FIFTEEN_AMOUNT))
    assert total(renewal.lines) == 11_985_00  # 50 x 240.00 - 15.00
    assert due(buying(account, 10, day(4, 1, 2027))) == 1_808_22  # 10 x 240.00 x 275/365


@pytest.mark.parametrize(
    ("off", "back", "paid"),
    [
        (NOTHING_OFF, [10_00, 12_50], 45_00),
        (TWENTY, [8_00, 10_00], 36_00),  # what was paid is given back, not what it would have been
        (FIFTEEN_AMOUNT, [6_67, 8_34], 30_00),  # (20.00 - 6.67) / 2 = 6.665, (25.00 - 8.33) / 2
        (Off(100_00), [], 0),
        (Off(minor=45_00), [], 0),
    ],
)
def test_c54_m7_a_credit_gives_back_what_was_paid(off, back, paid):
    account = begun(BASE_AND_SEATS, 5, on=datetime(2026, 6, 1, tzinfo=UTC).date())
    price = replace(account.subscription.price, off=off)
    pools = {key: billed.pool for key, billed in account.pools.items()}
    period = account.subscription.period
    lines = period_lines(BASE_AND_SEATS, price, 0, period, pools)
    assert total(lines) == paid
    account = with_lines(replace(account, billed=Billed()), lines)
    rest = unused_lines(account, {"member": 5}, day(6, 16))  # 15 of 30 days
    assert [-line.amount_minor for line in rest] == back


def test_c54_a_change_of_plan_gives_back_what_was_paid_and_bills_without_the_discount():
    account = begun(BASE_AND_SEATS, 5, on=datetime(2026, 5, 1, tzinfo=UTC).date())
    pools = {
        key: replace(billed, pool=replace(billed.pool, assigned=5))
        for key, billed in account.pools.items()
    }
    _, account = discounted(replace(account, pools=pools), granted())
    five = ORGANIZATION["five_included"]
    choice = Choice(five, five.prices["monthly_usd"])
    people = People(members=5)
    terms = decide_change_plan(account, choice, Asker.BILLING, people, day(6, 16))
    assert isinstance(terms, Terms), terms
    # Back: 45.00 x 80 % x 15/30 = 18.00; new: 25.00 x 15/30.
    assert [line.amount_minor for line in terms.lines] == [-8_00, -10_00, 12_50, 0]
    assert [line.discount_basis_points for line in terms.lines] == [20_00, 20_00, 0, 0]


def test_c54_another_agreed_amount_ends_the_discount():
    price = replace(SINGLE.prices["yearly"], off=TWENTY)
    terms = {"seats": {"enterprise": {"unit_minor": 10_00}}}
    assert agreed(price, terms).off == NOTHING_OFF


@pytest.mark.parametrize(
    ("until", "is_free", "code"),
    [
        (None, False, None),
        (datetime(2027, 1, 1, 1, tzinfo=UTC), False, None),
        (NEXT, False, Code.INVALID_REQUEST),  # no period begins before it is over
        (
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
            False,
            Code.INVALID_REQUEST,
        ),
        (None, True, Code.STATE_CONFLICT),
    ],
)
def test_c54_a_discount_that_would_do_nothing_is_refused(until, is_free, code):
    assert code_of(decide_discount(until, next_period_at=NEXT, is_free=is_free)) == code


@pytest.mark.parametrize(
    ("off", "text"),
    [
        (Off(20_00), "20 %"),
        (Off(12_50), "12.5 %"),
        (Off(1), "0.01 %"),
        (Off(100_00), "100 %"),
        (Off(minor=5_00), "5.00 USD a period"),
    ],
)
def test_c54_a_discount_reads_as_people_say_it(off, text):
    assert off.text("USD") == text
