"""Contract beginnings: a fresh subscription under a contract, or a running one that comes under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from seatkeeper.domain.amendments import Amendment, decide_amend
from seatkeeper.domain.billing import Line
from seatkeeper.domain.changes import Offer
from seatkeeper.domain.contracts import (
    Kind,
    decide_convert_to_contract,
    kind_of,
    signed_until,
)
from seatkeeper.domain.ids import ContractId
from seatkeeper.domain.periods import instant_text, local_day, midnight
from seatkeeper.domain.policies import When
from seatkeeper.domain.quantities import People, first_quantities
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.domain.terms import Terms, begin
from seatkeeper.operations.accounts import load_account
from seatkeeper.operations.context import Context
from seatkeeper.operations.contract_terms import Sold, tell
from seatkeeper.operations.decisions import CHANGES, people_of, still_seated
from seatkeeper.operations.effect_words import Cause, effect_of_offer, effect_of_terms
from seatkeeper.operations.effects import apply_effect, insert_subscription
from seatkeeper.operations.invoices import Bill, due_date, issue
from seatkeeper.operations.renewal_writing import RENEWALS
from seatkeeper.operations.standing import lock_current
from seatkeeper.store.contracts import CONTRACTS
from seatkeeper.store.database import Db, Row


@dataclass(frozen=True, slots=True)
class Asked:
    """What the account manager puts into a contract; None: as the plan has it, or as it is."""

    plan: str
    price: str | None
    kind: Kind | None
    account_manager: str
    net_terms_days: int | None
    overdue_grace_days: int | None
    seats: Mapping[str, int]
    amounts: Mapping[str, Any] | None
    start: date | None
    term_months: int | None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A contract that is about to be: its ids, what was bought, and on which terms."""

    contract_id: UUID
    subscription_id: UUID
    bought: Sold
    terms: Terms
    net_terms_days: int
    keeps_price: bool = False


async def begin_fresh(ctx: Context, db: Db, asked: Asked, bought: Sold) -> None:
    """A fresh subscription under a contract."""
    people, becomes = await still_seated(ctx, db, bought.choice.plan, lock=True)
    quantities = first_quantities(bought.choice, people)
    if isinstance(quantities, Refusal):
        raise Refused(quantities)
    zone = ctx.organization.time_zone
    today = local_day(ctx.now, zone)
    start = asked.start or today
    if start > today:
        raise Refused(_no_start("A contract starts today or before, not later."))
    choice = replace(bought.choice, trial=False)
    # No billing period is longer than a year; far back there are no dates to compute with.
    over = today - start > timedelta(days=366)
    terms = begin(choice, quantities, zone, today if over else start)
    terms = replace(terms, successors=becomes)
    if over or terms.ends_at <= ctx.now:
        raise Refused(_no_start("The first billing period would be over already."))
    effect = effect_of_terms(terms, bought.version_id)
    assert effect.terms is not None
    subscription_id = await insert_subscription(ctx, db, effect.terms)
    begun = _begun(ctx, asked, (bought, terms), subscription_id)
    await _write(ctx, db, asked, begun)


def _begun(ctx: Context, asked: Asked, what: tuple[Sold, Terms], subscription_id: UUID) -> _Begun:
    bought, terms = what
    days = asked.net_terms_days
    if days is None:
        days = bought.choice.plan.policies.net_terms_days
    return _Begun(ctx.new_id(), subscription_id, bought, terms, days)


async def convert(ctx: Context, db: Db, asked: Asked, what: tuple[Sold, Subscription]) -> None:
    """A running subscription comes under a contract. Source: A30."""
    bought, subscription = what
    loaded = await load_account(ctx, db, subscription)
    loaded.check_waiting()
    if asked.start not in (None, local_day(ctx.now, ctx.organization.time_zone)):
        raise Refused(_no_start("What runs already comes under a contract today."))
    people = await people_of(ctx, db)
    terms = decide_convert_to_contract(loaded.account, bought.choice, people, ctx.now)
    if isinstance(terms, Refusal):
        raise Refused(terms)
    begun = _begun(ctx, asked, (bought, terms), subscription.subscription_id)
    begun = replace(begun, keeps_price=terms.keeps_period and _is_same(bought, subscription))
    await _write(ctx, db, asked, begun)
    if terms.keeps_period and bought.choice.seats:
        await _resize(ctx, db, begun, people)


def _is_same(bought: Sold, subscription: Subscription) -> bool:
    """Whether a contract is on the plan and the price that are there: no discount ends. C54."""
    new, old = bought.choice, subscription
    return (
        (new.plan.key, new.plan.version) == (old.plan.key, old.plan.version)
        and new.price.key == old.price.key
        and not bought.amounts
    )


