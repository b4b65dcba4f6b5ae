"""Discounts: how much of a price one organization does not pay, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final
from uuid import UUID

from seatkeeper.domain.money import Money, round_half_up
from seatkeeper.domain.refusals import Code, Refusal, refuse

WHOLE: Final = 10_000  # basis points
AHEAD_MAX: Final = timedelta(days=36_525)  # a century: later instants some clients cannot write


@dataclass(frozen=True, slots=True)
class Off:
    """What is taken off a period: a share of each line, or one amount of the period's invoice.

    Units: basis points, minor units per billing period. Source: C54, ADR 17.
    """

    basis_points: int = 0
    minor: int = 0

    def __post_init__(self) -> None:
        assert 0 <= self.basis_points <= WHOLE
        assert self.minor >= 0
        assert not (self.basis_points and self.minor)

    def text(self, currency: str) -> str:
        """As people read it: `20 %`, `12.5 %`, or `5.00 USD` of each period."""
        if self.minor:
            return f"{Money(self.minor, currency)} a period"
        whole, rest = divmod(self.basis_points, 100)
        return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"

    def of_each(self, amounts: Sequence[int]) -> list[int]:
        """The fixed amount dealt out over lines, never more than they are.

        Shapes: as long as `amounts`, whose parts add up to the amount, or to their sum if that is
        less. Parts are differences of rounded levels, so each is at most its line. Units: minor.
        """
        owed = sum(amounts)
        if not self.minor or not owed:
            return [0] * len(amounts)
        taken = min(self.minor, owed)
        levels = [round_half_up(taken * upto, owed) for upto in accumulate(amounts, initial=0)]
        return [above - below for below, above in pairwise(levels)]

    def left_of(self, amount: int, part: int, whole: int) -> int:
        """What the percentage leaves of part/whole of an amount, rounded once. Source: G1, G5."""
        return round_half_up(amount * part * (WHOLE - self.basis_points), whole * WHOLE)


NOTHING_OFF: Final = Off()


@dataclass(frozen=True, slots=True)
class Discount:
    """What an organization was granted: for so many periods, or until an instant, or for good.

    `used` counts the periods that were discounted by it. A period that begins before `until` is
    discounted to its end. Source: C54.
    """

    discount_id: UUID
    off: Off
    periods: int | None = None
    used: int = 0
    until: datetime | None = None

    def __post_init__(self) -> None:
        assert self.off != NOTHING_OFF
        assert self.periods is None or 0 <= self.used <= self.periods

    def off_at(self, starts_at: datetime) -> Off:
        """What is off the period that begins then; nothing when the discount is over."""
        used_up = self.periods is not None and self.used >= self.periods
        over = self.until is not None and starts_at >= self.until
        return NOTHING_OFF if used_up or over else self.off


def decide_discount(
    until: datetime | None, *, next_period_at: datetime, is_free: bool
) -> Refusal | None:
    """Whether a discount can be granted on a running subscription; None means yes.

    It counts from the next period on: the running one is billed already. Refuses: state_conflict
    on a plan that costs nothing, invalid_request where no period begins before its end or that is
    more than a century ahead.
    Source: C54, ADR 17.
    """
    if is_free:
        return refuse(Code.STATE_CONFLICT, state="a free plan")
    if until is not None and until <= next_period_at:
        sentence = f"No period begins before then; the next one begins at {next_period_at:%Y-%m-%d}"
        return refuse(Code.INVALID_REQUEST, detail=f"{sentence}.")
    if until is not None and until - next_period_at > AHEAD_MAX:
        return refuse(
            Code.INVALID_REQUEST, detail="At most a century ahead; leave it out for good."
        )
    return None
