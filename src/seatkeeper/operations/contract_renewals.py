"""Contract renewals: what follows on a period of a contract, rehearsed and carried out alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.amendments import merged
from seatkeeper.domain.contracts import (
    Turn,
    decide_turn,
    due_on_terms,
    kind_of,
    lapses_at,
    signed_account,
    signed_terms,
    signed_until,
)
from seatkeeper.domain.periods import instant_text, local_day, midnight
from seatkeeper.domain.policies import Who
from seatkeeper.domain.prices import Price, agreed
from seatkeeper.domain.quantities import Choice
from seatkeeper.domain.refusals import Refusal
from seatkeeper.domain.terms import Terms
from seatkeeper.operations.context import Context
from seatkeeper.operations.contract_terms import NextTerms, tell
from seatkeeper.operations.decisions import CHANGES
from seatkeeper.operations.effect_words import Cause, Effect, effect_of_terms
from seatkeeper.operations.effects import apply_terms, end_discount
from seatkeeper.operations.endings import end
from seatkeeper.operations.invoices import Bill, issue
from seatkeeper.operations.renewal_writing import RENEWALS, period_cause, renew_alone
from seatkeeper.store.contracts import CONTRACTS, contract_of
from seatkeeper.store.database import Db, Row


@dataclass(frozen=True, slots=True)
class Following:
    """What follows on the running period of a contract.

    `account` renews as it stands; with `terms` another plan, of `version_id`, begins instead.
    `refusal` says why what was signed or agreed cannot begin. `overrides` are the amounts agreed
    from then on, `signed` what of the next term is signed and begins with it; `failed` changes
    cannot be carried out any more.
    """

    turn: Turn
    account: Account
    overrides: dict[str, Any] | None = None
    terms: Terms | None = None
    version_id: UUID | None = None
    signed: NextTerms | None = None
    refusal: Refusal | None = None
    failed: tuple[UUID, ...] = ()


async def renew(ctx: Context, db: Db, account: Account, changes: Sequence[Row]) -> bool:
    """Carries out what the end of a contract's period calls for; False when there is no contract.

    Inside the signed term the policy renews, with the amendments that are due; at its end what
    was signed begins. Unsigned, the subscription stands through the grace, then ends; a turn that
    is taken twice finds the same instant. Source: A36, A95, A96, T-1, T29, T30, T33.
    """
    subscription = account.subscription
    contract = await db.row(
        CONTRACTS.lock,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )
    if contract is None:
        return False
    changes = [change for change in changes if change["slot"] != "plan"]
    following = await follow(ctx, db, account, (contract, changes), ctx.now)
    if following.turn is Turn.END:
        await _end(ctx, db, account)
    elif following.turn is Turn.WAIT:
        await _wait(ctx, db, account, contract, following.refusal)
    else:
        await _go_on(ctx, db, following, (contract, changes))
    return True


async def outranks(ctx: Context, db: Db, account: Account, change: Row) -> bool:
    """Whether the contract has its say before a scheduled change of plan, where its term ends.

    What was signed begins; unsigned, the old plan stays in force. A change to a plan that is not
    sold under contracts renews none, and leaves this one. Source: A95, A96.
    """
    contract = await db.row(
        CONTRACTS.of_subscription,
        organization_id=ctx.organization_id,
        subscription_id=account.subscription.subscription_id,
    )
    at = account.subscription.period_ends_at
    if contract is None or decide_turn(contract_of(contract), account.subscription, at) is (
        Turn.GO_ON
    ):
        return False
    effect = msgspec.convert(change["effect"], Effect)
    assert effect.terms is not None
    plan = await ctx.engine.plan(db, effect.terms.plan_version_id)
    return plan.policies.change_plan_who is Who.ACCOUNT_MANAGER


async def follow(
    ctx: Context, db: Db, account: Account, what: tuple[Row, Sequence[Row]], at: datetime
) -> Following:
    """What follows on the running period at that instant; reads, and changes nothing.

    What was signed or agreed and does not fit its people any more is not guessed at: signed terms
    leave the contract unsigned, an agreed change of plan leaves the plan. Source: M-9.
    """
    contract, changes = what
    turn = decide_turn(contract_of(contract), account.subscription, at)
    if turn in (Turn.END, Turn.WAIT):
        return Following(turn, account, contract["overrides"])
    amended = await _amended(ctx, db, account, (contract, changes))
    if turn is Turn.GO_ON:
        return amended
    signed = msgspec.convert(contract["next_terms"], NextTerms)
    begun = await _signed(ctx, db, (contract, signed), amended)
    if begun.refusal is not None and at >= lapses_at(account.subscription):
        return replace(begun, turn=Turn.END)
    return begun


async def _amended(
    ctx: Context, db: Db, account: Account, what: tuple[Row, Sequence[Row]]
) -> Following:
    """The account with the amounts, or on the plan, that due amendments have agreed."""
    contract, changes = what
    subscription = account.subscription
    overrides: dict[str, Any] | None = contract["overrides"]
    following = Following(Turn.GO_ON, account, overrides)
    due = await db.rows(
        CONTRACTS.amendments_due,
        organization_id=ctx.organization_id,
        contract_id=contract["contract_id"],
        change_ids=[change["change_id"] for change in changes],
    )
    for row in due:
        terms = row["terms"]
        if terms["plan_version_id"] is None:
            overrides = merged(overrides, terms["amounts"]) or None
            continue
        overrides = terms["amounts"] or None
        version_id = UUID(terms["plan_version_id"])
        choice = await _choice(ctx, db, version_id, (terms["price"], overrides))
        begun = signed_terms(account, choice, subscription.period_ends_at)
        if isinstance(begun, Refusal):
            failed = (*following.failed, row["change_id"])
            following = replace(following, refusal=begun, failed=failed)
            overrides = contract["overrides"]
        else:
            following = replace(following, terms=begun, version_id=version_id)
    if following.terms is not None:
        return replace(following, overrides=overrides)
    account = _repriced(account, (contract, overrides))
    price = _priced(account, overrides)
    return replace(
        following,
        account=replace(account, subscription=replace(subscription, price=price)),
        overrides=overrides,
    )


def _repriced(account: Account, what: tuple[Row, dict[str, Any] | None]) -> Account:
    """The account without its discount where other amounts are agreed. Source: C54."""
    contract, overrides = what
    return account if overrides == contract["overrides"] else replace(account, discount=None)


def _priced(account: Account, overrides: dict[str, Any] | None) -> Price:
    subscription = account.subscription
    plain = subscription.plan.price_in(subscription.price.currency, subscription.price.key)
    assert plain is not None
    price = plain if overrides is None else agreed(plain, overrides)
    # Of the running period; what is off the next one its renewal decides.
    return replace(price, off=subscription.price.off)


async def _signed(
    ctx: Context, db: Db, what: tuple[Row, NextTerms], amended: Following
) -> Following:
    """What was signed, on the account as amended: the same plan renews, another one begins."""
    contract, signed = what
    account, at = amended.account, amended.account.subscription.period_ends_at
    begun = replace(amended, turn=Turn.BEGIN, signed=signed)
    stays = (contract["plan_version_id"], contract["price_key"]) == (
        signed.plan_version_id,
        signed.price,
    )
    if stays and amended.terms is not None:
        return begun
    if stays:
        overrides = amended.overrides if signed.amounts is None else signed.amounts or None
        price = _priced(account, overrides)
        account = _repriced(account, (contract, overrides))
        account = signed_account(account, price, signed.seats)
        return replace(begun, account=account, overrides=overrides)
    overrides = signed.amounts or None
    choice = await _choice(ctx, db, signed.plan_version_id, (signed.price, overrides))
    terms = signed_terms(account, replace(choice, seats=signed.seats), at)
    if isinstance(terms, Refusal):
        return Following(Turn.WAIT, account, contract["overrides"], refusal=terms)
    version_id = signed.plan_version_id
    return replace(begun, overrides=overrides, terms=terms, version_id=version_id)


async def _choice(
    ctx: Context, db: Db, version_id: UUID, what: tuple[str, dict[str, Any] | None]
) -> Choice:
    price_key, amounts = what
    plan = await ctx.engine.plan(db, version_id)
    price = plan.price_in(ctx.organization.currency, price_key)
    assert price is not None
    return Choice(plan, agreed(price, amounts or {}))


async def _go_on(
    ctx: Context, db: Db, following: Following, what: tuple[Row, Sequence[Row]]
) -> None:
    contract, changes = what
    account, terms = following.account, following.terms
    subscription = account.subscription
    key = {
        "organization_id": ctx.organization_id,
        "subscription_id": subscription.subscription_id,
    }
    await _fail(ctx, db, following)
    changes = [change for change in changes if change["change_id"] not in following.failed]
    if following.signed is not None:
        await _begin_signed(ctx, db, following, contract)
    if terms is None:
        if following.overrides != contract["overrides"]:
            await end_discount(ctx, db, subscription.subscription_id, "price")
        await db.run(CONTRACTS.set_overrides, **key, overrides=following.overrides)
        await renew_alone(ctx, db, account, changes)
    else:
        await _come_onto(ctx, db, following, (contract, changes))
        await db.run(CONTRACTS.set_overrides, **key, overrides=following.overrides)
    await db.run(
        CONTRACTS.settle,
        organization_id=ctx.organization_id,
        contract_id=contract["contract_id"],
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def _fail(ctx: Context, db: Db, following: Following) -> None:
    """Changes of plan into which the people do not fit any more. Source: C51."""
    for change_id in following.failed:
        assert following.refusal is not None
        await db.run(
            RENEWALS.fail_change,
            organization_id=ctx.organization_id,
            change_id=change_id,
            failure={"code": following.refusal.code, **following.refusal.facts},
            now=ctx.now,
            actor=ctx.actor_text,
        )


async def _begin_signed(ctx: Context, db: Db, following: Following, contract: Row) -> None:
    signed, terms, account = following.signed, following.terms, following.account
    assert signed is not None
    subscription = account.subscription
    await db.run(
        CHANGES.cancel_slot,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
        slot="plan",
        now=ctx.now,
    )
    price = subscription.price if terms is None else terms.price
    anchor = subscription.anchor if terms is None else terms.anchor
    number = subscription.number + 1 if terms is None else terms.number
    until = midnight(
        signed_until(price, anchor, number, signed.term_months), subscription.time_zone
    )
    await db.run(
        CONTRACTS.begin_signed,
        organization_id=ctx.organization_id,
        contract_id=contract["contract_id"],
        kind=kind_of(price),
        net_terms_days=signed.net_terms_days,
        overdue_grace_days=signed.overdue_grace_days,
        signed_until=until,
    )
    facts = {"plan": signed.plan, "signed_until": instant_text(until)}
    await tell(ctx, db, "contract.renewed", contract["contract_id"], facts)


async def _come_onto(
    ctx: Context, db: Db, following: Following, what: tuple[Row, Sequence[Row]]
) -> None:
    """Begins the other plan where the old period ends; everyone moves along. Source: A95."""
    contract, changes = what
    terms, subscription = following.terms, following.account.subscription
    assert terms is not None
    assert following.version_id is not None
    effect = effect_of_terms(terms, following.version_id)
    assert effect.terms is not None
    if changes:
        await db.run(
            RENEWALS.applied,
            organization_ids=[ctx.organization_id] * len(changes),
            change_ids=[change["change_id"] for change in changes],
            now=ctx.now,
            actor=ctx.actor_text,
        )
    subscription_id = subscription.subscription_id
    await db.run(
        RENEWALS.cancel_scheduled,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        now=ctx.now,
    )
    cause = Cause("contract", contract["contract_id"])
    await apply_terms(ctx, db, subscription_id, effect.terms, cause)
    if not terms.due_now:
        return
    signed = following.signed
    days = contract["net_terms_days"] if signed is None else signed.net_terms_days
    due_at = due_on_terms(terms.starts_at, ctx.now, days, subscription.time_zone)
    cause_id = period_cause(subscription_id, terms.starts_at)
    bill = Bill(subscription_id, terms.lines, "period", cause_id, due_at, due_at)
    await issue(ctx, db, bill, draft=False)


async def _wait(
    ctx: Context, db: Db, account: Account, contract: Row, refusal: Refusal | None
) -> None:
    """Unsigned: nothing is billed and nothing sold; the next turn comes when the grace is over."""
    subscription = account.subscription
    until = lapses_at(subscription)
    row = await db.row(
        CONTRACTS.wait,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
        contract_id=contract["contract_id"],
        lapses_at=until,
        now=ctx.now,
    )
    if row is not None:
        why = {} if refusal is None else {"code": str(refusal.code), "detail": refusal.sentence}
        facts = {"grace_ends_at": instant_text(until), **why}
        await tell(ctx, db, "contract.unsigned", contract["contract_id"], facts)


async def _end(ctx: Context, db: Db, account: Account) -> None:
    subscription = account.subscription
    zone = subscription.time_zone
    await db.run(
        CONTRACTS.prolong_period,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
        ends_at=subscription.period_ends_at,
        now=midnight(local_day(ctx.now, zone), zone),
    )
    await end(ctx, db, account)
