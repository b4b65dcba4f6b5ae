"""Amending: what an amendment does to its contract: decided for the offer, done when accepted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from seatkeeper.domain.amendments import Amendment, decide_amend, merged
from seatkeeper.domain.changes import Offer
from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.policies import When
from seatkeeper.domain.prices import agreed
from seatkeeper.domain.quantities import Choice
from seatkeeper.domain.refusals import Refusal, Refused
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.operations.accounts import load_account, stored
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.contract_terms import not_parked
from seatkeeper.operations.decisions import CHANGES, Decided, people_of
from seatkeeper.operations.effect_words import Cause, counted, effect_of_offer, effect_of_terms
from seatkeeper.operations.effects import apply_effect, end_discount
from seatkeeper.operations.invoices import Bill, due_date, issue
from seatkeeper.operations.renewal_writing import RENEWALS
from seatkeeper.operations.standing import lock_current
from seatkeeper.store.contracts import CONTRACTS
from seatkeeper.store.database import Db, Row


class Effective(StrEnum):
    """The account manager's exceptions to the day on which an amendment takes effect."""

    NOW = "now"
    PERIOD_END = "period_end"
    TERM_END = "term_end"


class CreditTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What of an invoice is credited when the amendment is accepted."""

    invoice_id: UUID
    amount_minor: int


class AmendmentTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an amendment asks for and, once quoted, what was agreed.

    `seats` are seats to add or take per type. `effective` is an exception to the policy's day, for
    `reason`.
    """

    seats: dict[str, int] = {}
    plan: str | None = None
    price: str | None = None
    plan_version_id: UUID | None = None
    amounts: dict[str, Any] = {}
    effective: Effective | None = None
    reason: str | None = None
    credit: CreditTerms | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract with its subscription, as an amendment finds them."""

    subscription: Subscription
    contract: Row


async def standing(ctx: Context, db: Db) -> Standing:
    """The contract in force and its subscription, locked. Refuses: not_found without one."""
    subscription = await lock_current(ctx, db)
    row = None
    if subscription is not None:
        row = await db.row(
            CONTRACTS.lock,
            organization_id=ctx.organization_id,
            subscription_id=subscription.subscription_id,
        )
    if subscription is None or row is None:
        raise not_found()
    return Standing(subscription, row)


async def decide(
    ctx: Context, db: Db, found: Standing, terms: AmendmentTerms, slot: str
) -> Decided:
    """What an amendment does and bills if it is accepted now, or the refusal, raised.

    Refuses: parked, request_in_progress, as `decide_amend`. Cost: locks the pools. Source: T30-T33.
    """
    await not_parked(ctx, db)
    loaded = await load_account(ctx, db, found.subscription)
    loaded.check_waiting()
    amendment = await _amendment(ctx, db, terms)
    people = await people_of(ctx, db)
    outcome = decide_amend(loaded.account, amendment, people, ctx.now)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    if isinstance(outcome, Offer):
        plan, effect, at = found.subscription.plan, effect_of_offer(outcome), outcome.effective_at
    else:
        assert terms.plan_version_id is not None
        plan, effect, at = outcome.plan, effect_of_terms(outcome, terms.plan_version_id), ctx.now
    return Decided(
        kind="amendment",
        subscription=found.subscription,
        plan=plan,
        effect=counted(effect, loaded.account),
        effective_at=at,
        lines=outcome.lines,
        scheduled=outcome.scheduled,
        slot=slot if outcome.scheduled else None,
        net_terms_days=found.contract["net_terms_days"],
        ends_discount=loaded.account.discount if ends_discount(terms) else None,
    )


def ends_discount(terms: AmendmentTerms) -> bool:
    """Whether an amendment takes the discount away: another plan, or other amounts. Source: C54."""
    return terms.plan_version_id is not None or bool(terms.amounts)


async def _amendment(ctx: Context, db: Db, terms: AmendmentTerms) -> Amendment:
    choice = None
    if terms.plan_version_id is not None:
        plan = await ctx.engine.plan(db, terms.plan_version_id)
        price = plan.price_in(ctx.organization.currency, terms.price)
        assert price is not None
        choice = Choice(plan, agreed(price, terms.amounts))
    when = None if terms.effective is None else When(terms.effective)
    return Amendment(terms.seats, terms.amounts, choice, when)


async def carry_out(
    ctx: Context, db: Db, found: Standing, terms: AmendmentTerms, decided: Decided
) -> UUID:
    """Does what was decided, now or as a change that waits for its day; the change's id.

    What is billed goes out on the contract's terms, and the seats are there at once. Source: A27,
    T30, T31.
    """
    change_id = ctx.new_id()
    subscription_id = found.subscription.subscription_id
    invoice_id = None
    if decided.lines:
        assert decided.net_terms_days is not None
        due_at = due_date(ctx, decided.net_terms_days)
        cause_id = ChangeId.text(change_id)
        bill = Bill(subscription_id, decided.lines, "change", cause_id, due_at, due_at)
        invoice_id = (await issue(ctx, db, bill, draft=False)).invoice_id
    await db.run(
        CHANGES.insert,
        organization_id=ctx.organization_id,
        change_id=change_id,
        subscription_id=subscription_id,
        kind=decided.kind,
        state="scheduled" if decided.scheduled else "applied",
        command={"kind": decided.kind, **stored(terms)},
        quote_id=None,
        slot=decided.slot,
        effective_at=decided.effective_at,
        now=ctx.now,
        actor=ctx.actor_text,
        invoice_id=invoice_id,
        effect=stored(decided.effect),
        request_key=None,
        request_hash=None,
        resume=None,
    )
    if not decided.scheduled:
        cause = Cause(decided.kind, change_id)
        if decided.effect.terms is not None:
            await _leave_plan(ctx, db, found)
        await apply_effect(ctx, db, subscription_id, decided.effect, cause)
        await _agree(ctx, db, found, terms)
    return change_id


async def _leave_plan(ctx: Context, db: Db, found: Standing) -> None:
    """What waited for the old plan has nothing to wait for any more."""
    await db.run(
        RENEWALS.cancel_scheduled,
        organization_id=ctx.organization_id,
        subscription_id=found.subscription.subscription_id,
        now=ctx.now,
    )
    await db.run(
        CONTRACTS.settle,
        organization_id=ctx.organization_id,
        contract_id=found.contract["contract_id"],
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def _agree(ctx: Context, db: Db, found: Standing, terms: AmendmentTerms) -> None:
    """Keeps the agreed amounts; another plan begins without those of the old one."""
    if not ends_discount(terms):
        return
    old = found.contract["overrides"] if terms.plan_version_id is None else None
    subscription_id, overrides = found.subscription.subscription_id, merged(old, terms.amounts)
    await db.run(
        CONTRACTS.set_overrides,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        overrides=overrides or None,
    )
    await end_discount(ctx, db, subscription_id, "price")
