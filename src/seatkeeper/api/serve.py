"""The HTTP server: the application on a socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from seatkeeper.api.http import Application
from seatkeeper.api.metrics import Metrics
from seatkeeper.api.pages import pages_of
from seatkeeper.api.table import TABLE
from seatkeeper.operations.engine import Engine

HEAD_SECONDS_MAX: Final = 20.0
HEAD_BYTES_MAX: Final = 65_536
KEEP_ALIVE_SECONDS: Final = 75
STOP_SECONDS_MAX: Final = 20
BACKLOG: Final = 2_048


def application_of(engine: Engine) -> Application:
    """Everything the service answers, over one engine."""
    metrics = Metrics()
    return Application(engine, TABLE, pages_of(engine, TABLE, metrics), metrics)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises: OSError when it cannot be bound."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket) -> str:
    """The address of a bound socket as people type it."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    application: Application,
    bound: socket.socket,
    stop: asyncio.Event,
    started: Callable[[], None],
) -> None:
    """Answers requests until `stop` is set, then finishes those it has begun."""
    config = uvicorn.Config(
        application,
        http=_PatientProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        backlog=BACKLOG,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    stopping = asyncio.create_task(stop.wait())
    try:
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if server.started:
            # What is loaded now stays for ever: later collections need not look at it.
            gc.collect()
            gc.freeze()
            started()
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it, who has more to stop than a server."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tells when connections are accepted."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _PatientProtocol(HttpToolsProtocol):
    """Cuts off who does not come to the end of a request's head: too slowly, or too much of it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  passed on as it is
        super().__init__(*arguments, **named)
        self._deadline: TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:
        """A head is due from now on."""
        super().connection_made(cast("Transport", transport))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what comes while a head is due."""
        super().data_received(data)
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._give_up()

    def on_message_begin(self) -> None:
        """The first byte of a request: on a kept connection its head is due from here."""
        if self._deadline is None:
            self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._head_is_here()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._head_is_here()
        self.transport.abort()
