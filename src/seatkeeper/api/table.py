"""The one table of operations; routing, OpenAPI and the command line derive from it."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.api.table_access import ACCESS
from seatkeeper.api.table_contracts import CONTRACTS
from seatkeeper.api.table_money import CLOCKS, MONEY
from seatkeeper.api.table_people import PEOPLE
from seatkeeper.api.table_vendor import VENDOR
from seatkeeper.api.table_workspace import WORKSPACE
from seatkeeper.domain.members import Permission
from seatkeeper.operations import seats
from seatkeeper.operations.words import Page

ORG: Final = "/v1/organizations/{organization}"

SEATS: Final = (
    Operation(
        "GET", f"{ORG}/seats", "seats:read", seats.summary, seats.ReadSeats, seats.SeatCounts
    ),
    Operation(
        "PUT",
        f"{ORG}/members/{{member}}/seat",
        "seats:assign",
        seats.assign,
        seats.AssignSeat,
        seats.Seat,
        permission=Permission.SEATS_ASSIGN,
    ),
    Operation(
        "DELETE",
        f"{ORG}/members/{{member}}/seat",
        "seats:assign",
        seats.unassign,
        seats.UnassignSeat,
        seats.Unseated,
        permission=Permission.SEATS_ASSIGN,
    ),
    Operation(
        "POST",
        f"{ORG}/seat-moves",
        "seats:assign",
        seats.move,
        seats.MoveSeats,
        seats.Moved,
        permission=Permission.SEATS_ASSIGN,
    ),
    Operation(
        "GET",
        f"{ORG}/seat-history",
        "seats:read",
        seats.history,
        seats.ReadSeatHistory,
        Page[seats.SeatHeld],
    ),
)

TABLE: Final[tuple[Operation, ...]] = (
    *VENDOR,
    *PEOPLE,
    *SEATS,
    *MONEY,
    *CONTRACTS,
    *WORKSPACE,
    *ACCESS,
    *CLOCKS,
)
