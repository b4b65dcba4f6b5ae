"""The load generator, a process of its own: each connection sends one request at a time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import uvloop

HEAD_END: Final = b"\r\n\r\n"
ANSWER_SECONDS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: whole requests, over so many connections, for so long or until none is left."""

    port: int
    connections: int
    seconds: float
    requests: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came back. Units: seconds, answers a second."""

    answers: int
    seconds: float
    p50: float
    p99: float
    slowest: float
    statuses: dict[str, int]
    refusal: str  # The body of the first answer that was no success.

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds if self.seconds else 0.0

    @property
    def failures(self) -> int:
        """Answers of 5xx."""
        return sum(count for status, count in self.statuses.items() if status.startswith("5"))


def send(load: Load) -> Measured:
    """Runs a load in a fresh process, so that it shares no interpreter with the service."""
    head = {"port": load.port, "connections": load.connections, "seconds": load.seconds}
    lengths = [len(request) for request in load.requests]
    told = json.dumps({**head, "lengths": lengths}).encode() + b"\n" + b"".join(load.requests)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=told,
        stdout=subprocess.PIPE,
        check=True,
        timeout=load.seconds + 2 * ANSWER_SECONDS_MAX,
    )
    return Measured(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last has come in whole."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._came = bytearray()
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._work.open.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._work.leave(self)

    def begin(self) -> None:
        request = self._work.take()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._came[:end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self._came) < end + len(HEAD_END) + length:
            return
        body = bytes(self._came[end + len(HEAD_END) :])
        self._work.note(time.perf_counter() - self._sent_at, head[9:12].decode(), body)
        self._came.clear()
        self.begin()


class _Work:
    def __init__(self, requests: Sequence[bytes], seconds: float) -> None:
        self.open: set[_Connection] = set()
        self._requests = deque(requests)
        self._times: list[float] = []
        self._statuses: dict[str, int] = {}
        self._refusal = ""
        self._began = time.perf_counter()
        self._until = self._began + seconds
        self._over = asyncio.get_running_loop().create_future()

    def take(self) -> bytes | None:
        if not self._requests or time.perf_counter() >= self._until:
            return None
        return self._requests.popleft()

    def note(self, seconds: float, status: str, body: bytes) -> None:
        if not status.startswith("2") and not self._refusal:
            self._refusal = body.decode()
        self._times.append(seconds)
        self._statuses[status] = self._statuses.get(status, 0) + 1

    def leave(self, connection: _Connection) -> None:
        self.open.discard(connection)
        if not self.open and not self._over.done():
            self._over.set_result(None)

    async def run(self) -> Measured:
        self._until += time.perf_counter() - self._began
        self._began = time.perf_counter()
        for connection in list(self.open):
            connection.begin()
        await self._over
        took = time.perf_counter() - self._began
        times = sorted(self._times) or [0.0]
        p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
        return Measured(len(self._times), took, p50, p99, times[-1], self._statuses, self._refusal)


async def _main() -> None:
    told = json.loads(sys.stdin.buffer.readline())
    requests = [sys.stdin.buffer.read(length) for length in told["lengths"]]
    work = _Work(requests, told["seconds"])
    loop = asyncio.get_running_loop()
    for _ in range(told["connections"]):
        await loop.create_connection(lambda: _Connection(work), "127.0.0.1", told["port"])
    measured = await work.run()
    fields = {name: getattr(measured, name) for name in Measured.__dataclass_fields__}
    sys.stdout.write(json.dumps(fields))


if __name__ == "__main__":
    uvloop.run(_main())
