"""Upcoming: why a renewal begins with the quantities it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.policies import Capacity, RenewalQuantity
from seatkeeper.domain.renewals import Renewal, decide_renewal
from seatkeeper.domain.seats import SeatPool


class Because(StrEnum):
    """What made a quantity what it is."""

    CARRIED = "carried"  # what is owned goes on
    IN_USE = "in_use"  # the seats that people sit in
    OCCUPIED = "occupied"  # those and the ones that invitations hold
    SIGNED = "signed"
    SCHEDULED = "scheduled"
    KEPT_FOR_OCCUPIED = "kept_for_occupied"
    INCLUDED = "included"
    MINIMUM = "minimum"
    OVER_LIMIT = "over_limit"


_POLICY: Mapping[RenewalQuantity, Because] = {
    RenewalQuantity.CARRY_PURCHASED: Because.CARRIED,
    RenewalQuantity.CONTRACT: Because.CARRIED,
    RenewalQuantity.CARRY_ASSIGNED: Because.IN_USE,
    RenewalQuantity.MEMBERS: Because.IN_USE,
    RenewalQuantity.OCCUPIED: Because.OCCUPIED,
}


def rehearsed(account: Account) -> Account:
    """The account as its renewal will find it: under `members` invitations lose their holds."""
    if account.subscription.plan.policies.renewal_quantity is not RenewalQuantity.MEMBERS:
        return account
    pools = {
        key: replace(billed, pool=replace(billed.pool, held=0))
        for key, billed in account.pools.items()
    }
    return replace(account, pools=pools)


def reasons(account: Account, renewal: Renewal) -> Mapping[str, tuple[Because, ...]]:
    """Why each seat type renews with its quantity: what the policy starts from, then what moved it.

    Source: A35-A37, C34-C37, design §6 "upcoming".
    """
    unraised = decide_renewal(_without_minimum(account))
    found = {}
    for key, quantity in renewal.quantities.items():
        pool = account.pools[key].pool
        moved = {
            Because.SCHEDULED: account.scheduled_delta(key, account.subscription.period_ends_at),
            Because.KEPT_FOR_OCCUPIED: quantity.kept_for_occupied,
            Because.INCLUDED: _is_included(account, renewal, pool),
            Because.MINIMUM: quantity.purchased > unraised.quantities[key].purchased,
            Because.OVER_LIMIT: quantity.over_limit,
        }
        because = (reason for reason, applies in moved.items() if applies)
        found[key] = (_start(account, renewal, pool), *because)
    return found


def _start(account: Account, renewal: Renewal, pool: SeatPool) -> Because:
    plan, price = account.subscription.plan, account.subscription.price
    seat_price = price.seats.get(pool.seat_type)
    counted = seat_price is not None and not seat_price.is_free
    if not renewal.new_term or plan.capacity is not Capacity.PURCHASED or not counted:
        return Because.CARRIED
    return _POLICY[plan.policies.renewal_quantity]


def _is_included(account: Account, renewal: Renewal, pool: SeatPool) -> bool:
    """Whether the seats that the price includes are what holds the quantity up."""
    seat_price = account.subscription.price.seats.get(pool.seat_type)
    if seat_price is None or not renewal.new_term:
        return False
    quantity = renewal.quantities[pool.seat_type].purchased
    start = _start(account, renewal, pool)
    wanted = {Because.IN_USE: pool.assigned, Because.OCCUPIED: pool.occupied}
    return wanted.get(start, pool.purchased) < quantity == seat_price.included


def _without_minimum(account: Account) -> Account:
    subscription = account.subscription
    plan = replace(subscription.plan, minimum=0)
    return replace(account, subscription=replace(subscription, plan=plan))
