"""The OpenAPI document, made from the table of operations. Source: OpenAPI 3.1.1, RFC 9457."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from seatkeeper.api.examples import example_of
from seatkeeper.api.operation import Operation
from seatkeeper.api.schemas import LABEL, REF, Components, Json
from seatkeeper.api.wire import STATUS
from seatkeeper.domain.refusals import SENTENCES, Code, Way
from seatkeeper.domain.scopes import Scope

_ALWAYS: Final = (
    Code.UNAUTHENTICATED,
    Code.INSUFFICIENT_SCOPE,
    Code.FORBIDDEN,
    Code.NOT_ACCEPTABLE,
    Code.URI_TOO_LONG,
    Code.HEADER_FIELDS_TOO_LARGE,
    Code.INVALID_REQUEST,
    Code.UNKNOWN_FIELD,
    Code.UNAVAILABLE,
)
_SIDES: Final = {"GET": "query", "DELETE": "query", "POST": "body", "PUT": "body", "PATCH": "body"}
DESCRIPTION: Final = """\
Sells seats to organizations, holds them in pools, assigns them to people, bills them to the cent,
and answers who may use what now.

Send an API key as a bearer token. Every refusal is `application/problem+json` with a `code`, a
sentence for people in `detail`, facts one can act on, and `remedies`: the ways out. Amounts are
whole numbers of the currency's minor unit, instants are UTC. Lists answer pages: go on with
`after` as long as there is a `next`. Doing the same thing twice succeeds.
"""


def openapi(table: tuple[Operation, ...]) -> Json:
    """The whole document for a table."""
    components = Components(table)
    paths: Json = {}
    for operation in table:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, components)
    paths.update(_PAGES)
    schemas = {"Problem": _PROBLEM, **components.schemas}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Seatkeeper",
            "version": version("seatkeeper"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(o) for o in table)],
        "paths": paths,
        "components": {
            "schemas": {name: schemas[name] for name in sorted(_named(paths, schemas))},
            "parameters": _HEADERS,
            "headers": _ANSWER_HEADERS,
            "securitySchemes": {"apiKey": _SECURITY},
        },
    }


def _named(part: Any, schemas: Json) -> set[str]:  # noqa: ANN401  any JSON
    """The schemas that a part of the document leads to."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            name = str(value.get("$ref", "")).partition("#/components/schemas/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _operation(operation: Operation, components: Components) -> Json:
    command = components.command(operation)
    in_path = re.findall(r"{(\w+)}", operation.path)
    rest = {name: s for name, s in command["properties"].items() if name not in in_path}
    required = [name for name in command.get("required", ()) if name in rest]
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": command["properties"][name]}
        for name in in_path
    ]
    described: Json = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": LABEL.split(operation.summary)[0],
        "description": _description(operation),
        "x-scope": operation.scope,
    }
    if _SIDES[operation.method] == "query":
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": _not_null(s)}
            for name, s in rest.items()
        ]
    elif rest:
        described["requestBody"] = _body(command, rest, required, components)
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in _headers(operation)]
    if parameters:
        described["parameters"] = parameters
    described["responses"] = _responses(operation, components, in_path)
    return described


def _tag(operation: Operation) -> str:
    return operation.tag or operation.name.partition(".")[0].replace("_", " ")


def _description(operation: Operation) -> str:
    text = inspect.getdoc(operation.run) or ""
    _, _, body = text.partition("\n")
    kept = LABEL.split(body)[0].strip()
    needs = [f"Needs the scope `{operation.scope}`."]
    if operation.permission is not None:
        but = ", unless they pay it for their own seat" if operation.payer_may else ""
        needs.append(f"A member also needs the permission `{operation.permission}`{but}.")
    if operation.moves_money:
        needs.append("Moves money: send an `Idempotency-Key`.")
    return "\n\n".join(part for part in (" ".join(kept.split()), " ".join(needs)) if part)


