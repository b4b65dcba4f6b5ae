"""The ASGI application: one function from bytes to bytes around the table of operations."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from time import perf_counter
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec

from seatkeeper.api.auth import Keys, bearer_token
from seatkeeper.api.metrics import Metrics
from seatkeeper.api.operation import Operation
from seatkeeper.api.routes import Routes
from seatkeeper.api.wire import BODY_BYTES_MAX, STATUS, Malformed, command_of, encode, problem
from seatkeeper.domain.ids import MemberId, OrganizationId, RequestId
from seatkeeper.domain.members import Role, decide_permission
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.operations.context import Actor, Context, Principal, not_found
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.idempotency import Request, once
from seatkeeper.operations.payers import is_payer
from seatkeeper.store.database import Unavailable
from seatkeeper.store.statements import Statements

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MEMBERS: Final = Statements("members")
LOG: Final = logging.getLogger("seatkeeper.api")

_JSON: Final = (b"content-type", b"application/json")
_PROBLEM: Final = (b"content-type", b"application/problem+json")
_NO_ACTOR: Final = refuse(
    Code.FORBIDDEN, Remedy(Way.CORRECT_REQUEST), detail="There is no such actor here."
)
_PAGE_METHODS: Final = ("GET", "HEAD")
PATH_BYTES_MAX: Final = 2_048
HEADERS_BYTES_MAX: Final = 16_384
IDEMPOTENCY_KEY_MAX: Final = 255
_VERSION: Final = re.compile(r"[0-9]{1,9}")
_VISIBLE: Final = re.compile(rb"[!-~]+")
BODY_SECONDS_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)


Page = Callable[[], Awaitable[Response]]


class Application:
    """Answers every request; nothing a caller sends makes it fail."""

    def __init__(
        self,
        engine: Engine,
        table: tuple[Operation, ...],
        pages: Mapping[str, Page],
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._routes = Routes(table)
        self._keys = Keys(engine.database, engine.clock)
        self._pages = pages
        self._metrics = metrics or Metrics()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """ASGI entry. Source: ASGI 3.0."""
        if scope["type"] != "http":
            return
        started = perf_counter()
        identity = self._engine.new_id()
        request_id = RequestId.text(identity)
        try:
            response = await self._answer(scope, receive, identity)
        except Refused as refused:
            response = _refused(refused.refusal, request_id, scope.get("seatkeeper.place", {}))
        except Malformed as malformed:
            response = _refused(
                refuse(Code.INVALID_REQUEST, detail=str(malformed)), request_id, status=400
            )
        except Unavailable as fault:
            LOG.warning("unavailable %s: %s", request_id, fault)
            response = _refused(refuse(Code.UNAVAILABLE), request_id)
        except Exception:
            LOG.exception("bug %s %s", scope["method"], request_id)
            response = _refused(
                refuse(Code.UNAVAILABLE, detail="This is our mistake."), request_id, status=500
            )
        headers = [
            *response.headers,
            (b"content-length", str(len(response.body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})
        name = scope.get("seatkeeper.operation", "none")
        self._metrics.observe(name, response.status, perf_counter() - started)

    async def _answer(
        self, scope: MutableMapping[str, Any], receive: Receive, request_id: UUID
    ) -> Response:
        path, method = scope["path"], scope["method"]
        headers = dict(scope["headers"])
        _check_size(scope)
        page = self._pages.get(path)
        if page is not None and method in _PAGE_METHODS:
            scope["seatkeeper.operation"] = "page"
            return await page()
        operations, parameters = self._routes.find(path)
        if not operations and page is None:
            raise not_found()
        operation = operations.get(method)
        if operation is None:
            allowed = sorted([*operations, *(_PAGE_METHODS if page is not None else ())])
            refused = refuse(Code.METHOD_NOT_ALLOWED, allowed=allowed)
            allow = ", ".join(allowed).encode()
            return _refused(refused, RequestId.text(request_id), extra=(b"allow", allow))
        scope["seatkeeper.operation"] = operation.name
        if "organization" in parameters:
            scope["seatkeeper.place"] = {"organization": parameters["organization"]}
        _check_accept(headers)
        principal = await self._keys.principal(headers.get(b"authorization"))
        if operation.scope is not None and operation.scope not in principal.scopes:
            raise Refused(refuse(Code.INSUFFICIENT_SCOPE, scope=operation.scope))
        body = None
        if method in ("POST", "PUT", "PATCH"):
            body = await _body(headers, receive)
        command = command_of(operation, parameters, scope["query_string"], body)
        ctx = await self._context(principal, command, operation, headers, request_id)
        return await self._perform(ctx, operation, command, body)

    async def _context(
        self,
        principal: Principal,
        command: Any,  # noqa: ANN401  each operation has its own command
        operation: Operation,
        headers: Mapping[bytes, bytes],
        request_id: UUID,
    ) -> Context:
        engine = self._engine
        ctx = Context(engine, principal, engine.clock(), request_id)
        # Where it may be left out, the operation is about all that the key can reach.
        if operation.about_organization and command.organization is not None:
            bound = principal.organization_id
            if bound is not None and bound != command.organization:
                raise not_found()
            ctx.facts = await engine.organization(command.organization)
            if ctx.facts is None:
                raise not_found()
            if ctx.facts.clock_id is not None:
                ctx.now = await engine.time_of(ctx.facts)
        if (actor := headers.get(b"seatkeeper-actor")) is not None:
            await self._act(ctx, operation, actor, command)
        ctx.idempotency_key = _idempotency_key(operation, headers)
        if ctx.idempotency_key is not None:
            ctx.credential = bearer_token(headers.get(b"authorization"))
        ctx.if_match = _if_match(headers.get(b"if-match"))
        changes = operation.method in ("PUT", "PATCH", "DELETE")
        if ctx.if_match is not None and changes and not operation.is_versioned:
            # No version of it was ever given out, so none can be the one that is there.
            sentence = "This has no versions to match; leave If-Match out."
            raise Refused(refuse(Code.PRECONDITION_FAILED, detail=sentence))
        return ctx

    async def _act(
        self,
        ctx: Context,
        operation: Operation,
        actor: bytes,
        command: Any,  # noqa: ANN401  each operation has its own command
    ) -> None:
        if ctx.facts is None:
            raise Refused(refuse(Code.FORBIDDEN, detail="This is not done in a member's name."))
        try:
            member_id = MemberId.parse(actor.decode("ascii"))
        except ValueError:
            raise Refused(_NO_ACTOR) from None
        async with ctx.connection() as db:
            row = await db.row(
                MEMBERS.actor, organization_id=ctx.organization_id, member_id=member_id
            )
        if row is None:
            raise Refused(_NO_ACTOR)
        ctx.actor = Actor(member_id, Role(row["role"]), row["may_bill"])
        if operation.permission is not None:
            refusal = decide_permission(
                ctx.actor.role, operation.permission, may_bill=ctx.actor.may_bill
            )
            if refusal is not None and not (operation.payer_may and await is_payer(ctx, command)):
                raise Refused(refusal)

    async def _perform(
        self,
        ctx: Context,
        operation: Operation,
        command: Any,  # noqa: ANN401  each operation has its own command
        body: bytes | None,
    ) -> Response:
        if ctx.idempotency_key is None:
            result = await operation.run(ctx, command)
            status, content = _encoded(ctx, operation, result)
            return Response(status, content, (_JSON, *_etag(result)))
        request = Request(
            operation.name,
            _request_hash(operation, command, body),
            operation.one_transaction,
            _tells_secret(operation, command),
        )
        answer = await once(
            ctx,
            request,
            lambda: operation.run(ctx, command),
            lambda result: _encoded(ctx, operation, result),
        )
        replayed = ((b"idempotency-replayed", b"true"),) if answer.replayed else ()
        kind = _JSON if answer.status < 400 else _PROBLEM  # noqa: PLR2004
        return Response(answer.status, answer.body, (kind, *replayed))


def _encoded(ctx: Context, operation: Operation, result: object) -> tuple[int, bytes]:
    # A refusal comes here as a value only where the operation kept it under its key (402).
    if isinstance(result, Refusal):
        status = STATUS[result.code]
        return status, problem(result, status, RequestId.text(ctx.request_id), _place(ctx))
    status = operation.status
    if status == 201 and getattr(result, "existed", False):  # noqa: PLR2004
        status = 200
    if getattr(result, "pending", False):
        status = 202
    return status, encode(result)


def _request_hash(operation: Operation, command: msgspec.Struct, body: bytes | None) -> bytes:
    canonical = msgspec.json.encode(msgspec.json.decode(body or b"{}"), order="deterministic")
    place = [
        f"{name}={getattr(command, name)}"
        for name in command.__struct_fields__
        if f"{{{name}}}" in operation.path
    ]
    return sha256("\n".join([operation.name, *place]).encode() + b"\n" + canonical).digest()


def _place(ctx: Context) -> dict[str, str]:
    return {} if ctx.facts is None else {"organization": OrganizationId.text(ctx.organization_id)}


def _refused(
    refusal: Refusal,
    request_id: str,
    place: Mapping[str, str] = MappingProxyType({}),
    *,
    status: int | None = None,
    extra: tuple[bytes, bytes] | None = None,
) -> Response:
    code = STATUS[refusal.code] if status is None else status
    headers: list[tuple[bytes, bytes]] = [_PROBLEM]
    if refusal.code in (Code.UNAVAILABLE, Code.PARKED, Code.REQUEST_IN_PROGRESS, Code.RATE_LIMITED):
        headers.append((b"retry-after", b"1"))
    if refusal.code is Code.UNAUTHENTICATED:
        headers.append((b"www-authenticate", b"Bearer"))
    if extra is not None:
        headers.append(extra)
    return Response(code, problem(refusal, code, request_id, place), tuple(headers))


def _check_size(scope: MutableMapping[str, Any]) -> None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > PATH_BYTES_MAX:
        raise Refused(refuse(Code.URI_TOO_LONG))
    if len(b"".join(chain.from_iterable(scope["headers"]))) > HEADERS_BYTES_MAX:
        raise Refused(refuse(Code.HEADER_FIELDS_TOO_LARGE))


def _check_accept(headers: Mapping[bytes, bytes]) -> None:
    accept = headers.get(b"accept")
    if accept is None or b"*/*" in accept or b"json" in accept or b"application/*" in accept:
        return
    raise Refused(refuse(Code.NOT_ACCEPTABLE))


async def _body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > BODY_BYTES_MAX:
        raise Refused(refuse(Code.CONTENT_TOO_LARGE, limit_bytes=BODY_BYTES_MAX))
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body") or message["type"] == "http.disconnect":
        body = await _rest(body, message, receive)
    if len(body) > BODY_BYTES_MAX:
        raise Refused(refuse(Code.CONTENT_TOO_LARGE, limit_bytes=BODY_BYTES_MAX))
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and (body or kind):
        raise Refused(refuse(Code.UNSUPPORTED_MEDIA_TYPE))
    return body


async def _rest(body: bytes, message: MutableMapping[str, Any], receive: Receive) -> bytes:
    """A body that comes in pieces; one that ends early or takes for ever is no request."""
    pieces, size = [body], len(body)
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while message.get("more_body") and size <= BODY_BYTES_MAX:
                message = await receive()
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
    except TimeoutError:
        raise Malformed(f"The body did not come within {BODY_SECONDS_MAX} seconds.") from None
    if message["type"] == "http.disconnect":
        raise Malformed("The connection ended before the body did.")
    return b"".join(pieces)


def _tells_secret(operation: Operation, command: msgspec.Struct) -> bool:
    # What goes on after a purchase may be an invitation, and the answer has its token.
    return operation.tells_secret or getattr(command, "resume", None) is not None


def _idempotency_key(operation: Operation, headers: Mapping[bytes, bytes]) -> str | None:
    raw = headers.get(b"idempotency-key")
    if operation.method != "POST":
        return None
    if raw is None:
        if operation.moves_money:
            message = "Send an Idempotency-Key header: this request moves money."
            raise Malformed(message)
        return None
    if len(raw) > IDEMPOTENCY_KEY_MAX or _VISIBLE.fullmatch(raw) is None:
        message = "The Idempotency-Key must be 1 to 255 visible ASCII characters."
        raise Malformed(message)
    return raw.decode("ascii")


def _if_match(raw: bytes | None) -> int | None:
    if raw is None or raw.strip() == b"*":
        return None
    text = raw.decode("latin-1").strip().removeprefix("W/").strip('"')
    # A tag that was never given out matches nothing.
    return int(text) if _VERSION.fullmatch(text) else -1


def _etag(result: object) -> tuple[tuple[bytes, bytes], ...]:
    version = getattr(result, "version", None)
    return ((b"etag", f'"{version}"'.encode()),) if isinstance(version, int) else ()
