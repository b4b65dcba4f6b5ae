"""Unused: what a plan that is left in mid-period gives back of what was billed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.billed import Part
from seatkeeper.domain.billing import Line, LineKind, effective_instant, inside, unit_of
from seatkeeper.domain.discounts import WHOLE, Off
from seatkeeper.domain.money import rounded
from seatkeeper.domain.policies import Capacity
from seatkeeper.domain.proration import Basis, Share, share_left


@dataclass(frozen=True, slots=True)
class _Back:
    """One part of what was billed, with the seats that move along of those it was billed for."""

    part: Part
    seats: int
    kept: Fraction


def is_fewer(account: Account, quantities: Mapping[str, int], now: datetime) -> bool:
    """Whether a change of plan comes with fewer seats than are paid. Source: A32, C32."""
    sold = account.subscription.plan.capacity is Capacity.PURCHASED
    return sold and sum(quantities.values()) < sum(_paid(account, now).values())


def unused_lines(
    account: Account, quantities: Mapping[str, int], now: datetime, *, most: int | None = None
) -> tuple[Line, ...]:
    """What was billed for the rest of the period and still stands, given back, at `most` so much.

    Only seats that move along come back, the dearest types first: to leave a plan with fewer seats
    is a reduction, and those earn nothing. A plan without proration sells whole periods: no part
    of one comes back. Units: minor. Source: A32, C32, C50, G6, M-7, M-14, T10, ADR 18.
    """
    subscription = account.subscription
    basis = subscription.plan.policies.proration
    if basis is Basis.NONE or subscription.number < 0:
        return ()
    assert account.billed is not None, "what was billed was not read"
    period = subscription.period
    share = share_left(basis, period, inside(period, now))
    left = account.billed.left_minor
    left = left if most is None else min(left, most)
    lines = []
    for back in _backs(account, quantities, now):
        line = _line(account, back, share, (now, left))
        if line.amount_minor < 0:
            lines.append(line)
            left += line.amount_minor
    return tuple(lines)


def _paid(account: Account, now: datetime) -> dict[str, int]:
    """The seats that are paid to the period's end, per type, the dearest type first."""
    subscription = account.subscription
    at = effective_instant(subscription.plan.policies.proration, subscription.period, now)
    pools = sorted(account.pools.items(), key=lambda item: -item[1].pool.rank)
    return {key: billed.on(at).level for key, billed in pools}


def _backs(account: Account, quantities: Mapping[str, int], now: datetime) -> Iterator[_Back]:
    assert account.billed is not None
    for part in account.billed.of(None):
        yield _Back(part, 1, Fraction(1))
    paid = _paid(account, now)
    sold = account.subscription.plan.capacity is Capacity.PURCHASED
    moving = sum(quantities.values()) if sold else sum(paid.values())
    for key, level in paid.items():
        seats = min(level, moving)
        moving -= seats
        for part in account.billed.of(key):
            yield _Back(part, seats, _kept(account, key, seats, level))


def _kept(account: Account, key: str, seats: int, level: int) -> Fraction:
    """The part of what a level was billed that some of its seats make up, by the price's shape."""
    if seats == level:
        return Fraction(1)
    price = account.subscription.price.seats.get(key)
    whole = 0 if price is None else price.amount(level)
    if price is None or whole == 0:
        return Fraction(seats, level)
    return min(Fraction(price.amount(seats), whole), Fraction(1))


def _line(account: Account, back: _Back, share: Share, bounds: tuple[datetime, int]) -> Line:
    now, left = bounds
    subscription, part = account.subscription, back.part
    plan, price, period = subscription.plan, subscription.price, subscription.period
    off = Off(part.basis_points)
    full, fixed = rounded(part.full * back.kept), rounded(part.fixed * back.kept)
    amount = off.left_of(full - fixed, share.part, share.whole)
    billed = max(ceil(part.amount), 0)
    if amount > min(left, billed):
        # Rounding on the way, or a smaller bound: the most of it that comes to no more than that.
        fixed, paying = 0, share.part * (WHOLE - part.basis_points)
        full = ((2 * min(left, billed) + 1) * share.whole * WHOLE - 1) // (2 * paying)
        amount = off.left_of(full, share.part, share.whole)
    pool = None if part.seat_type is None else account.pools[part.seat_type].pool
    return Line(
        kind=LineKind.CREDIT,
        plan_key=plan.key,
        plan_version=plan.version,
        price_key=price.key,
        seat_type=part.seat_type,
        quantity=0,
        quantity_before=back.seats,
        unit_minor=_unit(account, part, back.seats, full),
        share=share,
        full_minor=-full,
        amount_minor=-amount,
        period_starts_at=period.starts_at,
        period_ends_at=period.ends_at,
        effective_at=effective_instant(plan.policies.proration, period, inside(period, now)),
        assigned=0 if pool is None else pool.assigned,
        held=0 if pool is None else pool.held,
        discount_basis_points=part.basis_points,
        discount_fixed_minor=-fixed,
        ceiling_minor=billed,
    )


def _unit(account: Account, part: Part, seats: int, full: int) -> int | None:
    """The price of one seat where what comes back is so many times that."""
    if part.seat_type is None:
        return full
    price = account.subscription.price
    seat_price = price.seats.get(part.seat_type)
    unit = None if seat_price is None else unit_of(price, seat_price)
    return unit if unit is not None and unit * seats == full else None
