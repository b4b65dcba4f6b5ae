"""Batches of the seat lanes: what many callers ask at one moment, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from seatkeeper.store.database import Db, Row
from seatkeeper.store.seats import SEATS


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of a batch that takes or frees seats."""

    organization_id: UUID
    member_id: UUID
    seat_type: str
    seat_id: UUID
    at: datetime
    rule: str
    actor: str
    request_id: UUID


async def take_seats(db: Db, asked: Sequence[Asked]) -> Sequence[Row | None]:
    """One batch of takings, each with its outcome or the facts of its refusal; None: ask again."""
    firsts, places = _firsts(asked)
    rows = await db.rows(
        SEATS.take_seats,
        organization_ids=[a.organization_id for a in firsts],
        member_ids=[a.member_id for a in firsts],
        seat_types=[a.seat_type for a in firsts],
        assignment_ids=[a.seat_id for a in firsts],
        instants=[a.at for a in firsts],
        rules=[a.rule for a in firsts],
        actors=[a.actor for a in firsts],
        request_ids=[a.request_id for a in firsts],
    )
    found = _in_order(rows, len(firsts))
    return [
        found[place] if firsts[place].seat_type == a.seat_type else None
        for a, place in zip(asked, places, strict=True)
    ]


async def free_seats(db: Db, asked: Sequence[Asked]) -> Sequence[Row | None]:
    """One batch of freeings, each with its outcome or the facts of its refusal."""
    firsts, places = _firsts(asked)
    rows = await db.rows(
        SEATS.free_seats,
        organization_ids=[a.organization_id for a in firsts],
        member_ids=[a.member_id for a in firsts],
        instants=[a.at for a in firsts],
        rules=[a.rule for a in firsts],
        actors=[a.actor for a in firsts],
        request_ids=[a.request_id for a in firsts],
    )
    found = _in_order(rows, len(firsts))
    return [found[place] for place in places]


def _firsts(asked: Sequence[Asked]) -> tuple[Sequence[Asked], Sequence[int]]:
    # A member can be touched once in a statement; who asks the same again shares the answer.
    place_of: dict[tuple[UUID, UUID], int] = {}
    firsts: list[Asked] = []
    places: list[int] = []
    for item in asked:
        place = place_of.setdefault((item.organization_id, item.member_id), len(firsts))
        if place == len(firsts):
            firsts.append(item)
        places.append(place)
    return firsts, places


def _in_order(rows: Sequence[Row], count: int) -> Sequence[Row | None]:
    found: list[Row | None] = [None] * count
    for row in rows:
        found[row["item"] - 1] = row
    return found
