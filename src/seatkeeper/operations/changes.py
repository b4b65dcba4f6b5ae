"""Changes: ask, pay where the plan wants payment first, then apply, exactly once."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

import msgspec

from seatkeeper.domain.ids import ChangeId, OrganizationId
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.policies import Collect
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.domain.subscriptions import Status
from seatkeeper.operations import debts
from seatkeeper.operations import resumed as resumption
from seatkeeper.operations.accounts import load_account, stored
from seatkeeper.operations.asked import Asked
from seatkeeper.operations.change_words import Change, MakeChange, change_of
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.decisions import Decided, decide
from seatkeeper.operations.departures import keep_outside
from seatkeeper.operations.effect_words import Cause
from seatkeeper.operations.effects import apply_effect, insert_subscription
from seatkeeper.operations.endings import end
from seatkeeper.operations.invoices import Bill, due_date, issue
from seatkeeper.operations.queue import follow_ceiling
from seatkeeper.operations.quotes import checked_quote
from seatkeeper.operations.settlements import Begun, begun_of, charge, intend, settle
from seatkeeper.operations.standing import lock_current
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Limit,
    Page,
    page_size,
)
from seatkeeper.store.database import Db
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")
PAYMENTS: Final = Statements("payments")
ORGANIZATIONS: Final = Statements("organizations")
SUBSCRIPTIONS: Final = Statements("subscriptions")

__all__ = [
    "Begun",
    "Change",
    "MakeChange",
    "ReadChange",
    "ReadChanges",
    "begun_before",
    "begun_of",
    "change_of",
    "finish",
    "list_all",
    "make",
    "record",
    "settle",
    "show",
]


async def make(ctx: Context, command: MakeChange) -> Change | Refusal:
    """Make a change to what the organization has bought, now or at the end of a period.

    What is to be paid first is paid between two transactions; a declined payment changes
    nothing. Refuses: the refusals of a change and of a payment, quote_expired, quote_outdated,
    precondition_failed, already_exists. Source: A19-A36, C12-C33, C48-C52, M-6, M-18.
    """
    if command.resume is not None:
        ctx.keep = None  # The answer is kept when the refused action has been done too.
    begun = await _begin(ctx, command)
    outcome = await finish(ctx, begun)
    if begun.charge is not None and isinstance(outcome, Change) and outcome.state == "applied":
        await debts.collect(ctx, begun.charge.method)
    if isinstance(outcome, Change) and outcome.state == "applied" and command.resume is not None:
        outcome = await _resumed(ctx, command.resume, outcome)
    return outcome


async def finish(ctx: Context, begun: Begun) -> Change | Refusal:
    """Takes the payment a change waits for, outside any transaction; then the change as it is."""
    if begun.charge is not None and begun.payment_id is not None:
        result = await charge(ctx, begun)
        return await settle(ctx, begun.change_id, begun.payment_id, result)
    if begun.refusal is not None:
        return begun.refusal
    async with ctx.connection() as db:
        row = await db.one(
            CHANGES.one, organization_id=ctx.organization_id, change_id=begun.change_id
        )
    return change_of(row)


async def _begin(ctx: Context, command: MakeChange) -> Begun:
    async with ctx.transaction() as db:
        # Locked first, so that of two equal requests the later finds what the earlier did.
        subscription = await lock_current(ctx, db)
        if (begun := await begun_before(ctx, db)) is not None:
            return begun
        version = None if subscription is None else subscription.version
        if ctx.if_match not in (None, version):
            raise Refused(refuse(Code.PRECONDITION_FAILED, version=version))
        asked, quote = await checked_quote(ctx, db, command.change, command.quote)
        decided = await decide(ctx, db, asked, lock=True)
        if quote is not None:
            decided = await quote.held(ctx, db, decided)
        if command.resume is not None:
            await resumption.check(ctx, db, command.resume)
        return await record(ctx, db, (decided, asked), command)


def _request_key(ctx: Context) -> str | None:
    return None if ctx.idempotency_key is None else ctx.key_hash.hex()


async def begun_before(ctx: Context, db: Db) -> Begun | None:
    """The change of a request that was cut off: what is left to do of it; None: it is new.

    It outlives the answer kept under its key. Refuses: idempotency_key_reused. Source: I-2, I-6.
    """
    request = _request_key(ctx)
    if request is None:
        return None
    row = await db.row(CHANGES.of_request, organization_id=ctx.organization_id, request_key=request)
    if row is None:
        return None
    if row["request_hash"] != ctx.request_hash:
        raise Refused(refuse(Code.IDEMPOTENCY_KEY_REUSED))
    return await begun_of(ctx, db, row)


async def record(ctx: Context, db: Db, what: tuple[Decided, Asked], command: MakeChange) -> Begun:
    """Writes a decided change under its locks and does what needs no payment first."""
    decided, asked = what
    change_id = ctx.new_id()
    subscription_id = await _subscription_id(ctx, db, decided)
    state = "scheduled" if decided.scheduled else "applied"
    issued, begun = None, Begun(change_id)
    if not decided.scheduled and decided.lines:
        method = command.payment_method or await _method(ctx, db, decided)
        terms = _net_terms_days(decided)
        due_at = due_date(ctx, terms or 0)
        bill = Bill(
            subscription_id,
            decided.lines,
            "change",
            ChangeId.text(change_id),
            due_at=due_at,
            next_attempt_at=None if terms is None else due_at,
            payer_member_id=_payer(decided),
        )
        # Invoices for the manual rail go out at once; nobody can pay what they have not seen.
        issued = await issue(ctx, db, bill, draft=terms is None and method is not None)
        if terms is None and issued.state != "paid":
            state = "awaiting_payment"
            begun = await intend(ctx, db, change_id, issued, method)
    await _replace_slot(ctx, db, subscription_id, decided.slot)
    await db.run(
        CHANGES.insert,
        organization_id=ctx.organization_id,
        change_id=change_id,
        subscription_id=subscription_id,
        kind=decided.kind,
        state=state,
        command=stored(asked),
        quote_id=command.quote,
        slot=decided.slot,
        effective_at=decided.effective_at,
        now=ctx.now,
        actor=ctx.actor_text,
        invoice_id=None if issued is None else issued.invoice_id,
        effect=stored(decided.effect),
        request_key=_request_key(ctx),
        request_hash=ctx.request_hash,
        resume=None,
    )
    if state == "applied":
        await _apply(ctx, db, decided, (subscription_id, change_id))
    elif state == "scheduled":
        await _on_scheduled(ctx, db, decided, change_id)
    elif decided.effect.ceilings:
        await follow_ceiling(ctx, db)
    if ctx.keep is not None and begun.charge is None:
        key = {"organization_id": ctx.organization_id, "change_id": change_id}
        await ctx.keep(db, change_of(await db.one(CHANGES.one, **key)))
    return begun


def _payer(decided: Decided) -> UUID | None:
    return None if decided.effect.payer is None else decided.effect.payer.member_id


async def _replace_slot(ctx: Context, db: Db, subscription_id: UUID, slot: str | None) -> None:
    if slot is None:
        return
    await db.run(
        CHANGES.cancel_slot,
        organization_id=ctx.organization_id,
        subscription_id=subscription_id,
        slot=slot,
        now=ctx.now,
    )


def _net_terms_days(decided: Decided) -> int | None:
    """Days until the invoice of a change is due; None where its seats wait for the payment."""
    policies = decided.plan.policies
    if decided.net_terms_days is None and policies.collect is Collect.INVOICE:
        return policies.net_terms_days
    return decided.net_terms_days


async def _apply(ctx: Context, db: Db, decided: Decided, ids: tuple[UUID, UUID]) -> None:
    subscription_id, change_id = ids
    if decided.effect.status is Status.ENDED and decided.effect.payer is None:
        # At once means as at any end: back to the default plan, or the seats lapse.
        assert decided.subscription is not None
        await end(
            ctx, db, (await load_account(ctx, db, decided.subscription, only_more=True)).account
        )
        return
    cause = Cause(decided.kind, change_id)
    await apply_effect(ctx, db, subscription_id, decided.effect, cause)
    await keep_outside(ctx, db, decided.effect)


async def _on_scheduled(ctx: Context, db: Db, decided: Decided, change_id: UUID) -> None:
    if decided.effect.terms is not None and decided.effect.payer is None:
        # Also when the coming plan has none: a change that this one replaces may have had one.
        await follow_ceiling(ctx, db)
    assert decided.subscription is not None
    await db.run(
        CHANGES.touch,
        organization_id=ctx.organization_id,
        subscription_id=decided.subscription.subscription_id,
    )
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=ctx.organization_id,
        kind="change.scheduled",
        subject_id=change_id,
        member_id=None,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts={"kind": decided.kind, "effective_at": instant_text(decided.effective_at)},
    )


async def _subscription_id(ctx: Context, db: Db, decided: Decided) -> UUID:
    if decided.subscription is not None:
        return decided.subscription.subscription_id
    terms = decided.effect.terms
    assert terms is not None
    payer = decided.effect.payer
    member_id = None if payer is None else payer.member_id
    return await insert_subscription(ctx, db, terms, member_id)


async def _method(ctx: Context, db: Db, decided: Decided) -> str | None:
    if decided.effect.payer is not None:
        return decided.effect.payer.payment_method
    row = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    method: str | None = row["payment_method"]
    return method


async def _resumed(ctx: Context, token: str, change: Change) -> Change | Refusal:
    """Does what was refused for want of seats; if it fails the seats stay bought. Source: G8."""
    outcome = await resumption.perform(ctx, token, ChangeId.parse(change.change))
    return msgspec.structs.replace(change, resumed=outcome)


class ReadChange(Command):
    """One change."""

    organization: OrganizationId
    change: ChangeId


class ReadChanges(Command):
    """Changes, newest first."""

    organization: OrganizationId
    state: Literal["awaiting_payment", "scheduled", "applied", "canceled", "failed"] | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


async def show(ctx: Context, command: ReadChange) -> Change:
    """One change and where it stands. Refuses: not_found."""
    async with ctx.connection() as db:
        row = await db.row(
            CHANGES.one, organization_id=ctx.organization_id, change_id=command.change
        )
    if row is None:
        raise not_found()
    return change_of(row)


async def list_all(ctx: Context, command: ReadChanges) -> Page[Change]:
    """Changes, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            CHANGES.page,
            organization_id=ctx.organization_id,
            state=command.state,
            before=before(ctx, "changes", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["change_id"] if len(rows) > page else None
    return Page(items=[change_of(row) for row in rows[:page]], next=cursor(ctx, "changes", last))
