"""Quantities: how many seats of each type an organization starts a plan with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from seatkeeper.domain.catalog import Plan, successors_of
from seatkeeper.domain.changes import in_use
from seatkeeper.domain.policies import Capacity, SeatUse
from seatkeeper.domain.prices import QUANTITY_MAX, Price
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse
from seatkeeper.domain.seats import SeatPool


@dataclass(frozen=True, slots=True)
class Choice:
    """What someone chose: a plan, one of its prices, seats per type where they named them."""

    plan: Plan
    price: Price
    seats: Mapping[str, int] = field(default_factory=dict)
    trial: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """Who needs a seat where there is no subscription yet, and the limit for plans without one."""

    members: int = 0
    invited: int = 0
    membership_limit: int | None = None
    # Who sits from an earlier subscription still, per seat type they would come to. Source: S-2.
    seated: Mapping[str, SeatPool] = field(default_factory=dict)

    @property
    def occupied(self) -> int:
        """Members and pending invitations: what needs seats. Source: C12, G18."""
        return self.members + self.invited


def quantities_of(
    choice: Choice, people: People, carried: Mapping[str, int]
) -> Mapping[str, int] | Refusal:
    """The seats per type that the choice starts with.

    What was asked; else what was carried over, at a first start the people there are; never below
    included seats. Where every member sits, fewer seats than people are refused. Refuses:
    invalid_request, quantity_out_of_range, limit_managed_by_plan, below_minimum_seats,
    over_plan_limit, seats_in_use. Source: A12, A16, A95, A98, C12-C16, C48, C49.
    """
    plan = choice.plan
    unknown = set(choice.seats) - set(plan.seat_types)
    if unknown:
        return refuse(Code.INVALID_REQUEST, detail=f"The plan has no seat type {min(unknown)}.")
    if plan.capacity is not Capacity.PURCHASED:
        return _granted(choice, people)
    quantities = {key: carried.get(key, 0) for key in plan.seat_types}
    quantities.update(choice.seats)
    entry = plan.entry_type.key
    others = sum(n for key, n in quantities.items() if key != entry)
    if entry not in choice.seats:
        fresh = not choice.seats and not carried and not plan.is_per_member
        needed = people.occupied if fresh or _seats_everyone(plan) else 0
        quantities[entry] = max(quantities[entry], needed - others)
        if not choice.seats:
            quantities[entry] = max(quantities[entry], plan.minimum - others)
    elif quantities[entry] < 0:
        return _out_of_range(choice, entry)
    included = choice.price.seats[entry].included if entry in choice.price.seats else 0
    quantities[entry] = max(quantities[entry], included)
    return _within(choice, people, quantities)


def first_quantities(choice: Choice, people: People) -> Mapping[str, int] | Refusal:
    """The seats of a first start, or of another one: who still sits needs a seat.

    Refuses as `quantities_of`, and seats_in_use. Source: A34, C12, M-12, S-2.
    """
    quantities = quantities_of(choice, people, {})
    new = choice.plan
    if isinstance(quantities, Refusal) or new.capacity is not Capacity.PURCHASED:
        return quantities
    if people.seated and not choice.seats:
        entry = new.entry_type.key
        seated = {key: people.seated[key].occupied for key in people.seated}
        others = sum(n for key, n in seated.items() if key != entry)
        seated[entry] = max(seated.get(entry, 0), quantities[entry] - others)
        quantities = quantities_of(replace(choice, seats=seated), people, {})
        if isinstance(quantities, Refusal):
            return quantities
    for key, pool in people.seated.items():
        if (refusal := in_use(pool, quantities[key])) is not None:
            return refusal
    return quantities


def seated_in(old: Plan, new: Plan, pools: Iterable[SeatPool]) -> Mapping[str, SeatPool]:
    """Who sits in the pools of a plan, per type of another one; types with nobody are left out."""
    becomes = successors_of(old, new)
    taken = [(becomes.get(p.seat_type, new.entry_type.key), p) for p in pools if p.occupied]
    found = {}
    for kind in new.by_rank:
        assigned = sum(p.assigned for key, p in taken if key == kind.key)
        held = sum(p.held for key, p in taken if key == kind.key)
        if assigned + held:
            found[kind.key] = SeatPool(
                UUID(int=0), kind.key, kind.rank, assigned + held, assigned, held
            )
    return found


def _seats_everyone(plan: Plan) -> bool:
    """Whether one subscription must have a seat for each member. Source: C58, T8."""
    return plan.policies.seat_use is SeatUse.EVERY_MEMBER and not plan.is_per_member


def _granted(choice: Choice, people: People) -> Mapping[str, int] | Refusal:
    plan = choice.plan
    if choice.seats:
        return refuse(Code.LIMIT_MANAGED_BY_PLAN)
    most = {
        Capacity.PLAN_LIMIT: plan.limit,
        Capacity.MEMBERSHIP_LIMIT: (
            plan.limit if people.membership_limit is None else people.membership_limit or None
        ),
    }.get(plan.capacity)
    limit = QUANTITY_MAX if most is None else most
    if people.occupied > limit:
        return _too_many(limit, people.occupied, people)
    return {key: (limit if key == plan.entry_type.key else 0) for key in plan.seat_types}


def _within(
    choice: Choice, people: People, quantities: Mapping[str, int]
) -> Mapping[str, int] | Refusal:
    plan = choice.plan
    seats = sum(quantities.values())
    for key, quantity in quantities.items():
        if quantity < 0:
            return _out_of_range(choice, key)
    if seats < plan.minimum:
        return refuse(
            Code.BELOW_MINIMUM_SEATS,
            Remedy(Way.CORRECT_REQUEST, {"minimum": plan.minimum}),
            minimum=plan.minimum,
        )
    everyone = people.occupied if _seats_everyone(plan) else 0
    if plan.limit is not None and max(seats, everyone) > plan.limit:
        return _too_many(plan.limit, max(seats, everyone), people)
    for key, quantity in quantities.items():
        if quantity > _bound(choice, key):
            return _out_of_range(choice, key)
    if seats < everyone:
        pool = SeatPool(
            UUID(int=0), plan.entry_type.key, 0, everyone, people.members, people.invited
        )
        return in_use(pool, seats) or quantities
    return quantities


def _bound(choice: Choice, key: str) -> int:
    return choice.price.seats[key].bound if key in choice.price.seats else QUANTITY_MAX


def _out_of_range(choice: Choice, key: str) -> Refusal:
    maximum = _bound(choice, key)
    return refuse(Code.QUANTITY_OUT_OF_RANGE, minimum=0, maximum=maximum, seat_type=key)


def _too_many(limit: int, count: int, people: People) -> Refusal:
    ways = [Remedy(Way.CHOOSE_PLAN, {"min_seats": count})]
    # Where only the asked quantity is too large, nobody has to go.
    if people.occupied > limit:
        ways.insert(0, Remedy(Way.REMOVE_MEMBERS, {"quantity": people.occupied - limit}))
        if people.invited:
            ways.insert(1, Remedy(Way.REVOKE_INVITATION))
    return refuse(Code.OVER_PLAN_LIMIT, *ways, limit=limit, count=count)
