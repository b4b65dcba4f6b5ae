"""Rows of seats: pools, assignments and their history."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.policies import Capacity
from seatkeeper.domain.seats import SeatPool
from seatkeeper.store.database import Row
from seatkeeper.store.statements import Statements

SEATS: Final = Statements("seats")


def pool_of(row: Row) -> SeatPool:
    """The pool that a row of `lock_pools`, `pools` or `take_seats` describes."""
    return SeatPool(
        pool_id=row["pool_id"],
        seat_type=row["seat_type"],
        rank=row["rank"],
        purchased=row["purchased"],
        assigned=row["assigned"],
        held=row["held"],
        waiting=row["waiting"],
        ceiling=row["ceiling"],
        state=row["state"],
        capacity=Capacity(row["capacity"]),
    )
