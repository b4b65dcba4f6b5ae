"""What the fields of a catalog must mean together, once each is right by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seatkeeper.domain.catalog_shapes import Fault, below, invalid
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import Capacity, Payer, Who
from seatkeeper.domain.prices import QUANTITY_MAX, SeatPrice, Tier, TierMode

INVOICE_MAX: Final = 10**18
"""The largest invoice a price may lead to, so that sums stay far inside 64 bits. Units: minor."""

Document = Mapping[str, Any]


def catalog_faults(catalog: Document, plans: Mapping[str, Document]) -> Iterator[Fault]:
    """What is wrong between fields; `plans` is the canonical form of `catalog`'s plans."""
    yield from _default_plan_faults(catalog.get("default_plan"), plans)
    for key, plan in plans.items():
        pointer = below("/plans", key)
        written = catalog["plans"][key]
        if plan["key"] != key:
            yield invalid(f"{pointer}/key", f"must be {key}, as the plan is called")
        yield from _capacity_faults(pointer, plan)
        yield from _policy_faults(pointer, plan)
        overdue = written.get("policies", {}).get("overdue", {})
        yield from _overdue_faults(f"{pointer}/policies/overdue", overdue, plan)
        for name, price in plan["prices"].items():
            yield from _price_faults(
                below(f"{pointer}/prices", name), written["prices"][name], price, plan
            )
        yield from _transition_faults(pointer, plan, plans)


def reserved_faults(catalog: Document, plans: Mapping[str, Document], most: int) -> Iterator[Fault]:
    """Which plans on offer allow more than `most` seats, the cap of the whole instance.

    A plan without a limit allows any number. Closed plans are not on offer. Source: C4.
    """
    for key, plan in plans.items():
        if plan["closed"] or (plan["limit"] is not None and plan["limit"] <= most):
            continue
        pointer = below("/plans", key)
        # At the field that says so; at the plan where a default does.
        field = "capacity" if plan["capacity"] == Capacity.UNLIMITED else "limit"
        place = f"{pointer}/{field}" if field in catalog["plans"][key] else pointer
        yield invalid(place, f"must have a limit of at most {most} seats on this instance")


def _default_plan_faults(key: str | None, plans: Mapping[str, Document]) -> Iterator[Fault]:
    if key is None:
        return
    if key not in plans:
        yield invalid("/default_plan", "names no plan of this catalog")
    elif plans[key]["closed"]:
        yield invalid("/default_plan", "names a plan that is closed")
    elif any(not _is_free(price) for price in plans[key]["prices"].values()):
        yield invalid("/default_plan", "names a plan that costs something")


def _is_free(price: Document) -> bool:
    tiers = [tier for seat in price["seats"].values() for tier in seat["tiers"]]
    amounts = [amount for t in tiers for amount in (t["unit_minor"], t["flat_minor"])]
    return not any([price["base_minor"], *amounts])


def _capacity_faults(pointer: str, plan: Document) -> Iterator[Fault]:
    capacity, limit = plan["capacity"], plan["limit"]
    if capacity == Capacity.PLAN_LIMIT and limit is None:
        yield invalid(pointer, "lacks the field limit, which its capacity needs")
    if capacity == Capacity.UNLIMITED and limit is not None:
        yield invalid(f"{pointer}/limit", "contradicts the capacity, which is unlimited")
    if limit is not None and plan["minimum"] > limit:
        yield invalid(f"{pointer}/minimum", f"must not be above the limit, {limit}")
    if capacity == Capacity.PURCHASED and not plan["prices"]:
        yield invalid(pointer, "lacks a price, though its seats are purchased")
    if capacity != Capacity.PURCHASED and plan["minimum"] > 1:
        yield invalid(f"{pointer}/minimum", "only plans whose seats are purchased have a minimum")


def _policy_faults(pointer: str, plan: Document) -> Iterator[Fault]:
    policies = plan["policies"]
    if policies["payer"] == Payer.MEMBER:
        if plan["minimum"] > 1:
            yield invalid(f"{pointer}/minimum", "must be 1 where each member pays for one seat")
        return
    for name, value in policies.items():
        if name.endswith("_who") and value == Who.MEMBER:
            yield invalid(f"{pointer}/policies/{name}", "can be member only if the payer is member")


def _overdue_faults(pointer: str, written: Document, plan: Document) -> Iterator[Fault]:
    """Tries while there is access, in the order in which they come. Source: A99."""
    overdue = plan["policies"]["overdue"]
    days, grace = overdue["retry_days"], overdue["grace_days"]
    if list(written.get("retry_days", days)) != days:
        yield invalid(f"{pointer}/retry_days", "must ascend: days after the failure, not between")
    if days and days[-1] > grace:
        # At the field that says so; at the record where the other one's default does.
        place = f"{pointer}/retry_days" if "retry_days" in written else pointer
        yield invalid(place, f"must not try again after day {grace}, when grace_days are over")


