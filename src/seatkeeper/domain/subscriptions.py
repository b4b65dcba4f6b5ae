"""Subscriptions: their states, their periods and terms, and what of them gives access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.periods import Period, Recurrence, anchored, zone
from seatkeeper.domain.prices import Price


class Status(StrEnum):
    """Where a subscription stands."""

    INCOMPLETE = "incomplete"
    SCHEDULED = "scheduled"
    TRIALING = "trialing"
    ACTIVE = "active"
    CANCELING = "canceling"
    PAST_DUE = "past_due"
    ENDED = "ended"


TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.INCOMPLETE: frozenset({Status.TRIALING, Status.ACTIVE, Status.ENDED}),
    Status.SCHEDULED: frozenset({Status.ACTIVE, Status.ENDED}),
    Status.TRIALING: frozenset({Status.ACTIVE, Status.CANCELING, Status.PAST_DUE, Status.ENDED}),
    Status.ACTIVE: frozenset({Status.CANCELING, Status.PAST_DUE, Status.ENDED}),
    Status.CANCELING: frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.ENDED}),
    Status.PAST_DUE: frozenset({Status.ACTIVE, Status.CANCELING, Status.ENDED}),
    Status.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription with the plan version and price it stands on. Instants in UTC."""

    subscription_id: UUID
    plan: Plan
    price: Price
    status: Status
    time_zone: str
    anchor: date
    number: int
    period_starts_at: datetime
    period_ends_at: datetime
    term_ends_at: datetime
    payer_member_id: UUID | None = None
    trial_ends_at: datetime | None = None
    cancel_at: datetime | None = None
    grace_ends_at: datetime | None = None
    contract_id: UUID | None = None
    version: int = 1

    @property
    def recurrence(self) -> Recurrence:
        """Billing periods, counted from the anchor."""
        return Recurrence(self.anchor, self.price.billing, self.time_zone)

    @property
    def period(self) -> Period:
        """The current billing period; a trial is the stretch before period 0."""
        if self.number < 0:
            start = self.period_starts_at.astimezone(self.anchor_zone).date()
            return Period(start, self.anchor, self.time_zone, start)
        return self.recurrence.period(self.number)

    @property
    def anchor_zone(self) -> ZoneInfo:
        """The zone in which its days begin."""
        return zone(self.time_zone)

    @property
    def in_trial(self) -> bool:
        """Whether nothing is charged yet."""
        return self.number < 0

    def term_end_of(self, number: int) -> date:
        """The end of the term that holds period `number`. Source: design §5."""
        per_term = self.price.periods_per_term
        terms = max(number, 0) // per_term + 1
        return anchored(self.anchor, terms * self.price.term.months)

    @property
    def stops_at(self) -> datetime | None:
        """When it stops unless something is done: cancelled by then, or its grace is over."""
        return stops_at(self.status, cancel_at=self.cancel_at, grace_ends_at=self.grace_ends_at)

    def gives_access(self, now: datetime) -> bool:
        """Whether seats under this subscription let anyone in. Source: C57, A99, S-13, T-7."""
        return gives_access(self.status, self.stops_at, now)


def stops_at(
    status: Status, *, cancel_at: datetime | None, grace_ends_at: datetime | None
) -> datetime | None:
    """When a subscription stops unless something is done: its end, or that of its grace."""
    grace = grace_ends_at if status is Status.PAST_DUE else None
    return min((at for at in (cancel_at, grace) if at is not None), default=None)


def gives_access(status: Status, stop: datetime | None, now: datetime) -> bool:
    """Whether a subscription of that status, which stops then, lets anyone in."""
    if status in (Status.INCOMPLETE, Status.SCHEDULED, Status.ENDED):
        return False
    return stop is None or now < stop
