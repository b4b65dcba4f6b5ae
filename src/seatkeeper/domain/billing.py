"""Billing: the lines of a bill, each with the arithmetic that made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.discounts import NOTHING_OFF, Off
from seatkeeper.domain.discounts import WHOLE as WHOLE_PRICE
from seatkeeper.domain.periods import Period, Recurrence, midnight
from seatkeeper.domain.policies import ReductionMoney
from seatkeeper.domain.prices import Adjustment, DayLevel, Price, SeatPrice, TierMode, adjust
from seatkeeper.domain.proration import Basis, Share, share_left
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.subscriptions import Subscription


class LineKind(StrEnum):
    """What a line of an invoice is for."""

    BASE = "base"
    SEATS = "seats"
    ADDED_SEATS = "added_seats"
    RETURNED_SEATS = "returned_seats"
    CREDIT = "credit"
    CARRIED_TO_BALANCE = "carried_to_balance"


WHOLE = Share(1, 1, Basis.NONE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: amount = (full - fixed) x (100 % - percentage) x part/whole, rounded once.

    `full_minor` is the price of quantity over quantity_before for a whole period without any
    discount, `discount_fixed_minor` the line's part of a fixed one; what is shown as discount is
    full minus amount. `assigned` and `held` say how many of the seats had people when the line
    was made. Units: minor units, basis points. Source: C54, G1, G5, M-14.
    """

    kind: LineKind
    plan_key: str
    plan_version: int
    price_key: str
    seat_type: str | None
    quantity: int
    quantity_before: int
    unit_minor: int | None
    share: Share
    full_minor: int
    amount_minor: int
    period_starts_at: datetime
    period_ends_at: datetime
    effective_at: datetime
    assigned: int = 0
    held: int = 0
    discount_basis_points: int = 0
    discount_fixed_minor: int = 0
    # The most it may be, whatever made it; see domain/bounds. It is not stored.
    ceiling_minor: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class BilledPool:
    """A seat pool with what its latest effective day has billed.

    `worth` is what its seats were billed for a whole period as far as that stands, now and before
    the steps of the running day; None where nothing is asked that could give some of it back.
    """

    pool: SeatPool
    billed_at: datetime
    day: DayLevel
    worth: tuple[Fraction, Fraction] | None = None

    def on(self, effective_at: datetime) -> DayLevel:
        """The day's levels at `effective_at`: today's so far, or a fresh day on what is paid."""
        if self.billed_at == effective_at:
            return self.day
        return DayLevel(paid=self.day.level, level=self.day.level, billed=0)


def inside(period: Period, now: datetime) -> datetime:
    """An instant kept inside the period: its stored bounds stay when a zone moves. Source: T-4."""
    return min(max(now, period.starts_at), period.ends_at - timedelta.resolution)


def effective_instant(basis: Basis, period: Period, now: datetime) -> datetime:
    """The instant under which amounts are rounded together: the local day, or the second.

    Source: design §5 "rounded together".
    """
    return now if basis is Basis.SECOND else midnight(period.day_of(now), period.time_zone)


