"""The plans on which the model lives: odd amounts, so that rounding shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Price:
    """What one plan of a shape costs and allows. Units: minor, a month."""

    rank: int
    limit: int
    minimum: int
    units: dict[str, int]
    base: int = 0
    included: int = 0

    def amount(self, seat_type: str, quantity: int) -> int:
        return self.units[seat_type] * max(quantity - self.included, 0)


@dataclass(frozen=True)
class Shape:
    """One vendor's habits: its seat types from the lowest rank up, and its plans."""

    name: str
    types: tuple[str, ...]
    plans: dict[str, Price]
    everyone: bool = False
    lives_days: int = 14
    policies: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The plans as a catalog writes them."""
        return {key: self._plan(price) for key, price in self.plans.items()}

    def _plan(self, price: Price) -> dict[str, Any]:
        seats = {
            key: {"unit_minor": unit, **({"included": price.included} if price.included else {})}
            for key, unit in price.units.items()
        }
        monthly = {"currency": "USD", "per": "month", "base_minor": price.base, "seats": seats}
        return {
            "name": "Model",
            "rank": price.rank,
            "limit": price.limit,
            "minimum": price.minimum,
            "seat_types": {
                key: {"name": key, "rank": 10 * (n + 1)} for n, key in enumerate(self.types)
            },
            "prices": {"monthly": monthly},
            "policies": {
                "cancel_when": "period_end",
                "invitations": {"lives_days": self.lives_days},
                "full_self_joined": "wait",
                **self.policies,
            },
        }


EXPLICIT = Shape(
    "explicit",
    ("standard", "premium"),
    {
        "team": Price(10, 30, 2, {"standard": 3333, "premium": 14999}),
        "growth": Price(20, 40, 3, {"standard": 4001, "premium": 20011}, base=7777),
    },
    policies={"reduce_when": "period_end"},
)
EVERYONE = Shape(
    "everyone",
    ("member",),
    {
        "small": Price(10, 25, 1, {"member": 501}, base=1999),
        "large": Price(20, 40, 1, {"member": 777}, base=4999, included=3),
    },
    everyone=True,
    policies={
        "seat_use": "every_member",
        "reduce_when": "never",
        "renewal_quantity": "occupied",
    },
)
SHAPES = {shape.name: shape for shape in (EXPLICIT, EVERYONE)}
