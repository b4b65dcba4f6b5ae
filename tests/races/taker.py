"""A process of its own that takes seats: `python -m tests.races.taker DSN`.

Each line on its input is a round: the instant to start at, the organization, the clock,
the callers. Each line it answers
is what they heard. That is how two processes of the service meet on one database.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from seatkeeper.operations.assemble import assemble
from seatkeeper.store.database import open_database
from tests.races.crowd import Caller, Heard, attempt

LEAD_SECONDS = 0.1


class Taker:
    """The process, seen from the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, dsn: str) -> Taker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.races.taker",
            dsn,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**22,
        )
        taker = cls(process)
        assert await taker._line() == "ready"
        return taker

    async def race(self, start_at: float, now: datetime, callers: list[Caller]) -> list[Heard]:
        """What these callers hear, all let go at that time of the machine's clock."""
        sent = [
            [c.way, str(c.organization), c.member and str(c.member), c.name, c.token]
            for c in callers
        ]
        assert self._process.stdin is not None
        line = json.dumps([start_at, now.isoformat(), sent])
        self._process.stdin.write(line.encode() + b"\n")
        return [Heard(*one) for one in await self._line()]

    async def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(await self._process.stdout.readline())

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


async def _serve(dsn: str) -> None:
    database = await open_database(dsn, size=10)
    engine = await assemble(database)
    print(json.dumps("ready"), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        start_at, now, sent = json.loads(line)
        instant = datetime.fromisoformat(now)
        engine.clock = partial(datetime.fromisoformat, now)
        callers = [
            Caller(way, UUID(organization), member and UUID(member), name, token)
            for way, organization, member, name, token in sent
        ]
        start = asyncio.Event()
        tasks = [asyncio.create_task(attempt(engine, instant, one, start)) for one in callers]
        await asyncio.sleep(max(start_at - time.time(), 0))
        start.set()
        heard = await asyncio.gather(*tasks)
        print(json.dumps([[h.way, h.outcome, h.seconds] for h in heard]), flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