def unit_of(price: Price, seat_price: SeatPrice) -> int | None:
    """The price of one seat for one billing period where all cost the same, else None."""
    only = seat_price.tiers[0]
    if len(seat_price.tiers) > 1 or only.flat or price.billing.months < price.per.months:
        return None
    return only.unit * (price.billing.months // price.per.months)


def period_lines(
    plan: Plan, price: Price, number: int, period: Period, pools: Mapping[str, SeatPool]
) -> tuple[Line, ...]:
    """The lines of a whole billing period for the pools' purchased quantities.

    Source: C14, A24, C54.
    """
    starts_at, ends_at = period.starts_at, period.ends_at
    common = Line(
        kind=LineKind.BASE,
        plan_key=plan.key,
        plan_version=plan.version,
        price_key=price.key,
        seat_type=None,
        quantity=1,
        quantity_before=0,
        unit_minor=None,
        share=WHOLE,
        full_minor=0,
        amount_minor=0,
        period_starts_at=starts_at,
        period_ends_at=ends_at,
        effective_at=starts_at,
    )
    lines = []
    if price.base:
        base = price.of_period(price.base, number)
        most = -(-price.base * price.billing.months // price.per.months)
        lines.append(
            replace(common, full_minor=base, amount_minor=base, unit_minor=base, ceiling_minor=most)
        )
    for seat_type, pool in pools.items():
        seat_price = price.seats.get(seat_type)
        if seat_price is None or seat_price.is_free or pool.purchased == 0:
            continue
        amount = price.of_period(seat_price.amount(pool.purchased), number)
        lines.append(
            replace(
                common,
                kind=LineKind.SEATS,
                seat_type=seat_type,
                quantity=pool.purchased,
                unit_minor=unit_of(price, seat_price),
                full_minor=amount,
                amount_minor=amount,
                assigned=pool.assigned,
                held=pool.held,
                ceiling_minor=price.ceiling(seat_price, pool.purchased),
            )
        )
    return _discounted(lines, price.off)


def _discounted(lines: Sequence[Line], off: Off) -> tuple[Line, ...]:
    """The lines of a whole period less what is off."""
    if off == NOTHING_OFF:
        return tuple(lines)
    return tuple(
        replace(
            line,
            discount_basis_points=off.basis_points,
            discount_fixed_minor=fixed,
            amount_minor=off.left_of(line.full_minor - fixed, 1, 1),
        )
        for line, fixed in zip(lines, off.of_each([x.full_minor for x in lines]), strict=True)
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a quantity inside a period: the line it bills and the day's new levels."""

    line: Line | None
    day: DayLevel


def step(subscription: Subscription, billed: BilledPool, target: int, now: datetime) -> Step:
    """What moving a pool to `target` purchased seats bills now; a `credited` day is a conversion's.

    Source: A20, C23, G4, G6.
    """
    plan, price, period = subscription.plan, subscription.price, subscription.period
    basis = plan.policies.proration
    now = inside(period, now)
    effective_at = effective_instant(basis, period, now)
    day, level = _from_and_to(plan, billed, billed.on(effective_at), target)
    seat_price = price.seats.get(billed.pool.seat_type)
    if seat_price is None or seat_price.is_free:
        return Step(None, replace(day, level=max(target, day.paid), credited=False))
    share = share_left(basis, period, now)
    day = replace(day, worth=_worth(price, seat_price, billed, day))
    moved = adjust(price, seat_price, day, level, share)
    billed_now = day.billed + moved.due
    after = replace(day, level=moved.level, billed=billed_now, credited=False, worth=None)
    if moved.due == 0 and moved.full == 0 and moved.listed and target <= billed.pool.purchased:
        return Step(None, after)
    return Step(
        _step_line(plan, price, period, billed, (target, effective_at, share, moved)), after
    )


def _from_and_to(
    plan: Plan, billed: BilledPool, day: DayLevel, target: int
) -> tuple[DayLevel, int]:
    """The day, credited or not, and the level that `target` purchased seats mean on it."""
    if plan.policies.reduction_money is ReductionMoney.CREDIT:
        return replace(day, credited=True), target
    if billed.day.credited:
        # Seats given back earlier without credit stay paid; only the converted ones are credited.
        surplus = max(day.level - billed.pool.purchased, 0)
        return replace(day, credited=True), target + surplus
    if day.level < day.paid:
        # A conversion has credited some of today's paid seats; nothing else credits more.
        return replace(day, credited=True), max(target, day.level)
    return day, target


def _worth(
    price: Price, seat_price: SeatPrice, billed: BilledPool, day: DayLevel
) -> Fraction | None:
    """What the paid seats of a credited day were billed for a whole period before its steps."""
    if not day.credited or billed.worth is None:
        return None
    now, before = billed.worth
    if day.level < day.paid:
        return before
    # Also where other amounts were agreed today, which makes seats bought before that paid ones.
    added = seat_price.amount(day.level) - seat_price.amount(day.paid)
    left = WHOLE_PRICE - price.off.basis_points
    bought = Fraction(price.prorated(added, WHOLE) * left, WHOLE_PRICE)
    return max(now - bought, Fraction())


def _step_line(
    plan: Plan,
    price: Price,
    period: Period,
    billed: BilledPool,
    made: tuple[int, datetime, Share, Adjustment],
) -> Line:
    target, effective_at, share, moved = made
    pool = billed.pool
    seat_price = price.seats[pool.seat_type]
    return Line(
        kind=LineKind.ADDED_SEATS if target > pool.purchased else LineKind.RETURNED_SEATS,
        plan_key=plan.key,
        plan_version=plan.version,
        price_key=price.key,
        seat_type=pool.seat_type,
        quantity=target,
        quantity_before=pool.purchased,
        unit_minor=unit_of(price, seat_price) if moved.listed else None,
        share=share,
        full_minor=moved.full,
        amount_minor=moved.due,
        period_starts_at=period.starts_at,
        period_ends_at=period.ends_at,
        effective_at=effective_at,
        assigned=pool.assigned,
        held=pool.held,
        discount_basis_points=price.off.basis_points,
        ceiling_minor=max(
            price.ceiling(seat_price, _at_most(seat_price, target, pool.purchased)),
            0 if billed.worth is None else ceil(max(billed.worth)),
        ),
    )


def _at_most(seat_price: SeatPrice, target: int, purchased: int) -> int:
    """The seats whose whole price a step cannot exceed: those added, where each pays for itself."""
    added = target - purchased
    if added > 0 and seat_price.mode is TierMode.GRADUATED:
        return added
    return max(target, purchased)


def rest_lines(
    plan: Plan, price: Price, period: Period, pools: Mapping[str, SeatPool], now: datetime
) -> tuple[Line, ...]:
    """The lines of what is left of a period for the pools' purchased quantities.

    Each is a share of what the whole period bills, less what is off it. Source: C50, C54.
    """
    basis = plan.policies.proration
    share = share_left(basis, period, inside(period, now))
    effective_at = effective_instant(basis, period, now)
    number = Recurrence(period.anchor, price.billing, period.time_zone).number_on(period.start)
    return tuple(
        replace(
            line,
            share=share,
            effective_at=effective_at,
            amount_minor=price.off.left_of(
                line.full_minor - line.discount_fixed_minor, share.part, share.whole
            ),
        )
        for line in period_lines(plan, price, number, period, pools)
    )


def total(lines: Iterable[Line]) -> int:
    """The sum of the lines. Units: minor. Source: M-2."""
    return sum(line.amount_minor for line in lines)