def _not_null(schema: Json) -> Json:
    """A query parameter is absent instead of null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        only: Json = options[0]
        return only
    return {k: v for k, v in schema.items() if (k, v) != ("default", None)}


def _body(command: Json, rest: Json, required: list[str], components: Components) -> Json:
    schema = components.body(command, rest, required)
    example = example_of(schema, components.schemas)
    content = {"application/json": {"schema": schema, "example": example}}
    return {"required": bool(required), "content": content}


def _fields(kind: Any) -> tuple[str, ...]:  # noqa: ANN401  structs and their generic forms
    struct = getattr(kind, "__origin__", kind)
    fields: tuple[str, ...] = struct.__struct_fields__
    return fields


def _headers(operation: Operation) -> list[str]:
    names = []
    if operation.method == "POST":
        names.append("IdempotencyKeyNeeded" if operation.moves_money else "IdempotencyKey")
    if operation.method in ("PATCH", "PUT") and "version" in _fields(operation.result):
        names.append("IfMatch")
    if operation.about_organization:
        names.append("SeatkeeperActor")
    return names


def _responses(operation: Operation, components: Components, in_path: list[str]) -> Json:
    fields = _fields(operation.result)
    good: Json = {"application/json": {"schema": components.ref(operation.result)}}
    words = LABEL.split(inspect.getdoc(operation.result) or "Done.")[0]
    statuses = {operation.status: words}
    if operation.status == 201 and "existed" in fields:  # noqa: PLR2004
        statuses[200] = "It was so already."
    if "pending" in fields:
        statuses[202] = "It has begun and is not finished."
    repeated = ["Idempotency-Replayed"] if operation.method == "POST" else []
    tagged = ["ETag"] if "version" in fields else []
    responses: Json = {
        str(status): {"description": words, "headers": _told(*tagged, *repeated), "content": good}
        for status, words in statuses.items()
    }
    for bad, codes in sorted(_refusals(operation, in_path).items()):
        lines = (f"`{code}`: {_plain(SENTENCES[code])}" for code in sorted(set(codes)))
        later = ["Retry-After"] if RETRIED.intersection(codes) else []
        kept = repeated if bad == STATUS[Code.PAYMENT_DECLINED] else []
        responses[str(bad)] = {
            "description": "\n\n".join(lines),
            "headers": _told(*later, *kept),
            "content": {
                "application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}
            },
        }
    return responses


def _told(*names: str) -> Json:
    headers = ("X-Request-Id", *names)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _plain(sentence: str) -> str:
    return re.sub(r"{(\w+)}", r"`\1`", sentence)


def _refusals(operation: Operation, in_path: list[str]) -> Mapping[int, list[Code]]:
    """The codes an operation can answer, by status: what all can, and what its docstring names."""
    codes = [*_ALWAYS]
    # What cannot be read at all, be it the query, a header or the body, is a 400 everywhere.
    by_status: dict[int, list[Code]] = {400: [Code.INVALID_REQUEST]}
    if in_path or operation.about_organization:
        codes.append(Code.NOT_FOUND)
    if operation.permission is not None:
        codes.append(Code.BILLING_PERMISSION_REQUIRED)
    if _SIDES[operation.method] == "body":
        codes += [Code.CONTENT_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE]
    if operation.method == "POST":
        codes += [Code.IDEMPOTENCY_KEY_REUSED, Code.REQUEST_IN_PROGRESS]
    if operation.method != "GET" and operation.about_organization:
        codes.append(Code.PARKED)
    if operation.scope == Scope.CONTRACTS_WRITE:
        codes.append(Code.CONTRACT_MANAGED)
    if operation.method in ("PUT", "PATCH", "DELETE"):
        codes.append(Code.PRECONDITION_FAILED)
    text = " ".join((inspect.getdoc(operation.run) or "").partition("Refuses:")[2].split())
    text = LABEL.split(text)[0]
    named = set(re.findall(r"[a-z_]+", text))
    codes += [code for code in Code if code in named]
    if "the refusals of" in text:
        codes += [code for of, group in _REFUSALS_OF.items() if of in text for code in group]
    for code in codes:
        by_status.setdefault(STATUS[code], []).append(code)
    return by_status


# What docstrings call the refusals of such a thing.
_REFUSALS_OF: Final[Mapping[str, tuple[Code, ...]]] = {
    "a seat": (
        Code.INSUFFICIENT_SEATS,
        Code.OVER_LIMIT,
        Code.OVER_PLAN_LIMIT,
        Code.PAST_DUE,
        Code.SEAT_CONFLICT,
        Code.SEAT_TYPE_NOT_OWNED,
        Code.STATE_CONFLICT,
    ),
    "a payment": (Code.PAYMENT_DECLINED, Code.PAYMENT_ACTION_REQUIRED),
    "a change": (
        Code.BELOW_MINIMUM_SEATS,
        Code.CONTRACT_MANAGED,
        Code.CURRENCY_MISMATCH,
        Code.LIMIT_MANAGED_BY_PLAN,
        Code.OVER_LIMIT,
        Code.OVER_PLAN_LIMIT,
        Code.PAST_DUE,
        Code.PLAN_TIER_MISMATCH,
        Code.QUANTITY_OUT_OF_RANGE,
        Code.REDUCTION_NOT_ALLOWED_MID_TERM,
        Code.REQUEST_IN_PROGRESS,
        Code.SEATS_IN_USE,
        Code.SEAT_TYPE_NOT_OWNED,
        Code.STATE_CONFLICT,
    ),
}
RETRIED: Final = {Code.UNAVAILABLE, Code.PARKED, Code.REQUEST_IN_PROGRESS, Code.RATE_LIMITED}
_ANSWER_HEADERS: Final[Json] = {
    "ETag": {
        "description": "The version; send it back in If-Match.",
        "schema": {"type": "string", "examples": ['"1"']},
    },
    "Idempotency-Replayed": {
        "description": "`true` where this is the kept answer of an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds after which the same request can succeed.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-Request-Id": {
        "description": "Names the request, also in the service's log.",
        "schema": {"type": "string", "pattern": "^rqs_[0-9a-v]{26}$"},
    },
}
_SECURITY: Final[Json] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "sk_…",
    "description": "An API key. Make one with `seatkeeper api-key create`.",
}


def _header(name: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


_KEY: Final = "The same key and body give the same answer and happen once."
_KEY_SCHEMA: Final = {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
_HEADERS: Final[Json] = {
    "IdempotencyKey": _header("Idempotency-Key", _KEY, _KEY_SCHEMA),
    "IdempotencyKeyNeeded": _header("Idempotency-Key", _KEY, _KEY_SCHEMA, required=True),
    "IfMatch": _header(
        "If-Match",
        "The ETag of what you read; 412 when someone changed it since.",
        {"examples": ['"1"']},
    ),
    "SeatkeeperActor": _header(
        "Seatkeeper-Actor",
        "The member in whose name you act; the smaller of the key's scope and their role counts.",
        {"pattern": "^mem_[0-9a-v]{26}$"},
    ),
}

_REMEDY: Final[Json] = {
    "type": "object",
    "description": "A way out, with its facts; `method` and `path` where a program can follow it.",
    "properties": {
        "way": {"type": "string", "enum": [str(way) for way in Way]},
        "method": {"type": "string"},
        "path": {"type": "string"},
    },
    "required": ["way"],
}
_FIELD_ERROR: Final[Json] = {
    "type": "object",
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the request"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["pointer", "code", "detail"],
}
_PROBLEM: Final[Json] = {
    "title": "Problem",
    "description": "The system works and says no. Further members are facts of the refusal.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "Where the code is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": [str(code) for code in Code]},
        "detail": {"type": "string", "description": "A sentence for people."},
        "instance": {"type": "string", "description": "The id of the request."},
        "remedies": {"type": "array", "items": _REMEDY},
        "errors": {"type": "array", "items": _FIELD_ERROR},
    },
    "required": ["type", "title", "status", "code", "detail", "instance", "remedies"],
}


def _page(operation_id: str, summary: str, *, fails: bool = False) -> Json:
    text = {"content": {"application/json": {"schema": {"type": "object"}}}}
    responses = {"200": {"description": "Yes.", **text}}
    if fails:
        responses["503"] = {"description": "Not now.", **text}
    return {
        "get": {
            "operationId": operation_id,
            "tags": ["health"],
            "summary": summary,
            "security": [],
            "responses": responses,
        }
    }


_PAGES: Final[Json] = {
    "/healthz": _page("health.alive", "Whether the process answers."),
    "/readyz": _page("health.ready", "Whether the database answers, too.", fails=True),
}
