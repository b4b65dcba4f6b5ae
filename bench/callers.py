"""Callers inside this process: connections that stay open and ask all at the same moment."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and how long it took. Units: seconds."""

    status: int
    body: bytes
    seconds: float


class Callers:
    """So many kept connections."""

    def __init__(
        self, streams: Sequence[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    ) -> None:
        self._streams = streams

    async def together(self, requests: Sequence[bytes]) -> list[Answer]:
        """One request each, sent at once. Shapes: answers in the order of the requests."""
        assert len(requests) <= len(self._streams)
        pairs = zip(self._streams, requests, strict=False)
        return await asyncio.gather(*(_ask(*stream, request) for stream, request in pairs))

    async def one(self, request: bytes) -> Answer:
        """One request, alone."""
        return (await self.together([request]))[0]


@contextlib.asynccontextmanager
async def some_callers(port: int, count: int) -> AsyncIterator[Callers]:
    """Opens the connections, and closes them."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        yield Callers(streams)
    finally:
        for _, writer in streams:
            writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> Answer:
    began = time.perf_counter()
    writer.write(request)
    head = (await reader.readuntil(HEAD_END)).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    return Answer(int(head[9:12]), body, time.perf_counter() - began)
