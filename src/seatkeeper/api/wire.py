"""The wire: requests into commands, results and refusals into JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from seatkeeper.api.operation import Operation
from seatkeeper.api.sentences import sentence_of
from seatkeeper.domain.ids import Id
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse

BODY_BYTES_MAX: Final = 1024 * 1024
QUERY_PARAMETERS_MAX: Final = 50

STATUS: Final[dict[Code, int]] = {
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.DOMAIN_NOT_VERIFIED: 403,
    Code.INSUFFICIENT_SCOPE: 403,
    Code.BILLING_PERMISSION_REQUIRED: 403,
    Code.CONTRACT_MANAGED: 409,
    Code.NO_SEAT: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.NOT_ACCEPTABLE: 406,
    Code.CONTENT_TOO_LARGE: 413,
    Code.URI_TOO_LONG: 414,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.HEADER_FIELDS_TOO_LARGE: 431,
    Code.RATE_LIMITED: 429,
    Code.INVALID_REQUEST: 422,
    Code.UNKNOWN_FIELD: 422,
    Code.INVALID_PLAN: 422,
    Code.CURRENCY_MISMATCH: 422,
    Code.QUANTITY_OUT_OF_RANGE: 422,
    Code.IDEMPOTENCY_KEY_REUSED: 422,
    Code.REQUEST_IN_PROGRESS: 409,
    Code.PRECONDITION_FAILED: 412,
    Code.INVITATION_UNAVAILABLE: 410,
    Code.ALREADY_EXISTS: 409,
    Code.PRIMARY_OWNER_REQUIRED: 409,
    Code.STATE_CONFLICT: 409,
    Code.PAST_DUE: 409,
    Code.QUOTE_EXPIRED: 409,
    Code.QUOTE_OUTDATED: 409,
    Code.PLAN_TIER_MISMATCH: 409,
    Code.LIMIT_MANAGED_BY_PLAN: 409,
    Code.SEAT_TYPE_NOT_OWNED: 422,
    Code.SEAT_CONFLICT: 409,
    Code.REDUCTION_NOT_ALLOWED_MID_TERM: 422,
    Code.BELOW_MINIMUM_SEATS: 422,
    Code.OVER_PLAN_LIMIT: 422,
    Code.SEATS_IN_USE: 409,
    Code.OVER_LIMIT: 409,
    Code.INSUFFICIENT_SEATS: 409,
    Code.PAYMENT_DECLINED: 402,
    Code.PAYMENT_ACTION_REQUIRED: 402,
    Code.PARKED: 503,
    Code.UNAVAILABLE: 503,
}

# What a program can call to follow a way out; ways without a call are for people.
LINKS: Final[dict[Way, tuple[str, str]]] = {
    Way.BUY_SEATS: ("POST", "/v1/organizations/{organization}/quotes"),
    Way.FREE_SEAT: ("DELETE", "/v1/organizations/{organization}/members/{member}/seat"),
    Way.REVOKE_INVITATION: (
        "POST",
        "/v1/organizations/{organization}/invitations/{invitation}/revoke",
    ),
    Way.SCHEDULE_FOR_RENEWAL: ("POST", "/v1/organizations/{organization}/changes"),
    Way.CHOOSE_PLAN: ("GET", "/v1/plans"),
    Way.REASSIGN: ("POST", "/v1/organizations/{organization}/seat-moves"),
    Way.REQUOTE: ("POST", "/v1/organizations/{organization}/quotes"),
    Way.PAY: ("GET", "/v1/organizations/{organization}/invoices"),
    Way.CONFIRM_PAYMENT: ("POST", "/v1/organizations/{organization}/payments/{payment}/confirm"),
    Way.OTHER_PAYMENT_METHOD: ("PATCH", "/v1/organizations/{organization}"),
    Way.REMOVE_MEMBERS: ("DELETE", "/v1/organizations/{organization}/members/{member}"),
    Way.CANCEL_CHANGE: ("DELETE", "/v1/organizations/{organization}/changes/{change}"),
    Way.TRANSFER_PRIMARY_OWNER: ("PUT", "/v1/organizations/{organization}/primary-owner"),
    Way.RESEND_INVITATION: (
        "POST",
        "/v1/organizations/{organization}/invitations/{invitation}/resend",
    ),
}
# Where the decision knows which one it is.
_EXACT_LINKS: Final[dict[tuple[Way, str], tuple[str, str]]] = {
    (Way.PAY, "invoice"): ("POST", "/v1/organizations/{organization}/invoices/{invoice}/pay"),
}


class Malformed(Exception):
    """The request cannot be read at all; carries the sentence that says why."""


def _identifier(kind: type[Any], value: object) -> object:
    assert issubclass(kind, Id), kind
    if isinstance(value, str):
        return kind.parse(value)
    message = f"expected an identifier such as {kind.prefix}_…"
    raise ValueError(message)


def _raw(value: object) -> object:
    raise NotImplementedError(type(value))


_encoder: Final = msgspec.json.Encoder(enc_hook=_raw)
_decoder: Final = msgspec.json.Decoder()


def encode(value: object) -> bytes:
    """A result as JSON bytes."""
    return _encoder.encode(value)


def command_of(
    operation: Operation, parameters: dict[str, str], query: bytes, body: bytes | None
) -> msgspec.Struct:
    """The command that a request means.

    Raises: Malformed (400), Refused with unknown_field or invalid_request (422) and the pointer.
    """
    fields: dict[str, Any] = _query(query) if body is None else _object(body)
    for name, value in parameters.items():
        if name in fields:
            raise Refused(_invalid(Code.UNKNOWN_FIELD, f"/{name}", "is already in the address"))
        fields[name] = value
    try:
        return msgspec.convert(
            fields, operation.command, dec_hook=_identifier, strict=body is not None
        )
    except msgspec.ValidationError as error:
        if body == b"":
            raise Malformed("The body is empty; send a JSON object.") from None
        raise Refused(_validation(str(error), operation, parameters)) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = _decoder.decode(body) if body else {}
    except msgspec.ValidationError:
        raise Refused(_invalid(Code.INVALID_REQUEST, "", "a number is out of range")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"The body is not JSON: {error}."
        raise Malformed(message) from None
    if not isinstance(value, dict):
        raise Refused(_invalid(Code.INVALID_REQUEST, "", "expected an object"))
    if b"\\u0000" in body and _holds_nul(value):
        raise Refused(_invalid(Code.INVALID_REQUEST, "", "the character NUL is not accepted"))
    return value


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


def _query(query: bytes) -> dict[str, Any]:
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=QUERY_PARAMETERS_MAX,
        )
    except ValueError:
        message = "The query of the address cannot be read."
        raise Malformed(message) from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields or "\x00" in value:
            raise Refused(_invalid(Code.INVALID_REQUEST, f"/{name}", "given twice or with NUL"))
        fields[name] = value
    return fields


_NAME: Final = re.compile(r"{(\w+)}")
_PATH: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)


def _validation(text: str, operation: Operation, parameters: dict[str, str]) -> Refusal:
    match = _PATH.match(text)
    assert match is not None
    pointer = re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", (match["path"] or "").replace(".", "/"))
    what = match["what"]
    if unknown := _UNKNOWN.match(what):
        return _invalid(Code.UNKNOWN_FIELD, f"{pointer}/{unknown['name']}", "does not exist here")
    if missing := _MISSING.match(what):
        return _invalid(Code.INVALID_REQUEST, f"{pointer}/{missing['name']}", "is required")
    if pointer.removeprefix("/") in parameters:
        # An identifier in the address that cannot be one names nothing.
        return refuse(Code.NOT_FOUND)
    path = pointer.split("/")[1:] if pointer else []
    return _invalid(Code.INVALID_REQUEST, pointer, sentence_of(what, operation.command, path))


def _invalid(code: Code, pointer: str, what: str) -> Refusal:
    return Refusal(
        code,
        {"errors": [{"pointer": pointer, "code": code, "detail": what}]},  # type: ignore[dict-item]
        detail=f"{pointer or 'The body'}: {what}.",
    )


def problem(refusal: Refusal, status: int, request_id: str, place: Mapping[str, str]) -> bytes:
    """A refusal as problem+json; what of an address stays in braces is the caller's to choose.

    Source: RFC 9457, G19.
    """
    remedies = [_remedy(remedy, place) for remedy in refusal.ways_out]
    return _encoder.encode(
        {
            **refusal.facts,
            "type": f"/problems/{refusal.code}",
            "title": refusal.code.replace("_", " ").capitalize(),
            "status": status,
            "code": refusal.code,
            "detail": refusal.sentence,
            "instance": request_id,
            "remedies": remedies,
        }
    )


def _remedy(remedy: Remedy, place: Mapping[str, str]) -> dict[str, object]:
    way, facts = remedy.way, remedy.facts
    exact = (link for (known, fact), link in _EXACT_LINKS.items() if known is way and fact in facts)
    link = next(exact, LINKS.get(way))
    if link is None:
        return {**facts, "way": way}
    named = {**place, **facts}
    path = _NAME.sub(lambda name: str(named.get(name[1], name[0])), link[1])
    return {**facts, "way": way, "method": link[0], "path": path}
