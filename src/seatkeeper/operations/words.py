"""The shapes which several commands and results share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar, dataclass_transform

import msgspec
from msgspec import Meta

from seatkeeper.domain.prices import QUANTITY_MAX

PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 200

# Python's `$` also matches before a last line break, so the break is forbidden after it.
_KEY: Final = r"^[a-z][a-z0-9_-]{0,63}$(?!\n)"
_LINE: Final = r"^[^\x00-\x1f\x7f]+$(?!\n)"
Key = Annotated[str, Meta(pattern=_KEY, description="a key of the catalog")]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, description="for people")]
ExternalId = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=_LINE, description="the vendor's id")
]
Email = Annotated[str, Meta(min_length=3, max_length=254, description="an e-mail address")]
Instant = Annotated[datetime, Meta(tz=True, description="with its offset from UTC")]
Quantity = Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
Limit = Annotated[int, Meta(ge=1, description="page size; more than 200 counts as 200")]
Cursor = Annotated[str, Meta(max_length=200, description="where the next page starts")]


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a caller asks; a field that does not exist is refused, never ignored."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller gets. Instants are UTC, amounts minor units."""


Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Some items, and the cursor of the next page where there is one."""

    items: list[Item]
    next: str | None = None


def page_size(limit: int) -> int:
    """The page size asked for, clamped."""
    return min(limit, PAGE_MAX)
