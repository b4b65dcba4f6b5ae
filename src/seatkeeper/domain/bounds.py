"""Bounds: what no bill can be, so that a bug of ours parks an organization and charges nobody.

Each is counted apart from the arithmetic it bounds, and so wide that only a bug can cross it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.billing import Line
from seatkeeper.domain.renewals import Renewal

LINES_PER_DAY_MAX: Final = 10_000  # of one subscription
AHEAD_MAX: Final = timedelta(days=3 * 366)  # 36 months

TOO_MANY: Final = "a subscription has more lines in one day than anyone makes"
TOO_LARGE: Final = "a line is larger than its seats can cost for a whole period"
TOO_FAR: Final = "a period ends more than 36 months ahead"
UNEXPLAINED: Final = "a renewal has more seats than were bought, scheduled, occupied or required"


class OutOfBounds(Exception):
    """A bill that cannot be right; its words say why the organization is parked."""


def decide_bill(lines: Iterable[Line], earlier: int, now: datetime) -> str | None:
    """Why a bill beside `earlier` lines of its subscription and day cannot be right, or None.

    Units: lines. Source: M-19.
    """
    made = list(lines)
    if earlier + len(made) > LINES_PER_DAY_MAX:
        return TOO_MANY
    for line in made:
        if abs(line.amount_minor) > line.ceiling_minor:
            return TOO_LARGE
        if line.period_ends_at > now + AHEAD_MAX:
            return TOO_FAR
    return None


def decide_renewed(account: Account, renewal: Renewal, now: datetime) -> str | None:
    """Why a renewal cannot be right, or None.

    More seats than before need a reason among the facts: seats bought, a scheduled change, people
    who sit or are invited, what the plan requires. Source: M-19.
    """
    subscription = account.subscription
    for seat_type, quantity in renewal.quantities.items():
        pool = account.pools[seat_type].pool
        price = subscription.price.seats.get(seat_type)
        explained = max(
            max(pool.purchased, pool.occupied) + max(account.scheduled_delta(seat_type), 0),
            subscription.plan.minimum,
            0 if price is None else price.included,
        )
        if quantity.purchased > explained:
            return UNEXPLAINED
    if renewal.ends_at > now + AHEAD_MAX:
        return TOO_FAR
    return decide_bill(renewal.lines, 0, now)
