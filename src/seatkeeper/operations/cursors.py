"""Cursors: where the next page starts, signed and bound to its list and organization."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.context import Context

_TAG_BYTES = 8


def cursor(ctx: Context, collection: str, last: UUID | None) -> str | None:
    """The cursor after the item `last`; None when there is no further page. Source: I-9."""
    if last is None:
        return None
    return urlsafe_b64encode(last.bytes + _tag(ctx, collection, last.bytes)).decode().rstrip("=")


def after(ctx: Context, collection: str, text: str | None) -> UUID | None:
    """The item a cursor stands behind. Refuses: invalid_request for any that was not given out."""
    if text is None:
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise bad_cursor() from None
    key, tag = raw[:16], raw[16:]
    if len(raw) != 16 + _TAG_BYTES or not hmac.compare_digest(tag, _tag(ctx, collection, key)):
        raise bad_cursor()
    return UUID(bytes=key)


def _tag(ctx: Context, collection: str, key: bytes) -> bytes:
    bound = ctx.facts.organization_id.bytes if ctx.facts else ctx.principal.key_id.bytes
    message = collection.encode() + bound + key
    return hmac.digest(ctx.engine.secret, message, "sha256")[:_TAG_BYTES]


def bad_cursor() -> Refused:
    """What a made-up cursor gets."""
    return Refused(refuse(Code.INVALID_REQUEST, detail="This cursor was not given out here."))
