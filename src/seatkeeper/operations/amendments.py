"""Amendments: asked for, quoted by the account manager, accepted or declined, listed, expired."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from seatkeeper.domain.amendments import ACCEPTED, AmendmentState, decide_accept, decide_step
from seatkeeper.domain.ids import AmendmentId
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.refusals import Code, Refused, Remedy, Way, refuse
from seatkeeper.operations.accounts import stored
from seatkeeper.operations.amending import (
    AmendmentTerms,
    CreditTerms,
    Standing,
    carry_out,
    decide,
    standing,
)
from seatkeeper.operations.amendment_words import (
    AcceptAmendment,
    Amendment,
    DeclineAmendment,
    QuoteAmendment,
    ReadAmendment,
    ReadAmendments,
    RequestAmendment,
    SeatDelta,
    amendment_of,
)
from seatkeeper.operations.context import SYSTEM, Context, not_found
from seatkeeper.operations.contract_terms import account_manager_only, sold, tell
from seatkeeper.operations.credit_notes import Credit, check_credit, give_credit
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.decisions import Decided
from seatkeeper.operations.discount_words import ended_discount
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.quotes import offer_of
from seatkeeper.operations.words import Page, page_size
from seatkeeper.store.contracts import CONTRACTS
from seatkeeper.store.database import Db, Row

REQUEST_LIVES: Final = timedelta(days=30)


async def request(ctx: Context, command: RequestAmendment) -> Amendment:
    """Ask for a change of the contract; the account manager answers with an offer.

    Refuses: not_found without a contract, invalid_request. Source: T30, T34, A31.
    """
    async with ctx.transaction() as db:
        found = await standing(ctx, db)
        seats = _seats(found, command.seats)
        if not (seats or command.plan or command.note):
            raise Refused(refuse(Code.INVALID_REQUEST, detail="Say what should be otherwise."))
        terms = AmendmentTerms(seats=seats, plan=command.plan, price=command.price)
        amendment_id = ctx.new_id()
        await db.run(
            CONTRACTS.amendment_insert,
            organization_id=ctx.organization_id,
            amendment_id=amendment_id,
            contract_id=found.contract["contract_id"],
            terms=stored(terms),
            note=command.note or "",
            requested_by=ctx.actor_text,
            now=ctx.now,
            expires_at=ctx.now + REQUEST_LIVES,
        )
        await tell(ctx, db, "amendment.requested", amendment_id, {"seats": dict(seats)})
        return await _shown(ctx, db, amendment_id)


def _seats(found: Standing, asked: list[SeatDelta]) -> dict[str, int]:
    plan = found.subscription.plan
    seats: dict[str, int] = {}
    for item in asked:
        key = item.seat_type or plan.entry_type.key
        if key not in plan.seat_types or key in seats or item.change == 0:
            sentence = "Name each seat type of the plan once, with seats to add or to take."
            raise Refused(refuse(Code.INVALID_REQUEST, detail=sentence))
        seats[key] = item.change
    return seats


async def quote(ctx: Context, command: QuoteAmendment) -> Amendment:
    """Offer an amendment with its price and validity; quoted again, the newer offer holds.

    Refuses: forbidden, contract_managed, not_found, state_conflict, invalid_request (an exception
    without a reason), and the refusals of a change. Source: T30, T33, T34.
    """
    account_manager_only(ctx)
    async with ctx.transaction() as db:
        found, row = await _open(ctx, db, command.amendment)
        _step(row, AmendmentState.QUOTED)
        terms = await _quoted_terms(ctx, db, command, (found, row))
        decided = await decide(ctx, db, found, terms, _slot(row))
        if terms.credit is not None:
            await check_credit(ctx, db, _credit(row, terms))
        await db.run(
            CONTRACTS.amendment_quote,
            organization_id=ctx.organization_id,
            amendment_id=row["amendment_id"],
            terms=stored(terms),
            offer=_offer(ctx, decided),
            quoted_by=ctx.actor_text,
            expires_at=ctx.now + timedelta(days=command.valid_days),
            effective_at=decided.effective_at,
        )
        facts = {"due_now_minor": decided.due_now, "reason": terms.reason}
        await tell(ctx, db, "amendment.quoted", row["amendment_id"], facts)
        return await _shown(ctx, db, row["amendment_id"])


async def _quoted_terms(
    ctx: Context, db: Db, command: QuoteAmendment, what: tuple[Standing, Row]
) -> AmendmentTerms:
    found, row = what
    asked = msgspec.convert(row["terms"], AmendmentTerms)
    if (command.effective or command.credit) and command.reason is None:
        raise Refused(refuse(Code.INVALID_REQUEST, detail="An exception needs its reason."))
    amounts = {} if command.prices is None else command.prices.amounts()
    plan_key, price_key = command.plan or asked.plan, command.price or asked.price
    version_id = None
    if plan_key is not None or price_key is not None:
        plan_key = plan_key or found.subscription.plan.key
        chosen = await sold(ctx, db, (plan_key, price_key), amounts, found.subscription)
        version_id, price_key = chosen.version_id, chosen.choice.price.key
    credit = command.credit
    return AmendmentTerms(
        seats=asked.seats if command.seats is None else _seats(found, command.seats),
        plan=plan_key,
        price=price_key,
        plan_version_id=version_id,
        amounts=amounts,
        effective=command.effective,
        reason=command.reason,
        credit=None
        if credit is None
        else CreditTerms(invoice_id=credit.invoice, amount_minor=credit.amount_minor),
    )


async def accept(ctx: Context, command: AcceptAmendment) -> Amendment:
    """Accept an offered amendment: it is carried out now, or on the day which the policies give.

    What is owed at once is counted from today and invoiced on the contract's terms. Twice
    succeeds. Refuses: not_found, state_conflict, quote_expired, quote_outdated (another amount than
    `due_now_minor`), invalid_request (an account manager without a note), and the refusals of a
    change. Source: A27, T30, T31, T33, T34.
    """
    async with ctx.transaction() as db:
        found, row = await _open(ctx, db, command.amendment)
        if AmendmentState(row["state"]) in ACCEPTED:
            return await _shown(ctx, db, row["amendment_id"])
        refusal = decide_accept(AmendmentState(row["state"]), row["expires_at"], ctx.now)
        if refusal is not None:
            raise Refused(refusal)
        if ctx.by_account_manager() and command.note is None:
            sentence = "Note how the acceptance came in writing."
            raise Refused(refuse(Code.INVALID_REQUEST, detail=sentence))
        terms = msgspec.convert(row["terms"], AmendmentTerms)
        decided = await decide(ctx, db, found, terms, _slot(row))
        _compare(command, decided)
        await _accepted(ctx, db, (found, row), (terms, decided), command.note)
        return await _shown(ctx, db, row["amendment_id"])


def _compare(command: AcceptAmendment, decided: Decided) -> None:
    expected = command.due_now_minor
    if expected is not None and expected != decided.due_now:
        raise Refused(
            refuse(
                Code.QUOTE_OUTDATED,
                Remedy(Way.REREAD),
                quoted_minor=expected,
                due_now_minor=decided.due_now,
                difference_minor=decided.due_now - expected,
            )
        )


async def _accepted(
    ctx: Context,
    db: Db,
    what: tuple[Standing, Row],
    agreed: tuple[AmendmentTerms, Decided],
    note: str | None,
) -> None:
    found, row = what
    terms, decided = agreed
    amendment_id = row["amendment_id"]
    change_id = await carry_out(ctx, db, found, terms, decided)
    state = AmendmentState.SCHEDULED if decided.scheduled else AmendmentState.APPLIED
    await db.run(
        CONTRACTS.amendment_accept,
        organization_id=ctx.organization_id,
        amendment_id=amendment_id,
        state=state,
        offer=_offer(ctx, decided),
        decided_by=ctx.actor_text,
        effective_at=decided.effective_at,
        change_id=change_id,
        note=_noted(row, note),
        now=ctx.now,
    )
    facts = {"seats": dict(terms.seats), "effective": terms.effective, "reason": terms.reason}
    await tell(ctx, db, "amendment.accepted", amendment_id, {**facts, "note": note})
    at = {"effective_at": instant_text(decided.effective_at)}
    await tell(ctx, db, f"amendment.{state}", amendment_id, at)
    if terms.credit is not None:
        await give_credit(ctx, db, _credit(row, terms))


def _noted(row: Row, note: str | None) -> str:
    return "\n".join(part for part in (row["note"], note) if part)


def _credit(row: Row, terms: AmendmentTerms) -> Credit:
    assert terms.credit is not None
    return Credit(
        invoice_id=terms.credit.invoice_id,
        amount_minor=terms.credit.amount_minor,
        reason=terms.reason or "",
        cause="amendment",
        cause_id=AmendmentId.text(row["amendment_id"]),
    )


async def decline(ctx: Context, command: DeclineAmendment) -> Amendment:
    """Decline an amendment that is not accepted yet. Twice succeeds.

    Refuses: not_found, state_conflict. Source: T34.
    """
    async with ctx.transaction() as db:
        _, row = await _open(ctx, db, command.amendment)
        if row["state"] != AmendmentState.DECLINED:
            _step(row, AmendmentState.DECLINED)
            await db.run(
                CONTRACTS.amendment_decline,
                organization_id=ctx.organization_id,
                amendment_id=row["amendment_id"],
                decided_by=ctx.actor_text,
                note=_noted(row, command.note),
                now=ctx.now,
            )
            facts = {"note": command.note}
            await tell(ctx, db, "amendment.declined", row["amendment_id"], facts)
        return await _shown(ctx, db, row["amendment_id"])


async def _open(ctx: Context, db: Db, amendment_id: UUID) -> tuple[Standing, Row]:
    found = await standing(ctx, db)
    row = await db.row(
        CONTRACTS.amendment_lock, organization_id=ctx.organization_id, amendment_id=amendment_id
    )
    if row is None or row["contract_id"] != found.contract["contract_id"]:
        raise not_found()
    return found, row


def _step(row: Row, to: AmendmentState) -> None:
    if (refusal := decide_step(AmendmentState(row["state"]), to)) is not None:
        raise Refused(refusal)


def _slot(row: Row) -> str:
    return f"amendment:{row['amendment_id']}"


def _offer(ctx: Context, decided: Decided) -> dict[str, Any]:
    ended = ended_discount(decided.ends_discount, ctx.organization.currency)
    return {
        **offer_of(decided),
        "due_now_minor": decided.due_now,
        "ends_discount": stored(ended),
    }


async def show(ctx: Context, command: ReadAmendment) -> Amendment:
    """One amendment and where it stands. Refuses: not_found."""
    async with ctx.connection() as db:
        return await _shown(ctx, db, command.amendment)


async def list_all(ctx: Context, command: ReadAmendments) -> Page[Amendment]:
    """Amendments, newest first."""
    page = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            CONTRACTS.amendments,
            organization_id=ctx.organization_id,
            state=command.state,
            before=before(ctx, "amendments", command.after),
            page=page + 1,
        )
    last = rows[page - 1]["amendment_id"] if len(rows) > page else None
    items = [amendment_of(ctx, row) for row in rows[:page]]
    return Page(items=items, next=cursor(ctx, "amendments", last))


async def _shown(ctx: Context, db: Db, amendment_id: UUID) -> Amendment:
    row = await db.row(
        CONTRACTS.amendment, organization_id=ctx.organization_id, amendment_id=amendment_id
    )
    if row is None:
        raise not_found()
    return amendment_of(ctx, row)


async def expire_due(engine: Engine, *, now: datetime, clock_id: UUID | None, most: int) -> int:
    """Closes amendments that nobody answered in time, of one clock or live ones; how many.

    Source: T34.
    """
    async with engine.database.transaction() as db:
        return await db.run(
            CONTRACTS.expire, now=now, clock_id=clock_id, most=most, actor=SYSTEM.name
        )
