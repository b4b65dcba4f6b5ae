"""The reference, its upper part: what is bought, billed and renewed, by closed forms.

A day's additions of one seat type are one amount: the price of that day's level over what was paid
before, times the days left over the days of the period, rounded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tests.model.reference import Day
from tests.model.reference_discounts import WHOLE, Discounts, half_up
from tests.model.shapes import Price


class Reference(Discounts):
    """Money over discounts over people over seats."""

    # --- what is billed -------------------------------------------------------------------------

    def _bill(self, amount: int) -> None:
        self.billed += amount
        self.balance -= min(self.balance, amount)

    def _would_be_charged(self, amount: int) -> bool:
        return amount > self.balance

    def _period_amount(self, price: Price, seats: Mapping[str, int]) -> int:
        return price.base + sum(price.amount(key, n) for key, n in seats.items())

    def _rest(self, price: Price, seats: Mapping[str, int]) -> int:
        return self.share_of(price, seats, *self.share())

    def _day(self, seat_type: str) -> Day:
        day = self.days.get(seat_type)
        if day is None or day.on != self.today():
            owned = self.purchased[seat_type]
            day = self.days[seat_type] = Day(self.today(), owned, owned)
        return day

    # --- changes --------------------------------------------------------------------------------

    def subscribe(self, plan: str, seats: Mapping[str, int], *, pays: bool = True) -> str | None:
        if self.alive:
            return "state_conflict"
        price = self.shape.plans[plan]
        quantities = self._raised(price, seats)
        refused = self._fits(price, quantities)
        if refused is None and any(self.occupied(key) > n for key, n in quantities.items()):
            refused = "seats_in_use"  # Who sits through an end still sits when something begins.
        if refused is not None:
            return refused
        amount = self._period_amount(price, quantities)
        if not pays and self._would_be_charged(amount):
            return "payment_declined"
        self._bill(amount)
        self.plan, self.status, self.anchor, self.period = plan, "active", self.today(), 0
        self._begin(quantities)
        return None

    def _begin(self, quantities: Mapping[str, int]) -> None:
        self.purchased, self.days = dict(quantities), {}
        if self.shape.everyone:
            only = self.shape.types[0]
            for name, person in self.people.items():
                if person.standing == "active" and person.seat is None:
                    person.sit(only)
                    self.leave_queue(name)
            for invitation in self.invitations:
                if invitation.state == "pending":
                    invitation.held = only
        self.serve()

    def _raised(self, price: Price, seats: Mapping[str, int]) -> dict[str, int]:
        entry = self.shape.types[0]
        return {**seats, entry: max(seats[entry], price.included)}

    def _headcount(self) -> int:
        members = sum(person.standing == "active" for person in self.people.values())
        return members + sum(i.state == "pending" for i in self.invitations)

    def _fits(self, price: Price, quantities: Mapping[str, int]) -> str | None:
        seats = sum(quantities.values())
        heads = self._headcount() if self.shape.everyone else 0
        if seats < price.minimum:
            return "below_minimum_seats"
        if max(seats, heads) > price.limit:
            return "over_plan_limit"
        return "seats_in_use" if seats < heads else None

    def purchase(self, seat_type: str, quantity: int, *, pays: bool = True) -> str | None:
        if not self.alive:
            return "state_conflict"
        limit = self.price.limit
        if self.coming is not None:
            limit = min(limit, self.shape.plans[self.coming].limit)
        if sum(self.purchased.values()) + quantity > limit:
            return "over_plan_limit"
        due = self.due_for(seat_type, quantity)
        if not pays and self._would_be_charged(due):
            return "payment_declined"
        day = self._day(seat_type)
        day.level += quantity
        day.billed += due
        self._bill(due)
        self.purchased[seat_type] += quantity
        self.serve()
        return None

    def due_for(self, seat_type: str, quantity: int) -> int:
        """What so many more seats cost today, before any balance. Units: minor."""
        day = self._day(seat_type)
        part, whole = self.share()
        level = self.price.amount(seat_type, day.level + quantity)
        above = level - self.price.amount(seat_type, day.paid)
        return half_up(above, part * (WHOLE - self.off[0]), whole * WHOLE) - day.billed

    def reduce(self, seat_type: str, target: int) -> str | None:
        if not self.alive:
            return "state_conflict"
        owned = self.purchased[seat_type]
        if owned == 0:
            return "seat_type_not_owned"
        if target >= owned:
            return "quantity_out_of_range"
        if self.shape.everyone:
            return "reduction_not_allowed_mid_term"
        others = sum(self.purchased.values()) - owned
        others += sum(n for key, n in self.reductions.items() if key != seat_type)
        if others + target < self.price.minimum:
            return "below_minimum_seats"
        if self.occupied(seat_type) > target:
            return "seats_in_use"
        if self.status == "canceling":
            return "state_conflict"
        self.reductions[seat_type] = target - owned
        return None

    def withdraw_reduction(self, seat_type: str) -> str | None:
        del self.reductions[seat_type]
        return None

    def withdraw_plan(self) -> str | None:
        self.coming = None
        self.serve()
        return None

    def cancel(self) -> str | None:
        if not self.alive:
            return "state_conflict"
        self.status = "canceling"
        return None

    def resume(self) -> str | None:
        if not self.alive:
            return "state_conflict"
        self.status = "active"
        return None

    def change_plan(self, plan: str) -> str | None:
        if not self.alive or self.status == "canceling" or plan == self.plan:
            return "state_conflict"
        price = self.shape.plans[plan]
        down = price.rank < self.price.rank
        quantities, refused = self._moved(price, paid=not down)
        if refused is not None:
            return refused
        if down:
            self.coming = plan
            return None
        back = self._rest(self.price, self.purchased)
        self.forget()
        due = self._rest(price, quantities) - back
        self._bill(max(due, 0))
        self.balance += max(-due, 0)
        # What was agreed for the old plan's next period ends with it.
        self.plan, self.reductions, self.coming = plan, {}, None
        self._begin(quantities)
        return None

    def _moved(
        self, price: Price, *, turns: bool = False, paid: bool = False
    ) -> tuple[dict[str, int], str | None]:
        """The seats with which a plan that comes now begins, and what stands in its way.

        In mid-period all that are paid come along. Where it comes with a new period, what was to
        be given back there is given back.
        """
        entry = self.shape.types[0]
        if self.shape.everyone:
            seats = self.purchased[entry] if paid else 0
            quantities = {entry: max(self.occupied(entry), self._headcount(), seats)}
        else:
            quantities = dict(self.purchased)
            if turns:
                for key, owned in self.purchased.items():
                    wanted = owned + self.reductions.get(key, 0)
                    quantities[key] = max(wanted, self.occupied(key))
        quantities[entry] += max(price.minimum - sum(quantities.values()), 0)
        quantities = self._raised(price, quantities)
        refused = self._fits(price, quantities)
        if refused is None and any(self.occupied(t) > n for t, n in quantities.items()):
            refused = "seats_in_use"
        return quantities, refused

    # --- time -----------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        instants = [i.expires_at for i in self.invitations if i.state == "pending"]
        return min([*instants, self.ends_at] if self.alive else instants, default=None)

    def advance(self, to: datetime) -> None:
        while (due := self.next_due()) is not None and due <= to:
            self.now = due
            for invitation in self.invitations:
                if invitation.state == "pending" and invitation.expires_at <= due:
                    invitation.state, invitation.held = "expired", None
            self.serve()
            if self.alive and self.ends_at <= due:
                self._turn()
        self.now = to

    def _turn(self) -> None:
        if self.status == "canceling":
            self.plan, self.status, self.coming = None, "ended", None
            self.forget()
            self.purchased = dict.fromkeys(self.purchased, 0)
            self.reductions, self.days = {}, {}
            return
        if self.coming is not None:
            price = self.shape.plans[self.coming]
            quantities, refused = self._moved(price, turns=True)
            plan, self.coming = self.coming, None
            if refused is None:
                self.plan, self.reductions = plan, {}
                self.forget()
                self.period += 1
                self._bill(self._period_amount(price, quantities))
                self._begin(quantities)
                return
        quantities = self._renewed()
        self.period += 1
        self.reductions = {}
        self._bill(self.begin_discounted(self.price, quantities))
        self.purchased, self.days = quantities, {}
        self.serve()

    def _renewed(self) -> dict[str, int]:
        """What a period begins with: what was wanted, never below the people, within the plan."""
        price, entry = self.price, self.shape.types[0]
        seats = {}
        for key, owned in self.purchased.items():
            wanted = 0 if self.shape.everyone else owned + self.reductions.get(key, 0)
            seats[key] = max(wanted, self.occupied(key), price.included if key == entry else 0)
        seats[entry] += max(price.minimum - sum(seats.values()), 0)
        for keeps_people in (True, False):
            for key in self.shape.types:
                over = max(sum(seats.values()) - price.limit, 0)
                floor = self.occupied(key) if keeps_people else 0
                seats[key] -= min(over, max(seats[key] - floor, 0))
        return seats
