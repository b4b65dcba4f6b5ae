"""The rail without a rail: an invoice goes out, a person marks it as paid."""

from __future__ import annotations

from seatkeeper.payments.port import Charge, Outcome, PaymentResult


class ManualProvider:
    """Leaves every charge pending until someone records the payment."""

    name = "manual"

    def accepts(self, method: str) -> bool:
        """No token: having no way of paying is the way of this rail."""
        del method
        return False

    async def charge(self, charge: Charge) -> PaymentResult:
        """Pending: the money comes by bank transfer or cheque."""
        return PaymentResult(Outcome.PENDING, charge.key)

    async def find(self, key: str) -> PaymentResult | None:
        """Still pending, as far as this rail can know."""
        return PaymentResult(Outcome.PENDING, key)

    async def confirm(self, key: str) -> PaymentResult:
        """Nothing to confirm."""
        return PaymentResult(Outcome.PENDING, key)
