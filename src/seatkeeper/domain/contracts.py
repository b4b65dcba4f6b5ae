"""Contracts: what is signed until when, and what follows where its term ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from seatkeeper.domain.accounts import Account, Scheduled
from seatkeeper.domain.catalog import successors_of
from seatkeeper.domain.changes import Asker
from seatkeeper.domain.periods import Interval, anchored, local_day, midnight
from seatkeeper.domain.policies import Capacity, RenewalQuantity, When, Who
from seatkeeper.domain.prices import Price
from seatkeeper.domain.quantities import Choice, People, quantities_of
from seatkeeper.domain.refusals import Code, Refusal, refuse
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.domain.terms import (
    Terms,
    beside_cancellation,
    decide_change_plan,
    is_free,
    terms_from,
)

TERM_MONTHS: Final = 12


class Kind(StrEnum):
    """How a contract binds and bills; its plan's policies say what follows. Source: T30, T33."""

    MONTHLY = "monthly"
    ANNUAL = "annual"  # bound for a year or more, billed in instalments
    ANNUAL_UPFRONT = "annual_upfront"


class ContractState(StrEnum):
    """Where a contract stands."""

    ACTIVE = "active"
    UNSIGNED = "unsigned"  # its term is over, its plan in force through the grace
    ENDED = "ended"


CONTRACT_TRANSITIONS: Final[Mapping[ContractState, frozenset[ContractState]]] = {
    ContractState.ACTIVE: frozenset({ContractState.UNSIGNED, ContractState.ENDED}),
    ContractState.UNSIGNED: frozenset({ContractState.ACTIVE, ContractState.ENDED}),
    ContractState.ENDED: frozenset(),
}


class Turn(StrEnum):
    """What a contract makes of the end of a billing period."""

    GO_ON = "go_on"  # inside what is signed
    BEGIN = "begin"  # on what was signed next
    WAIT = "wait"  # unsigned, in its grace
    END = "end"


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as far as time bears on it; `is_signed` when what follows is signed."""

    state: ContractState
    signed_until: datetime
    is_signed: bool


def kind_of(price: Price) -> Kind:
    """What kind of contract a price makes: by its term, and whether that is billed at once."""
    if price.term is Interval.YEAR:
        return Kind.ANNUAL_UPFRONT if price.billing is price.term else Kind.ANNUAL
    return Kind.MONTHLY


def decide_sell(choice: Choice, kind: Kind | None, term_months: int | None) -> Refusal | None:
    """Whether a plan at that price can be sold under such a contract; None means yes.

    Refuses: invalid_request. Source: T29, T30, A92.
    """
    plan, price = choice.plan, choice.price
    if plan.policies.change_plan_who is not Who.ACCOUNT_MANAGER or plan.is_per_member:
        return malformed(f"The plan {plan.key} is not sold under a contract.")
    if plan.capacity is not Capacity.PURCHASED:
        return malformed(f"The plan {plan.key} sells no seats.")
    if kind not in (None, kind_of(price)):
        return malformed(f"At the price {price.key} a contract is {kind_of(price)}.")
    if term_months is not None and term_months % price.term.months:
        return malformed(f"The term must be a multiple of {price.term.months} months.")
    return None


def malformed(sentence: str) -> Refusal:
    """A request that says nothing sensible."""
    return refuse(Code.INVALID_REQUEST, detail=sentence)


def left_at_once(account: Account) -> Account:
    """The account on a plan that may be left at once: the account manager's exception."""
    subscription = account.subscription
    policies = replace(subscription.plan.policies, upgrade_when=When.NOW, downgrade_when=When.NOW)
    plan = replace(subscription.plan, policies=policies)
    return replace(account, subscription=replace(subscription, plan=plan))


def keeps_period(account: Account, choice: Choice) -> bool:
    """Whether a running subscription can come under a contract as it is: what is paid stays paid.

    The same rhythm, and every seat type that is owned exists there too. Source: A30.
    """
    subscription = account.subscription
    old, new = subscription.price, choice.price
    owned = {key for key, billed in account.pools.items() if billed.pool.purchased}
    return (
        old.billing is new.billing
        and old.term is new.term
        and not subscription.in_trial
        and not is_free(subscription.plan, old)
        and owned <= set(new.seats)
    )


def decide_convert_to_contract(
    account: Account, choice: Choice, people: People, now: datetime
) -> Terms | Refusal:
    """The terms with which a running subscription comes under a contract now.

    Where the period goes on nothing is billed for what is owned: the agreed amounts hold for what
    is billed from then on. Otherwise as a change of plan at once. Refuses: state_conflict,
    past_due, below_minimum_seats, as a change of plan does. Source: A30, C50, M-14.
    """
    if not keeps_period(account, choice):
        return decide_change_plan(left_at_once(account), choice, Asker.ACCOUNT_MANAGER, people, now)
    subscription = account.subscription
    if (state := account.closed(now)) is not None:
        return refuse(Code.STATE_CONFLICT, state=state)
    if account.overdue and not subscription.plan.policies.overdue.may_buy:
        return refuse(Code.PAST_DUE)
    quantities = {key: account.purchased_of(key) for key in choice.plan.seat_types}
    if sum({**quantities, **choice.seats}.values()) < choice.plan.minimum:
        return refuse(Code.BELOW_MINIMUM_SEATS, minimum=choice.plan.minimum)
    return Terms(
        plan=choice.plan,
        price=choice.price,
        status=Status.ACTIVE,
        anchor=subscription.anchor,
        number=subscription.number,
        starts_at=subscription.period_starts_at,
        ends_at=subscription.period_ends_at,
        term_ends_at=subscription.term_ends_at,
        quantities=quantities,
        keeps_period=True,
    )