async def _write(ctx: Context, db: Db, asked: Asked, begun: _Begun) -> None:
    """Writes the contract, puts the subscription on its terms and bills what they bill."""
    terms, choice = begun.terms, begun.bought.choice
    effect = effect_of_terms(terms, begun.bought.version_id)
    assert effect.terms is not None
    kept = msgspec.structs.replace(effect.terms, keeps_price=begun.keeps_price)
    effect = msgspec.structs.replace(effect, terms=kept)
    cause = Cause("contract", begun.contract_id)
    if not terms.keeps_period:
        # What waited for the old terms has nothing to wait for any more.
        await db.run(
            RENEWALS.cancel_scheduled,
            organization_id=ctx.organization_id,
            subscription_id=begun.subscription_id,
            now=ctx.now,
        )
    await apply_effect(ctx, db, begun.subscription_id, effect, cause)
    until = signed_until(choice.price, terms.anchor, terms.number, asked.term_months)
    zone = ctx.organization.time_zone
    await db.run(
        CONTRACTS.insert,
        organization_id=ctx.organization_id,
        contract_id=begun.contract_id,
        subscription_id=begun.subscription_id,
        kind=kind_of(choice.price),
        account_manager=asked.account_manager,
        net_terms_days=begun.net_terms_days,
        overdue_grace_days=asked.overdue_grace_days,
        signed_until=midnight(until, zone),
        overrides=dict(begun.bought.amounts) or None,
        now=ctx.now,
    )
    await _bill(ctx, db, begun, terms.lines)
    facts = {"plan": choice.plan.key, "signed_until": instant_text(midnight(until, zone))}
    await tell(ctx, db, "contract.created", begun.contract_id, facts)


async def _bill(ctx: Context, db: Db, begun: _Begun, lines: tuple[Line, ...]) -> None:
    if not lines:
        return
    due_at = due_date(ctx, begun.net_terms_days)
    cause_id = ContractId.text(begun.contract_id)
    bill = Bill(begun.subscription_id, lines, "contract", cause_id, due_at, due_at)
    await issue(ctx, db, bill, draft=False)


async def _resize(ctx: Context, db: Db, begun: _Begun, people: People) -> None:
    """The seats of the contract, where they differ from those that were owned: at once."""
    subscription = await lock_current(ctx, db)
    assert subscription is not None
    account = (await load_account(ctx, db, subscription)).account
    seats = begun.bought.choice.seats
    deltas = {key: n - account.purchased_of(key) for key, n in seats.items()}
    deltas = {key: delta for key, delta in deltas.items() if delta}
    if not deltas:
        return
    outcome = decide_amend(account, Amendment(seats=deltas, when=When.NOW), people, ctx.now)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    assert isinstance(outcome, Offer)
    cause = Cause("contract", begun.contract_id)
    await apply_effect(ctx, db, begun.subscription_id, effect_of_offer(outcome), cause)
    await _bill(ctx, db, begun, outcome.lines)


def _no_start(sentence: str) -> Refusal:
    return refuse(Code.INVALID_REQUEST, detail=sentence)


async def change_details(
    ctx: Context, db: Db, asked: Asked, what: tuple[Subscription, Row]
) -> None:
    """The people and payment terms of a contract in force; its other terms must be the same."""
    subscription, row = what
    owned = await db.rows(CHANGES.purchased, organization_id=ctx.organization_id)
    seats = {item["seat_type"]: item["purchased"] for item in owned}
    amounts = row["overrides"] if asked.amounts is None else asked.amounts or None
    other = {
        "plan": asked.plan != subscription.plan.key,
        "price": asked.price not in (None, subscription.price.key),
        "kind": asked.kind not in (None, row["kind"]),
        "seats": any(seats.get(key, 0) != quantity for key, quantity in asked.seats.items()),
        "prices": amounts != row["overrides"],
        "start": asked.start not in (None, subscription.anchor),
    }
    if any(other.values()):
        raise Refused(
            refuse(
                Code.ALREADY_EXISTS,
                detail="A contract is in force; change its terms by an amendment.",
                different=[name for name, differs in other.items() if differs],
            )
        )
    days = row["net_terms_days"] if asked.net_terms_days is None else asked.net_terms_days
    grace = asked.overdue_grace_days
    grace = row["overdue_grace_days"] if grace is None else grace
    details = {
        "account_manager": asked.account_manager,
        "net_terms_days": days,
        "overdue_grace_days": grace,
    }
    if all(row[name] == value for name, value in details.items()):
        return
    await db.run(
        CONTRACTS.change_details,
        organization_id=ctx.organization_id,
        contract_id=row["contract_id"],
        **details,
    )
    await tell(ctx, db, "contract.changed", row["contract_id"], details)
