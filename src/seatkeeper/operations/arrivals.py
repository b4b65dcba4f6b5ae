"""Arrivals: seats bought for people who come in by themselves, or asked for on their behalf.

A purchase on terms happens in the arrival's own transaction. One that is paid first cannot: the
person waits, the purchase follows when the arrival is committed, and its seats go to those for
whom it was made, before anyone who waits as the plan has it (ADR 19).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.payments import is_beside
from seatkeeper.domain.policies import Collect, PoolFull, TypeChoice
from seatkeeper.domain.refusals import Code, Refusal, Refused, Remedy, Way, refuse
from seatkeeper.domain.seats import Buy, decide_arrival
from seatkeeper.operations import changes
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.context import SYSTEM, Context
from seatkeeper.operations.decisions import Decided, decide
from seatkeeper.operations.engine import Engine, OrganizationFacts
from seatkeeper.operations.standing import lock_current
from seatkeeper.store.database import Db, Unavailable
from seatkeeper.store.seats import SEATS, pool_of
from seatkeeper.store.statements import Statements

ARRIVALS: Final = Statements("arrivals")
PURCHASE: Final = "purchase"  # Why someone waits for whom a seat is being bought.
PURCHASES_MAX: Final = 20


async def buy_for_arrival(ctx: Context, db: Db, seat_type: str, quantity: int) -> bool:
    """Buys seats for someone who comes in by themselves; whether they are there now.

    True: they are kept for who comes in, whoever waits. False: they are paid for first, or
    someone changes the subscription at this very moment; the arrival waits, and the purchase
    follows its commit. The caller holds the pools' locks. Refuses: over_plan_limit and whatever
    else buying refuses, saying whom to ask. Source: A57, A58, A59, ADR 19.
    """
    asked = PurchaseSeats(seat_type=seat_type, quantity=quantity)
    if not await _lock_now(ctx, db):
        _follow(ctx)
        return False
    try:
        decided = await decide(ctx, db, asked, lock=True)
    except Refused as refused:
        if is_beside(refused.refusal):
            # Another purchase is being paid; this one follows it.
            _follow(ctx)
            return False
        raise Refused(_asking_owner(refused.refusal)) from None
    if decided.scheduled:
        raise Refused(_asking_owner(refuse(Code.INSUFFICIENT_SEATS, needed=quantity)))
    if _paid_first(decided):
        _follow(ctx)
        return False
    quiet = replace(ctx, idempotency_key=None, keep=None)
    await changes.record(quiet, db, (_serving(decided, "nobody"), asked), _command(ctx))
    return True


async def buy_for_waiting(ctx: Context) -> int:
    """Buys seats for all who wait for a purchase, each paid before it counts; how many came.

    A purchase that is refused or declined is not tried again: they wait on, and owners see why.
    Source: A58, A59, A67, M-18.
    """
    ctx = replace(ctx, actor=None, if_match=None, idempotency_key=None, keep=None)
    bought = 0
    for _ in range(PURCHASES_MAX):
        seats = await _buy(ctx)
        if not seats:
            break
        bought += seats
    return bought


async def buy_due(engine: Engine, *, now: datetime, clock_id: UUID | None, most: int) -> int:
    """Makes the purchases that a cut-off arrival left behind; how many seats came. Source: R-9."""
    async with engine.database.connection() as db:
        rows = await db.rows(ARRIVALS.due, clock_id=clock_id, most=most)
    bought = 0
    for row in rows:
        facts = OrganizationFacts(**{name: row[name] for name in OrganizationFacts.__slots__})
        try:
            bought += await buy_for_waiting(Context(engine, SYSTEM, now, engine.new_id(), facts))
        except Unavailable:
            continue
    return bought


@dataclass(frozen=True, slots=True)
class _Purchase:
    change: changes.Begun
    quantity: int


async def _buy(ctx: Context) -> int:
    """One purchase; the seats that came, 0 where none did."""
    try:
        begun = await _begin(ctx)
        if begun is None:
            return 0
        outcome = await changes.finish(ctx, begun.change)
    except Refused as refused:
        outcome, begun = refused.refusal, None
    if begun is not None and isinstance(outcome, changes.Change):
        return 0 if outcome.pending else begun.quantity
    if isinstance(outcome, Refusal) and not _still_comes(outcome):
        await _give_up(ctx, outcome)
    return 0


def _still_comes(refusal: Refusal) -> bool:
    return is_beside(refusal) or refusal.code is Code.PAYMENT_ACTION_REQUIRED


async def _begin(ctx: Context) -> _Purchase | None:
    """Writes the purchase for those who wait longest; None where nobody waits for one."""
    async with ctx.transaction() as db:
        # The counts hold under these locks: who serves the queue holds them too.
        if await lock_current(ctx, db) is None:
            return None
        rows = await db.rows(SEATS.lock_pools, organization_id=ctx.organization_id)
        pools = tuple(pool_of(row) for row in rows)
        for wish in await db.rows(ARRIVALS.wanted, organization_id=ctx.organization_id):
            choice = TypeChoice(wish["choice"])
            outcome = decide_arrival(pools, choice, PoolFull.BUY, wish["seat_type"])
            if isinstance(outcome, Refusal):
                raise Refused(outcome)
            if isinstance(outcome, Buy):
                asked = PurchaseSeats(seat_type=outcome.seat_type, quantity=wish["people"])
                decided = await decide(ctx, db, asked, lock=True)
                decided = _serving(decided, "bought")
                begun = await changes.record(ctx, db, (decided, asked), _command(ctx))
                return _Purchase(begun, wish["people"])
    return None


async def _give_up(ctx: Context, refusal: Refusal) -> None:
    async with ctx.transaction() as db:
        await db.run(
            ARRIVALS.give_up, organization_id=ctx.organization_id, reason=str(refusal.code)
        )


async def _lock_now(ctx: Context, db: Db) -> bool:
    """Whether the subscription could be locked at once; who holds it may wait for the pools."""
    try:
        async with db.connection.transaction():
            await db.row(ARRIVALS.lock_now, organization_id=ctx.organization_id)
    except Unavailable:
        return False
    return True


def _follow(ctx: Context) -> None:
    """Buys once the arrival is committed; what fails then is taken up by the worker."""

    async def buy() -> None:
        try:
            await buy_for_waiting(ctx)
        except Unavailable:
            return

    ctx.afterwards.append(buy)


def _paid_first(decided: Decided) -> bool:
    on_terms = decided.net_terms_days is not None
    charged = decided.plan.policies.collect is Collect.CHARGE
    return charged and not on_terms and decided.due_now > 0


def _serving(decided: Decided, whom: Literal["bought", "nobody"]) -> Decided:
    """The same purchase; its seats are theirs for whom it is made. Source: A58, ADR 19."""
    return replace(decided, effect=msgspec.structs.replace(decided.effect, serves=whom))


def _asking_owner(refusal: Refusal) -> Refusal:
    return replace(refusal, remedies=(Remedy(Way.ASK_OWNER), *refusal.remedies))


def _command(ctx: Context) -> changes.MakeChange:
    return changes.MakeChange(organization=OrganizationId(int=ctx.organization_id.int))
