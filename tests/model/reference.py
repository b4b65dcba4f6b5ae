"""What seats, people and money must be, in plain dictionaries and whole numbers.

Written from the rules, not from the code: nothing of `seatkeeper` is imported, nothing is counted
ahead, every number is counted anew from who sits where. Each verb returns None, or the code with
which it must be refused, and then nothing has changed.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.model.shapes import Price, Shape


@dataclass
class Person:
    """Someone who is or was a member."""

    source: str
    standing: str = "active"
    seat: str | None = None
    suspended_from: str | None = None  # the last seat, if a suspension took it

    def sit(self, seat_type: str | None) -> None:
        self.seat = seat_type
        if seat_type is not None:
            self.suspended_from = None


@dataclass
class Invitation:
    """An invitation and the seat type it holds."""

    name: str
    wanted: str | None
    held: str | None
    expires_at: datetime
    state: str = "pending"


@dataclass
class Grant:
    """A discount in force: basis points or an amount, for so many periods."""

    off: tuple[int, int]
    periods: int | None
    used: int = 0

    @property
    def is_over(self) -> bool:
        return self.periods is not None and self.used >= self.periods


@dataclass
class Day:
    """What one seat type has bought and been billed on one day."""

    on: date
    paid: int
    level: int
    billed: int = 0


@dataclass
class Seats:
    """One organization. `queue` holds (name, wanted type, highest first?), longest first."""

    shape: Shape
    zone: str
    now: datetime
    plan: str | None = None
    status: str = "none"
    purchased: dict[str, int] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    invitations: list[Invitation] = field(default_factory=list)
    queue: list[tuple[str, str | None, bool]] = field(default_factory=list)
    reductions: dict[str, int] = field(default_factory=dict)
    coming: str | None = None  # the smaller plan which begins with the next period
    anchor: date = date(2026, 1, 1)
    period: int = 0
    days: dict[str, Day] = field(default_factory=dict)
    billed: int = 0
    balance: int = 0
    granted: Grant | None = None
    off: tuple[int, int] = (0, 0)  # of the running period: basis points, minor units
    parts: dict[str, int] = field(default_factory=dict)  # and what was off each of its lines

    # --- what is so -----------------------------------------------------------------------------

    @property
    def price(self) -> Price:
        assert self.plan is not None
        return self.shape.plans[self.plan]

    @property
    def alive(self) -> bool:
        return self.plan is not None

    def assigned(self, seat_type: str) -> int:
        return sum(person.seat == seat_type for person in self.people.values())

    def held(self, seat_type: str) -> int:
        return sum(i.held == seat_type for i in self.invitations if i.state == "pending")

    def occupied(self, seat_type: str) -> int:
        return self.assigned(seat_type) + self.held(seat_type)

    def is_over(self, seat_type: str) -> bool:
        return self.occupied(seat_type) > self.purchased.get(seat_type, 0)

    def room(self, seat_type: str) -> int:
        """Seats that can be taken; a coming plan's limit counts already."""
        most = self.purchased.get(seat_type, 0)
        if self.coming is not None:
            most = min(most, self.shape.plans[self.coming].limit)
        return max(most - self.occupied(seat_type), 0)

    def waiting(self, seat_type: str) -> int:
        return sum(wanted in (None, seat_type) for _, wanted, _ in self.queue)

    def active(self, name: str) -> bool:
        return name in self.people and self.people[name].standing == "active"

    def state_of(self, name: str) -> str:
        person = self.people[name]
        if person.standing != "active":
            return person.standing
        if person.seat is not None:
            return "seated"
        return "awaiting_seat" if any(name == who for who, *_ in self.queue) else "unseated"

    def first_free(self, *, highest: bool, wanted: str | None = None) -> str | None:
        free = [t for t in self.shape.types if self.room(t) > 0 and wanted in (None, t)]
        return (free[-1] if highest else free[0]) if free else None

    # --- time ---------------------------------------------------------------------------------

    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def start_of(self, number: int) -> date:
        month = self.anchor.month - 1 + number
        year, month = self.anchor.year + month // 12, month % 12 + 1
        return date(year, month, min(self.anchor.day, calendar.monthrange(year, month)[1]))

    def instant(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def ends_at(self) -> datetime:
        return self.instant(self.start_of(self.period + 1))

    def share(self) -> tuple[int, int]:
        start, end = self.start_of(self.period), self.start_of(self.period + 1)
        return (end - self.today()).days, (end - start).days

    # --- seats --------------------------------------------------------------------------------

    def lack(self, seat_type: str, count: int = 1) -> str | None:
        """Why so many seats cannot be taken, or None."""
        return None if self.room(seat_type) >= count else self.why(seat_type)

    def why(self, seat_type: str) -> str:
        """What is said where too few seats of the type are free."""
        if self.purchased.get(seat_type, 0) == 0 and not self.is_over(seat_type):
            return "seat_type_not_owned"
        capped = self.coming is not None and (
            self.purchased[seat_type] > self.shape.plans[self.coming].limit
        )
        return "over_limit" if self.is_over(seat_type) or capped else "insufficient_seats"

    def serve(self) -> None:
        """Free seats go to who waits longest for them."""
        for place in list(self.queue):
            name, wanted, highest = place
            found = self.first_free(highest=highest, wanted=wanted)
            if found is not None:
                self.queue.remove(place)
                self.people[name].sit(found)

    def leave_queue(self, name: str, seat_type: str | None = None) -> None:
        self.queue = [
            place
            for place in self.queue
            if place[0] != name or (seat_type is not None and place[1] not in (None, seat_type))
        ]

    def assign(self, name: str, seat_type: str) -> str | None:
        if not self.active(name):
            return "not_found"
        person = self.people[name]
        if person.seat == seat_type:
            return None
        if person.seat is not None:
            return "seat_conflict"
        if (refused := self.lack(seat_type)) is None:
            person.sit(seat_type)
            self.leave_queue(name, seat_type)
        return refused

    def unassign(self, name: str) -> str | None:
        if not self.active(name):
            return "not_found"
        if self.shape.everyone and self.people[name].seat is not None:
            return "state_conflict"
        self.people[name].seat = None
        self.serve()
        return None

    def move(self, moves: Sequence[tuple[str, str | None]]) -> str | None:
        if self.shape.everyone and any(to is None for _, to in moves):
            return "state_conflict"
        if any(not self.active(name) for name, _ in moves):
            return "not_found"
        net = dict.fromkeys(self.shape.types, 0)
        for name, to in moves:
            seat = self.people[name].seat
            if seat is not None:
                net[seat] -= 1
            if to is not None:
                net[to] += 1
        for seat_type in sorted(net):
            if net[seat_type] > 0 and (refused := self.lack(seat_type, net[seat_type])):
                return refused
        for name, to in moves:
            if self.people[name].seat != to and to is not None:
                self.leave_queue(name, to)
            self.people[name].sit(to)
        self.serve()
        return None

    def arrive(self, name: str, wanted: str | None, *, asked: bool) -> str | None:
        """Seats someone who comes in or back the way their source does."""
        person = self.people[name]
        if not self.alive:
            if wanted is None:
                return None
            waits, highest = False, True
        elif person.source in ("jit", "scim"):
            waits, highest = True, True
        elif person.source == "link":
            waits, highest = True, False
        elif person.source == "invitation":
            waits, highest = False, False
        elif self.shape.everyone or asked or wanted is not None:
            waits, highest = False, True
        else:
            return None
        found = self.first_free(highest=highest, wanted=wanted)
        if found is not None:
            person.sit(found)
            self.leave_queue(name, found)
        elif waits:
            self.queue.append((name, wanted, highest))
        else:
            return self.why(wanted or self.spoken_of())
        return None

    def spoken_of(self) -> str:
        owned = [t for t in self.shape.types if self.purchased.get(t, 0) > 0]
        return owned[0] if owned else self.shape.types[0]

    def cancel_request(self, name: str) -> str | None:
        if self.alive and self.shape.everyone:
            return "state_conflict"
        self.leave_queue(name)
        return None
