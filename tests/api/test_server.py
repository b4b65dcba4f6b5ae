"""The server on a real socket: patient, but not for ever; and the pages beside the table."""

import asyncio
import contextlib
import gc
import http.client
import socket
import time

import msgspec
import pytest
import pytest_asyncio

from seatkeeper.api import serve
from seatkeeper.operations.assemble import assemble
from seatkeeper.store.database import open_database
from tests.api.caller import Caller

KEYS = "/v1/api-keys"


@pytest_asyncio.fixture(scope="module")
async def served(database_dsn):
    """A real server on a real socket, with short patience."""
    database = await open_database(database_dsn, size=4)
    bound = serve.listen("127.0.0.1", 0)
    stop, ready = asyncio.Event(), asyncio.Event()
    patience = serve.HEAD_SECONDS_MAX
    setattr(serve, "HEAD_SECONDS_MAX", 0.3)  # noqa: B010  it is final for everyone else
    application = serve.application_of(await assemble(database))
    task = asyncio.create_task(serve.serve(application, bound, stop, ready.set))
    await ready.wait()
    yield application, bound.getsockname()
    stop.set()
    await task
    setattr(serve, "HEAD_SECONDS_MAX", patience)  # noqa: B010  the same
    bound.close()
    await database.close()
    gc.unfreeze()


def _connection(address):
    return contextlib.closing(http.client.HTTPConnection(address[0], address[1], timeout=10))


def _exchange(address, data, *, seconds=5.0):
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            return b"".join(iter(lambda: connection.recv(65_536), b""))
        return b""


BOTH_LENGTHS = (
    b"POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        BOTH_LENGTHS,
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000,
    ],
    ids=range(8),
)
async def test_i10_what_is_no_http_is_cut_off_and_the_server_lives(served, data):
    _, address = served
    answer = await asyncio.to_thread(_exchange, address, data)
    assert b"HTTP/1.1 5" not in answer
    alive = await asyncio.to_thread(
        _exchange, address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert alive.startswith(b"HTTP/1.1 200")


async def test_b015_who_sends_a_head_slowly_is_cut_off(served):
    _, address = served

    def slowly():
        began = time.perf_counter()
        with socket.create_connection(address, timeout=5) as connection:
            try:
                for byte in b"GET /healthz HTTP/1.1\r\nHost: slow\r\n" * 50:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.02)
            except OSError:
                return time.perf_counter() - began
        return None

    seconds = await asyncio.to_thread(slowly)
    assert seconds is not None
    assert seconds < 2


async def test_b015_five_hundred_idle_connections_hold_nobody_up(served):
    _, address = served

    def crowd():
        with contextlib.ExitStack() as stack:
            for _ in range(500):
                stack.enter_context(socket.create_connection(address, timeout=5))
            began = time.perf_counter()
            answer = _exchange(
                address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            return answer, time.perf_counter() - began

    answer, seconds = await asyncio.to_thread(crowd)
    assert answer.startswith(b"HTTP/1.1 200")
    assert seconds < 1


async def test_b005_fifty_megabytes_are_refused_before_they_are_here(served):
    application, address = served
    caller = await Caller(application, None).with_key()

    def send():
        connection = stack.enter_context(_connection(address))
        headers = {
            "Authorization": f"Bearer {caller.secret}",
            "Content-Type": "application/json",
            "Content-Length": str(50 * 2**20),
        }
        connection.putrequest("POST", KEYS)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, msgspec.json.decode(response.read())["code"]

    with contextlib.ExitStack() as stack:
        assert await asyncio.to_thread(send) == (413, "content_too_large")


async def test_pages_answer_without_a_key(served):
    _, address = served

    def get(path, method="GET"):
        with _connection(address) as connection:
            connection.request(method, path)
            response = connection.getresponse()
            return response, response.read()

    for path, kind in [
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/healthz", "application/json"),
        ("/readyz", "application/json"),
        ("/problems/insufficient_seats", "text/plain; charset=utf-8"),
        ("/metrics", "text/plain; version=1.0.0; charset=utf-8"),
    ]:
        response, body = await asyncio.to_thread(get, path)
        assert (response.status, response.headers["content-type"]) == (200, kind), path
        assert body
        assert "server" not in response.headers
        head, nothing = await asyncio.to_thread(get, path, "HEAD")
        assert (head.status, nothing) == (200, b"")
    _, body = await asyncio.to_thread(get, "/metrics")
    assert b'seatkeeper_requests_total{operation="page",status="200"}' in body
    assert b"seatkeeper_request_duration_seconds_bucket" in body
    _, body = await asyncio.to_thread(get, "/problems/insufficient_seats")
    assert b"is short of" in body
    assert b"buy_seats" in body


async def test_the_docs_page_loads_nothing_from_elsewhere(served):
    _, address = served

    def get():
        with _connection(address) as connection:
            connection.request("GET", "/docs")
            response = connection.getresponse()
            return response.headers["content-security-policy"], response.read().decode()

    policy, page = await asyncio.to_thread(get)
    assert "default-src 'none'" in policy
    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy
    for word in ("http://", "https://", "innerHTML", "eval("):
        assert word not in page
    assert 'lang="en"' in page


def test_counting_a_request_is_cheap():
    from seatkeeper.api.metrics import Metrics

    metrics = Metrics()
    began = time.perf_counter()
    for _ in range(100_000):
        metrics.observe("seats.assign", 200, 0.003)
    assert (time.perf_counter() - began) / 100_000 < 3e-6
