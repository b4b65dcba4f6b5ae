"""The pages beside the table: documents, health, metrics, and what each refusal means."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

import msgspec

from seatkeeper.api.http import Page, Response
from seatkeeper.api.metrics import Metrics
from seatkeeper.api.openapi import openapi
from seatkeeper.api.operation import Operation
from seatkeeper.api.wire import LINKS, STATUS
from seatkeeper.domain.refusals import SENTENCES, USUAL_WAYS, Code
from seatkeeper.operations.assemble import INSTANCE
from seatkeeper.operations.engine import Engine
from seatkeeper.store.database import Unavailable

READY_SECONDS_MAX: Final = 2

_JSON: Final = b"application/json"
_TEXT: Final = b"text/plain; charset=utf-8"
_HTML: Final = b"text/html; charset=utf-8"
_METRICS: Final = b"text/plain; version=1.0.0; charset=utf-8"
_INLINE: Final = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def pages_of(engine: Engine, table: tuple[Operation, ...], metrics: Metrics) -> dict[str, Page]:
    """Every page by its path."""
    pages = {
        "/openapi.json": _fixed(msgspec.json.encode(openapi(table)), _JSON),
        "/": _moved("/docs"),
        "/docs": _docs(),
        "/healthz": _fixed(b'{"alive":true}', _JSON),
        "/readyz": _ready(engine),
        "/metrics": _metrics(metrics),
    }
    return pages | {f"/problems/{code}": _fixed(_meaning(code), _TEXT) for code in Code}


def _response(status: int, body: bytes, kind: bytes, *more: tuple[bytes, bytes]) -> Response:
    safe = (b"x-content-type-options", b"nosniff")
    return Response(status, body, ((b"content-type", kind), safe, *more))


def _fixed(body: bytes, kind: bytes, *more: tuple[bytes, bytes]) -> Page:
    response = _response(200, body, kind, *more)

    async def page() -> Response:
        return response

    return page


def _moved(path: str) -> Page:
    response = _response(307, b"", _TEXT, (b"location", path.encode()))

    async def page() -> Response:
        return response

    return page


def _docs() -> Page:
    text = files("seatkeeper.api").joinpath("docs.html").read_text("utf-8")
    hashes: dict[str, str] = {"script": "", "style": ""}
    for tag, content in _INLINE.findall(text):
        digest = b64encode(sha256(content.encode()).digest()).decode()
        hashes[tag] += f" 'sha256-{digest}'"
    policy = (
        f"default-src 'none'; connect-src 'self'; script-src{hashes['script']};"
        f" style-src{hashes['style']}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return _fixed(
        text.encode(),
        _HTML,
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
    )


def _ready(engine: Engine) -> Page:
    async def page() -> Response:
        try:
            async with asyncio.timeout(READY_SECONDS_MAX), engine.database.connection() as db:
                await db.one(INSTANCE.ping)
        except (Unavailable, TimeoutError, OSError):
            return _response(503, b'{"ready":false}', _JSON, (b"retry-after", b"1"))
        return _response(200, b'{"ready":true}', _JSON)

    return page


def _metrics(metrics: Metrics) -> Page:
    async def page() -> Response:
        return _response(200, metrics.text(), _METRICS)

    return page


def _meaning(code: Code) -> bytes:
    sentence = re.sub(r"{(\w+)}", r"<\1>", SENTENCES[code])
    lines = [f"{code} (HTTP {STATUS[code]})", "", sentence]
    ways = USUAL_WAYS.get(code, ())
    if ways:
        lines += ["", "Ways out:"]
    for way in ways:
        link = LINKS.get(way)
        call = "" if link is None else f": {link[0]} {link[1]}"
        lines.append(f"  {way}{call}")
    return "\n".join([*lines, ""]).encode()
