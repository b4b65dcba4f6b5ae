"""Billed: what the lines of a period have billed, as far as it still stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from seatkeeper.domain.catalog import Plan, successors_of
from seatkeeper.domain.discounts import WHOLE
from seatkeeper.domain.proration import Basis


@dataclass(frozen=True, slots=True)
class Sum:
    """Lines of one period that are alike, added up as they were written.

    `noted_minor` is what credit notes took of their invoice, `charged_minor` what that invoice
    charges; both are 0 where there is no note. `is_today` where a step of the running effective
    day made them. Units: minor units, basis points.
    """

    plan: Plan
    seat_type: str | None
    full_minor: int
    amount_minor: int
    fixed_minor: int = 0
    basis_points: int = 0
    is_today: bool = False
    # Not of a plan that was left in this period, of which has come back what comes back.
    is_running: bool = True
    noted_minor: int = 0
    charged_minor: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What stands of one seat type (None: the base) under one percentage off.

    `full` is for a whole period, without any discount, `fixed` the part of a fixed one; `amount`
    what was charged less what came back. Units: minor, exact; basis points.
    """

    seat_type: str | None
    basis_points: int
    full: Fraction
    fixed: Fraction
    amount: Fraction
    is_today: bool = False

    @property
    def worth(self) -> Fraction:
        """What it costs for a whole period, less what is off."""
        return (self.full - self.fixed) * (WHOLE - self.basis_points) / WHOLE


@dataclass(frozen=True, slots=True)
class Billed:
    """What one period of a subscription has billed and what of it still stands.

    Lines of voided invoices are not in it; what a credit note took of an invoice is taken of each
    of its charges alike. Source: M-7, M-10, M-14, ADR 18.
    """

    parts: tuple[Part, ...] = ()

    def of(self, seat_type: str | None) -> tuple[Part, ...]:
        """The parts of one seat type, each with its percentage off; one where some came back."""
        sums: dict[int, Part] = {}
        for part in self.parts:
            if part.seat_type == seat_type:
                sums[part.basis_points] = _added(sums.get(part.basis_points), part)
        if any(part.worth < 0 for part in sums.values()):
            # Billed under a discount and given back without it: only their sum means anything.
            worth = sum((part.worth for part in sums.values()), Fraction())
            amount = sum((part.amount for part in sums.values()), Fraction())
            return (Part(seat_type, 0, worth, Fraction(), amount),)
        return tuple(sums[key] for key in sorted(sums, reverse=True))

    def worth(self, seat_type: str, *, before_today: bool = False) -> Fraction:
        """What the seats of a type cost for a whole period as they were billed. Units: minor."""
        parts = (
            part.worth
            for part in self.parts
            if part.seat_type == seat_type and not (before_today and part.is_today)
        )
        return max(sum(parts, Fraction()), Fraction())

    @property
    def left_minor(self) -> int:
        """The most that can come back of the whole period. Units: minor."""
        return max(int(sum(part.amount for part in self.parts)), 0)


def _added(so_far: Part | None, part: Part) -> Part:
    if so_far is None:
        return part
    return Part(
        part.seat_type,
        part.basis_points,
        so_far.full + part.full,
        so_far.fixed + part.fixed,
        so_far.amount + part.amount,
    )


def standing(sums: Iterable[Sum], plan: Plan) -> Billed:
    """What stands of the lines of a period, by the seat types of the plan it runs under now.

    What a plan without proration sold does not come back, whatever came after it. Source: C50.
    """
    parts = []
    for each in sums:
        if each.plan.policies.proration is Basis.NONE:
            continue
        seat_type = each.seat_type
        if seat_type is not None:
            seat_type = successors_of(each.plan, plan).get(seat_type, plan.entry_type.key)
        stands = Fraction(1)
        if each.full_minor > 0 and each.noted_minor:
            stands -= Fraction(each.noted_minor, each.charged_minor)
        parts.append(
            Part(
                seat_type,
                each.basis_points,
                each.full_minor * stands * each.is_running,
                each.fixed_minor * stands * each.is_running,
                each.amount_minor * stands,
                each.is_today,
            )
        )
    return Billed(tuple(parts))
