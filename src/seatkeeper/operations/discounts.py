"""Discounts: granted by an account manager, one at a time, from the next period on."""

from __future__ import annotations

from seatkeeper.domain.discounts import Off, decide_discount
from seatkeeper.domain.payments import decide_beside
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.refusals import Code, Refused, Remedy, Way, refuse
from seatkeeper.domain.subscriptions import Subscription
from seatkeeper.domain.terms import is_free
from seatkeeper.operations.accounts import CHANGES, waiting_of
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.contract_terms import tell
from seatkeeper.operations.discount_words import (
    DiscountView,
    PutDiscount,
    ReadDiscount,
    RemoveDiscount,
    discount_view,
)
from seatkeeper.operations.effects import end_discount
from seatkeeper.operations.standing import current, lock_current
from seatkeeper.store.database import Db, Row
from seatkeeper.store.discounts import DISCOUNTS, discount_of


async def show(ctx: Context, command: ReadDiscount) -> DiscountView:
    """The discount in force. Refuses: not_found where there is none."""
    del command
    async with ctx.connection() as db:
        subscription = await current(ctx, db)
        row = None if subscription is None else await _live(ctx, db, subscription)
        if subscription is None or row is None:
            raise not_found()
        return _view(ctx, row, subscription)


async def put(ctx: Context, command: PutDiscount) -> DiscountView:
    """Grant a discount from the next billing period on, in place of the one there was.

    It moves no money: what is billed already stays. The same twice is the same discount. Refuses:
    forbidden, precondition_failed, invalid_request (not exactly one of share and amount, or over
    before a period begins), state_conflict (no subscription of the organization's own, a free
    plan), request_in_progress. Source: C54.
    """
    _account_manager_only(ctx)
    off = _off(command)
    async with ctx.transaction() as db:
        subscription = await lock_current(ctx, db)
        if subscription is None:
            ways = Remedy(Way.CHOOSE_PLAN)
            raise Refused(refuse(Code.STATE_CONFLICT, ways, state="no subscription"))
        before = await _live(ctx, db, subscription)
        _check_version(ctx, before)
        if before is not None and _is_same(before, off, (command, subscription)):
            return _view(ctx, before, subscription)
        await _check(ctx, db, command, subscription)
        await end_discount(ctx, db, subscription.subscription_id, "replaced")
        discount_id = ctx.new_id()
        key = {"organization_id": ctx.organization_id, "discount_id": discount_id}
        await db.run(
            DISCOUNTS.grant,
            **key,
            subscription_id=subscription.subscription_id,
            basis_points=off.basis_points,
            amount_minor=off.minor,
            periods=command.periods,
            until=command.until,
            now=ctx.now,
        )
        facts = {
            "basis_points": off.basis_points,
            "amount_minor": off.minor,
            "periods": command.periods,
            "until": None if command.until is None else instant_text(command.until),
        }
        await tell(ctx, db, "discount.granted", discount_id, facts)
        return _view(ctx, await db.one(DISCOUNTS.one, **key), subscription)


async def remove(ctx: Context, command: RemoveDiscount) -> DiscountView:
    """Take the discount away; the running period keeps what it began with.

    Refuses: forbidden, not_found where there is none, precondition_failed. Source: C54.
    """
    del command
    _account_manager_only(ctx)
    async with ctx.transaction() as db:
        subscription = await lock_current(ctx, db)
        row = None if subscription is None else await _live(ctx, db, subscription)
        if subscription is None or row is None:
            raise not_found()
        _check_version(ctx, row)
        await end_discount(ctx, db, subscription.subscription_id, "removed")
        key = {"organization_id": ctx.organization_id, "discount_id": row["discount_id"]}
        return _view(ctx, await db.one(DISCOUNTS.one, **key), subscription)


def _account_manager_only(ctx: Context) -> None:
    if ctx.by_account_manager():
        return
    contact = Remedy(Way.CONTACT_ACCOUNT_MANAGER)
    sentence = "A discount is granted with the key of an account manager."
    raise Refused(refuse(Code.FORBIDDEN, contact, detail=sentence))


def _off(command: PutDiscount) -> Off:
    if (command.basis_points is None) == (command.amount_minor is None):
        sentence = "Give exactly one of basis_points and amount_minor."
        raise Refused(refuse(Code.INVALID_REQUEST, detail=sentence))
    if command.periods is not None and command.until is not None:
        sentence = "Give periods or until, not both."
        raise Refused(refuse(Code.INVALID_REQUEST, detail=sentence))
    return Off(command.basis_points or 0, command.amount_minor or 0)


def _check_version(ctx: Context, row: Row | None) -> None:
    version = None if row is None else row["version"]
    if ctx.if_match not in (None, version):
        raise Refused(refuse(Code.PRECONDITION_FAILED, version=version))


def _is_same(row: Row, off: Off, what: tuple[PutDiscount, Subscription]) -> bool:
    """Whether that very discount is in force; one that is used up can be granted afresh."""
    command, subscription = what
    found = discount_of(row)
    same = (found.off, found.periods, found.until) == (off, command.periods, command.until)
    return same and found.off_at(subscription.period_ends_at) == off


async def _check(ctx: Context, db: Db, command: PutDiscount, subscription: Subscription) -> None:
    key = {
        "organization_id": ctx.organization_id,
        "subscription_id": subscription.subscription_id,
    }
    facts = await db.one(CHANGES.facts, **key, now=ctx.now)
    # Whether a change that takes every discount away comes about is not known yet.
    if (beside := decide_beside(waiting_of(facts))) is not None:
        raise Refused(beside)
    free = is_free(subscription.plan, subscription.price)
    refusal = decide_discount(
        command.until, next_period_at=subscription.period_ends_at, is_free=free
    )
    if refusal is not None:
        raise Refused(refusal)


async def _live(ctx: Context, db: Db, subscription: Subscription) -> Row | None:
    return await db.row(
        DISCOUNTS.live,
        organization_id=ctx.organization_id,
        subscription_id=subscription.subscription_id,
    )


def _view(ctx: Context, row: Row, subscription: Subscription) -> DiscountView:
    off_now = subscription.price.off.basis_points
    return discount_view(row, ctx.organization.currency, off_now)
