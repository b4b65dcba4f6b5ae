"""Quotes: what a change would cost; accepting one charges exactly that, or says what moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from seatkeeper.domain.billing import Line
from seatkeeper.domain.ids import OrganizationId, QuoteId
from seatkeeper.domain.periods import instant_text, local_day
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.accounts import stored
from seatkeeper.operations.answers import (
    BasisText,
    ChangeKindText,
    CurrencyText,
    LineKindText,
    Minor,
    Moment,
    Points,
    QuoteText,
)
from seatkeeper.operations.asked import Asked
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.decisions import Decided, decide
from seatkeeper.operations.discount_words import EndedDiscount, ended_discount
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Db
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")
LIVES: Final = timedelta(minutes=30)


class AskQuote(Command):
    """A change whose price is wanted."""

    organization: OrganizationId
    change: Asked


class QuoteLine(Result):
    """One line of a quote. discount = full - amount; part of of_parts, counted by `basis`.

    Units: minor.
    """

    kind: LineKindText
    seat_type: Key | None
    quantity: int
    quantity_before: int
    unit_minor: Minor | None
    part: int
    of_parts: int
    basis: BasisText
    full_minor: Minor
    discount_minor: Minor
    amount_minor: Minor
    discount_basis_points: Points
    discount_fixed_minor: Minor


class Quote(Result):
    """What a change costs now and when it comes; valid until `expires_at` of the same day.

    `seats_after` are the seats of each type once it is in effect, `seats_change` by how many that
    is more or fewer than now. `ends_discount` is the discount which the change takes away.
    """

    quote: QuoteText
    kind: ChangeKindText
    currency: CurrencyText
    due_now_minor: Minor
    effective_at: Moment
    scheduled: bool
    seats_after: dict[Key, int]
    seats_change: dict[Key, int]
    lines: list[QuoteLine]
    expires_at: Moment
    ends_discount: EndedDiscount | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A quote that is being accepted."""

    asked: Asked
    offer: dict[str, Any]
    due_now_minor: int
    quoted_at: datetime

    async def held(self, ctx: Context, db: Db, decided: Decided) -> Decided:
        """What was quoted, as it is done now.

        Where prices fall by the second the offer is made again at the quote's own instant: only
        facts that changed make it outdated. Refuses: quote_outdated with the difference.
        """
        if offer_of(decided) == self.offer:
            return decided
        now, ctx.now = ctx.now, self.quoted_at
        try:
            again = await decide(ctx, db, self.asked, lock=True)
        finally:
            ctx.now = now
        if offer_of(again) == self.offer:
            return again
        raise Refused(
            refuse(
                Code.QUOTE_OUTDATED,
                quoted_minor=self.due_now_minor,
                due_now_minor=decided.due_now,
                difference_minor=decided.due_now - self.due_now_minor,
            )
        )


async def ask(ctx: Context, command: AskQuote) -> Quote:
    """What a change would cost now; charging it within the quote's life costs exactly that.

    Refuses: the refusals of a change. Source: A22, C18, C24.
    """
    async with ctx.transaction() as db:
        decided = await decide(ctx, db, command.change, lock=False)
        quote_id = ctx.new_id()
        today = local_day(ctx.now, ctx.organization.time_zone)
        offer = offer_of(decided)
        await db.run(
            CHANGES.quote_insert,
            organization_id=ctx.organization_id,
            quote_id=quote_id,
            command=stored(command.change),
            offer=offer,
            due_now_minor=decided.due_now,
            now=ctx.now,
            local_day=today,
            expires_at=ctx.now + LIVES,
        )
    after, change = decided.effect.seats
    return Quote(
        quote=QuoteId.text(quote_id),
        kind=decided.kind,
        currency=ctx.organization.currency,
        due_now_minor=decided.due_now,
        effective_at=decided.effective_at,
        scheduled=decided.scheduled,
        seats_after=after,
        seats_change=change,
        lines=[msgspec.convert(line, QuoteLine) for line in offer["lines"]],
        expires_at=ctx.now + LIVES,
        ends_discount=ended_discount(decided.ends_discount, ctx.organization.currency),
    )


def _seats(decided: Decided) -> dict[str, int]:
    terms = decided.effect.terms
    return decided.effect.deltas if terms is None else terms.quantities


def offer_of(decided: Decided) -> dict[str, Any]:
    """What makes two offers the same: their kind, seats, day and lines."""
    return {
        "kind": decided.kind,
        "scheduled": decided.scheduled,
        "seats": _seats(decided),
        "lines": stored(quote_lines(decided.lines)),
    }


def quote_lines(lines: Iterable[Line]) -> list[QuoteLine]:
    """Lines as they are shown before there is an invoice."""
    return [
        QuoteLine(
            kind=line.kind,
            seat_type=line.seat_type,
            quantity=line.quantity,
            quantity_before=line.quantity_before,
            unit_minor=line.unit_minor,
            part=line.share.part,
            of_parts=line.share.whole,
            basis=line.share.basis,
            full_minor=line.full_minor,
            discount_minor=line.full_minor - line.amount_minor,
            amount_minor=line.amount_minor,
            discount_basis_points=line.discount_basis_points,
            discount_fixed_minor=line.discount_fixed_minor,
        )
        for line in lines
    ]


async def checked_quote(
    ctx: Context, db: Db, asked: Asked | None, quote: QuoteId | None
) -> tuple[Asked, Accepted | None]:
    """What is to be done: the change itself, or the one that was quoted.

    Refuses: invalid_request (neither or both), not_found, state_conflict (accepted before),
    quote_expired. Source: A22, B027.
    """
    if (asked is None) == (quote is None):
        raise Refused(refuse(Code.INVALID_REQUEST, detail="Give exactly one of change and quote."))
    if asked is not None:
        return asked, None
    row = await db.row(CHANGES.quote, organization_id=ctx.organization_id, quote_id=quote)
    if row is None:
        raise not_found()
    if row["accepted"]:
        raise Refused(refuse(Code.STATE_CONFLICT, state="accepted"))
    today = local_day(ctx.now, ctx.organization.time_zone)
    if ctx.now >= row["expires_at"] or today != row["local_day"]:
        raise Refused(refuse(Code.QUOTE_EXPIRED, expired_at=instant_text(row["expires_at"])))
    command: Asked = msgspec.convert(row["command"], Asked)
    return command, Accepted(command, row["offer"], row["due_now_minor"], row["created_at"])
