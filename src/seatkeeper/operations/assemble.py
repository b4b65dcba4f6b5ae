"""Puts an engine together: its rails, and the lanes in which calls share statements."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from seatkeeper.operations import access, seat_batches
from seatkeeper.operations.coalesce import Lanes
from seatkeeper.operations.context import new_id, new_secret, wall_clock
from seatkeeper.operations.engine import Engine
from seatkeeper.payments.manual import ManualProvider
from seatkeeper.payments.sandbox import SandboxProvider
from seatkeeper.store.database import Database
from seatkeeper.store.statements import Statements

INSTANCE = Statements("instance")


async def assemble(database: Database) -> Engine:
    """An engine on a migrated database."""
    async with database.connection() as db:
        row = await db.one(INSTANCE.secret)
    engine = Engine(
        database=database,
        clock=wall_clock,
        new_id=new_id,
        new_secret=new_secret,
        secret=row["secret"],
        providers={
            "manual": ManualProvider(),
            "sandbox": SandboxProvider(database, wall_clock),
        },
    )
    engine.lanes["take_seats"] = Lanes(database, seat_batches.take_seats, _place)
    engine.lanes["free_seats"] = Lanes(database, seat_batches.free_seats, _place)
    engine.lanes["people"] = Lanes(database, partial(access.find_people, engine), _place)
    return engine


def _place(asked: seat_batches.Asked | access.Sought) -> Hashable:
    return asked.organization_id
