"""The document format of a catalog: its faults, its canonical form, its plans, its differences.

A document passes through here in this order: `check_catalog` finds every fault, `plans_from`
writes each plan out in full so that equal meaning is equal JSON, `diff` tells what a new document
changes, and `plan_from` turns one stored plan into a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from seatkeeper.domain.catalog import Plan, SeatType
from seatkeeper.domain.catalog_checks import catalog_faults, reserved_faults
from seatkeeper.domain.catalog_fields import CATALOG, MEMBERSHIP_LIMIT, PLAN
from seatkeeper.domain.catalog_shapes import Fault, below
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import Capacity, Invitations, Overdue, Policies
from seatkeeper.domain.prices import Price, SeatPrice, Tier, TierMode

PlanDocument = dict[str, Any]
"""One plan, self-contained and canonical: its key, every field, every policy."""

FAULTS_MAX: Final = 100


def check_catalog(document: object, *, seat_limit_max: int | None = None) -> list[Fault]:
    """Everything wrong with a catalog; empty when it can be used.

    Never raises, whatever JSON it is given. What fields mean together is looked at only once each
    field is right by itself. `seat_limit_max` is the cap of the instance, if it has one.
    Shapes: at most 100 faults. Source: C4, C7.
    """
    return list(islice(_faults(document, seat_limit_max), FAULTS_MAX))


def plans_from(document: Mapping[str, Any]) -> Mapping[str, PlanDocument]:
    """The plans of a checked catalog by key, each self-contained and in canonical form."""
    default = document.get("membership_limit", MEMBERSHIP_LIMIT) or None
    plans: dict[str, PlanDocument] = {}
    for key, plan in document["plans"].items():
        limit = default if plan.get("capacity") == Capacity.MEMBERSHIP_LIMIT else None
        plans[key] = normalized({"key": key, "limit": limit, **plan})
    return plans


def normalized(plan: Mapping[str, Any]) -> PlanDocument:
    """The canonical form of a checked plan: equal meaning gives equal JSON.

    Every default is written out, so that a stored version keeps its meaning when the defaults of
    a later release differ; `included` becomes a free first tier.
    """
    prices = {key: _whole_price(price) for key, price in plan.get("prices", {}).items()}
    whole: PlanDocument = PLAN.canonical({"limit": None, **plan, "prices": prices})
    return whole


def plan_from(document: Mapping[str, Any], *, catalog: str, version: int) -> Plan:
    """The plan of a document as `plans_from` gives it, or as an earlier release stored it.

    Shapes: prices start with the shortest billing interval, then by key, so that the first in a
    currency is the one that binds least; seat types come in order of rank, the highest first.
    """
    whole = normalized(document)
    prices = [_price(key, price) for key, price in whole["prices"].items()]
    prices.sort(key=lambda price: (price.billing.months, price.term.months, price.key))
    seat_types = [_seat_type(key, kind) for key, kind in whole["seat_types"].items()]
    seat_types.sort(key=lambda kind: (-kind.rank, kind.key))
    return Plan(
        catalog=catalog,
        key=whole["key"],
        version=version,
        name=whole["name"],
        seat_types={kind.key: kind for kind in seat_types},
        prices={price.key: price for price in prices},
        policies=_policies(whole["policies"]),
        capacity=Capacity(whole["capacity"]),
        minimum=whole["minimum"],
        limit=whole["limit"],
        rank=whole["rank"],
        features=frozenset(whole["features"]),
        trial_days=whole["trial"]["days"],
        trial_payment_method=whole["trial"]["payment_method"],
        closed=whole["closed"],
        hidden=whole["hidden"],
        transition_to=whole["transition_to"],
        successors=whole["successors"],
        contact=whole["contact"],
    )


class DifferenceKind(StrEnum):
    """What applying a catalog does, or one detail of it."""

    PLAN_ADDED = "plan_added"
    PLAN_CLOSED = "plan_closed"  # it is missing now: its subscriptions go on, no new ones
    NEW_VERSION = "new_version"
    CHANGED = "changed"  # one field, of the catalog or of the plan named just before


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two catalogs, at a JSON pointer into either of them."""

    kind: DifferenceKind
    path: str
    before: object = None
    after: object = None


