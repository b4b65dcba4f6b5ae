"""Periods: they tile, return to their anchor, and hold still while clocks jump."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.periods import (
    Interval,
    Period,
    Recurrence,
    anchored,
    local_day,
    midnight,
    months_since,
    zone,
)

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
LEAP_YEAR = [date(2024, 1, 1) + number * DAY for number in range(366)]
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 12, 31))


def month_end(year: int, month: int) -> date:
    """The last day of a month, found by walking."""
    day = date(year, month, 28)
    while (day + DAY).month == month:
        day += DAY
    return day


def anchored_by_walking(anchor: date, months: int) -> date:
    """What `anchored` should say, one calendar month after the other."""
    year, month = anchor.year, anchor.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month in {0, 13}:
            year, month = (year - 1, 12) if month == 0 else (year + 1, 1)
    last = month_end(year, month)
    return last if anchor.day > last.day else date(year, month, anchor.day)


@pytest.mark.parametrize(
    ("anchor", "interval", "starts"),
    [
        (
            date(2026, 1, 31),
            Interval.MONTH,
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
        ),
        (date(2028, 1, 31), Interval.MONTH, ["2028-01-31", "2028-02-29", "2028-03-31"]),
        (date(2026, 1, 30), Interval.MONTH, ["2026-01-30", "2026-02-28", "2026-03-30"]),
        (date(2026, 11, 15), Interval.MONTH, ["2026-11-15", "2026-12-15", "2027-01-15"]),
        (
            date(2026, 11, 30),
            Interval.QUARTER,
            ["2026-11-30", "2027-02-28", "2027-05-30", "2027-08-30", "2027-11-30"],
        ),
        (
            date(2024, 2, 29),
            Interval.YEAR,
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        ),
    ],
)
def test_g3_short_months_end_early_and_the_anchor_returns(
    anchor: date, interval: Interval, starts: list[str]
) -> None:
    recurrence = Recurrence(anchor, interval, "UTC")
    assert [recurrence.period(n).start.isoformat() for n in range(len(starts))] == starts


@pytest.mark.parametrize("interval", Interval)
def test_g3_periods_of_all_anchor_days_tile_ten_years(interval: Interval) -> None:
    for anchor in LEAP_YEAR:
        recurrence = Recurrence(anchor, interval, "UTC")
        previous = recurrence.period(-1)
        covered = 0
        for number in range(10 * 12 // interval.months):
            period = recurrence.period(number)
            assert period.start == previous.end  # no gap, no overlap
            assert period.start == anchored_by_walking(anchor, number * interval.months)
            assert recurrence.number_on(period.start) == number
            assert recurrence.number_on(period.end - DAY) == number
            covered += period.days
            previous = period
        assert covered == (anchored(anchor, 120) - anchor).days


@pytest.mark.parametrize(
    ("interval", "months"), [(Interval.MONTH, 1), (Interval.QUARTER, 3), (Interval.YEAR, 12)]
)
def test_an_interval_is_a_number_of_months(interval: Interval, months: int) -> None:
    assert interval.months == months


@given(days, st.integers(min_value=-240, max_value=240))
def test_g3_anchored_equals_walking_the_calendar(anchor: date, months: int) -> None:
    assert anchored(anchor, months) == anchored_by_walking(anchor, months)


@pytest.mark.parametrize(
    ("anchor", "day", "months"),
    [
        (date(2026, 1, 31), date(2026, 1, 31), 0),
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2026, 1, 31), date(2026, 2, 28), 1),  # the short month is over on its last day
        (date(2026, 1, 31), date(2026, 3, 30), 1),
        (date(2026, 1, 31), date(2026, 3, 31), 2),
        (date(2026, 1, 15), date(2026, 1, 14), -1),
        (date(2026, 1, 15), date(2025, 1, 15), -12),
        (date(2024, 2, 29), date(2028, 2, 28), 47),
        (date(2024, 2, 29), date(2028, 2, 29), 48),
    ],
)
def test_g3_whole_months_since_the_anchor(anchor: date, day: date, months: int) -> None:
    assert months_since(anchor, day) == months


@given(days, days)
def test_g3_every_day_lies_in_the_month_that_months_since_names(anchor: date, day: date) -> None:
    months = months_since(anchor, day)
    assert anchored(anchor, months) <= day < anchored(anchor, months + 1)


@given(days, days, st.sampled_from(Interval))
def test_g3_every_day_lies_in_exactly_one_period(
    anchor: date, day: date, interval: Interval
) -> None:
    recurrence = Recurrence(anchor, interval, "UTC")
    period = recurrence.period(recurrence.number_on(day))
    assert period.start <= day < period.end
    assert period.anchor == anchor


@pytest.mark.parametrize(
    ("start", "end"), [("2026-01-01", "2026-01-01"), ("2026-01-02", "2026-01-01")]
)
def test_g2_a_period_holds_at_least_a_day(start: str, end: str) -> None:
    with pytest.raises(AssertionError):
        Period(date.fromisoformat(start), date.fromisoformat(end), "UTC", date(2026, 1, 1))


@pytest.mark.parametrize("name", ["", "utc", "Mars/Base", "../etc/hosts", "posix/UTC", "UTC+1"])
def test_g2_a_zone_needs_an_iana_name(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)


@pytest.mark.parametrize("name", ["localtime", "Factory"])
def test_g2_the_zone_of_the_host_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Vienna", "Asia/Tokyo"])
def test_g2_a_zone_is_found_by_its_name(name: str) -> None:
    assert zone(name).key == name


@pytest.mark.parametrize(
    ("day", "time_zone", "starts"),
    [
        ("2026-01-01", "UTC", "2026-01-01T00:00"),
        ("2026-01-01", "Asia/Tokyo", "2025-12-31T15:00"),
        ("2026-01-01", "America/New_York", "2026-01-01T05:00"),
        ("2026-07-01", "America/New_York", "2026-07-01T04:00"),  # summer time
        ("2026-01-01", "Asia/Kathmandu", "2025-12-31T18:15"),
        ("2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00"),  # first to see the new year
        # Midnight was skipped: the day starts with 01:00.
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00"),
        ("2022-03-27", "Asia/Beirut", "2022-03-26T22:00"),
        ("2023-04-28", "Africa/Cairo", "2023-04-27T22:00"),
        ("2022-09-11", "America/Santiago", "2022-09-11T04:00"),
        # Midnight came twice: the day starts with the first.
        ("2022-11-06", "America/Havana", "2022-11-06T04:00"),
        ("2010-11-07", "America/St_Johns", "2010-11-07T02:30"),
        # The whole day was skipped: it starts when the next one does.
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00"),
        ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_g2_a_day_starts_at_its_first_local_instant(day: str, time_zone: str, starts: str) -> None:
    expected = datetime.fromisoformat(starts).replace(tzinfo=UTC)
    assert midnight(date.fromisoformat(day), time_zone) == expected


@pytest.mark.parametrize(
    ("instant", "time_zone", "day"),
    [
        ("2025-12-31T23:30", "UTC", "2025-12-31"),
        ("2025-12-31T23:30", "Europe/Berlin", "2026-01-01"),
        ("2026-01-01T04:59", "America/New_York", "2025-12-31"),
        ("2026-01-01T05:00", "America/New_York", "2026-01-01"),
        ("2018-11-04T02:59", "America/Sao_Paulo", "2018-11-03"),
        ("2018-11-04T03:00", "America/Sao_Paulo", "2018-11-04"),
        ("2011-12-30T09:59", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00", "Pacific/Apia", "2011-12-31"),
    ],
)
def test_g2_the_zone_of_the_account_decides_today(instant: str, time_zone: str, day: str) -> None:
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert local_day(moment, time_zone) == date.fromisoformat(day)
    elsewhere = moment.astimezone(timezone(timedelta(hours=9)))  # the same instant, said in Tokyo
    assert local_day(elsewhere, time_zone) == date.fromisoformat(day)


def test_g2_an_instant_without_a_zone_has_no_local_day() -> None:
    with pytest.raises(AssertionError):
        local_day(datetime(2026, 1, 1), "UTC")  # noqa: DTZ001  the point of the test


@pytest.mark.parametrize("year", [2011, 2023, 2026])
def test_t4_midnights_never_go_back_in_any_zone(year: int) -> None:
    for time_zone in ZONES:
        previous = midnight(date(year - 1, 12, 31), time_zone)
        for number in range((date(year + 1, 1, 2) - date(year, 1, 1)).days):
            day = date(year, 1, 1) + number * DAY
            starts = midnight(day, time_zone)
            skipped = year == 2011 and day == date(2011, 12, 31) and starts == previous
            assert starts > previous or skipped, (time_zone, day)
            previous = starts


def test_t4_a_day_holds_its_first_instant_and_not_the_one_before_in_any_zone() -> None:
    for time_zone in ZONES:
        for number in range(0, 60 * 12, 7):
            day = anchored(date(1980, 1, 1), number) + (number % 28) * DAY
            starts = midnight(day, time_zone)
            assert local_day(starts, time_zone) == day, (time_zone, day)
            assert local_day(starts - MOMENT, time_zone) == day - DAY, (time_zone, day)


@pytest.mark.parametrize(
    ("time_zone", "start", "hours"),
    [
        ("UTC", date(2026, 3, 1), 744),  # 31 x 24
        ("America/New_York", date(2026, 3, 1), 743),  # an hour skipped at 02:00 on 8 March
        ("America/New_York", date(2026, 11, 1), 721),  # 30 x 24 and an hour twice
        ("America/Sao_Paulo", date(2018, 11, 1), 719),  # midnight skipped on 4 November
        ("Asia/Beirut", date(2022, 3, 1), 743),  # midnight skipped on 27 March
        ("Africa/Cairo", date(2023, 4, 1), 719),  # midnight skipped on 28 April
        ("Pacific/Apia", date(2011, 12, 1), 720),  # 30 December skipped
    ],
)
def test_t4_days_are_calendar_days_whatever_the_clocks_do(
    time_zone: str, start: date, hours: int
) -> None:
    period = Recurrence(start, Interval.MONTH, time_zone).period(0)
    assert period.days == month_end(start.year, start.month).day
    assert period.ends_at - period.starts_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    "time_zone", ["America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "UTC"]
)
def test_t4_instants_of_neighbouring_periods_meet(time_zone: str) -> None:
    # No period begins or ends beside 30 December 2011, which Apia never had.
    for anchor in (date(2010, 1, 1), date(2010, 1, 15), date(2010, 1, 28), date(2010, 1, 29)):
        recurrence = Recurrence(anchor, Interval.MONTH, time_zone)
        for number in range(16 * 12):
            period = recurrence.period(number)
            assert period.ends_at == recurrence.period(number + 1).starts_at
            assert period.day_of(period.starts_at) == period.start
            assert period.day_of(period.ends_at - MOMENT) == period.end - DAY


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2025-12-31T22:59", "2026-01-01"),  # before the period: its first day
        ("2025-12-31T23:00", "2026-01-01"),
        ("2026-01-15T12:00", "2026-01-15"),
        ("2026-01-31T22:59", "2026-01-31"),
        ("2026-01-31T23:00", "2026-01-31"),  # after it: its last day
        ("2026-05-01T00:00", "2026-01-31"),
    ],
)
def test_g2_a_day_is_kept_inside_its_period(instant: str, day: str) -> None:
    period = Recurrence(date(2026, 1, 1), Interval.MONTH, "Europe/Vienna").period(0)
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert period.day_of(moment) == date.fromisoformat(day)


def test_g2_a_repeated_hour_before_midnight_stays_in_the_new_period() -> None:
    """In St. John's the clock went from 00:01 on the 7th back to 23:01 on the 6th."""
    period = Recurrence(date(2010, 11, 7), Interval.MONTH, "America/St_Johns").period(0)
    late = period.starts_at + timedelta(minutes=30)
    assert local_day(late, "America/St_Johns") == date(2010, 11, 6)
    assert period.day_of(late) == date(2010, 11, 7)
