"""Test clocks that are waited for."""

import asyncio
from datetime import datetime

from seatkeeper.domain.ids import ClockId
from seatkeeper.operations import clocks
from seatkeeper.operations.context import Context


async def advanced(ctx: Context, clock: ClockId, to: datetime) -> dict[str, int]:
    """Moves a clock and waits until it is there; what was done on the way."""
    moved: clocks.Clock = await clocks.advance(ctx, clocks.AdvanceClock(clock=clock, to=to))
    while moved.state == "advancing":  # On a slow machine it is answered before it is done.
        await asyncio.sleep(0.1)
        moved = await clocks.show(ctx, clocks.ReadClock(clock=clock))
    assert (moved.now, moved.state) == (to, "ready"), moved
    return moved.done
