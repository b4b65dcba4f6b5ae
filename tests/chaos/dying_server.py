"""A server that dies at a named moment of a purchase.

`python -m tests.chaos.dying_server DSN POINT`.

POINT is `before_charge` (the intent is committed, the rail not asked), `after_charge` (money has
moved, nothing of it is written), `after_commit` (all is written, nobody was told) or `never`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import uvloop

from seatkeeper.api import serve
from seatkeeper.operations import changes
from seatkeeper.operations.assemble import assemble
from seatkeeper.payments.port import Charge, PaymentProvider, PaymentResult
from seatkeeper.store.database import open_database

POINTS = ("before_charge", "after_charge", "after_commit")


def die() -> None:
    """Nothing can be finished, flushed or rolled back any more."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A rail beside which the process dies."""

    name = "sandbox"

    def __init__(self, rail: PaymentProvider, point: str) -> None:
        self._rail, self._point = rail, point

    def accepts(self, method: str) -> bool:
        return self._rail.accepts(method)

    async def charge(self, charge: Charge) -> PaymentResult:
        if self._point == "before_charge":
            die()
        result = await self._rail.charge(charge)
        if self._point == "after_charge":
            die()
        return result

    async def find(self, key: str) -> PaymentResult | None:
        return await self._rail.find(key)

    async def confirm(self, key: str) -> PaymentResult:
        return await self._rail.confirm(key)


async def main(dsn: str, point: str) -> None:
    """Serves until it is killed, by itself or by the test."""
    database = await open_database(dsn, size=5)
    engine = await assemble(database)
    engine.providers = {**engine.providers, "sandbox": Dying(engine.providers["sandbox"], point)}
    if point == "after_commit":
        settle = changes.settle

        async def settle_and_die(*arguments: Any) -> Any:
            await settle(*arguments)
            die()

        vars(changes)["settle"] = settle_and_die
    bound = serve.listen("127.0.0.1", 0)

    def say() -> None:
        print(serve.url_of(bound), flush=True)

    await serve.serve(serve.application_of(engine), bound, asyncio.Event(), say)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:3]))