def diff(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[Difference]:
    """What changes when the checked catalog `new` takes the place of `old` (None: of nothing).

    Shapes: the catalog's own fields first, then plans by key; a `new_version` is followed by its
    changed fields. Both are compared in canonical form, so order, defaults and sugar are no
    difference. Empty means that applying `new` makes no version.
    """
    found: list[Difference] = []
    if old is not None:
        found += _changes("", _head(old), _head(new))
    before = {} if old is None else plans_from(old)
    after = plans_from(new)
    for key in sorted({*before, *after}):
        path = below("/plans", key)
        if key not in before:
            found.append(Difference(DifferenceKind.PLAN_ADDED, path))
        elif key not in after:
            if not before[key]["closed"]:
                found.append(Difference(DifferenceKind.PLAN_CLOSED, path))
        elif before[key] != after[key]:
            found.append(Difference(DifferenceKind.NEW_VERSION, path))
            found += _changes(path, before[key], after[key])
    return found


def _faults(document: object, seat_limit_max: int | None) -> Iterator[Fault]:
    sound = True
    for fault in CATALOG.faults("", document):
        sound = False
        yield fault
    if sound:
        assert isinstance(document, Mapping)
        plans = plans_from(document)
        yield from catalog_faults(document, plans)
        if seat_limit_max is not None:
            yield from reserved_faults(document, plans, seat_limit_max)


def _whole_price(price: Mapping[str, Any]) -> dict[str, Any]:
    """A price with its intervals written out and its seats without sugar."""
    billing = price.get("billing", price["per"])
    seats = {key: _tiered(seat) for key, seat in price.get("seats", {}).items()}
    return {**price, "billing": billing, "term": price.get("term", billing), "seats": seats}


def _tiered(seat: Mapping[str, Any]) -> dict[str, Any]:
    """A seat price as tiers; checked ones have either tiers or a unit price."""
    tiers = seat.get("tiers")
    if tiers is None:
        tiers = [{"unit_minor": seat["unit_minor"]}]
        if included := seat.get("included", 0):
            tiers.insert(0, {"up_to": included})
    # With a single tier both modes are the same.
    mode = seat.get("mode", TierMode.GRADUATED) if len(tiers) > 1 else TierMode.GRADUATED
    return {"tiers": tiers, "mode": str(mode)}


def _price(key: str, price: dict[str, Any]) -> Price:
    return Price(
        key=key,
        currency=price["currency"],
        per=Interval(price["per"]),
        billing=Interval(price["billing"]),
        term=Interval(price["term"]),
        base=price["base_minor"],
        seats={kind: _seat_price(seat) for kind, seat in price["seats"].items()},
    )


def _seat_price(seat: dict[str, Any]) -> SeatPrice:
    tiers = (Tier(t["up_to"], t["unit_minor"], t["flat_minor"]) for t in seat["tiers"])
    return SeatPrice(tuple(tiers), TierMode(seat["mode"]))


def _seat_type(key: str, kind: dict[str, Any]) -> SeatType:
    return SeatType(
        key=key,
        name=kind["name"],
        rank=kind["rank"],
        features=frozenset(kind["features"]),
        allowance=kind["allowance"],
        allowance_upfront=kind["allowance_upfront"],
    )


_DEFAULTS: Final = Policies()
_PLAIN_POLICIES: Final = {
    part.name: type(getattr(_DEFAULTS, part.name))
    for part in fields(Policies)
    if part.name not in {"invitations", "overdue"}
}


def _policies(whole: dict[str, Any]) -> Policies:
    """Policies from their canonical form; each value becomes what its default is."""
    invitations, overdue = whole["invitations"], whole["overdue"]
    return Policies(
        invitations=Invitations(
            hold_seat=invitations["hold_seat"],
            lives=timedelta(days=invitations["lives_days"]),
            bulk=invitations["bulk"],
        ),
        overdue=Overdue(
            retry_days=tuple(overdue["retry_days"]),
            grace_days=overdue["grace_days"],
            may_buy=overdue["may_buy"],
        ),
        **{name: kind(whole[name]) for name, kind in _PLAIN_POLICIES.items()},
    )


def _head(document: Mapping[str, Any]) -> dict[str, Any]:
    """The catalog's own fields, without its plans."""
    whole: dict[str, Any] = CATALOG.canonical({**document, "plans": {}})
    del whole["plans"]
    return whole


def _changes(path: str, before: object, after: object) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _changes(below(path, key), before.get(key), after.get(key))
    elif before != after:
        yield Difference(DifferenceKind.CHANGED, path, before, after)


__all__ = [
    "FAULTS_MAX",
    "Difference",
    "DifferenceKind",
    "Fault",
    "PlanDocument",
    "check_catalog",
    "diff",
    "normalized",
    "plan_from",
    "plans_from",
]
