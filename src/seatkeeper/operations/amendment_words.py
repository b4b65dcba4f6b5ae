"""The shapes in which amendments are asked for, offered, answered and shown."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from seatkeeper.domain.amendments import AmendmentState
from seatkeeper.domain.ids import (
    AmendmentId,
    ChangeId,
    ContractId,
    InvoiceId,
    OrganizationId,
)
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.operations.amending import AmendmentTerms, Effective
from seatkeeper.operations.answers import (
    Actor,
    AmendmentStateText,
    AmendmentText,
    ChangeText,
    ContractText,
    CurrencyText,
    EffectiveText,
    Minor,
    Moment,
    actor_of,
    actor_or_none,
)
from seatkeeper.operations.context import Context
from seatkeeper.operations.contract_terms import (
    AgreedAmounts,
    AgreedPrices,
    Amount,
    amounts_shown,
)
from seatkeeper.operations.discount_words import EndedDiscount
from seatkeeper.operations.quotes import QuoteLine
from seatkeeper.operations.words import PAGE_DEFAULT, Command, Cursor, Key, Limit, Result
from seatkeeper.store.database import Row

NOTE_MAX: Final = 2_000
Note = Annotated[
    str, Meta(min_length=1, max_length=NOTE_MAX, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]+$(?!\n)")
]
Delta = Annotated[int, Meta(ge=-QUANTITY_MAX, le=QUANTITY_MAX, description="never 0")]


class SeatDelta(Command):
    """So many seats of a type more, or fewer (negative)."""

    change: Delta
    seat_type: Key | None = None


SeatDeltas = Annotated[list[SeatDelta], Meta(max_length=20)]
NO_SEATS: Final[Any] = msgspec.field(default_factory=list)


class RequestAmendment(Command):
    """What should be otherwise: seats, the plan, or what the note says."""

    organization: OrganizationId
    seats: SeatDeltas = NO_SEATS
    plan: Key | None = None
    price: Key | None = None
    note: Note | None = None


class CreditOnInvoice(Command):
    """What of an invoice is credited to the balance when the amendment is accepted."""

    invoice: InvoiceId
    amount_minor: Annotated[int, Meta(ge=1)]


class QuoteAmendment(Command):
    """The account manager's offer. What is left out stays as it was asked.

    `effective` is an exception to the day which the plan's policies give; it and a credit need a
    `reason`.
    """

    organization: OrganizationId
    amendment: AmendmentId
    seats: SeatDeltas | None = None
    plan: Key | None = None
    price: Key | None = None
    prices: AgreedPrices | None = None
    valid_days: Annotated[int, Meta(ge=1, le=365)] = 14
    effective: Effective | None = None
    reason: Note | None = None
    credit: CreditOnInvoice | None = None


class AcceptAmendment(Command):
    """Accept an offer. `note` says how it came in writing, when the account manager accepts.

    With `due_now_minor` it is accepted only if exactly that is owed now.
    """

    organization: OrganizationId
    amendment: AmendmentId
    note: Note | None = None
    due_now_minor: Amount | None = None


class DeclineAmendment(Command):
    """Say no to an amendment, or take a request back."""

    organization: OrganizationId
    amendment: AmendmentId
    note: Note | None = None


class ReadAmendment(Command):
    """One amendment."""

    organization: OrganizationId
    amendment: AmendmentId


class ReadAmendments(Command):
    """Amendments, newest first."""

    organization: OrganizationId
    state: AmendmentState | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class AmendmentOffer(Result):
    """What acceptance bills at once and what then holds; counted for the day it was made."""

    due_now_minor: Minor
    currency: CurrencyText
    scheduled: bool
    lines: list[QuoteLine]
    ends_discount: EndedDiscount | None = None


class Amendment(Result):
    """An amendment and where it stands."""

    amendment: AmendmentText
    contract: ContractText
    state: AmendmentStateText
    seats: dict[Key, int]
    plan: Key | None
    price: Key | None
    prices: AgreedAmounts | None
    note: str
    effective: EffectiveText | None
    reason: str | None
    credit_minor: Minor | None
    offer: AmendmentOffer | None
    requested_by: Actor
    quoted_by: Actor | None
    decided_by: Actor | None
    created_at: Moment
    expires_at: Moment | None
    effective_at: Moment | None
    closed_at: Moment | None
    change: ChangeText | None
    version: int


def amendment_of(ctx: Context, row: Row) -> Amendment:
    """An amendment as its readers see it."""
    terms = msgspec.convert(row["terms"], AmendmentTerms)
    offer = row["offer"]
    return Amendment(
        amendment=AmendmentId.text(row["amendment_id"]),
        contract=ContractId.text(row["contract_id"]),
        state=row["state"],
        seats=terms.seats,
        plan=terms.plan,
        price=terms.price,
        prices=amounts_shown(terms.amounts),
        note=row["note"],
        effective=terms.effective,
        reason=terms.reason,
        credit_minor=None if terms.credit is None else terms.credit.amount_minor,
        offer=None
        if offer is None
        else AmendmentOffer(
            due_now_minor=offer["due_now_minor"],
            currency=ctx.organization.currency,
            scheduled=offer["scheduled"],
            lines=[msgspec.convert(line, QuoteLine) for line in offer["lines"]],
            ends_discount=msgspec.convert(offer["ends_discount"], EndedDiscount | None),
        ),
        requested_by=actor_of(row["requested_by"]),
        quoted_by=actor_or_none(row["quoted_by"]),
        decided_by=actor_or_none(row["decided_by"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        effective_at=row["effective_at"],
        closed_at=row["closed_at"],
        change=ChangeId.text_or_none(row["change_id"]),
        version=row["version"],
    )
