"""Accounts: one subscription with the facts that its changes and renewals are decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from seatkeeper.domain.billed import Billed
from seatkeeper.domain.billing import BilledPool
from seatkeeper.domain.discounts import Discount
from seatkeeper.domain.policies import Capacity
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.subscriptions import Status, Subscription


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A change that waits: seats to add (or take) per type, at the end of the period or later."""

    kind: str
    seat_type: str | None = None
    delta: int = 0
    limit: int | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The facts a change is decided on: one subscription, its pools, what waits, what is owed.

    `discount` is the one granted, for the periods to come; `billed` what the running period has
    billed and what of it still stands, None where nothing is asked that could give some of it back.
    """

    subscription: Subscription
    pools: Mapping[str, BilledPool]
    scheduled: tuple[Scheduled, ...] = ()
    overdue: bool = False
    unsigned: bool = False
    discount: Discount | None = None
    billed: Billed | None = None

    @property
    def purchased(self) -> int:
        """Seats over all types."""
        return sum(billed.pool.purchased for billed in self.pools.values())

    def purchased_of(self, seat_type: str) -> int:
        """Seats of one type."""
        billed = self.pools.get(seat_type)
        return 0 if billed is None else billed.pool.purchased

    def scheduled_delta(self, seat_type: str, by: datetime | None = None) -> int:
        """What waits for the renewal of one type, in seats; only what is due `by` then, if given.

        A change without an instant waits for the end of the period.
        """
        return sum(
            s.delta
            for s in self.scheduled
            if s.seat_type == seat_type
            and (by is None or s.effective_at is None or s.effective_at <= by)
        )

    def coming(self, seat_type: str | None = None) -> int:
        """Seats bought for later, of one type or of all: a limit counts them already."""
        return sum(max(s.delta, 0) for s in self.scheduled if seat_type in (None, s.seat_type))

    @property
    def limit(self) -> int:
        """The most seats that may be owned: the plan's, or a coming plan's smaller one (C51)."""
        plan = self.subscription.plan
        if plan.capacity is not Capacity.PURCHASED:
            return self.purchased
        limits = [s.limit for s in self.scheduled if s.limit is not None]
        return min([*limits, QUANTITY_MAX if plan.limit is None else plan.limit])

    def bound(self, seat_type: str) -> int:
        """The most seats of one type that have a price. Source: design §5 "Tiers"."""
        seat_price = self.subscription.price.seats.get(seat_type)
        return QUANTITY_MAX if seat_price is None else seat_price.bound

    def closed(self, now: datetime) -> str | None:
        """The state in which nothing can be bought or changed any more, or None. Source: A96."""
        subscription = self.subscription
        if subscription.status in (Status.ENDED, Status.SCHEDULED, Status.INCOMPLETE):
            return subscription.status
        if self.unsigned:
            return "unsigned"
        stops_at = subscription.stops_at or subscription.period_ends_at
        return "period over" if now >= min(stops_at, subscription.period_ends_at) else None

    def ends_by(self, at: datetime) -> bool:
        """Whether it is canceled for that instant or before: nothing waits for it. Source: T-7."""
        cancel_at = self.subscription.cancel_at
        return cancel_at is not None and cancel_at <= at
