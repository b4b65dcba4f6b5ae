"""Subscriptions that members pay themselves: sign up, read, change the plan, cancel, resume."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain.changes import Asker, Offer, decide_cancel, decide_resume
from seatkeeper.domain.ids import InvoiceId, MemberId, OrganizationId, SubscriptionId
from seatkeeper.domain.quantities import People
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.domain.terms import decide_change_plan
from seatkeeper.domain.workspace import decide_own, decide_sign_up
from seatkeeper.operations import asked as ask
from seatkeeper.operations import changes, organizations, own_seats, workspace
from seatkeeper.operations.accounts import load_account
from seatkeeper.operations.answers import (
    CurrencyText,
    InvoiceText,
    MemberText,
    Minor,
    Moment,
    StatusText,
    SubscriptionText,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.contract_terms import not_parked
from seatkeeper.operations.decisions import Decided, choose, decided_terms
from seatkeeper.operations.departures import lock_own
from seatkeeper.operations.effect_words import effect_of_offer
from seatkeeper.operations.own_seats import Payer
from seatkeeper.operations.people import allow
from seatkeeper.operations.standing import lock_of_member
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Db
from seatkeeper.store.members import MEMBERS
from seatkeeper.store.workspace import WORKSPACE

PaymentMethod = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"^[a-z]+_[\x21-\x7e]+$(?!\n)")
]


class ReadMemberSubscription(Command):
    """The subscription which one member pays."""

    organization: OrganizationId
    member: MemberId


class SubscribeMember(ReadMemberSubscription):
    """A member pays for their own seat, or moves to another plan or price.

    Without a payment method an invoice goes out, and the seat comes when it is paid.
    """

    plan: Key
    price: Key | None = None
    payment_method: PaymentMethod | None = None


class CancelMemberSubscription(ReadMemberSubscription):
    """End a member's subscription when its period ends."""


class ResumeMemberSubscription(ReadMemberSubscription):
    """Take a member's cancellation back."""


class ChangePaymentMethod(ReadMemberSubscription):
    """Pay with this from now on; what is overdue is tried again at once."""

    payment_method: PaymentMethod


class MemberSubscription(Result):
    """What a member pays for. `pending` while a payment, the first or another, is awaited.

    `balance_minor` is credit owed to the member, used first on their next invoice; `open_invoice`
    the oldest one that is to be paid.
    """

    member: MemberText
    subscription: SubscriptionText
    plan: Key
    plan_version: int
    price: Key
    status: StatusText
    currency: CurrencyText
    period_start: Moment
    period_end: Moment
    term_end: Moment
    cancel_at: Moment | None
    grace_ends_at: Moment | None
    has_payment_method: bool
    version: int
    balance_minor: Minor = 0
    open_invoice: InvoiceText | None = None
    pending: bool = False
    existed: bool = False


async def subscribe(ctx: Context, command: SubscribeMember) -> MemberSubscription | Refusal:
    """Sign a member up for a seat they pay, at the full price, or move them to another plan.

    The first one makes the workspace's tier; up takes effect and is charged now without credit,
    down at the end of the period. The plan they are on succeeds without a charge. Declined,
    nothing has changed. Refuses: forbidden, not_found, state_conflict, plan_tier_mismatch,
    over_plan_limit, currency_mismatch, past_due, parked, request_in_progress,
    payment_declined, payment_action_required. Source: T1, T2, T8, T10, T12, T13, T15.
    """
    begun = await _begin(ctx, command)
    if begun is not None:
        outcome = await workspace.finish(ctx, begun)
        if isinstance(outcome, Refusal):
            return outcome
    async with ctx.connection() as db:
        return await _view(ctx, db, command.member, existed=begun is None)


async def show(ctx: Context, command: ReadMemberSubscription) -> MemberSubscription:
    """The subscription which a member pays. Refuses: forbidden, not_found. Source: T8, T18."""
    _check_payer(ctx, command)
    async with ctx.connection() as db:
        return await _view(ctx, db, command.member)


async def cancel(ctx: Context, command: CancelMemberSubscription) -> MemberSubscription:
    """End a member's subscription with its paid period; then they leave the pool, nobody else.

    Nothing is refunded; twice is the same cancellation. Refuses: forbidden, not_found,
    state_conflict, request_in_progress. Source: T15, T38.
    """
    async with ctx.transaction() as db:
        own = await _lock(ctx, db, command)
        offer = decide_cancel(own, Asker.MEMBER, ctx.now)
        await _accept(ctx, db, own, (ask.Cancel(), offer))
        return await _view(ctx, db, command.member, ended=own)


async def resume(ctx: Context, command: ResumeMemberSubscription) -> MemberSubscription:
    """Take a member's cancellation back before it takes effect, at no charge.

    Refuses: forbidden, not_found, state_conflict, request_in_progress. Source: T15, T38, A91.
    """
    async with ctx.transaction() as db:
        own = await _lock(ctx, db, command)
        offer = decide_resume(own, Asker.MEMBER, ctx.now)
        await _accept(ctx, db, own, (ask.Resume(), offer))
        return await _view(ctx, db, command.member)


