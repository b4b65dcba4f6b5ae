"""Cursors: where the next page starts, signed and bound to its list and organization."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Row

_TAG_BYTES = 8

# Beyond every id: a list begins there, so that its first page is read like any other, by seeking
# in an index. `(:after is null or id > :after)` would be a filter, and later pages a scan.
FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)

# How many rows one page of a filtered list looks at. What fits is rare in some lists and no index
# leads to it; the page then ends early, and its cursor goes on where the look ended.
WALK_MAX: Final = 5_000


def cursor(ctx: Context, collection: str, last: UUID | None) -> str | None:
    """The cursor after the item `last`; None when there is no further page. Source: I-9."""
    if last is None:
        return None
    return urlsafe_b64encode(last.bytes + _tag(ctx, collection, last.bytes)).decode().rstrip("=")


def after(ctx: Context, collection: str, text: str | None) -> UUID:
    """Behind what a page of a list in rising order begins. Refuses: invalid_request."""
    return FIRST if text is None else _key(ctx, collection, text)


def before(ctx: Context, collection: str, text: str | None) -> UUID:
    """Below what a page of a list that begins with the newest stays. Refuses: invalid_request."""
    return LAST if text is None else _key(ctx, collection, text)


def walk(size: int, *, filtered: bool) -> int:
    """How many rows a page of `size` items looks at; without a filter one more than it shows."""
    return WALK_MAX if filtered else size + 1


def walked(rows: Sequence[Row], size: int, walk: int) -> tuple[Sequence[Row], Row | None]:
    """The items of a page, and the row behind which the next one begins; None at the end.

    Shapes: each row has its `place` in the walk and whether it `fits`; the last row of a walk that
    was cut off is there also where it does not fit.
    """
    items = [row for row in rows if row["fits"]]
    if len(items) > size:
        return items[:size], items[size - 1]
    return items, rows[-1] if rows and rows[-1]["place"] == walk else None


def _key(ctx: Context, collection: str, text: str) -> UUID:
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
