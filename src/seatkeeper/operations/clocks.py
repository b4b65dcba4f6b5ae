"""Test clocks: time that moves only when told, and does everything due on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import field

from seatkeeper.domain.ids import ClockId
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import after, cursor
from seatkeeper.operations.due import do_due
from seatkeeper.operations.dunning import UNPAID_MAX, UNPAID_PATIENCE
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
RENEWALS: Final = Statements("renewals")
ADVANCE_MAX: Final = timedelta(days=15 * 366)
STEPS_MAX: Final = 100_000


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
    """A test clock and its time. `done` counts what the last advance did."""

    clock: str
    name: str
    now: datetime
    state: str
    created_at: datetime
    done: dict[str, int] = field(default_factory=dict)


async def create(ctx: Context, command: CreateClock) -> Clock:
    """Start a test clock; organizations created on it live entirely by its time."""
    if command.now.tzinfo is None:
        raise Refused(refuse(Code.INVALID_REQUEST, detail="`now` needs its offset from UTC."))
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
    return _clock(row)


async def show(ctx: Context, command: ReadClock) -> Clock:
    """One test clock of this key. Refuses: not_found."""
    async with ctx.connection() as db:
        row = await db.row(CLOCKS.one, clock_id=command.clock, key_id=_owner(ctx))
    if row is None:
        raise not_found()
    return _clock(row)


async def list_all(ctx: Context, command: ReadClocks) -> Page[Clock]:
    """Test clocks of this key, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            CLOCKS.page,
            key_id=_owner(ctx),
            after=after(ctx, "clocks", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["clock_id"] if len(rows) > page else None
    return Page(items=[_clock(row) for row in rows[:page]], next=cursor(ctx, "clocks", last))


async def advance(ctx: Context, command: AdvanceClock) -> Clock:
    """Move a test clock forward; every due action happens in order, at its own instant.

    Refuses: not_found (another's too), invalid_request (backwards, more than 15 years),
    request_in_progress. Source: design §5 "Test clock", T-8, G15.
    """
    target = command.to
    if target.tzinfo is None:
        raise Refused(refuse(Code.INVALID_REQUEST, detail="`to` needs its offset from UTC."))
    key: dict[str, Any] = {"clock_id": command.clock, "key_id": _owner(ctx)}
    async with ctx.engine.database.transaction() as db:
        row = await db.row(CLOCKS.lock, **key)
        if row is None:
            raise not_found()
        if not row["now_at"] <= target <= row["now_at"] + ADVANCE_MAX:
            raise Refused(
                refuse(
                    Code.INVALID_REQUEST,
                    detail="A test clock moves forward only, at most 15 years at once.",
                )
            )
        if row["state"] == "advancing":
            raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
        await db.run(CLOCKS.set_state, **key, state="advancing", target_at=target)
    state = "failed"
    try:
        done = await _walk(ctx, command.clock, row["now_at"], target)
        state = "ready"
    finally:
        async with ctx.engine.database.transaction() as db:
            await db.run(CLOCKS.set_state, **key, state=state, target_at=None)
    async with ctx.connection() as db:
        moved = await db.one(CLOCKS.one, **key)
    return _clock(moved, done)


async def _walk(ctx: Context, clock_id: UUID, start: datetime, target: datetime) -> dict[str, int]:
    """From due instant to due instant, each with the clock standing exactly on it."""
    engine = ctx.engine
    total: dict[str, int] = {}
    at = start
    for _ in range(STEPS_MAX):
        done = await do_due(engine, at, clock_id)
        for name, count in done.items():
            total[name] = total.get(name, 0) + count
        if at == target:
            break
        # Only what is due later: something that cannot be done now must not stop the clock.
        async with engine.database.connection() as db:
            row = await db.one(
                RENEWALS.next_due,
                clock_id=clock_id,
                after=at,
                patience=UNPAID_PATIENCE,
                unpaid_max=UNPAID_MAX,
            )
            at = min(row["due_at"] or target, target)
            await db.run(CLOCKS.set_time, clock_id=clock_id, now_at=at)
    assert at == target, "more instants than a clock can walk in one go"
    return total


def _owner(ctx: Context) -> UUID | None:
    """Whose clocks the caller sees: their key's own, or all of them for an operator."""
    operator = ctx.principal.vendor_role == "operator"
    return None if operator else ctx.principal.key_id


def _clock(row: Row, done: dict[str, int] | None = None) -> Clock:
    return Clock(
        clock=ClockId.text(row["clock_id"]),
        name=row["name"],
        now=row["now_at"],
        state=row["state"],
        created_at=row["created_at"],
        done=done or {},
    )
