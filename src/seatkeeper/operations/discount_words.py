"""The shapes of a discount: what is granted, what is off, and what a change takes away."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from seatkeeper.domain.discounts import WHOLE, Discount
from seatkeeper.domain.ids import DiscountId, OrganizationId
from seatkeeper.operations.answers import (
    CurrencyText,
    DiscountEndText,
    DiscountText,
    Minor,
    Moment,
    Points,
)
from seatkeeper.operations.contract_terms import MINOR_MAX
from seatkeeper.operations.words import Command, Instant, Result
from seatkeeper.store.database import Row

BasisPoints = Annotated[int, Meta(ge=1, le=WHOLE, description="hundredths of a percent")]
FixedAmount = Annotated[int, Meta(ge=1, le=MINOR_MAX, description="minor units of each period")]
Periods = Annotated[int, Meta(ge=1, le=1_000, description="billing periods; left out: for good")]


class PutDiscount(Command):
    """What is off from the next billing period on: a share of each line, or an amount of each bill.

    Exactly one of `basis_points` and `amount_minor`. For `periods` billing periods, for those that
    begin before `until`, or for good.
    """

    organization: OrganizationId
    basis_points: BasisPoints | None = None
    amount_minor: FixedAmount | None = None
    periods: Periods | None = None
    until: Instant | None = None


class ReadDiscount(Command):
    """The discount in force."""

    organization: OrganizationId


class RemoveDiscount(Command):
    """Take the discount away."""

    organization: OrganizationId


class DiscountTerms(Result):
    """What is off, and for how long. Units: basis points, minor units of each period."""

    discount: DiscountText
    basis_points: Points | None
    amount_minor: Minor | None
    periods: int | None
    periods_used: int
    until: Moment | None


class DiscountView(DiscountTerms):
    """A discount as it is kept; `off_now_basis_points` is off what is bought in this period."""

    currency: CurrencyText
    off_now_basis_points: Points
    created_at: Moment
    ended_at: Moment | None
    ended_because: DiscountEndText | None
    version: int


class EndedDiscount(DiscountTerms):
    """A discount which a change takes away, in a sentence for people."""

    sentence: str


def discount_view(row: Row, currency: str, off_now: int) -> DiscountView:
    """A discount as its readers see it."""
    return DiscountView(
        discount=DiscountId.text(row["discount_id"]),
        basis_points=row["basis_points"] or None,
        amount_minor=row["amount_minor"] or None,
        periods=row["periods"],
        periods_used=row["used"],
        until=row["until"],
        currency=currency,
        off_now_basis_points=off_now,
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        ended_because=row["ended_because"],
        version=row["version"],
    )


def discount_terms(discount: Discount | None) -> DiscountTerms | None:
    """What is off a coming period, if anything."""
    return None if discount is None else DiscountTerms(**_terms(discount))


def ended_discount(discount: Discount | None, currency: str) -> EndedDiscount | None:
    """What a change takes away, if anything. Source: C54."""
    if discount is None:
        return None
    sentence = f"This change removes your discount of {discount.off.text(currency)}."
    return EndedDiscount(**_terms(discount), sentence=sentence)


def _terms(discount: Discount) -> dict[str, Any]:
    return {
        "discount": DiscountId.text(discount.discount_id),
        "basis_points": discount.off.basis_points or None,
        "amount_minor": discount.off.minor or None,
        "periods": discount.periods,
        "periods_used": discount.used,
        "until": discount.until,
    }
