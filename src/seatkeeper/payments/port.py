"""The port through which money moves, whatever rail is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from seatkeeper.domain.money import Money


class Outcome(StrEnum):
    """What is known about one charge."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    PENDING = "pending"  # money comes later and someone will tell us
    UNKNOWN = "unknown"  # the answer was lost; ask again under the same key


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge. `key` comes from our cause: asking twice moves money once. Source: M-6."""

    key: str
    method: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """The outcome, the provider's own reference, and its words where it said no."""

    outcome: Outcome
    reference: str | None = None
    failure: str | None = None


class PaymentProvider(Protocol):
    """One rail. Neither method raises for a business outcome; a lost answer is UNKNOWN."""

    name: str

    def accepts(self, method: str) -> bool:
        """Whether a token names a way of paying that this rail knows."""

    async def charge(self, charge: Charge) -> PaymentResult:
        """Moves the money at most once per key."""

    async def find(self, key: str) -> PaymentResult | None:
        """What became of the charge with that key; None when it never arrived."""

    async def confirm(self, key: str) -> PaymentResult:
        """Completes a charge that needed the payer's action."""
