"""Calls the application in this process, the way a server would."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from seatkeeper.api.http import Application
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations import api_keys
from seatkeeper.operations.local import local_context
from tests.api.told import check_told


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.decode(): value.decode() for name, value in headers}
        self.body = body

    @property
    def json(self):
        return msgspec.json.decode(self.body)

    @property
    def code(self):
        return self.json["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Caller:
    """Sends requests with one API key."""

    def __init__(self, application: Application, secret: str | None, key: str | None = None):
        self.application = application
        self.secret = secret
        self.key = key

    async def __call__(self, method, target, json=None, *, body=None, headers=(), chunks=None):
        parts = urlsplit(target)
        sent = {name.lower(): value for name, value in dict(headers).items()}
        if json is not None:
            body = msgspec.json.encode(json)
        if body is not None or method in ("POST", "PUT", "PATCH"):
            sent.setdefault("content-type", "application/json")
        if self.secret is not None:
            sent.setdefault("authorization", f"Bearer {self.secret}")
        raw = [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in sent.items()
            if value is not None
        ]
        waiting = list(chunks or [body or b""])
        started: list[dict[str, Any]] = []
        came: list[bytes] = []

        async def receive():
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

        async def send(message):
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                came.append(message.get("body", b""))

        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": raw,
            "client": ("127.0.0.1", 1),
        }
        await self.application(scope, receive, send)
        assert len(started) == 1
        answer = Answer(started[0]["status"], started[0]["headers"], b"".join(came))
        # An operation that was found answers as its document tells; 405 and 500 are nobody's.
        if (name := scope.get("seatkeeper.operation", "page")) != "page" and answer.status != 500:
            check_told(name, answer)
        return answer

    async def get(self, target, **more):
        return await self("GET", target, **more)

    async def post(self, target, json=None, **more):
        return await self("POST", target, json, **more)

    async def put(self, target, json=None, **more):
        return await self("PUT", target, json, **more)

    async def patch(self, target, json=None, **more):
        return await self("PATCH", target, json, **more)

    async def delete(self, target, **more):
        return await self("DELETE", target, **more)

    async def with_key(self, scopes=tuple(Scope), **more) -> "Caller":
        """A caller with a key of its own."""
        ctx = local_context(self.application._engine)
        made = await api_keys.create(
            ctx, api_keys.CreateApiKey(name="test", scopes=list(scopes), **more)
        )
        return Caller(self.application, made.secret, made.key)


async def until(call, target, enough):
    """Other tests of this server hold transactions open, so an event may take a moment."""
    page = None
    for _ in range(1_000):
        page = (await call.get(target)).json
        if enough(page["items"]):
            return page
        await asyncio.sleep(0.02)
    raise AssertionError(page)
