"""The catalog's values: plans, their seat types, prices and policies, as immutable versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import Capacity, Payer, Policies
from seatkeeper.domain.prices import QUANTITY_MAX, Price

FREE: Final = "free"


@dataclass(frozen=True, slots=True)
class SeatType:
    """A kind of seat: its rank orders automatic choice, its features are what it grants.

    Units: `allowance` credits a month; `allowance_upfront` credits at the start of each period of
    a price billed by the year, None when such a price grants month by month too. Source: T4.
    """

    key: str
    name: str
    rank: int
    features: frozenset[str] = frozenset()
    allowance: int = 0
    allowance_upfront: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One immutable version of a plan.

    `capacity` says what sets the number of seats; `minimum` and `limit` bound their sum over all
    types. `transition_to` is the plan which takes its place at the next renewal, `successors`
    what each seat type becomes there (a type that is not named becomes the plan's first).
    """

    catalog: str
    key: str
    version: int
    name: str
    seat_types: Mapping[str, SeatType]
    prices: Mapping[str, Price]
    policies: Policies
    capacity: Capacity = Capacity.PURCHASED
    minimum: int = 1
    limit: int | None = None
    rank: int = 0
    features: frozenset[str] = frozenset()
    trial_days: int = 0
    trial_payment_method: bool = True
    closed: bool = False
    hidden: bool = False
    transition_to: str | None = None
    successors: Mapping[str, str] = field(default_factory=dict)
    contact: str | None = None

    def __post_init__(self) -> None:
        assert self.seat_types
        assert self.minimum >= 0
        assert self.limit is None or 1 <= self.limit <= QUANTITY_MAX
        assert self.limit is None or self.minimum <= self.limit
        for price in self.prices.values():
            assert set(price.seats) <= set(self.seat_types)

    @property
    def is_per_member(self) -> bool:
        """Whether each member pays for their own seat. Source: T8."""
        return self.policies.payer is Payer.MEMBER

    @property
    def by_rank(self) -> tuple[SeatType, ...]:
        """Seat types from the highest rank down; equal ranks by key."""
        return tuple(sorted(self.seat_types.values(), key=lambda t: (-t.rank, t.key)))

    @property
    def entry_type(self) -> SeatType:
        """The lowest seat type: what someone gets who asks for nothing in particular."""
        return self.by_rank[-1]

    def price_in(
        self, currency: str, key: str | None = None, *, like: Price | None = None
    ) -> Price | None:
        """The price of that key, else one in the rhythm of `like`, else the first in that currency.

        In the same rhythm (billing and term) one with the same key comes first. A plan without
        prices is free.
        """
        if not self.prices:
            month = Interval.MONTH
            return Price(FREE, currency, per=month, billing=month, term=month)
        if key is not None:
            price = self.prices.get(key)
            return price if price is not None and price.currency == currency else None
        sold = [p for p in self.prices.values() if p.currency == currency]
        alike = [p for p in sold if like is not None and p.has_rhythm_of(like)]
        same = [p for p in alike if like is not None and p.key == like.key]
        return next(iter([*same, *alike, *sold]), None)


def successors_of(old: Plan, new: Plan) -> Mapping[str, str]:
    """What each seat type of the old plan becomes: itself, its named successor, else the first.

    A successor is named for one plan; another plan may not have it. Source: A95, A97.
    """
    named = {key: to for key, to in old.successors.items() if to in new.seat_types}
    return {
        key: key if key in new.seat_types else named.get(key, new.by_rank[0].key)
        for key in old.seat_types
    }
