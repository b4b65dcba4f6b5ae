"""Coalescing: calls that arrive while a statement is in flight share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final, Generic, TypeVar

from seatkeeper.store.database import Database, Db, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Batch = Callable[[Db, Sequence[Item]], Awaitable[Sequence[Answer]]]
Waiting = tuple[Item, "asyncio.Future[Answer]"]

ITEMS_MAX: Final = 256
QUEUE_MAX: Final = 20_000
LANES: Final = 2  # One waits for the disk while the other computes; more only make batches smaller.


class Lanes(Generic[Item, Answer]):
    """Several queues, each with at most one batch in flight, so that a hot pool has one writer.

    `batch` answers up to ITEMS_MAX items in their order. Items with equal `key` always share a
    queue. Cost: one statement for a whole batch.
    """

    def __init__(
        self, database: Database, batch: Batch[Item, Answer], key: Callable[[Item], Hashable]
    ) -> None:
        self._batch = batch
        self._key = key
        self._lanes = [_Lane(database, batch, key) for _ in range(LANES)]

    async def ask(self, item: Item) -> Answer:
        """The answer to one item, from the batch that carries it. Raises: Unavailable."""
        return await self._lanes[hash(self._key(item)) % LANES].ask(item)

    async def ask_on(self, db: Db, item: Item) -> Answer:
        """The answer to one item, asked alone inside the caller's transaction.

        Who holds a connection must not wait for another: a lane's, for instance.
        """
        return (await self._batch(db, [item]))[0]


class _Lane(Generic[Item, Answer]):
    def __init__(
        self, database: Database, batch: Batch[Item, Answer], key: Callable[[Item], Hashable]
    ) -> None:
        self._database = database
        self._batch = batch
        self._key = key
        self._waiting: deque[Waiting[Item, Answer]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        if len(self._waiting) >= QUEUE_MAX:
            raise Unavailable("too many requests are waiting for one statement")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), ITEMS_MAX)
                batch = [self._waiting.popleft() for _ in range(size)]
                await self._answer([pair for pair in batch if not pair[1].done()])
        finally:
            self._task = None

    async def _answer(self, batch: Sequence[Waiting[Item, Answer]]) -> None:
        if not batch:
            return
        try:
            async with self._database.connection() as db:
                answers = await self._batch(db, [item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  each caller gets the fault, none is lost
            await self._answer_apart(batch, error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)

    async def _answer_apart(self, batch: Sequence[Waiting[Item, Answer]], error: Exception) -> None:
        # One bad item must not harm its neighbours, nor one locked pool those of other pools.
        parts = _apart(batch, self._key if isinstance(error, Unavailable) else id)
        if len(parts) > 1:
            await asyncio.gather(*(self._answer(part) for part in parts))
            return
        for _, future in batch:
            if not future.done():
                future.set_exception(error)


def _apart(
    batch: Sequence[Waiting[Item, Answer]], key: Callable[[Any], Hashable]
) -> list[list[Waiting[Item, Answer]]]:
    parts: dict[Hashable, list[Waiting[Item, Answer]]] = {}
    for pair in batch:
        parts.setdefault(key(pair[0]), []).append(pair)
    return list(parts.values())
