"""Rows of subscriptions, joined with the plan version and price they stand on."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.prices import Price
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.store.database import Row
from seatkeeper.store.statements import Statements

SUBSCRIPTIONS: Final = Statements("subscriptions")


def subscription_of(row: Row, plan: Plan, price: Price, time_zone: str) -> Subscription:
    """The subscription that a row of `current` and its like describes."""
    return Subscription(
        subscription_id=row["subscription_id"],
        plan=plan,
        price=price,
        status=Status(row["status"]),
        time_zone=time_zone,
        anchor=row["anchor_on"],
        number=row["period_number"],
        period_starts_at=row["period_starts_at"],
        period_ends_at=row["period_ends_at"],
        term_ends_at=row["term_ends_at"],
        payer_member_id=row["payer_member_id"],
        trial_ends_at=row["trial_ends_at"],
        cancel_at=row["cancel_at"],
        grace_ends_at=row["grace_ends_at"],
        contract_id=row["contract_id"],
        version=row["version"],
    )
