"""Test clocks: time that moves only when told, and does everything due on the way."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from seatkeeper.domain.ids import ClockId
from seatkeeper.domain.refusals import Code, Refused, refuse, refuse_field
from seatkeeper.operations import walks
from seatkeeper.operations.answers import ClockStateText, ClockText, Moment
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Limit,
    Name,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Row
from seatkeeper.store.statements import Statements

CLOCKS: Final = Statements("clocks")
ADVANCE_MAX: Final = timedelta(days=15 * 366)
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2999
ANSWER_SECONDS: Final = 5.0  # What takes longer is answered before it is done.


class CreateClock(Command):
    """A test clock that starts at an instant."""

    name: Name
    now: datetime


class ReadClock(Command):
    """One test clock."""

    clock: ClockId


class ReadClocks(Command):
    """Test clocks of this key, newest first."""

    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class AdvanceClock(Command):
    """Move a test clock forward to an instant."""

    clock: ClockId
    to: datetime


class Clock(Result):
    """A test clock and its time.

    While it is `advancing` it has a `target`, and `now` comes nearer. `done` counts what the last
    advance did by instants that are behind it, `failure` says why one stopped.
    """

    clock: ClockText
    name: str
    now: Moment
    state: ClockStateText
    created_at: Moment
    target: Moment | None
    done: dict[str, int]
    failure: str | None


class Advance(Clock):
    """A test clock that was moved; `pending` while it is still on its way."""

    pending: bool


async def create(ctx: Context, command: CreateClock) -> Clock:
    """Start a test clock; organizations created on it live entirely by its time."""
    _check_instant("/now", command.now)
    clock_id = ctx.new_id()
    async with ctx.transaction() as db:
        row = await db.one(
            CLOCKS.insert,
            clock_id=clock_id,
            name=command.name,
            now_at=command.now,
            key_id=ctx.principal.key_id,
            created_at=ctx.now,
        )
    return Clock(**_fields(row))


def _check_instant(pointer: str, at: datetime) -> None:
    if at.tzinfo is None:
        raise Refused(refuse_field(pointer, "needs its offset from UTC, or Z."))
    # Terms and graces lie ahead of the clock, and must still be dates.
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        raise Refused(refuse_field(pointer, f"must be in the years {YEAR_MIN} to {YEAR_MAX}."))


async def show(ctx: Context, command: ReadClock) -> Clock:
    """One test clock of this key. Refuses: not_found."""
    async with ctx.connection() as db:
        row = await db.row(CLOCKS.one, clock_id=command.clock, key_id=_owner(ctx))
    if row is None:
        raise not_found()
    return Clock(**_fields(row))


async def list_all(ctx: Context, command: ReadClocks) -> Page[Clock]:
    """Test clocks of this key, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            CLOCKS.page,
            key_id=_owner(ctx),
            before=before(ctx, "clocks", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["clock_id"] if len(rows) > page else None
    items = [Clock(**_fields(row)) for row in rows[:page]]
    return Page(items=items, next=cursor(ctx, "clocks", last))


async def advance(ctx: Context, command: AdvanceClock) -> Advance:
    """Move a test clock forward; every due action happens in order, at its own instant.

    What takes longer than a few seconds goes on behind the answer, also when this process ends:
    ask for the clock until it is `ready`. The same target again is the same advance; one that
    was cut off can be taken further, never back. Refuses: not_found (another's too),
    invalid_request (backwards, more than 15 years), request_in_progress. Source: design §5 "Test
    clock", R-3, T-8, G15.
    """
    target = command.to
    _check_instant("/to", target)
    key: dict[str, Any] = {"clock_id": command.clock, "key_id": _owner(ctx)}
    engine = ctx.engine
    async with engine.database.transaction() as db:
        # Read without a lock: who walks must not make others wait.
        row = await db.row(CLOCKS.one, **key)
        if row is None:
            raise not_found()
        wall = engine.clock()
        walk = None
        if not _is_under_way(row, target, wall):
            walks.check_room(engine)
            walk = await walks.take(db, row, target, wall)
            if walk is None:
                raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
    if walk is not None:
        # Shielded by being a task of its own: a caller who leaves does not stop the clock.
        await asyncio.wait((walks.begin(engine, walk),), timeout=ANSWER_SECONDS)
    async with ctx.connection() as db:
        moved = await db.one(CLOCKS.one, **key)
    return Advance(**_fields(moved), pending=moved["state"] == "advancing")


def _is_under_way(row: Row, target: datetime, wall: datetime) -> bool:
    """Whether somebody advances the clock to that target already; refused if to another."""
    if not row["now_at"] <= target <= row["now_at"] + ADVANCE_MAX:
        raise Refused(
            refuse(
                Code.INVALID_REQUEST,
                detail="A test clock moves forward only, at most 15 years at once.",
            )
        )
    if row["state"] != "advancing":
        return False
    walked: bool = wall < row["lease_until"]
    # An advance that was asked for is carried out: who takes it over can only go further.
    if target < row["target_at"] or (walked and target > row["target_at"]):
        raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
    return walked


def _owner(ctx: Context) -> UUID | None:
    """Whose clocks the caller sees: their key's own, or all of them for an operator."""
    operator = ctx.principal.vendor_role == "operator"
    return None if operator else ctx.principal.key_id


def _fields(row: Row) -> dict[str, Any]:
    return {
        "clock": ClockId.text(row["clock_id"]),
        "name": row["name"],
        "now": row["now_at"],
        "state": row["state"],
        "created_at": row["created_at"],
        "target": row["target_at"],
        "done": row["done"],
        "failure": row["failure"],
    }
