"""The sandbox rail: test tokens with known outcomes, and books of its own to compare ours with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from seatkeeper.payments.port import Charge, Outcome, PaymentResult
from seatkeeper.store.database import Database
from seatkeeper.store.statements import Statements

PAYMENTS: Final = Statements("payments")

OUTCOMES: Final = {
    "sandbox_ok": Outcome.SUCCEEDED,
    "sandbox_declined": Outcome.DECLINED,
    "sandbox_action_required": Outcome.ACTION_REQUIRED,
    "sandbox_timeout": Outcome.SUCCEEDED,  # the money moves, the answer is lost
}
FAILURE: Final = "the sandbox declines this token"


class SandboxProvider:
    """Moves pretended money, at most once per key, and remembers it outside our transactions."""

    name = "sandbox"

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def accepts(self, method: str) -> bool:
        """Only the tokens whose outcome is known."""
        return method in OUTCOMES

    async def charge(self, charge: Charge) -> PaymentResult:
        """The outcome of the token; a repeated key gets the first answer."""
        async with self._database.connection() as db:
            row = await db.one(
                PAYMENTS.sandbox_charge,
                provider_key=charge.key,
                amount_minor=charge.amount.minor,
                currency=charge.amount.currency,
                outcome=OUTCOMES.get(charge.method, Outcome.DECLINED),
                now=self._clock(),
            )
        if charge.method == "sandbox_timeout" and row["fresh"]:
            return PaymentResult(Outcome.UNKNOWN)
        return _result(charge.key, row["outcome"])

    async def find(self, key: str) -> PaymentResult | None:
        """What these books say of a key."""
        async with self._database.connection() as db:
            row = await db.row(PAYMENTS.sandbox_find, provider_key=key)
        return None if row is None else _result(key, row["outcome"])

    async def confirm(self, key: str) -> PaymentResult:
        """The payer confirms: a charge that waited for it succeeds."""
        async with self._database.connection() as db:
            row = await db.row(PAYMENTS.sandbox_confirm, provider_key=key)
        outcome = Outcome.DECLINED if row is None else row["outcome"]
        return _result(key, outcome)


def _result(key: str, outcome: str) -> PaymentResult:
    failure = FAILURE if outcome == Outcome.DECLINED else None
    return PaymentResult(Outcome(outcome), f"sandbox:{key}", failure)
