"""The fields of a catalog: one table behind checking, defaults, the JSON Schema and the page."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import Final

from seatkeeper.domain.catalog_shapes import (
    Absent,
    Field,
    Flag,
    Key,
    ListOf,
    MapOf,
    OneOf,
    OrNull,
    Record,
    Shape,
    Text,
    Whole,
)
from seatkeeper.domain.money import MINOR_DIGITS
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import Capacity, Invitations, Overdue, Policies
from seatkeeper.domain.prices import QUANTITY_MAX, TierMode

AMOUNT_MAX: Final = 10**12
PLANS_MAX: Final = 200
SEAT_TYPES_MAX: Final = 20
PRICES_MAX: Final = 50
TIERS_MAX: Final = 50
FEATURES_MAX: Final = 100
DAYS_MAX: Final = 365
MEMBERSHIP_LIMIT: Final = 5
"""Members of an organization whose plan is not based on seats. Source: C10."""

_AMOUNT: Final = Whole(0, AMOUNT_MAX)
_QUANTITY: Final = Whole(1, QUANTITY_MAX)
_RANK: Final = Whole(-1000, 1000)
_DAYS: Final = Whole(0, DAYS_MAX)
_FEATURES: Final = ListOf(Key(), FEATURES_MAX, is_set=True)
_INTERVAL: Final = OneOf(tuple(Interval))

_INVITATIONS: Final = Record(
    {
        "hold_seat": Field(
            Flag(), "Whether a pending invitation holds a seat.", Invitations().hold_seat
        ),
        "lives_days": Field(
            Whole(1, DAYS_MAX),
            "How many days of 24 hours an invitation can be accepted.",
            Invitations().lives.days,
        ),
        "bulk": Field(
            Flag(), "Whether several people can be invited in one request.", Invitations().bulk
        ),
    }
)

_OVERDUE: Final = Record(
    {
        "retry_days": Field(
            ListOf(Whole(1, DAYS_MAX), 10, is_set=True),
            "On which days after a failed renewal payment it is tried again.",
            list(Overdue().retry_days),
        ),
        "grace_days": Field(
            _DAYS, "How many days access is kept while unpaid.", Overdue().grace_days
        ),
        "may_buy": Field(
            Flag(),
            "Whether seats can be bought meanwhile (the debt is collected too).",
            Overdue().may_buy,
        ),
    }
)

_POLICY_NOTES: Final = {
    "payer": "Who holds the subscription: the organization, or each member for their own seat.",
    "purchase_who": "Who may buy seats.",
    "purchase_when": "When bought seats begin.",
    "collect": "Whether seats follow the payment (charge) or an invoice on terms follows them.",
    "net_terms_days": "Days until an invoice on terms is due.",
    "reduce_who": "Who may ask for fewer seats.",
    "reduce_when": "When a reduction takes effect; never: the renewal alone adjusts the quantity.",
    "reduction_money": "What seats given back inside a paid period bring: nothing, or a credit.",
    "proration": "How the rest of a period is counted when seats are added.",
    "renewal_quantity": "The quantity a new period starts with.",
    "seat_use": "Whether members are assigned a seat, or each member occupies one.",
    "invitations": "What a pending invitation does to seats, and how long it lives.",
    "full_provisioned": "What happens to someone provisioned when no seat is free.",
    "full_self_joined": "What happens to someone who joins by link when no seat is free.",
    "type_provisioned": "Which seat type someone provisioned gets.",
    "type_self_joined": "Which seat type someone who joins by link gets.",
    "change_plan_who": "Who may change to another plan.",
    "upgrade_when": "When a change to a plan of higher rank takes effect.",
    "downgrade_when": "When a change to a plan of lower rank takes effect; never: there is no way "
    "back.",
    "cancel_who": "Who may cancel.",
    "cancel_when": "When a cancellation takes effect.",
    "overdue": "What an unpaid renewal leads to.",
    "unsigned_grace_days": "Days a plan stays in force when its new contract is not signed.",
    "one_plan_per_workspace": "Whether all members of a workspace must be on the same plan.",
    "admins": "Who makes a member an admin or an owner.",
    "credits": "Where the credits for usage come from.",
}


def _policy(name: str, default: object) -> Field:
    """The field of one policy; its shape follows from its type, so none can be forgotten."""
    shape: Shape
    match default:
        case StrEnum():
            shape, default = OneOf(tuple(type(default))), default.value
        case bool():
            shape = Flag()
        case Invitations():
            shape, default = _INVITATIONS, {}
        case Overdue():
            shape, default = _OVERDUE, {}
        case _:
            shape = _DAYS
    return Field(shape, _POLICY_NOTES[name], default)


POLICIES: Final = Record(
    {part.name: _policy(part.name, getattr(Policies(), part.name)) for part in fields(Policies)}
)

TIER: Final = Record(
    {
        "up_to": Field(
            OrNull(_QUANTITY), "The last seat of this tier; null or left out: no bound.", None
        ),
        "unit_minor": Field(_AMOUNT, "Price of each seat, in minor units per interval.", 0),
        "flat_minor": Field(
            _AMOUNT, "Price of the tier as a whole, once one seat is in it; minor units.", 0
        ),
    }
)

SEAT_PRICE: Final = Record(
    {
        "unit_minor": Field(
            _AMOUNT, "Price of each seat, in minor units per interval.", Absent.OMITTED
        ),
        "included": Field(
            Whole(0, QUANTITY_MAX),
            "Seats that cost nothing; each one after them costs unit_minor.",
            Absent.OMITTED,
        ),
        "tiers": Field(
            ListOf(TIER, TIERS_MAX, length_min=1),
            "Prices by quantity, instead of unit_minor and included.",
            Absent.OMITTED,
        ),
        "mode": Field(
            OneOf(tuple(TierMode)),
            "graduated: each seat pays its own tier; volume: all pay the tier of the last.",
            TierMode.GRADUATED.value,
        ),
    },
    either=("unit_minor", "tiers"),
)

PRICE: Final = Record(
    {
        "currency": Field(
            OneOf(tuple(sorted(MINOR_DIGITS)), "an ISO 4217 currency in capitals, such as EUR"),
            "ISO 4217 code.",
        ),
        "per": Field(_INTERVAL, "The interval which the amounts are for."),
        "billing": Field(
            _INTERVAL, "How often an invoice comes; as long as per if left out.", Absent.OMITTED
        ),
        "term": Field(
            _INTERVAL, "How long one is bound; as long as billing if left out.", Absent.OMITTED
        ),
        "base_minor": Field(_AMOUNT, "Price without any seat, in minor units per interval.", 0),
        "seats": Field(MapOf(SEAT_PRICE, SEAT_TYPES_MAX), "The price of each seat type.", {}),
    }
)

SEAT_TYPE: Final = Record(
    {
        "name": Field(Text(), "For people."),
        "rank": Field(_RANK, "Orders automatic choice: the highest is the best seat.", 0),
        "features": Field(_FEATURES, "What a member in such a seat may use.", []),
        "allowance": Field(Whole(0, QUANTITY_MAX), "Credits for each seat and month.", 0),
        "allowance_upfront": Field(
            OrNull(Whole(0, 100 * QUANTITY_MAX)),
            "Credits for each seat at the start of a year that is billed at once, in place of the "
            "monthly ones; null: month by month there too.",
            None,
        ),
    }
)

TRIAL: Final = Record(
    {
        "days": Field(Whole(0, 730), "Length; 0: none.", 0),
        "payment_method": Field(Flag(), "Whether a trial needs a payment method.", default=True),
    }
)

PLAN: Final = Record(
    {
        "key": Field(Key(), "The plan's key again; it may be left out.", Absent.OMITTED),
        "name": Field(Text(), "For people."),
        "rank": Field(_RANK, "A change to a higher rank is an upgrade.", 0),
        "capacity": Field(
            OneOf(tuple(Capacity)),
            "What sets the number of seats: purchase, the plan's limit, nothing, or the "
            "membership limit of the organization.",
            Capacity.PURCHASED.value,
        ),
        "minimum": Field(Whole(0, QUANTITY_MAX), "The least number of seats, over all types.", 1),
        "limit": Field(
            OrNull(_QUANTITY), "The largest number of seats, over all types.", Absent.OMITTED
        ),
        "seat_types": Field(MapOf(SEAT_TYPE, SEAT_TYPES_MAX, length_min=1), "The kinds of seat."),
        "prices": Field(MapOf(PRICE, PRICES_MAX), "What the plan costs, in one way or more.", {}),
        "features": Field(_FEATURES, "What every seated member may use, whatever the seat.", []),
        "trial": Field(TRIAL, "A time at the beginning that costs nothing.", {}),
        "closed": Field(Flag(), "Closed to new subscriptions; existing ones go on.", default=False),
        "hidden": Field(Flag(), "Kept out of the public list of plans.", default=False),
        "transition_to": Field(
            OrNull(Key()), "The plan which takes this one's place at the next renewal.", None
        ),
        "successors": Field(
            MapOf(Key(), SEAT_TYPES_MAX),
            "What each seat type becomes there; one not named becomes the highest in rank.",
            {},
        ),
        "contact": Field(
            OrNull(Text()), "Whom to ask where the plan is managed by contract.", None
        ),
        "policies": Field(POLICIES, "How seats are bought, reduced, used and renewed.", {}),
    }
)

CATALOG: Final = Record(
    {
        "catalog": Field(Key(), "The catalog's key; permanent."),
        "name": Field(Text(), "For people."),
        "default_plan": Field(
            OrNull(Key()), "The free plan of an organization without a subscription.", None
        ),
        "membership_limit": Field(
            Whole(0, QUANTITY_MAX),
            "Members of an organization whose plan is not based on seats; 0: no limit.",
            MEMBERSHIP_LIMIT,
        ),
        "plans": Field(MapOf(PLAN, PLANS_MAX, length_min=1), "Every plan by its key."),
    }
)


def json_schema() -> dict[str, object]:
    """JSON Schema 2020-12 of a catalog file, for editors; shipped as `catalog.schema.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Seatkeeper catalog",
        "description": "The plans a vendor sells: seat types, prices and policies.",
        **CATALOG.schema(),
    }
