"""Renewals: the quantity, the period and the lines with which a subscription goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.billing import Line, period_lines
from seatkeeper.domain.discounts import NOTHING_OFF, Discount, Off
from seatkeeper.domain.periods import midnight
from seatkeeper.domain.policies import Capacity, RenewalQuantity
from seatkeeper.domain.prices import QUANTITY_MAX, Price
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.subscriptions import Status, Subscription


class Due(StrEnum):
    """What a subscription's due instant calls for."""

    RENEW = "renew"
    END = "end"


@dataclass(frozen=True, slots=True)
class Quantity:
    """The seats of one type in the new period, and what stood in the way of the wanted number."""

    purchased: int
    kept_for_occupied: bool = False
    over_limit: bool = False


@dataclass(frozen=True, slots=True)
class Renewal:
    """One new period: its bounds, its quantities and its lines."""

    number: int
    starts_at: datetime
    ends_at: datetime
    term_ends_at: datetime
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    new_term: bool = True
    # Only where there is something to take it off, so that a discount is not used up by nothing.
    off: Off = NOTHING_OFF

    def keeps(self, discount: Discount | None) -> bool:
        """Whether a discount goes on with this period, or waits because it bills nothing."""
        return discount is not None and discount.off_at(self.starts_at) != NOTHING_OFF


def what_is_due(subscription: Subscription, now: datetime) -> Due | None:
    """What has come due first by `now`, or None; what was never paid ends, it does not renew.

    Source: C42, C52, T-7, T-8.
    """
    if subscription.status is Status.ENDED or next_due(subscription) > now:
        return None
    # What comes first is done first: instalments before a later end are still billed.
    stops = subscription.stops_at is not None and (
        subscription.stops_at <= subscription.period_ends_at
    )
    return Due.END if stops or subscription.status is Status.INCOMPLETE else Due.RENEW


def next_due(subscription: Subscription) -> datetime:
    """The next instant at which something has to happen to the subscription."""
    stops_at = subscription.stops_at
    return min(subscription.period_ends_at, stops_at or subscription.period_ends_at)


def renewal_quantities(account: Account, price: Price) -> Mapping[str, Quantity]:
    """The seats per type with which a new term starts, before anyone is asked.

    What the policy carries, plus what was scheduled; never below the people who sit there, the
    included seats, or the plan's minimum over all types; above the plan's limit the limit is
    billed and the pool is over it. Source: A12, A16, A24, A35-A37, C34-C37, S-8, T-9.
    """
    plan = account.subscription.plan
    quantities = {
        key: _quantity(account, price, billed.pool) for key, billed in account.pools.items()
    }
    if plan.capacity is not Capacity.PURCHASED:
        return quantities
    return _limited(account, _raised(account, quantities))


def _raised(account: Account, quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
    plan = account.subscription.plan
    entry = plan.entry_type.key
    raised = dict(quantities)
    short = plan.minimum - sum(q.purchased for q in raised.values())
    if short > 0 and entry in raised:
        raised[entry] = replace(raised[entry], purchased=raised[entry].purchased + short)
    return raised


def _limited(account: Account, quantities: dict[str, Quantity]) -> Mapping[str, Quantity]:
    """Not above the plan's limit: free seats go first, the lowest types first. Source: C37."""
    plan = account.subscription.plan
    over = sum(q.purchased for q in quantities.values()) - (plan.limit or QUANTITY_MAX)
    rising = [kind.key for kind in reversed(plan.by_rank) if kind.key in quantities]
    for keep in (True, False):
        for key in rising:
            purchased = quantities[key].purchased
            needed = _needed(account, account.pools[key].pool)
            lowered = max(purchased - max(over, 0), min(needed, purchased) if keep else 0)
            over -= purchased - lowered
            over_limit = quantities[key].over_limit or lowered < needed
            quantities[key] = replace(quantities[key], purchased=lowered, over_limit=over_limit)
    return quantities


def _needed(account: Account, pool: SeatPool) -> int:
    """The seats which people keep: under the policy `members` invitations lose their holds."""
    policy = account.subscription.plan.policies.renewal_quantity
    return pool.assigned if policy is RenewalQuantity.MEMBERS else pool.occupied


def _quantity(account: Account, price: Price, pool: SeatPool) -> Quantity:
    plan = account.subscription.plan
    seat_price = price.seats.get(pool.seat_type)
    if plan.capacity is not Capacity.PURCHASED:
        return Quantity(pool.purchased)
    at = account.subscription.period_ends_at
    scheduled = account.scheduled_delta(pool.seat_type, at)
    if seat_price is None or seat_price.is_free:
        # Nothing is counted where nothing is charged. Source: C35.
        return Quantity(max(pool.purchased + scheduled, pool.occupied))
    policy = plan.policies.renewal_quantity
    needed = _needed(account, pool)
    if policy in (RenewalQuantity.MEMBERS, RenewalQuantity.OCCUPIED):
        wanted = needed + max(scheduled, 0)
    elif policy is RenewalQuantity.CARRY_ASSIGNED:
        wanted = pool.assigned + max(scheduled, 0)
    else:
        wanted = pool.purchased + scheduled
    floor = max(needed, seat_price.included)
    purchased = min(max(wanted, floor), seat_price.bound)
    return Quantity(purchased, kept_for_occupied=wanted < needed, over_limit=purchased < needed)


def instalment_quantities(account: Account) -> Mapping[str, Quantity]:
    """The seats per type inside a longer term: what is owned, with what was scheduled for now.

    A scheduled reduction stops at the people who sit there and at the plan's minimum.
    Source: A35, T-9.
    """
    at = account.subscription.period_ends_at
    quantities = {}
    for key, billed in account.pools.items():
        pool, delta = billed.pool, account.scheduled_delta(key, at)
        floor = min(pool.occupied, pool.purchased)
        quantities[key] = Quantity(
            max(pool.purchased + delta, floor), kept_for_occupied=pool.purchased + delta < floor
        )
    return _raised(account, quantities)


def decide_renewal(account: Account) -> Renewal:
    """The period after the current one; a trial's is the first that is paid.

    Quantities move only where a term begins; inside a longer term the next instalment is billed
    for what is owned. Bounds count from the anchor. A discount is looked at anew where a period
    begins. Source: A24, A25, C34, C39, C40, C54, T-2, T-3.
    """
    subscription = account.subscription
    plan, price = subscription.plan, subscription.price
    number = subscription.number + 1
    period = subscription.recurrence.period(number)
    discount = account.discount
    off = NOTHING_OFF if discount is None else discount.off_at(period.starts_at)
    if price.off != off:
        price = replace(price, off=off)
    new_term = number % price.periods_per_term == 0
    sized = renewal_quantities(account, price) if new_term else instalment_quantities(account)
    pools = {
        key: replace(account.pools[key].pool, purchased=quantity.purchased, state="over_limit")
        for key, quantity in sized.items()
    }
    lines = period_lines(plan, price, number, period, pools)
    return Renewal(
        number=number,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        term_ends_at=midnight(subscription.term_end_of(number), subscription.time_zone),
        quantities=sized,
        lines=lines,
        new_term=new_term,
        off=off if any(line.full_minor for line in lines) else NOTHING_OFF,
    )
