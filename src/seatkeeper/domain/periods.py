"""Periods: half-open local days that count from their anchor, and the instants that bound them."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

# Listed among the zones on some hosts, but they say where the host stands, or nothing at all.
_NOT_PLACES: Final = frozenset({"localtime", "Factory"})


class Interval(StrEnum):
    """How long one price, billing period or term lasts."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Length in calendar months."""
        return _MONTHS[self]


_MONTHS: Final = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


def anchored(anchor: date, months: int) -> date:
    """The anchor moved by `months`, on the last day where the month is too short.

    Always counted from the anchor, never from the previous date: 31 Jan, 28 Feb, 31 Mar.
    Source: G3.
    """
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last))


def months_since(anchor: date, day: date) -> int:
    """Whole anchored months from `anchor` to `day`, negative before it."""
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    return months if anchored(anchor, months) <= day else months - 1


@cache
def _places() -> frozenset[str]:
    # Looks through the whole directory of zones: once, not for every unknown name.
    return frozenset(available_timezones()) - _NOT_PLACES


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises: ValueError when there is none."""
    if name != "UTC" and name not in _places():
        message = f"unknown time zone: {name}"
        raise ValueError(message)
    return ZoneInfo(name)


def midnight(day: date, time_zone: str) -> datetime:
    """The first instant of a local day, in UTC; after a skipped midnight the day starts later."""
    return datetime.combine(day, time(), zone(time_zone)).astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """An instant as facts and remedies tell it: in UTC, as answers do."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_day(instant: datetime, time_zone: str) -> date:
    """The local day an instant falls on. Source: G2."""
    assert instant.tzinfo is not None
    return instant.astimezone(zone(time_zone)).date()


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open `[start, end)` in local days of a zone, some months after its anchor."""

    start: date
    end: date
    time_zone: str
    anchor: date

    def __post_init__(self) -> None:
        assert self.start < self.end

    @property
    def days(self) -> int:
        """Length in local days, whatever the clocks do in between."""
        return (self.end - self.start).days

    @property
    def starts_at(self) -> datetime:
        """The first instant inside."""
        return midnight(self.start, self.time_zone)

    @property
    def ends_at(self) -> datetime:
        """The first instant after."""
        return midnight(self.end, self.time_zone)

    def day_of(self, instant: datetime) -> date:
        """The local day of an instant, kept inside the period."""
        day = local_day(instant, self.time_zone)
        return min(max(day, self.start), self.end - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Recurrence:
    """An anchor day and a length: the n-th period starts at anchor + n lengths. Source: G3."""

    anchor: date
    interval: Interval
    time_zone: str

    def period(self, number: int) -> Period:
        """The period with that number; the first is 0."""
        length = self.interval.months
        return Period(
            anchored(self.anchor, number * length),
            anchored(self.anchor, (number + 1) * length),
            self.time_zone,
            self.anchor,
        )

    def number_on(self, day: date) -> int:
        """The number of the period which holds a local day."""
        return months_since(self.anchor, day) // self.interval.months
