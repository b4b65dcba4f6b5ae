"""Bounds: what no bill can be, however it was counted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from seatkeeper.domain import billing
from seatkeeper.domain.accounts import Scheduled
from seatkeeper.domain.billing import step
from seatkeeper.domain.bounds import (
    AHEAD_MAX,
    LINES_PER_DAY_MAX,
    TOO_FAR,
    TOO_LARGE,
    TOO_MANY,
    UNEXPLAINED,
    decide_bill,
    decide_renewed,
)
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.prices import Price, SeatPrice, Tier, TierMode
from seatkeeper.domain.proration import Basis, Share
from seatkeeper.domain.renewals import Quantity, decide_renewal
from tests.domain.facts import begun, day, with_people
from tests.domain.shipped import SINGLE

YEARLY = begun(SINGLE, 20)
KEY = SINGLE.entry_type.key
NOW = day(4, 1)


def added(quantity, account=YEARLY):
    pool = account.pools[KEY]
    return step(account.subscription, pool, pool.pool.purchased + quantity, NOW).line


def test_m19_a_purchase_costs_at_most_the_whole_period_of_the_seats_it_adds():
    line = added(10)
    assert (line.amount_minor, line.ceiling_minor) == (1808_22, 10 * 240_00)
    assert decide_bill([line], 0, NOW) is None
    # 2,400.01 for ten seats at 240.00 a year
    assert decide_bill([replace(line, amount_minor=240_001)], 0, NOW) == TOO_LARGE
    assert decide_bill([replace(line, amount_minor=-240_001)], 0, NOW) == TOO_LARGE


def test_m19_a_share_upside_down_trips(monkeypatch):
    """365/275 for 275/365: 3,185.45 for ten seats that cost 2,400.00 for a whole year."""
    share = Share(275, 365, Basis.DAY)
    monkeypatch.setattr(billing, "share_left", lambda *_: _upside_down(share))
    line = added(10)
    assert line.amount_minor == 3185_45
    assert decide_bill([line], 0, NOW) == TOO_LARGE


def _upside_down(share):
    turned = object.__new__(Share)
    for name, value in (("part", share.whole), ("whole", share.part), ("basis", share.basis)):
        object.__setattr__(turned, name, value)
    return turned


GRADUATED = SeatPrice((Tier(10, unit=5_00), Tier(None, unit=8_00, flat=3_00)))
VOLUME = SeatPrice((Tier(10, unit=5_00), Tier(None, unit=8_00)), TierMode.VOLUME)


@pytest.mark.parametrize(
    ("seats", "before", "after", "ceiling"),
    [
        (GRADUATED, 10, 12, 2 * 8_00 + 3_00),  # the second tier begins: its flat price is in it
        (GRADUATED, 12, 10, 12 * 8_00 + 3_00),  # what comes back is no more than all of them cost
        (VOLUME, 10, 11, 11 * 8_00),  # 88.00 less 50.00: all eleven become dearer
    ],
)
def test_m19_tiers_never_cross_their_ceiling(seats, before, after, ceiling):
    month = Interval.MONTH
    price = Price("p", "USD", month, month, month, seats={KEY: seats})
    account = begun(SINGLE, before)
    subscription = replace(account.subscription, price=price)
    line = step(subscription, account.pools[KEY], after, NOW).line
    if line is not None:
        assert line.ceiling_minor == ceiling
        assert decide_bill([line], 0, NOW) is None


@pytest.mark.parametrize("quantity", range(1, 40))
def test_m19_the_parts_of_a_year_stay_below_their_ceilings(quantity):
    """A year's price in twelve parts: each is at most a twelfth, rounded up."""
    year, month = Interval.YEAR, Interval.MONTH
    price = Price("p", "USD", year, month, year)
    seats = SeatPrice((Tier(None, unit=10_01),))
    parts = [price.of_period(seats.amount(quantity), n) for n in range(12)]
    assert max(parts) <= price.ceiling(seats, quantity)
    assert sum(parts) == quantity * 10_01


@pytest.mark.parametrize(("earlier", "reason"), [(9_999, None), (10_000, TOO_MANY)])
def test_m19_more_lines_a_day_than_anyone_makes(earlier, reason):
    assert LINES_PER_DAY_MAX == 10_000
    assert decide_bill([added(1)], earlier, NOW) == reason


def test_m19_a_period_far_ahead():
    line = added(1)
    late = replace(line, period_ends_at=NOW + AHEAD_MAX)
    assert decide_bill([late], 0, NOW) is None
    assert decide_bill([late], 0, NOW - timedelta(seconds=1)) == TOO_FAR


def test_m19_a_plain_renewal_is_in_bounds():
    due = YEARLY.subscription.period_ends_at
    renewal = decide_renewal(YEARLY)
    assert decide_renewed(YEARLY, renewal, due) is None
    dearer = replace(renewal.lines[0], amount_minor=20 * 240_00 + 1)
    assert decide_renewed(YEARLY, replace(renewal, lines=(dearer,)), due) == TOO_LARGE
    assert decide_renewed(YEARLY, renewal, due - 2 * AHEAD_MAX / 3 - timedelta(days=2)) == TOO_FAR


@pytest.mark.parametrize(
    ("quantity", "account", "reason"),
    [
        (20, YEARLY, None),  # bought, and what the plan requires
        (21, YEARLY, UNEXPLAINED),
        (30, begun(SINGLE, 30), None),  # bought
        (31, begun(SINGLE, 30), UNEXPLAINED),
        (33, with_people(begun(SINGLE, 30), assigned=30, held=3), None),  # occupied
        (35, replace(begun(SINGLE, 30), scheduled=(Scheduled("p", KEY, 5),)), None),  # scheduled
        (36, replace(begun(SINGLE, 30), scheduled=(Scheduled("p", KEY, 5),)), UNEXPLAINED),
    ],
)
def test_m19_a_renewal_has_no_more_seats_than_something_explains(quantity, account, reason):
    renewal = replace(decide_renewal(account), quantities={KEY: Quantity(quantity)}, lines=())
    assert decide_renewed(account, renewal, account.subscription.period_ends_at) == reason
