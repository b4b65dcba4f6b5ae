"""Prices: what a quantity of seats costs for one interval, and what a change of quantity costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any

from seatkeeper.domain.discounts import NOTHING_OFF, WHOLE, Off
from seatkeeper.domain.money import MINOR_DIGITS, round_half_up, rounded
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.proration import Basis, Share

QUANTITY_MAX = 1_000_000


class TierMode(StrEnum):
    """Graduated: each seat pays the price of its own tier. Volume: all pay that of the last."""

    GRADUATED = "graduated"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True)
class Tier:
    """Seats up to and including `up_to` (None: no bound). Units: minor units per interval."""

    up_to: int | None
    unit: int = 0
    flat: int = 0

    def __post_init__(self) -> None:
        assert self.unit >= 0
        assert self.flat >= 0


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """The price of a quantity of one seat type for one interval. Source: C6."""

    tiers: tuple[Tier, ...]
    mode: TierMode = TierMode.GRADUATED

    def __post_init__(self) -> None:
        assert self.tiers
        bounds = [tier.up_to for tier in self.tiers[:-1]]
        assert all(bound is not None for bound in bounds)
        steps = [0, *(bound for bound in bounds if bound is not None)]
        assert all(low < high for low, high in pairwise(steps))
        last = self.tiers[-1].up_to
        assert last is None or last > steps[-1]

    @property
    def bound(self) -> int:
        """The largest quantity that has a price; more is refused, never billed short."""
        last = self.tiers[-1].up_to
        return QUANTITY_MAX if last is None else min(last, QUANTITY_MAX)

    @property
    def included(self) -> int:
        """Seats which the first tier gives for nothing. Source: C2."""
        first = self.tiers[0]
        free = first.unit == 0 and first.flat == 0 and self.mode is TierMode.GRADUATED
        return (first.up_to or 0) if free and len(self.tiers) > 1 else 0

    @property
    def is_free(self) -> bool:
        """Whether no quantity costs anything, so that there is nothing to count. Source: C15."""
        return all(tier.unit == 0 and tier.flat == 0 for tier in self.tiers)

    def amount(self, quantity: int) -> int:
        """What `quantity` seats cost for one interval. Units: minor. Source: C6, C14."""
        assert 0 <= quantity <= self.bound
        if self.mode is TierMode.VOLUME:
            return self._volume(quantity)
        total = 0
        below = 0
        for tier in self.tiers:
            if quantity <= below:
                break
            top = quantity if tier.up_to is None else min(quantity, tier.up_to)
            total += tier.flat + tier.unit * (top - below)
            below = top
        return total

    def _volume(self, quantity: int) -> int:
        if quantity == 0:
            return 0
        tier = next(t for t in self.tiers if t.up_to is None or quantity <= t.up_to)
        return tier.flat + tier.unit * quantity


@dataclass(frozen=True, slots=True)
class Price:
    """What a plan costs: a base and a price per seat type, each for one `per` interval.

    `billing` is how often it is invoiced, `term` how long one is bound; a month's price billed
    by the year is charged twelvefold, a year's price billed by the month is split so that the
    twelve parts add up exactly. `off` is what one organization is discounted in a period.
    """

    key: str
    currency: str
    per: Interval
    billing: Interval
    term: Interval
    base: int = 0
    seats: Mapping[str, SeatPrice] = field(default_factory=dict)
    off: Off = NOTHING_OFF

    def __post_init__(self) -> None:
        assert self.currency in MINOR_DIGITS
        assert self.base >= 0
        assert self.term.months % self.billing.months == 0

    @property
    def periods_per_term(self) -> int:
        """Billing periods in one term."""
        return self.term.months // self.billing.months

    def has_rhythm_of(self, other: Price) -> bool:
        """Whether both bill as often and bind as long."""
        return (self.billing, self.term) == (other.billing, other.term)

    def of_period(self, per_interval: int, number: int) -> int:
        """The part of an amount per interval that billing period `number` pays. Units: minor.

        Parts of one interval are differences of rounded levels, so they add up to the whole.
        """
        billing, per = self.billing.months, self.per.months
        if billing >= per:
            return per_interval * (billing // per)
        step = number % (per // billing)
        before = round_half_up(per_interval * step * billing, per)
        return round_half_up(per_interval * (step + 1) * billing, per) - before

    def ceiling(self, seat_price: SeatPrice, quantity: int) -> int:
        """The most that `quantity` seats can cost for one billing period: all at the dearest tier.

        Counted apart from the amounts it bounds. Units: minor, rounded up. Source: M-19.
        """
        dearest = max(tier.unit for tier in seat_price.tiers) * quantity
        flats = sum(tier.flat for tier in seat_price.tiers)
        return -(-(dearest + flats) * self.billing.months // self.per.months)

    def prorated(self, per_interval: int, share: Share) -> int:
        """The share of one billing period of an amount per interval, rounded once. Source: G1."""
        return round_half_up(
            per_interval * self.billing.months * share.part, self.per.months * share.whole
        )

    def charged(self, per_interval: int, share: Share) -> int:
        """The same less the percentage that is off, rounded once. Source: C54, G1."""
        return self.off.left_of(
            per_interval * self.billing.months, share.part, self.per.months * share.whole
        )


def agreed(price: Price, terms: Mapping[str, Any]) -> Price:
    """The price with amounts agreed for one organization in place of the catalog's.

    Another price ends the discount of the old one. Shapes: `base_minor`, and `seats` with
    `unit_minor` per type; what is not named stays. Source: A26, C54, design §4.
    """
    units = terms.get("seats", {})
    seats = {
        key: SeatPrice((Tier(None, unit=units[key]["unit_minor"]),)) if key in units else own
        for key, own in price.seats.items()
    }
    base = terms.get("base_minor", price.base)
    return replace(price, base=base, seats=seats, off=NOTHING_OFF)


@dataclass(frozen=True, slots=True)
class DayLevel:
    """What one subscription and seat type owes for one effective day so far.

    Its share is the same for all lines: by the second, the "day" is the instant.
    `paid` is the quantity that was paid to the period's end when the day began, `level` the
    highest to pay now, `billed` what lines of this day already say. Units: seats, minor.
    """

    paid: int
    level: int
    billed: int
    # Whether the policy credits what is given back inside a paid period.
    credited: bool = False
    # What the paid seats were billed for a whole period, less what is off; None: as priced now.
    worth: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One line's worth: the full difference, what of it is due, and the levels between.

    `full` is without proration and without discount. `listed` where it is the price's own.
    """

    due: int
    full: int
    level: int
    listed: bool = True