def _price_faults(
    pointer: str, written: Document, price: Document, plan: Document
) -> Iterator[Fault]:
    # Billing and per need no such check: of a month, a quarter and a year one always divides the
    # other (a test keeps it so).
    if Interval(price["term"]).months % Interval(price["billing"]).months:
        yield invalid(below(pointer, "term"), "must be a multiple of the billing interval")
    if plan["capacity"] != Capacity.PURCHASED:
        if price["seats"]:
            yield invalid(f"{pointer}/seats", "only plans whose seats are purchased sell seats")
        return
    for key in plan["seat_types"]:
        if key not in price["seats"]:
            yield invalid(pointer, f"lacks the price of the seat type {key}")
    sound = True
    for fault in _seats_faults(f"{pointer}/seats", written.get("seats", {}), plan):
        sound = False
        yield fault
    if sound:
        yield from _amount_faults(pointer, price, plan)


def _seats_faults(pointer: str, seats: Document, plan: Document) -> Iterator[Fault]:
    for key, seat in seats.items():
        place = below(pointer, key)
        if key not in plan["seat_types"]:
            yield invalid(place, "names no seat type of this plan")
        if "tiers" not in seat:
            yield from _unit_faults(place, seat, plan["limit"])
            continue
        if "included" in seat:
            yield invalid(f"{place}/included", "belongs to unit_minor; say it with a first tier")
        yield from _tiers_faults(place, seat, plan["limit"])


def _unit_faults(pointer: str, seat: Document, limit: int | None) -> Iterator[Fault]:
    if seat.get("mode", TierMode.GRADUATED) != TierMode.GRADUATED:
        yield invalid(f"{pointer}/mode", "has a meaning only beside tiers")
    if limit is not None and seat.get("included", 0) > limit:
        yield invalid(f"{pointer}/included", f"must not be above the limit, {limit}")


def _tiers_faults(pointer: str, seat: Document, limit: int | None) -> Iterator[Fault]:
    below_it = 0
    tiers = seat["tiers"]
    for number, tier in enumerate(tiers):
        place = f"{pointer}/tiers/{number}"
        bound = tier.get("up_to")
        if bound is None:
            if number < len(tiers) - 1:
                yield invalid(place, "lacks the field up_to, which only the last tier may lack")
                return
        elif bound <= below_it:
            yield invalid(f"{place}/up_to", f"must be above {below_it}, where it begins")
            return
        else:
            below_it = bound
    if limit is not None and _seat_price(seat).included > limit:
        yield invalid(f"{pointer}/tiers/0/up_to", f"includes more seats than the limit, {limit}")


def _amount_faults(pointer: str, price: Document, plan: Document) -> Iterator[Fault]:
    """Whether every quantity one can buy has an amount that can be counted."""
    limit = plan["limit"] or QUANTITY_MAX
    billing, per = Interval(price["billing"]).months, Interval(price["per"]).months
    total = price["base_minor"]
    bounds = 0
    for seat in price["seats"].values():
        seat_price = _seat_price(seat)
        most = min(seat_price.bound, limit)
        # Amounts grow inside a tier, but volume prices may fall from one tier to the next.
        ends = {min(tier.up_to or most, most) for tier in seat_price.tiers}
        total += max(seat_price.amount(end) for end in ends)
        bounds += seat_price.bound
    if bounds < plan["minimum"]:
        yield invalid(f"{pointer}/seats", "has no price for the plan's minimum of seats")
    if total * max(1, billing // per) > INVOICE_MAX:
        yield invalid(pointer, "would make an invoice too large to count; lower it, or the limit")


def _seat_price(seat: Document) -> SeatPrice:
    tiers = tuple(
        Tier(tier.get("up_to"), tier.get("unit_minor", 0), tier.get("flat_minor", 0))
        for tier in seat["tiers"]
    )
    return SeatPrice(tiers, TierMode(seat.get("mode", TierMode.GRADUATED)))


def _transition_faults(
    pointer: str, plan: Document, plans: Mapping[str, Document]
) -> Iterator[Fault]:
    target_key = plan["transition_to"]
    if target_key is None:
        if plan["successors"]:
            yield invalid(f"{pointer}/successors", "has a meaning only beside transition_to")
        return
    target = plans.get(target_key)
    place = f"{pointer}/transition_to"
    if target is None:
        yield invalid(place, "names no plan of this catalog")
        return
    if _comes_back(plan, plans):
        yield invalid(place, "leads back to this plan")
    if target["policies"]["payer"] != plan["policies"]["payer"]:
        yield invalid(place, "names a plan with another payer")
    sold = {price["currency"] for price in target["prices"].values()}
    for currency in sorted({price["currency"] for price in plan["prices"].values()} - sold):
        yield invalid(place, f"names a plan without a price in {currency}")
    for key, successor in plan["successors"].items():
        if key not in plan["seat_types"]:
            yield invalid(below(f"{pointer}/successors", key), "names no seat type of this plan")
        if successor not in target["seat_types"]:
            yield invalid(
                below(f"{pointer}/successors", key), f"names no seat type of the plan {target_key}"
            )


def _comes_back(plan: Document, plans: Mapping[str, Document]) -> bool:
    seen: set[str] = set()
    following = plan["transition_to"]
    while following in plans and following not in seen:
        if plans[following] is plan:
            return True
        seen.add(following)
        following = plans[following]["transition_to"]
    return False
