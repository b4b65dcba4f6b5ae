"""The context of our own programs on the machine of the service: they hold no key and need none."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from seatkeeper.domain.scopes import Scope, VendorRole
from seatkeeper.operations.context import Context, Principal
from seatkeeper.operations.engine import Engine

COMMAND_LINE: Final = Principal(
    key_id=UUID(int=0),
    name="command line",
    vendor_role=VendorRole.OPERATOR,
    scopes=frozenset(Scope),
)


def local_context(engine: Engine) -> Context:
    """A context in which anything may be done that concerns no organization."""
    return Context(engine, COMMAND_LINE, engine.clock(), engine.new_id())
