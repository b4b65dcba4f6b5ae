"""Rows of discounts."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.discounts import Discount, Off
from seatkeeper.store.database import Row
from seatkeeper.store.statements import Statements

DISCOUNTS: Final = Statements("discounts")


def discount_of(row: Row) -> Discount:
    """The discount that a row of `live` and its like describes."""
    return Discount(
        discount_id=row["discount_id"],
        off=Off(row["basis_points"], row["amount_minor"]),
        periods=row["periods"],
        used=row["used"],
        until=row["until"],
    )
