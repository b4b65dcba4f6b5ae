"""What can be asked of a subscription: one shape for quotes and changes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.operations.words import Command, Key, Quantity


class SeatQuantity(Command):
    """So many seats of a type."""

    seat_type: Key
    quantity: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]


class Subscribe(Command, tag_field="kind", tag="subscribe"):
    """Start on a plan, or leave the default plan for it. `price` names one of its prices."""

    plan: Key
    price: Key | None = None
    seats: Annotated[list[SeatQuantity], Meta(max_length=20)] = field(default_factory=list)
    trial: bool = False


class PurchaseSeats(Command, tag_field="kind", tag="purchase_seats"):
    """Buy seats: exactly one of `quantity` to add and `total` to have.

    `seat_type` can be left out where the plan has only one.
    """

    seat_type: Key | None = None
    quantity: Quantity | None = None
    total: Quantity | None = None


class ReduceSeats(Command, tag_field="kind", tag="reduce_seats"):
    """Have fewer seats, from the day the plan allows; `now` asks for it at once."""

    target: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]
    seat_type: Key | None = None
    now: bool = False


class ConvertSeats(Command, tag_field="kind", tag="convert_seats"):
    """Turn `quantity` purchased seats of `from_type` into `to_type`, for the prorated difference.

    Both are seat types; there are two, so that each has a name of its own.
    """

    from_type: Key
    to_type: Key
    quantity: Quantity


class ChangePlan(Command, tag_field="kind", tag="change_plan"):
    """Move to another plan or price: up now, down at the end of the period."""

    plan: Key
    price: Key | None = None
    seats: Annotated[list[SeatQuantity], Meta(max_length=20)] = field(default_factory=list)


class Cancel(Command, tag_field="kind", tag="cancel"):
    """End the subscription when the plan allows."""


class Resume(Command, tag_field="kind", tag="resume"):
    """Take a cancellation back."""


Asked = Subscribe | PurchaseSeats | ReduceSeats | ConvertSeats | ChangePlan | Cancel | Resume
