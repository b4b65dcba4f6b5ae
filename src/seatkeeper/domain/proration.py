"""Proration: which part of a period's price an increase on a given day has to pay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from seatkeeper.domain.periods import Period, months_since


class Basis(StrEnum):
    """How the rest of a period is counted. Source: G4."""

    DAY = "day"  # the purchase day counts
    DAY_AFTER = "day_after"  # counting starts on the next day
    MONTH = "month"  # the started month counts
    SECOND = "second"
    NONE = "none"  # always the full price


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, in the units of its basis (days, months or seconds)."""

    part: int
    whole: int
    basis: Basis

    def __post_init__(self) -> None:
        assert 0 <= self.part <= self.whole
        assert self.whole > 0


def share_left(basis: Basis, period: Period, now: datetime) -> Share:
    """The share of `period` that is still to come at `now`, `period.starts_at <= now < ends_at`.

    Source: G4, A20, C23.
    """
    assert period.starts_at <= now < period.ends_at
    day = period.day_of(now)
    match basis:
        case Basis.DAY:
            return Share((period.end - day).days, period.days, basis)
        case Basis.DAY_AFTER:
            return Share((period.end - day).days - 1, period.days, basis)
        case Basis.MONTH:
            # The broken months at the edges of a stub count as months: no day is free.
            first = months_since(period.anchor, period.start)
            last = months_since(period.anchor, period.end - timedelta(days=1))
            begun = months_since(period.anchor, day)
            return Share(last - begun + 1, last - first + 1, basis)
        case Basis.SECOND:
            whole = int((period.ends_at - period.starts_at).total_seconds())
            return Share(int((period.ends_at - now).total_seconds()), whole, basis)
        case Basis.NONE:
            return Share(1, 1, basis)
        case _:  # pragma: no cover
            assert_never(basis)
