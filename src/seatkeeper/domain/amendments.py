"""Amendments: what changes a running contract, from which day, and what it bills now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.changes import Asker, Offer, in_use, move_levels
from seatkeeper.domain.contracts import decide_sell, left_at_once, malformed, signed_terms
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.policies import When
from seatkeeper.domain.prices import DayLevel, agreed
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.domain.terms import Terms, decide_change_plan


class AmendmentState(StrEnum):
    """Where an amendment stands. Source: T34."""

    REQUESTED = "requested"
    QUOTED = "quoted"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    APPLIED = "applied"
    DECLINED = "declined"
    EXPIRED = "expired"


_CLOSED: Final = frozenset({AmendmentState.DECLINED, AmendmentState.EXPIRED})
AMENDMENT_TRANSITIONS: Final[Mapping[AmendmentState, frozenset[AmendmentState]]] = {
    AmendmentState.REQUESTED: frozenset({AmendmentState.QUOTED}) | _CLOSED,
    AmendmentState.QUOTED: frozenset({AmendmentState.QUOTED, AmendmentState.ACCEPTED}) | _CLOSED,
    AmendmentState.ACCEPTED: frozenset({AmendmentState.SCHEDULED, AmendmentState.APPLIED}),
    AmendmentState.SCHEDULED: frozenset({AmendmentState.APPLIED, AmendmentState.EXPIRED}),
    AmendmentState.APPLIED: frozenset(),
    AmendmentState.DECLINED: frozenset(),
    AmendmentState.EXPIRED: frozenset(),
}
ACCEPTED: Final = frozenset(
    {AmendmentState.ACCEPTED, AmendmentState.SCHEDULED, AmendmentState.APPLIED}
)


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to change: seats to add or take per type, agreed amounts, the plan.

    `when` is the account manager's exception to the day which the policies give. Shapes:
    `amounts` as `prices.agreed` takes them.
    """

    seats: Mapping[str, int] = field(default_factory=dict)
    amounts: Mapping[str, Any] = field(default_factory=dict)
    choice: Choice | None = None
    when: When | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (any(self.seats.values()) or self.amounts or self.choice)


def decide_step(state: AmendmentState, to: AmendmentState) -> Refusal | None:
    """Whether an amendment can go from one state to another; None means yes.

    Refuses: state_conflict. Source: T34.
    """
    if to in AMENDMENT_TRANSITIONS[state]:
        return None
    return refuse(Code.STATE_CONFLICT, state=state)


def decide_accept(
    state: AmendmentState, expires_at: datetime | None, now: datetime
) -> Refusal | None:
    """Whether a quoted amendment can be accepted now; None means yes.

    Refuses: state_conflict (not quoted yet, closed), quote_expired. Source: T34, A22.
    """
    if (refusal := decide_step(state, AmendmentState.ACCEPTED)) is not None:
        return refusal
    if expires_at is not None and now >= expires_at:
        contact = Remedy(Way.CONTACT_ACCOUNT_MANAGER)
        return refuse(Code.QUOTE_EXPIRED, contact, expired_at=instant_text(expires_at))
    return None


_ORDER: Final = {When.NOW: 0, When.PERIOD_END: 1, When.TERM_END: 2, When.NEVER: 2}


def effective_when(account: Account, amendment: Amendment) -> When:
    """When an amendment takes effect: the latest of what the policies say of its parts.

    Agreed amounts and another plan wait for the renewal; amounts that come with more seats come
    with them. Source: T30, T31, T33, A31, M-14.
    """
    if amendment.when is not None:
        return amendment.when
    policies = account.subscription.plan.policies
    if amendment.choice is not None or not amendment.seats:
        return When.TERM_END
    asked = (
        policies.purchase_when if delta > 0 else policies.reduce_when
        for delta in amendment.seats.values()
    )
    latest = max(asked, key=lambda when: _ORDER[when])
    return When.TERM_END if latest is When.NEVER else latest


