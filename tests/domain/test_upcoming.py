"""Upcoming: each renewed quantity says what made it so."""

from dataclasses import replace

import pytest

from seatkeeper.domain.accounts import Scheduled
from seatkeeper.domain.policies import RenewalQuantity
from seatkeeper.domain.prices import SeatPrice, Tier
from seatkeeper.domain.renewals import decide_renewal
from seatkeeper.domain.upcoming import reasons, rehearsed
from tests.domain.facts import begun, with_people, with_policies
from tests.domain.shipped import ASSISTED, ENTERPRISE, ORGANIZATION, SINGLE

GROWTH = ORGANIZATION["base_and_seats"]
INCLUDED = next(
    plan
    for plan in ORGANIZATION.values()
    if any(p.included > 1 for price in plan.prices.values() for p in price.seats.values())
)
MEMBERS = with_policies(GROWTH, renewal_quantity=RenewalQuantity.MEMBERS)
LIMITED = next(plan for plan in ORGANIZATION.values() if plan.capacity == "plan_limit")


def why(account, *scheduled):
    account = rehearsed(replace(account, scheduled=scheduled))
    renewal = decide_renewal(account)
    key = account.subscription.plan.entry_type.key
    return renewal.quantities[key].purchased, list(reasons(account, renewal)[key])


def down(by, plan=SINGLE):
    return Scheduled("reduce_seats", plan.entry_type.key, -by)


@pytest.mark.parametrize(
    ("account", "scheduled", "quantity", "because"),
    [
        (begun(SINGLE, 50), (), 50, ["carried"]),
        (begun(SINGLE, 50), (down(5),), 45, ["carried", "scheduled"]),
        (
            with_people(begun(SINGLE, 50), assigned=48),
            (down(5),),
            48,
            ["carried", "scheduled", "kept_for_occupied"],
        ),
        (begun(SINGLE, 50), (down(40),), 20, ["carried", "scheduled", "minimum"]),
        (
            with_people(begun(ASSISTED, 50), assigned=37, held=1),
            (),
            38,
            ["in_use", "kept_for_occupied"],
        ),
        (begun(ASSISTED, 50), (), 20, ["in_use", "minimum"]),
        (with_people(begun(GROWTH, 8), assigned=5, held=1), (), 6, ["occupied"]),
        (with_people(begun(MEMBERS, 8), assigned=5, held=1), (), 5, ["in_use"]),
        (
            with_people(begun(replace(SINGLE, limit=30), 30), assigned=40),
            (),
            30,
            ["carried", "kept_for_occupied", "over_limit"],
        ),
    ],
)
def test_a35_a36_c34_c36_the_reasons_beside_the_quantity(account, scheduled, quantity, because):
    assert why(account, *scheduled) == (quantity, because)


def test_c35_the_included_seats_hold_the_quantity_up():
    key = INCLUDED.entry_type.key
    included = INCLUDED.prices[next(iter(INCLUDED.prices))].seats[key].included
    account = with_people(begun(INCLUDED, included + 2), assigned=1)
    assert why(account) == (included, ["occupied", "included"])


def test_c35_where_nothing_is_counted_what_is_owned_goes_on():
    assert why(begun(LIMITED, LIMITED.limit)) == (LIMITED.limit, ["carried"])
    free = replace(
        GROWTH.prices["monthly_usd"], seats={GROWTH.entry_type.key: SeatPrice((Tier(None),))}
    )
    account = begun(GROWTH, 8)
    account = replace(account, subscription=replace(account.subscription, price=free))
    assert why(account) == (8, ["carried"])
    none = replace(free, seats={})
    account = replace(account, subscription=replace(account.subscription, price=none))
    assert why(account) == (8, ["carried"])


def test_c39_inside_a_longer_term_what_is_owned_goes_on():
    legacy = ENTERPRISE["standard_and_premium"]
    account = with_people(begun(legacy, {"standard": 30, "premium": 5}), "standard", assigned=9)
    assert why(account) == (30, ["carried"])
