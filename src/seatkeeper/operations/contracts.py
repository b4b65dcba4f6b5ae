"""Contracts: begin one, read it, sign what follows on its term."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

import msgspec

from seatkeeper.domain.contracts import (
    ContractState,
    Kind,
    decide_sell,
    decide_sign,
    decide_signed_seats,
    lapses_at,
)
from seatkeeper.domain.ids import ContractId, OrganizationId, SubscriptionId
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.prices import QUANTITY_MAX, agreed
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.operations import contract_renewals
from seatkeeper.operations.accounts import account_at_end, load_account, stored
from seatkeeper.operations.answers import (
    ContractKindText,
    ContractStateText,
    ContractText,
    CurrencyText,
    Moment,
    SubscriptionText,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.contract_beginnings import (
    Asked,
    begin_fresh,
    change_details,
    convert,
)
from seatkeeper.operations.contract_terms import (
    AgreedAmounts,
    AgreedPrices,
    GraceDays,
    NetTerms,
    NextTerms,
    SeatQuantities,
    Sold,
    TermMonths,
    account_manager_only,
    amounts_shown,
    not_parked,
    seats_of,
    sold,
    tell,
)
from seatkeeper.operations.decisions import CHANGES
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.standing import current, lock_current
from seatkeeper.operations.words import Command, Key, Name, Result
from seatkeeper.store.contracts import CONTRACTS, contract_of
from seatkeeper.store.database import Db, Row

NO_SEATS: Final[Any] = msgspec.field(default_factory=list)


class PutContract(Command):
    """A contract on a plan that is sold under one. What is left out is the plan's.

    `kind` is what the price makes it; `start` a day inside the first billing period, today if left
    out; without `seats` those that are owned, or whom there is. `prices` are the agreed amounts.
    """

    organization: OrganizationId
    plan: Key
    account_manager: Name
    price: Key | None = None
    seats: SeatQuantities = NO_SEATS
    kind: Kind | None = None
    net_terms_days: NetTerms | None = None
    overdue_grace_days: GraceDays | None = None
    prices: AgreedPrices | None = None
    start: date | None = None
    term_months: TermMonths | None = None


class ReadContract(Command):
    """The contract of an organization, the newest if there were several."""

    organization: OrganizationId


class SignContract(Command):
    """What follows on the running term. Left out: the same, or the plan's successor.

    Without `seats` the policy sets them on the day; without `prices` those agreed stay on the same
    plan, and another plan begins with the catalog's.
    """

    organization: OrganizationId
    plan: Key | None = None
    price: Key | None = None
    seats: SeatQuantities = NO_SEATS
    prices: AgreedPrices | None = None
    term_months: TermMonths | None = None
    net_terms_days: NetTerms | None = None
    overdue_grace_days: GraceDays | None = None


class SignedTerms(Result):
    """What is signed for the time after the running term. No seats: as the policy sets them."""

    plan: Key
    price: Key
    seats: dict[Key, int]
    prices: AgreedAmounts | None
    term_months: int | None
    net_terms_days: int
    overdue_grace_days: int | None


class Contract(Result):
    """A contract and where it stands; `grace_ends_at` when it ends unless it is signed.

    One that has ended shows what was agreed then, whatever its organization is on today.
    Without `overdue_grace_days` arrears end it after the grace of its plan.
    """

    contract: ContractText
    subscription: SubscriptionText
    kind: ContractKindText
    state: ContractStateText
    account_manager: str
    net_terms_days: int
    overdue_grace_days: int | None
    plan: Key
    plan_version: int
    price: Key
    currency: CurrencyText
    seats: dict[Key, int]
    prices: AgreedAmounts | None
    signed_until: Moment
    next_terms: SignedTerms | None
    unsigned_since: Moment | None
    grace_ends_at: Moment | None
    ended_at: Moment | None
    created_at: Moment
    version: int


async def put(ctx: Context, command: PutContract) -> Contract:
    """Put an organization under a contract at once: fresh, or what it has already bought.

    Seats are granted now and invoiced on the contract's terms. A running subscription in the same
    rhythm goes on: what is paid stays paid. The same twice succeeds; other terms come by amendment.
    Refuses: forbidden, not_found, currency_mismatch, plan_tier_mismatch, invalid_request,
    already_exists, state_conflict, past_due, below_minimum_seats, over_plan_limit, seats_in_use.
    Source: A14, A26, A27, A30, T29.
    """
    account_manager_only(ctx)
    async with ctx.transaction() as db:
        # The organization first, so that two first contracts come one after the other.
        await db.one(ORGANIZATIONS.lock, organization_id=ctx.organization_id)
        subscription = await lock_current(ctx, db)
        row = None if subscription is None else await _lock(ctx, db, subscription)
        asked = _asked(command)
        if subscription is not None and row is not None:
            await change_details(ctx, db, asked, (subscription, row))
            return await _shown(ctx, db)
        await not_parked(ctx, db)
        named = (command.plan, command.price)
        bought = await sold(ctx, db, named, asked.amounts or {}, subscription)
        bought = replace(bought, choice=replace(bought.choice, seats=asked.seats))
        refusal = decide_sell(bought.choice, command.kind, command.term_months)
        if refusal is not None:
            raise Refused(refusal)
        if subscription is None:
            await begin_fresh(ctx, db, asked, bought)
        else:
            await convert(ctx, db, asked, (bought, subscription))
        return await _shown(ctx, db)


def _asked(command: PutContract) -> Asked:
    return Asked(
        plan=command.plan,
        price=command.price,
        kind=command.kind,
        account_manager=command.account_manager,
        net_terms_days=command.net_terms_days,
        overdue_grace_days=command.overdue_grace_days,
        seats=seats_of(command.seats),
        amounts=None if command.prices is None else command.prices.amounts(),
        start=command.start,
        term_months=command.term_months,
    )


async def show(ctx: Context, command: ReadContract) -> Contract:
    """The contract of an organization. Refuses: not_found when there never was one."""
    del command
    async with ctx.connection() as db:
        return await _shown(ctx, db)


async def sign(ctx: Context, command: SignContract) -> Contract:
    """Sign what follows on the running term; signed again before its day, the newer terms hold.

    Signed in the grace after the term, they begin where the term ended, at once. Seats that are
    named take the place of what already waits for that day. Refuses: forbidden, not_found,
    state_conflict (ended), currency_mismatch, invalid_request, below_minimum_seats,
    quantity_out_of_range, over_plan_limit. Source: A14, A36, A95, A96.
    """
    account_manager_only(ctx)
    async with ctx.transaction() as db:
        subscription = await lock_current(ctx, db)
        row = None if subscription is None else await _lock(ctx, db, subscription)
        if subscription is None or row is None:
            raise await _nothing_to_sign(ctx, db)
        if (refusal := decide_sign(contract_of(row), subscription, ctx.now)) is not None:
            raise Refused(refusal)
        signed = await _next_terms(ctx, db, command, (subscription, row))
        await db.run(
            CONTRACTS.sign,
            organization_id=ctx.organization_id,
            contract_id=row["contract_id"],
            next_terms=stored(signed),
        )
        await _give_way(ctx, db, row, signed)
        facts = {"plan": signed.plan, "from": instant_text(row["signed_until"])}
        await tell(ctx, db, "contract.signed", row["contract_id"], facts)
        if row["state"] == ContractState.UNSIGNED:
            await _go_on_at_once(ctx, db, subscription)
        return await _shown(ctx, db)


async def _nothing_to_sign(ctx: Context, db: Db) -> Refused:
    """There was a contract and it has ended, or there never was one."""
    row = await db.row(CONTRACTS.current, organization_id=ctx.organization_id)
    return not_found() if row is None else Refused(refuse(Code.STATE_CONFLICT, state=row["state"]))


async def _next_terms(
    ctx: Context, db: Db, command: SignContract, what: tuple[Subscription, Row]
) -> NextTerms:
    """What is signed, checked against the seats there are now."""
    subscription, row = what
    plan = subscription.plan
    amounts = None if command.prices is None else command.prices.amounts()
    seats = seats_of(command.seats)
    plan_key = command.plan or plan.transition_to
    if plan_key is None and command.price in (None, subscription.price.key):
        # Without a word on the plan its version stays, with what is agreed unless that changes.
        price = subscription.price
        if amounts is not None:
            plain = plan.price_in(price.currency, price.key)
            assert plain is not None
            price = agreed(plain, amounts)
        chosen = Sold(Choice(plan, price), row["plan_version_id"], amounts or {})
    else:
        asked = (plan_key or plan.key, command.price)
        chosen = await sold(ctx, db, asked, amounts or {}, subscription)
        if chosen.choice.plan.closed:
            # To sign is to make a new contract, and on those an old plan is not sold.
            sentence = f"The plan {asked[0]} is not sold any more."
            raise Refused(refuse(Code.NOT_FOUND, Remedy(Way.CHOOSE_PLAN), detail=sentence))
    choice = replace(chosen.choice, seats=seats)
    if (refusal := decide_sell(choice, None, command.term_months)) is not None:
        raise Refused(refusal)
    account = (await load_account(ctx, db, subscription, only_more=True)).account
    outcome = decide_signed_seats(account, choice, People())
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    days = row["net_terms_days"] if command.net_terms_days is None else command.net_terms_days
    grace = command.overdue_grace_days
    return NextTerms(
        plan_version_id=chosen.version_id,
        plan=choice.plan.key,
        price=choice.price.key,
        seats=seats,
        amounts=amounts,
        term_months=command.term_months,
        net_terms_days=days,
        overdue_grace_days=row["overdue_grace_days"] if grace is None else grace,
    )


async def _give_way(ctx: Context, db: Db, row: Row, signed: NextTerms) -> None:
    """What is signed takes the place of a change of plan, and of seats where it names them."""
    key = {"organization_id": ctx.organization_id, "subscription_id": row["subscription_id"]}
    await db.run(
        CONTRACTS.give_way,
        **key,
        signed_until=row["signed_until"],
        names_seats=bool(signed.seats),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    scheduled = await db.rows(CHANGES.scheduled, **key)
    if not any(change["slot"] == "plan" for change in scheduled):
        # No smaller plan is to come any more that would block new seats above its limit.
        await db.run(CHANGES.set_ceiling, organization_id=ctx.organization_id, ceiling=QUANTITY_MAX)


async def _go_on_at_once(ctx: Context, db: Db, subscription: Subscription) -> None:
    """Renews from the end of the term; where billing is parked, as soon as it runs again."""
    await db.run(
        CONTRACTS.make_due,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )
    organization = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    if organization["parked_at"] is None:
        account, changes = await account_at_end(ctx, db, subscription)
        await contract_renewals.renew(ctx, db, account, changes)


async def _lock(ctx: Context, db: Db, subscription: Subscription) -> Row | None:
    return await db.row(
        CONTRACTS.lock,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )


async def _shown(ctx: Context, db: Db) -> Contract:
    row = await db.row(CONTRACTS.current, organization_id=ctx.organization_id)
    if row is None:
        raise not_found()
    plan = await ctx.engine.plan(db, row["plan_version_id"])
    subscription = await current(ctx, db)
    unsigned = row["state"] == ContractState.UNSIGNED and subscription is not None
    seats: dict[str, int] | None = row["last_seats"]
    if seats is None:
        owned = await db.rows(CHANGES.purchased, organization_id=ctx.organization_id)
        seats = {item["seat_type"]: item["purchased"] for item in owned}
    return Contract(
        contract=ContractId.text(row["contract_id"]),
        subscription=SubscriptionId.text(row["subscription_id"]),
        kind=row["kind"],
        state=row["state"],
        account_manager=row["account_manager"],
        net_terms_days=row["net_terms_days"],
        overdue_grace_days=row["overdue_grace_days"],
        plan=plan.key,
        plan_version=plan.version,
        price=row["price_key"],
        currency=ctx.organization.currency,
        seats=seats,
        prices=amounts_shown(row["overrides"]),
        signed_until=row["signed_until"],
        next_terms=_signed(row),
        unsigned_since=row["unsigned_since"],
        grace_ends_at=lapses_at(subscription) if unsigned and subscription else None,
        ended_at=row["ended_at"],
        created_at=row["created_at"],
        version=row["version"],
    )


def _signed(row: Row) -> SignedTerms | None:
    if row["next_terms"] is None:
        return None
    signed = msgspec.convert(row["next_terms"], NextTerms)
    return SignedTerms(
        plan=signed.plan,
        price=signed.price,
        seats=signed.seats,
        prices=amounts_shown(signed.amounts),
        term_months=signed.term_months,
        net_terms_days=signed.net_terms_days,
        overdue_grace_days=signed.overdue_grace_days,
    )