def adjust(
    price: Price, seat_price: SeatPrice, day: DayLevel, level: int, share: Share
) -> Adjustment:
    """What moving today's level to `level` costs, given what today has billed already.

    The day's amount is rounded as one, so ten steps of one cost what one step of ten costs, and
    up then down nets to zero. A percentage off is off the level, so that holds with it too.
    Nothing already paid comes back unless the day is `credited`: not below that level, nor where
    more seats in a volume tier cost less. What comes back of the paid seats is their part of what
    they were billed, whatever a seat costs by now.

    Source: design §5 "The bill does not depend on how people click", G1, G5, G6, M-14, ADR 18.
    """

    def above(quantity: int) -> int:
        difference = seat_price.amount(quantity) - seat_price.amount(day.paid)
        return difference if day.credited else max(difference, 0)

    target = level if day.credited else max(level, day.paid)
    before = day.level if day.credited else max(day.level, day.paid)
    paid = seat_price.amount(day.paid)
    upto, so_far = (_moved(price, day, above(each), paid) for each in (target, before))
    due = price.charged(above(target), share)
    if not upto.listed:
        due = price.off.left_of(upto.full, share.part, share.whole)
    return Adjustment(
        due=due - day.billed,
        full=upto.full - so_far.full,
        level=target,
        listed=upto.listed and so_far.listed,
    )


@dataclass(frozen=True, slots=True)
class _Moved:
    full: int
    listed: bool = True


def _moved(price: Price, day: DayLevel, difference: int, paid: int) -> _Moved:
    """What a difference from the paid level comes to for a whole period, without discount."""
    whole = Share(1, 1, Basis.NONE)
    left = WHOLE - price.off.basis_points
    own = Fraction(paid * price.billing.months * left, price.per.months * WHOLE)
    if difference >= 0 or day.worth in (None, own) or left == 0:
        return _Moved(price.prorated(difference, whole))
    assert day.worth is not None
    return _Moved(rounded(day.worth * difference * WHOLE / (paid * left)), listed=False)
