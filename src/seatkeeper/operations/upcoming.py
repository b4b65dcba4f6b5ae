"""Upcoming: what the next due instant will do, by the decisions that will then be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.billing import Line, total
from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.contracts import Turn, decide_turn, lapses_at
from seatkeeper.domain.discounts import NOTHING_OFF, Discount
from seatkeeper.domain.ids import OrganizationId, SubscriptionId
from seatkeeper.domain.refusals import Refusal
from seatkeeper.domain.renewals import Due, decide_renewal, next_due, what_is_due
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.domain.terms import Terms
from seatkeeper.domain.upcoming import Because, reasons, rehearsed
from seatkeeper.operations import contract_renewals, turns
from seatkeeper.operations.accounts import account_at_end
from seatkeeper.operations.answers import (
    BecauseText,
    CurrencyText,
    Minor,
    Moment,
    SubscriptionText,
    UpcomingKindText,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.discount_words import (
    DiscountTerms,
    EndedDiscount,
    discount_terms,
    ended_discount,
)
from seatkeeper.operations.invoices import INVOICES
from seatkeeper.operations.quotes import QuoteLine, quote_lines
from seatkeeper.operations.standing import current
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.contracts import CONTRACTS, contract_of
from seatkeeper.store.database import Db, Row

RENEWAL: Final = "renewal"
UNSIGNED: Final = "unsigned"


class ReadUpcoming(Command):
    """What comes next for an organization."""

    organization: OrganizationId


class UpcomingSeats(Result):
    """The seats of one type now and then, and what made the number what it is."""

    seat_type: Key
    now: int
    then: int
    because: list[BecauseText]


class Upcoming(Result):
    """The next due instant, rehearsed on who is there now. Units: minor.

    `kind` is renewal, change_plan, transition, contract (signed terms begin), unsigned (the term
    ends and nothing is signed) or end; the last two bill nothing. `discount` is what is off this
    renewal, `ends_discount` what it takes away.
    """

    subscription: SubscriptionText
    kind: UpcomingKindText
    at: Moment
    plan: Key
    plan_version: int
    price: Key
    currency: CurrencyText
    period_start: Moment | None
    period_end: Moment | None
    term_end: Moment | None
    seats: list[UpcomingSeats]
    lines: list[QuoteLine]
    total_minor: Minor
    balance_used_minor: Minor
    payable_minor: Minor
    discount: DiscountTerms | None = None
    ends_discount: EndedDiscount | None = None


@dataclass(frozen=True, slots=True)
class _Next:
    kind: str
    at: datetime
    plan: Plan
    price: str
    bounds: tuple[datetime, datetime, datetime] | None = None
    quantities: Mapping[str, int] = field(default_factory=dict)
    because: Mapping[str, tuple[Because, ...]] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    discount: Discount | None = None
    keeps_discount: bool = False


async def show(ctx: Context, command: ReadUpcoming) -> Upcoming:
    """What the next renewal will do and bill, by the decision that will then be made.

    A scheduled change that no longer fits is left out, as it will be. Refuses: not_found without
    a subscription. Source: M-9, A24, A35, C34, design §6.
    """
    del command
    async with ctx.connection() as db:
        subscription = await current(ctx, db)
        if subscription is None:
            raise not_found()
        account, changes = await account_at_end(ctx, db, subscription)
        coming = await _next(ctx, db, account, changes)
        row = await db.one(INVOICES.balance_now, organization_id=ctx.organization_id)
    owed = total(coming.lines)
    used = min(row["balance_minor"], max(owed, 0))
    bounds = coming.bounds or (None, None, None)
    return Upcoming(
        subscription=SubscriptionId.text(subscription.subscription_id),
        kind=coming.kind,
        at=coming.at,
        plan=coming.plan.key,
        plan_version=coming.plan.version,
        price=coming.price,
        currency=ctx.organization.currency,
        period_start=bounds[0],
        period_end=bounds[1],
        term_end=bounds[2],
        seats=_seats(account, coming),
        lines=quote_lines(coming.lines),
        total_minor=owed,
        balance_used_minor=used,
        payable_minor=max(owed, 0) - used,
        discount=discount_terms(coming.discount),
        ends_discount=ended_discount(_ended(account, coming), ctx.organization.currency),
    )


def _ended(account: Account, coming: _Next) -> Discount | None:
    """The discount that the next due instant takes away. Source: C54."""
    granted = account.discount
    if granted is None or coming.kind == UNSIGNED or coming.keeps_discount:
        return None
    return granted


def _seats(account: Account, coming: _Next) -> list[UpcomingSeats]:
    keys = dict.fromkeys([*account.pools, *coming.quantities])
    return [
        UpcomingSeats(
            seat_type=key,
            now=account.purchased_of(key),
            then=coming.quantities.get(key, 0),
            because=list(coming.because.get(key, ())),
        )
        for key in keys
        if account.purchased_of(key) or coming.quantities.get(key)
    ]


async def _next(ctx: Context, db: Db, account: Account, changes: Sequence[Row]) -> _Next:
    """In the order of `turns.take_turn`, which will do it."""
    subscription = account.subscription
    at = next_due(subscription)
    if what_is_due(subscription, at) is Due.END:
        return _ends(subscription, at)
    plan_change = await turns.due_plan_change(ctx, db, account, changes)
    if plan_change is not None:
        outcome = await turns.planned(ctx, db, account, plan_change)
        if not isinstance(outcome, Refusal):
            return _onto("change_plan", at, outcome[0])
    contract = None
    if subscription.contract_id is not None:
        contract = await db.row(
            CONTRACTS.of_subscription,
            organization_id=ctx.organization_id,
            subscription_id=subscription.subscription_id,
        )
    if contract is not None:
        return await _of_contract(ctx, db, account, (contract, changes))
    if subscription.contract_id is None and subscription.plan.transition_to is not None:
        found = await turns.successor(ctx, db, account)
        if found is not None:
            return _onto("transition", at, found[0])
    return _renewal(account, RENEWAL)


async def _of_contract(
    ctx: Context, db: Db, account: Account, what: tuple[Row, Sequence[Row]]
) -> _Next:
    subscription = account.subscription
    at = subscription.period_ends_at
    contract = contract_of(what[0])
    if what[0]["state"] == "unsigned":
        at = lapses_at(subscription)
        if decide_turn(contract, subscription, at) is Turn.END:
            return _ends(subscription, at)
    following = await contract_renewals.follow(ctx, db, account, what, at)
    if following.turn is Turn.END:
        return _ends(subscription, at)
    if following.turn is Turn.WAIT:
        return _Next(UNSIGNED, at, subscription.plan, subscription.price.key)
    kind = "contract" if following.signed is not None else RENEWAL
    if following.terms is not None:
        kind = "contract" if following.signed is not None else "change_plan"
        return _onto(kind, at, following.terms)
    signed = following.signed is not None and bool(following.signed.seats)
    return _renewal(following.account, kind, signed=signed)


def _renewal(account: Account, kind: str, *, signed: bool = False) -> _Next:
    account = rehearsed(account)
    renewal = decide_renewal(account)
    subscription = account.subscription
    because = reasons(account, renewal)
    if signed:
        other = (Because.SCHEDULED, Because.SIGNED)
        because = {
            key: (Because.SIGNED, *(reason for reason in why[1:] if reason not in other))
            for key, why in because.items()
        }
    return _Next(
        kind=kind,
        at=subscription.period_ends_at,
        plan=subscription.plan,
        price=subscription.price.key,
        bounds=(renewal.starts_at, renewal.ends_at, renewal.term_ends_at),
        quantities={key: q.purchased for key, q in renewal.quantities.items()},
        because=because,
        lines=renewal.lines,
        discount=account.discount if renewal.off != NOTHING_OFF else None,
        keeps_discount=renewal.keeps(account.discount),
    )


def _onto(kind: str, at: datetime, terms: Terms) -> _Next:
    return _Next(
        kind=kind,
        at=at,
        plan=terms.plan,
        price=terms.price.key,
        bounds=(terms.starts_at, terms.ends_at, terms.term_ends_at),
        quantities=terms.quantities,
        lines=terms.lines,
    )


def _ends(subscription: Subscription, at: datetime) -> _Next:
    return _Next("end", at, subscription.plan, subscription.price.key)
