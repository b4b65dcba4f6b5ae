"""The reference, what is off its bills: a percentage of each line, or an amount of each bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.model.reference import Grant
from tests.model.reference_people import People
from tests.model.shapes import Price

WHOLE = 10_000


def half_up(amount: int, part: int, whole: int) -> int:
    """Amount x part / whole, halves away from zero."""
    assert amount >= 0
    return (2 * amount * part + whole) // (2 * whole)


def dealt(amount: int, lines: Sequence[int]) -> list[int]:
    """An amount over lines in their order, never more than they are; parts of rounded levels."""
    owed = sum(lines)
    taken, below, parts = min(amount, owed), 0, []
    for upto in range(1, len(lines) + 1):
        level = half_up(taken, sum(lines[:upto]), owed) if owed else 0
        parts.append(level - below)
        below = level
    return parts


class Discounts(People):
    """What is off, over people over seats."""

    def grant(self, terms: tuple[int, int], periods: int | None) -> str | None:
        if not self.alive:
            return "state_conflict"
        granted = self.granted
        if granted is None or (granted.off, granted.periods) != (terms, periods) or granted.is_over:
            self.granted = Grant(terms, periods)
        return None

    def take_away(self) -> str | None:
        if not self.alive or self.granted is None:
            return "not_found"
        self.granted = None
        return None

    def forget(self) -> None:
        """Another plan, or the end: what was granted on the old terms ends with them."""
        self.granted, self.off, self.parts = None, (0, 0), {}

    def begin_discounted(self, price: Price, seats: Mapping[str, int]) -> int:
        """The amount of a period that begins, with what is then off."""
        self.off = (0, 0)
        if self.granted is not None and self.granted.is_over:
            self.granted = None
        if self.granted is not None:
            self.granted.used += 1
            self.off = self.granted.off
        lines = self._lines(price, seats)
        self.parts = dict(zip(lines, dealt(self.off[1], list(lines.values())), strict=True))
        return self.share_of(price, seats, 1, 1)

    def _lines(self, price: Price, seats: Mapping[str, int]) -> dict[str, int]:
        base = {"": price.base} if price.base else {}
        return {**base, **{key: price.amount(key, n) for key, n in seats.items() if n}}

    def share_of(self, price: Price, seats: Mapping[str, int], part: int, whole: int) -> int:
        """A share of a period's lines, each less what was off it when the period began."""
        percentage = self.off[0]
        return sum(
            half_up(line - self.parts.get(key, 0), part * (WHOLE - percentage), whole * WHOLE)
            for key, line in self._lines(price, seats).items()
        )
