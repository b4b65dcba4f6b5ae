"""Proration: which part of a period is left on every basis, and what late seats pay for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.money import round_half_up
from seatkeeper.domain.periods import Interval, Period, Recurrence
from seatkeeper.domain.prices import Price
from seatkeeper.domain.proration import Basis, Share, share_left

JANUARY = Recurrence(date(2026, 1, 1), Interval.MONTH, "UTC").period(0)
TERM = Recurrence(date(2026, 1, 1), Interval.YEAR, "UTC").period(0)
LEAP_TERM = Recurrence(date(2028, 1, 1), Interval.YEAR, "UTC").period(0)
MONTHLY = Price("monthly", "USD", Interval.MONTH, Interval.MONTH, Interval.MONTH)
YEARLY = Price("yearly", "USD", Interval.YEAR, Interval.YEAR, Interval.YEAR)
YEARLY_BY_MONTH = Price("split", "USD", Interval.YEAR, Interval.MONTH, Interval.YEAR)
MONTHLY_BY_YEAR = Price("upfront", "USD", Interval.MONTH, Interval.YEAR, Interval.YEAR)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def noon(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2026-01-01", 365),
        ("2026-03-01", 306),
        ("2026-04-01", 275),
        ("2026-06-15", 200),
        ("2026-07-02", 183),
        ("2026-09-30", 93),
        ("2026-12-31", 1),
    ],
)
def test_a20_days_left_of_an_annual_term_count_the_purchase_day(day: str, left: int) -> None:
    assert share_left(Basis.DAY, TERM, noon(day)) == Share(left, 365, Basis.DAY)
    after = share_left(Basis.DAY_AFTER, TERM, noon(day))
    assert after == Share(left - 1, 365, Basis.DAY_AFTER)


def test_a20_a_leap_term_has_366_days() -> None:
    share = share_left(Basis.DAY, LEAP_TERM, noon("2028-04-01"))
    assert share == Share(275, 366, Basis.DAY)


@pytest.mark.parametrize(
    ("basis", "day", "due"),
    [
        (Basis.DAY, "2026-01-15", 82_26),  # 5 x 30.00 x 17/31
        (Basis.DAY_AFTER, "2026-01-15", 77_42),  # 5 x 30.00 x 16/31
        (Basis.MONTH, "2026-01-15", 150_00),  # 5 x 30.00 x 1/1, the started month
        (Basis.NONE, "2026-01-15", 150_00),  # 5 x 30.00
        (Basis.SECOND, "2026-01-15", 79_84),  # 5 x 30.00 x 16.5/31 at noon
        (Basis.DAY, "2026-01-01", 150_00),  # all 31 of 31
        (Basis.DAY_AFTER, "2026-01-01", 145_16),  # 5 x 30.00 x 30/31
        (Basis.DAY, "2026-01-31", 4_84),  # 5 x 30.00 x 1/31
        (Basis.DAY_AFTER, "2026-01-31", 0),  # nothing is left after the last day
    ],
)
def test_g4_a_monthly_price_by_basis(basis: Basis, day: str, due: int) -> None:
    share = share_left(basis, JANUARY, noon(day))
    assert round_half_up(5 * 30_00 * share.part, share.whole) == due


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2026-01-01", 12),
        ("2026-01-31", 12),
        ("2026-02-01", 11),
        ("2026-03-01", 10),  # "billed for 10 months remaining"
        ("2026-04-01", 9),
        ("2026-04-30", 9),  # the started month counts
        ("2026-12-31", 1),
    ],
)
def test_g4_month_basis_counts_the_started_month(day: str, left: int) -> None:
    assert share_left(Basis.MONTH, TERM, noon(day)) == Share(left, 12, Basis.MONTH)


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2026-01-31", 12),
        ("2026-02-27", 12),
        ("2026-02-28", 11),  # the second month begins on the last of February
        ("2026-03-30", 11),
        ("2026-03-31", 10),
        ("2026-12-31", 1),
        ("2027-01-30", 1),
    ],
)
def test_g3_months_of_a_term_begin_on_its_anchor_day(day: str, left: int) -> None:
    term = Recurrence(date(2026, 1, 31), Interval.YEAR, "UTC").period(0)
    assert share_left(Basis.MONTH, term, noon(day)) == Share(left, 12, Basis.MONTH)


@pytest.mark.parametrize(
    ("start", "end", "day", "share"),
    [
        ("2026-01-10", "2026-01-20", "2026-01-19", (1, 1)),  # ten days count as a month
        ("2026-01-10", "2026-02-20", "2026-01-10", (2, 2)),  # a month and a broken one
        ("2026-01-10", "2026-02-20", "2026-02-12", (1, 2)),
        ("2026-01-20", "2026-02-15", "2026-01-25", (2, 2)),  # two broken ones
        ("2026-01-20", "2026-02-15", "2026-02-14", (1, 2)),  # the last is not free
    ],
)
def test_g4_the_broken_months_of_a_stub_count(
    start: str, end: str, day: str, share: tuple[int, int]
) -> None:
    stub = Period(date.fromisoformat(start), date.fromisoformat(end), "UTC", date(2026, 1, 10))
    assert share_left(Basis.MONTH, stub, noon(day)) == Share(*share, Basis.MONTH)


@pytest.mark.parametrize(
    ("instant", "seconds"),
    [
        ("2026-01-01T00:00:00", 2_678_400),  # 31 x 86,400
        ("2026-01-01T00:00:01", 2_678_399),
        ("2026-01-31T23:59:59", 1),
        ("2026-01-31T23:59:59.500000", 0),  # half a second is no second
    ],
)
def test_g4_seconds_left_are_whole_seconds(instant: str, seconds: int) -> None:
    now = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert share_left(Basis.SECOND, JANUARY, now) == Share(seconds, 2_678_400, Basis.SECOND)


def test_t4_a_skipped_hour_is_a_shorter_whole_but_no_shorter_day() -> None:
    """In São Paulo 4 November 2018 had 23 hours."""
    november = Recurrence(date(2018, 11, 1), Interval.MONTH, "America/Sao_Paulo").period(0)
    first = november.starts_at
    assert share_left(Basis.SECOND, november, first) == Share(719 * 3600, 719 * 3600, Basis.SECOND)
    fourth = datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert share_left(Basis.DAY, november, fourth) == Share(27, 30, Basis.DAY)
    assert share_left(Basis.DAY, november, fourth - MOMENT) == Share(28, 30, Basis.DAY)


def test_t4_a_skipped_day_is_paid_by_who_was_there_before() -> None:
    """Apia had no 30 December 2011; the month has 31 dates all the same."""
    december = Recurrence(date(2011, 12, 1), Interval.MONTH, "Pacific/Apia").period(0)
    on_31st = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert share_left(Basis.DAY, december, on_31st - MOMENT) == Share(3, 31, Basis.DAY)
    assert share_left(Basis.DAY, december, on_31st) == Share(1, 31, Basis.DAY)


@pytest.mark.parametrize(
    ("time_zone", "left"),
    [("UTC", 17), ("Asia/Tokyo", 16), ("America/Los_Angeles", 17)],
)
def test_g2_the_purchase_belongs_to_the_local_day(time_zone: str, left: int) -> None:
    january = Recurrence(date(2026, 1, 1), Interval.MONTH, time_zone).period(0)
    now = datetime(2026, 1, 15, 20, tzinfo=UTC)  # already the 16th in Tokyo
    assert share_left(Basis.DAY, january, now) == Share(left, 31, Basis.DAY)


@pytest.mark.parametrize("basis", Basis)
def test_b069_an_instant_belongs_to_exactly_one_period(basis: Basis) -> None:
    for outside in (JANUARY.starts_at - MOMENT, JANUARY.ends_at):
        with pytest.raises(AssertionError):
            share_left(basis, JANUARY, outside)


@pytest.mark.parametrize(("part", "whole"), [(-1, 30), (31, 30), (0, 0), (1, 0)])
def test_g4_a_share_lies_between_nothing_and_all(part: int, whole: int) -> None:
    with pytest.raises(AssertionError):
        Share(part, whole, Basis.DAY)


@given(
    basis=st.sampled_from(Basis),
    anchor=st.dates(min_value=date(2000, 1, 1), max_value=date(2060, 12, 31)),
    interval=st.sampled_from(Interval),
    time_zone=st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo"]),
    one=st.integers(min_value=0, max_value=10**6),
    other=st.integers(min_value=0, max_value=10**6),
)
def test_g4_what_is_left_only_shrinks(
    *, basis: Basis, anchor: date, interval: Interval, time_zone: str, one: int, other: int
) -> None:
    period = Recurrence(anchor, interval, time_zone).period(0)
    length = period.ends_at - period.starts_at
    early = period.starts_at + length * min(one, other) // (10**6 + 1)
    late = period.starts_at + length * max(one, other) // (10**6 + 1)
    before, after = share_left(basis, period, early), share_left(basis, period, late)
    assert 0 <= after.part <= before.part <= before.whole == after.whole
    start = share_left(basis, period, period.starts_at)
    assert start.part == start.whole - (1 if basis is Basis.DAY_AFTER else 0)
    if basis in {Basis.DAY, Basis.MONTH}:
        assert share_left(basis, period, period.ends_at - MOMENT).part == 1


@given(
    st.dates(min_value=date(2026, 1, 1), max_value=date(2026, 12, 31)),
    st.dates(min_value=date(2026, 1, 1), max_value=date(2030, 1, 1)),
    st.integers(min_value=1, max_value=800),
)
def test_g4_no_stub_is_ever_free_on_the_month_basis(anchor: date, start: date, days: int) -> None:
    stub = Period(start, start + days * DAY, "UTC", anchor)
    whole = share_left(Basis.MONTH, stub, stub.starts_at)
    assert whole.part == whole.whole
    assert share_left(Basis.MONTH, stub, stub.ends_at - MOMENT).part == 1


@pytest.mark.parametrize(
    ("seats", "day", "due"),
    [
        (1, "2026-01-01", 240_00),  # 1 x 240.00 x 365/365
        (5, "2026-03-01", 1_006_03),  # 5 x 240.00 x 306/365
        (10, "2026-04-01", 1_808_22),  # 10 x 240.00 x 275/365
        (20, "2026-06-15", 2_630_14),  # 20 x 240.00 x 200/365
        (1, "2026-07-02", 120_33),  # 1 x 240.00 x 183/365
        (7, "2026-09-30", 428_05),  # 7 x 240.00 x 93/365
        (3, "2026-12-31", 1_97),  # 3 x 240.00 x 1/365
    ],
)
def test_a20_added_seats_pay_for_the_rest_of_the_term(seats: int, day: str, due: int) -> None:
    share = share_left(Basis.DAY, TERM, noon(day))
    assert YEARLY.prorated(seats * 240_00, share) == due
    # $20.00 a month, billed by the year, is the same money.
    assert MONTHLY_BY_YEAR.prorated(seats * 20_00, share) == due


def test_a20_a_leap_term_is_shared_by_366_days() -> None:
    share = share_left(Basis.DAY, LEAP_TERM, noon("2028-04-01"))
    assert YEARLY.prorated(10 * 240_00, share) == 1_803_28  # 2,400.00 x 275/366


def test_g1_the_line_is_rounded_and_not_each_seat() -> None:
    share = Share(275, 365, Basis.DAY)
    price = YEARLY
    assert price.prorated(10 * 240_00, share) == 1_808_22
    assert 10 * price.prorated(240_00, share) == 1_808_20  # what rounding each seat would give


@pytest.mark.parametrize(
    ("basis", "seats", "unit", "day", "due"),
    [
        # The help centre's annual examples, by the basis each of them implies.
        (Basis.MONTH, 5, 240_00, "2026-03-01", 1_000_00),  # 5 x 20.00 x 10 months
        (Basis.DAY, 5, 240_00, "2026-03-01", 1_006_03),  # 5 x 240.00 x 306/365
        (Basis.MONTH, 10, 240_00, "2026-04-01", 1_800_00),  # 10 x 20.00 x 9 months
        (Basis.DAY, 10, 240_00, "2026-04-01", 1_808_22),  # 10 x 240.00 x 275/365
        (Basis.DAY, 5, 25_00, "2026-04-01", 94_18),  # as printed: 5 x 25.00 x 275/365
        (Basis.DAY, 5, 300_00, "2026-04-01", 1_130_14),  # for $25 a month: 5 x 300.00 x 275/365
        (Basis.DAY, 5, 250_00, "2026-04-01", 941_78),  # what was printed: 5 x 250.00 x 275/365
        (Basis.DAY, 2, 960_00, "2026-04-01", 1_446_58),  # 2 x 960.00 x 275/365
        (Basis.NONE, 2, 960_00, "2026-04-01", 1_920_00),  # 2 x 960.00
    ],
)
def test_g4_annual_examples_of_the_help_centre(
    basis: Basis, seats: int, unit: int, day: str, due: int
) -> None:
    share = share_left(basis, TERM, noon(day))
    assert YEARLY.prorated(seats * unit, share) == due


@pytest.mark.parametrize(
    ("basis", "amount", "due"),
    [
        (Basis.DAY_AFTER, 5 * 30_00, 77_42),  # 150.00 x 16/31, as printed
        (Basis.DAY, 5 * 30_00, 82_26),  # 150.00 x 17/31
        (Basis.DAY, 150_00 - 30_00, 65_81),  # Standard to Premium: 120.00 x 17/31
        (Basis.DAY_AFTER, 150_00 - 30_00, 61_94),  # Standard to Premium: 120.00 x 16/31
        (Basis.NONE, 99_00, 99_00),  # a Pro member who joins late pays a whole month
    ],
)
def test_g4_monthly_examples_of_the_help_centre(basis: Basis, amount: int, due: int) -> None:
    share = share_left(basis, JANUARY, noon("2026-01-15"))
    assert MONTHLY.prorated(amount, share) == due


@pytest.mark.parametrize(
    ("currency", "unit", "due"),
    [
        ("USD", 240_00, 1_808_22),  # 10 x 240.00 x 275/365 = 1,808.219
        ("JPY", 36_000, 271_233),  # 10 x 36,000 x 275/365 = 271,232.88 yen
        ("KWD", 73_500, 553_767),  # 10 x 73.500 x 275/365 = 553.7671 dinars
    ],
)
def test_g1_currencies_of_no_and_of_three_decimals(currency: str, unit: int, due: int) -> None:
    price = Price("local", currency, Interval.YEAR, Interval.YEAR, Interval.YEAR)
    assert price.prorated(10 * unit, Share(275, 365, Basis.DAY)) == due


def test_g1_a_yearly_price_billed_by_the_month_is_rounded_only_once() -> None:
    # 99.90 / 12 x 15/30 = 4.1625; from a month rounded to 8.33 it would be 4.165, that is 4.17.
    assert YEARLY_BY_MONTH.prorated(99_90, Share(15, 30, Basis.DAY)) == 4_16


@given(
    st.integers(-(10**9), 10**9),
    st.sampled_from(Interval),
    st.sampled_from(Interval),
    st.tuples(st.integers(0, 366), st.integers(1, 366)).filter(lambda pair: pair[0] <= pair[1]),
)
def test_g4_a_prorated_amount_lies_between_nothing_and_the_whole(
    amount: int, per: Interval, billing: Interval, pair: tuple[int, int]
) -> None:
    price = Price("any", "USD", per, billing, Interval.YEAR)
    whole = price.prorated(amount, Share(1, 1, Basis.NONE))
    due = price.prorated(amount, Share(*pair, Basis.DAY))
    assert min(0, whole) <= due <= max(0, whole)
    assert price.prorated(-amount, Share(*pair, Basis.DAY)) == -due
