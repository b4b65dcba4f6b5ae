"""What contracts and amendments agree on: plan, amounts and seats, in the shapes that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from seatkeeper.domain.catalog_format import plan_from
from seatkeeper.domain.choices import decide_choose
from seatkeeper.domain.contracts import decide_sell
from seatkeeper.domain.prices import agreed
from seatkeeper.domain.quantities import Choice
from seatkeeper.domain.refusals import Code, Fact, Refused, Remedy, Way, refuse
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.operations.answers import Minor
from seatkeeper.operations.asked import SeatQuantity
from seatkeeper.operations.context import Context
from seatkeeper.operations.decisions import CHANGES, paid_price
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.plans import chooser_of
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Db

# Times 1,000,000 seats and twelve months it still is an exact 64-bit amount. Source: B079.
MINOR_MAX: Final = 10_000_000_000
Amount = Annotated[int, Meta(ge=0, le=MINOR_MAX, description="minor units")]
NetTerms = Annotated[int, Meta(ge=0, le=365, description="days until an invoice is due")]
GraceDays = Annotated[
    int, Meta(ge=0, le=365, description="days of access after an invoice is overdue")
]
TermMonths = Annotated[int, Meta(ge=1, le=120, description="how long is signed")]
SeatQuantities = Annotated[list[SeatQuantity], Meta(max_length=20)]


class AgreedPrice(Command):
    """The amount of one seat, for the interval in which the plan's price is named."""

    seat_type: Key
    unit_minor: Amount


class AgreedPrices(Command):
    """Amounts in place of the catalog's; what is not named stays."""

    base_minor: Amount | None = None
    seats: Annotated[list[AgreedPrice], Meta(max_length=20)] = msgspec.field(default_factory=list)

    def amounts(self) -> dict[str, Any]:
        """As they are kept with a subscription; empty where nothing is named."""
        base = {} if self.base_minor is None else {"base_minor": self.base_minor}
        units = {price.seat_type: {"unit_minor": price.unit_minor} for price in self.seats}
        return {**base, **({"seats": units} if units else {})}


class AgreedAmounts(Result):
    """The amounts that were agreed. Units: minor, per interval of the price."""

    base_minor: Minor | None
    seats: dict[Key, int]


class NextTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed for the time after the running term. No seats: as the policy carries them."""

    plan_version_id: UUID
    plan: str
    price: str
    seats: dict[str, int]
    amounts: dict[str, Any] | None
    term_months: int | None
    net_terms_days: int
    overdue_grace_days: int | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """A choice with its agreed amounts, and which version of the plan it is."""

    choice: Choice
    version_id: UUID
    amounts: Mapping[str, Any]


def amounts_shown(overrides: Mapping[str, Any] | None) -> AgreedAmounts | None:
    """Agreed amounts as their readers see them."""
    if not overrides:
        return None
    units = overrides.get("seats", {})
    return AgreedAmounts(
        base_minor=overrides.get("base_minor"),
        seats={key: unit["unit_minor"] for key, unit in units.items()},
    )


def seats_of(asked: list[SeatQuantity]) -> dict[str, int]:
    """Seats by type. Refuses: invalid_request for one that is named twice."""
    seats = {item.seat_type: item.quantity for item in asked}
    if len(seats) != len(asked):
        raise Refused(refuse(Code.INVALID_REQUEST, detail="Name each seat type once."))
    return seats


def account_manager_only(ctx: Context) -> None:
    """Refuses: contract_managed to members, forbidden to other keys. Source: A31, T32."""
    if ctx.by_account_manager():
        return
    if ctx.actor is not None:
        raise Refused(refuse(Code.CONTRACT_MANAGED))
    raise Refused(
        refuse(
            Code.FORBIDDEN,
            Remedy(Way.CONTACT_ACCOUNT_MANAGER),
            detail="This takes the key of an account manager.",
        )
    )


async def not_parked(ctx: Context, db: Db) -> None:
    """Refuses: parked, while the organization's billing is stopped. Source: M-19."""
    row = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    if row["parked_at"] is not None:
        raise Refused(refuse(Code.PARKED))


async def sold(
    ctx: Context,
    db: Db,
    asked: tuple[str, str | None],
    amounts: Mapping[str, Any],
    own: Subscription | None,
) -> Sold:
    """The plan and price that someone named, as they can be signed now.

    Without a price's name that in the rhythm which is paid already, else the first.
    Refuses: not_found (unknown, or closed and not held), currency_mismatch, plan_tier_mismatch,
    invalid_request. Source: A13, A14, A95, T13.
    """
    plan_key, price_key = asked
    row = await db.row(
        CHANGES.plan_for_sale, plan_key=plan_key, catalog_key=ctx.organization.catalog_key
    )
    if row is None:
        sentence = f"No plan {plan_key}."
        raise Refused(refuse(Code.NOT_FOUND, Remedy(Way.CHOOSE_PLAN), detail=sentence))
    plan = plan_from(row["document"], catalog=row["catalog_key"], version=row["version"])
    if (refusal := decide_choose(plan, await chooser_of(ctx, db))) is not None:
        raise Refused(refusal)
    price = plan.price_in(ctx.organization.currency, price_key, like=paid_price(own))
    if price is None:
        raise Refused(refuse(Code.CURRENCY_MISMATCH, currency=ctx.organization.currency))
    if unknown := set(amounts.get("seats", {})) - set(price.seats):
        sentence = f"The plan sells no seat type {min(unknown)}."
        raise Refused(refuse(Code.INVALID_REQUEST, detail=sentence))
    choice = Choice(plan, agreed(price, amounts))
    if (refusal := decide_sell(choice, None, None)) is not None:
        raise Refused(refusal)
    return Sold(choice, row["plan_version_id"], amounts)


async def tell(
    ctx: Context, db: Db, kind: str, subject_id: UUID, facts: Mapping[str, Fact]
) -> None:
    """Records one event of a contract or amendment, with who did it. Source: G13."""
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=ctx.organization_id,
        kind=kind,
        subject_id=subject_id,
        member_id=None if ctx.actor is None else ctx.actor.member_id,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts=facts,
    )