def decide_amend(
    account: Account, amendment: Amendment, people: People, now: datetime
) -> Offer | Terms | Refusal:
    """What an amendment does, what it bills now and from when it holds.

    Refuses: invalid_request, state_conflict, past_due, over_plan_limit, quantity_out_of_range,
    below_minimum_seats, seats_in_use, and as a change of plan does. Source: T30-T33, A27-A32.
    """
    plan, price = account.subscription.plan, account.subscription.price
    if amendment.is_empty:
        return malformed("The amendment changes nothing.")
    if set(amendment.seats) - set(plan.seat_types):
        return malformed("The plan has no such seat type.")
    sold = price if amendment.choice is None else amendment.choice.price
    if set(amendment.amounts.get("seats", {})) - set(sold.seats):
        return malformed("The plan sells no seat type for which an amount is given.")
    if (state := account.closed(now)) is not None:
        return refuse(Code.STATE_CONFLICT, state=state)
    more = amendment.choice is not None or any(n > 0 for n in amendment.seats.values())
    if account.overdue and more and not plan.policies.overdue.may_buy:
        return refuse(Code.PAST_DUE)
    when = effective_when(account, amendment)
    if when is not When.NOW and account.ends_by(_end_of(account.subscription, when)):
        return refuse(Code.STATE_CONFLICT, state=Status.CANCELING)
    if amendment.choice is not None:
        return _other_plan(account, amendment, people, now)
    if (refusal := _fits(account, amendment, when)) is not None:
        return refusal
    if when is not When.NOW:
        at = _end_of(account.subscription, when)
        deltas = dict(amendment.seats)
        return Offer(kind="amendment", effective_at=at, scheduled=True, deltas=deltas)
    account = repriced(account, amendment.amounts)
    offer = move_levels(account, "amendment", amendment.seats, now)
    if not amendment.amounts:
        return offer
    # What the day has billed so far was billed at the old amounts: every type starts afresh.
    fresh = {key: billed.day for key, billed in account.pools.items()}
    deltas = {**dict.fromkeys(account.pools, 0), **offer.deltas}
    return replace(offer, deltas=deltas, levels={**fresh, **offer.levels})


def repriced(account: Account, amounts: Mapping[str, Any]) -> Account:
    """The account with agreed amounts; what the day has billed at the old ones is done with."""
    if not amounts:
        return account
    price = agreed(account.subscription.price, amounts)
    pools = {
        key: replace(billed, day=DayLevel(billed.day.level, billed.day.level, 0))
        for key, billed in account.pools.items()
    }
    return replace(account, subscription=replace(account.subscription, price=price), pools=pools)


def merged(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Agreed amounts with newer ones over them. Shapes: as `prices.agreed` takes them."""
    old = old or {}
    seats = {**old.get("seats", {}), **new.get("seats", {})}
    return {**old, **new, **({"seats": seats} if seats else {})}


def _other_plan(
    account: Account, amendment: Amendment, people: People, now: datetime
) -> Offer | Terms | Refusal:
    choice = amendment.choice
    assert choice is not None
    if amendment.seats:
        return malformed("Change the plan and the seats by two amendments.")
    refusal = decide_sell(choice, None, None)
    if refusal is not None:
        return refusal
    when = effective_when(account, amendment)
    if when is When.NOW:
        return decide_change_plan(left_at_once(account), choice, Asker.ACCOUNT_MANAGER, people, now)
    at = _end_of(account.subscription, when)
    terms = signed_terms(account, choice, at)
    if isinstance(terms, Refusal):
        return terms
    return Offer(kind="amendment", effective_at=at, scheduled=True)


def _fits(account: Account, amendment: Amendment, when: When) -> Refusal | None:
    """Whether the seats are neither too many nor too few for the plan and for who sits there."""
    plan = account.subscription.plan
    later = when is not When.NOW
    owned = {
        key: account.purchased_of(key) + (account.scheduled_delta(key) if later else 0)
        for key in plan.seat_types
    }
    seats = {key: owned[key] + amendment.seats.get(key, 0) for key in owned}
    for key, delta in amendment.seats.items():
        if not 0 <= seats[key] <= account.bound(key):
            most = account.bound(key) - owned[key]
            return refuse(
                Code.QUANTITY_OUT_OF_RANGE, minimum=-owned[key], maximum=most, seat_type=key
            )
        if delta < 0 and (refusal := in_use(account.pools[key].pool, seats[key])) is not None:
            return refusal
    count = sum(seats.values())
    if count > account.limit and count > sum(owned.values()):
        return refuse(Code.OVER_PLAN_LIMIT, limit=account.limit, count=count)
    if count < plan.minimum:
        return refuse(Code.BELOW_MINIMUM_SEATS, minimum=plan.minimum)
    return None


def _end_of(subscription: Subscription, when: When) -> datetime:
    ends = {When.TERM_END: subscription.term_ends_at, When.PERIOD_END: subscription.period_ends_at}
    return ends[when]