def signed_until(price: Price, anchor: date, number: int, term_months: int | None) -> date:
    """The last day's end of a term signed from the price's term that holds period `number` on."""
    begun = max(number, 0) // price.periods_per_term * price.term.months
    months = max(TERM_MONTHS, price.term.months) if term_months is None else term_months
    return anchored(anchor, begun + months)


def lapses_at(subscription: Subscription) -> datetime:
    """When an unsigned contract ends: after its grace, or sooner where arrears end it.

    Grace ends at local midnight. Source: A96.
    """
    zone = subscription.time_zone
    days = timedelta(days=subscription.plan.policies.unsigned_grace_days)
    grace = midnight(local_day(subscription.period_ends_at, zone) + days, zone)
    stops_at = subscription.stops_at
    return grace if stops_at is None else min(grace, stops_at)


def decide_turn(contract: Contract, subscription: Subscription, now: datetime) -> Turn:
    """What happens at the end of the running period. Source: A95, A96."""
    if subscription.period_ends_at < contract.signed_until:
        return Turn.GO_ON
    if contract.is_signed:
        return Turn.BEGIN
    return Turn.END if now >= lapses_at(subscription) else Turn.WAIT


def decide_sign(contract: Contract, subscription: Subscription, now: datetime) -> Refusal | None:
    """Whether what follows can be signed now; None means yes: until the grace is over.

    What is canceled ends with its term, so that nothing would follow: resume it first. Refuses:
    state_conflict. Source: A95, A96, T-7.
    """
    over = subscription.period_ends_at >= contract.signed_until and now >= lapses_at(subscription)
    if over or contract.state is ContractState.ENDED:
        return refuse(Code.STATE_CONFLICT, state=ContractState.ENDED)
    canceled = subscription.cancel_at is not None
    return refuse(Code.STATE_CONFLICT, state=Status.CANCELING) if canceled else None


def signed_quantities(account: Account, choice: Choice, at: datetime) -> Mapping[str, int]:
    """The seats with which another plan begins when it was signed.

    What was signed, else the sum over the old types; then what waits for that day, the people who
    sit there, the included seats, the minimum. Source: A35, A95, A98.
    """
    plan = choice.plan
    becomes = successors_of(account.subscription.plan, plan)
    seats = dict.fromkeys(plan.seat_types, 0)
    occupied = dict.fromkeys(plan.seat_types, 0)
    for key, billed in account.pools.items():
        to = becomes.get(key, plan.entry_type.key)
        owned = 0 if choice.seats else billed.pool.purchased
        seats[to] += owned + account.scheduled_delta(key, at)
        occupied[to] += billed.pool.occupied
    for key in seats:
        seat_price = choice.price.seats.get(key)
        included = 0 if seat_price is None else seat_price.included
        signed = choice.seats.get(key, 0)
        seats[key] = max(seats[key] + signed, occupied[key], included)
    short = plan.minimum - sum(seats.values())
    seats[plan.entry_type.key] += max(short, 0)
    return seats


def signed_terms(account: Account, choice: Choice, at: datetime) -> Terms | Refusal:
    """The terms of another plan that begin at `at`. Refuses: what does not fit it. Source: A95."""
    seats = signed_quantities(account, choice, at)
    terms = terms_from(account, replace(choice, seats=seats), People(), at)
    return terms if isinstance(terms, Refusal) else beside_cancellation(terms, account.subscription)


def signed_account(account: Account, price: Price, seats: Mapping[str, int]) -> Account:
    """The account that renews on its own plan at the signed price and, where named, seats.

    What was signed is renewed as it stands, with what was scheduled since; people, minimum and
    limit hold as ever. Source: A35, A36, T29.
    """
    subscription = replace(account.subscription, price=price)
    if not seats:
        return replace(account, subscription=subscription)
    policies = replace(subscription.plan.policies, renewal_quantity=RenewalQuantity.CONTRACT)
    plan = replace(subscription.plan, policies=policies)
    moved = tuple(
        Scheduled("contract", key, seats.get(key, 0) - account.purchased_of(key))
        for key in account.pools
    )
    return replace(
        account,
        subscription=replace(subscription, plan=plan),
        scheduled=(*account.scheduled, *moved),
    )


def decide_signed_seats(
    account: Account, choice: Choice, people: People
) -> Mapping[str, int] | Refusal:
    """Whether the seats that are signed fit their plan. Refuses: as `quantities_of`."""
    if choice.seats:
        return quantities_of(choice, people, {})
    at = account.subscription.term_ends_at
    return quantities_of(replace(choice, seats=signed_quantities(account, choice, at)), people, {})


def due_on_terms(starts_at: datetime, now: datetime, days: int, time_zone: str) -> datetime:
    """When an invoice on terms is to be paid: from its period on, or from a later day of issue."""
    issued = midnight(local_day(now, time_zone), time_zone)
    return max(starts_at, issued) + timedelta(days=days)
