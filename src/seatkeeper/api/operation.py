"""One row of the operations table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from seatkeeper.domain.members import Permission


@dataclass(frozen=True, slots=True)
class Operation:
    """Where an operation is reached, who may, what goes in and out.

    `permission` is what the acting member's role must have besides the key's `scope`; with
    `payer_may` whoever pays the named invoice or payment for their own seat needs it not.
    `one_transaction` lets the answer be kept under its idempotency key with the effect itself;
    operations that wait for a payment keep it themselves. The answer of one that `tells_secret` is
    kept sealed, lest the secret stands in the database.
    """

    method: str
    path: str
    scope: str | None
    run: Callable[..., Awaitable[Any]]
    command: type[msgspec.Struct]
    result: Any
    status: int = 200
    permission: Permission | None = None
    payer_may: bool = False
    moves_money: bool = False
    one_transaction: bool = True
    tells_secret: bool = False
    tag: str = ""
    # The permanent id, such as `seats.assign`.
    name: str = field(init=False)
    # Whether the command names one organization, whose clock and currency then hold.
    about_organization: bool = field(init=False)
    # Whether what it changes has versions, one of which a caller may insist on with If-Match.
    is_versioned: bool = field(init=False)

    def __post_init__(self) -> None:
        name = f"{self.run.__module__.rpartition('.')[2]}.{self.run.__name__}"
        object.__setattr__(self, "name", name)
        about = "organization" in self.command.__struct_fields__
        object.__setattr__(self, "about_organization", about)
        versioned = "version" in getattr(self.result, "__struct_fields__", ())
        object.__setattr__(self, "is_versioned", versioned)

    @property
    def summary(self) -> str:
        """The first line of the verb's docstring."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]