async def pay_with(ctx: Context, command: ChangePaymentMethod) -> MemberSubscription:
    """Change with what a member pays; an overdue invoice is collected with it soon.

    Refuses: forbidden, not_found, invalid_request. Source: T8, A99.
    """
    organizations.check_payment_method(ctx, command.payment_method)
    async with ctx.transaction() as db:
        own = await _lock(ctx, db, command)
        key = {
            "organization_id": ctx.organization_id,
            "subscription_id": own.subscription_id,
        }
        await db.run(WORKSPACE.set_payment_method, **key, payment_method=command.payment_method)
        await db.run(WORKSPACE.retry_open, **key, now=ctx.now)
        return await _view(ctx, db, command.member)


async def _begin(ctx: Context, command: SubscribeMember) -> changes.Begun | None:
    """The change that was written; None where the member is on that plan already."""
    _check_payer(ctx, command)
    asked = ask.Subscribe(plan=command.plan, price=command.price)
    async with ctx.transaction() as db:
        if (begun := await changes.begun_before(ctx, db)) is not None:
            return begun
        await lock_own(ctx, db, command.member)
        standing = await db.row(
            MEMBERS.actor, organization_id=ctx.organization_id, member_id=command.member
        )
        if standing is None:
            raise not_found()
        own = await lock_of_member(ctx, db, command.member)
        payer = Payer(member_id=command.member, payment_method=command.payment_method)
        if own is None:
            return await workspace.sign_up(ctx, db, asked, payer)
        return await _change_plan(ctx, db, own, (asked, payer))


async def _change_plan(
    ctx: Context, db: Db, own: Subscription, what: tuple[ask.Subscribe, Payer]
) -> changes.Begun | None:
    asked, payer = what
    await not_parked(ctx, db)
    choice, version_id = await choose(ctx, db, asked, own)
    loaded = await load_account(ctx, db, own)
    loaded.check_waiting()
    price = own.price.key if asked.price is None else asked.price
    if (choice.plan.key, price) == (own.plan.key, own.price.key) and own.cancel_at is None:
        return None
    terms = decide_change_plan(loaded.account, choice, Asker.MEMBER, People(members=1), ctx.now)
    if isinstance(terms, Refusal):
        raise Refused(terms)
    if not terms.scheduled:
        place = await own_seats.workspace_of(ctx, db, payer.member_id)
        allow(decide_sign_up(choice.plan, place))
    payer = await _with_method(ctx, db, own, payer)
    decided = decided_terms("change_plan", own, terms, version_id)
    # As a change of plan it is carried out when it comes due.
    kept = ask.Subscribe(plan=asked.plan, price=choice.price.key)
    return await workspace.record(ctx, db, workspace.paid_by(decided, payer), kept)


async def _with_method(ctx: Context, db: Db, own: Subscription, payer: Payer) -> Payer:
    if payer.payment_method is not None:
        organizations.check_payment_method(ctx, payer.payment_method)
        return payer
    row = await db.one(
        WORKSPACE.payment_method,
        organization_id=ctx.organization_id,
        subscription_id=own.subscription_id,
    )
    return Payer(member_id=payer.member_id, payment_method=row["payment_method"])


async def _accept(
    ctx: Context, db: Db, own: Subscription, what: tuple[ask.Asked, Offer | Refusal]
) -> None:
    asked, offer = what
    if isinstance(offer, Refusal):
        raise Refused(offer)
    assert own.payer_member_id is not None
    decided = Decided(
        kind=offer.kind,
        subscription=own,
        plan=own.plan,
        effect=effect_of_offer(offer),
        effective_at=offer.effective_at,
        lines=(),
        scheduled=False,
        slot=None,
    )
    payer = Payer(member_id=own.payer_member_id)
    await workspace.record(ctx, db, workspace.paid_by(decided, payer), asked)


async def _lock(ctx: Context, db: Db, command: ReadMemberSubscription) -> Subscription:
    _check_payer(ctx, command)
    await lock_own(ctx, db, command.member)
    own = await lock_of_member(ctx, db, command.member)
    if own is None or own.status is Status.INCOMPLETE:
        raise not_found()
    if ctx.if_match not in {None, own.version}:
        raise Refused(refuse(Code.PRECONDITION_FAILED, version=own.version))
    return own


def _check_payer(ctx: Context, command: ReadMemberSubscription) -> None:
    actor = None if ctx.actor is None else ctx.actor.member_id
    allow(decide_own(actor, command.member))


async def _view(
    ctx: Context,
    db: Db,
    member_id: UUID,
    *,
    existed: bool = False,
    ended: Subscription | None = None,
) -> MemberSubscription:
    row = await db.row(
        WORKSPACE.of_member,
        organization_id=ctx.organization_id,
        member_id=member_id,
        subscription_id=None if ended is None else ended.subscription_id,
    )
    if row is None:
        raise not_found()
    plan = await ctx.engine.plan(db, row["plan_version_id"])
    return MemberSubscription(
        member=MemberId.text(member_id),
        subscription=SubscriptionId.text(row["subscription_id"]),
        plan=plan.key,
        plan_version=plan.version,
        price=row["price_key"],
        status=row["status"],
        currency=ctx.organization.currency,
        period_start=row["period_starts_at"],
        period_end=row["period_ends_at"],
        term_end=row["term_ends_at"],
        cancel_at=row["cancel_at"],
        grace_ends_at=row["grace_ends_at"],
        has_payment_method=row["has_payment_method"],
        version=row["version"],
        balance_minor=row["balance_minor"],
        open_invoice=InvoiceId.text_or_none(row["open_invoice_id"]),
        pending=row["paying"],
        existed=existed,
    )
