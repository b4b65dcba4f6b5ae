"""The shapes of a change: what is sent, and where it stands."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from seatkeeper.domain.ids import ChangeId, InvoiceId, OrganizationId, QuoteId
from seatkeeper.domain.ids import SubscriptionId as Sub
from seatkeeper.operations.answers import (
    Actor,
    ChangeKindText,
    ChangeStateText,
    ChangeText,
    InvoiceText,
    Moment,
    QuoteText,
    SubscriptionText,
    actor_of,
)
from seatkeeper.operations.asked import Asked
from seatkeeper.operations.effect_words import Effect
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Row

Token = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_:-]+$")]


class MakeChange(Command):
    """A change, or the quote of one; `resume` does afterwards what lacked seats."""

    organization: OrganizationId
    change: Asked | None = None
    quote: QuoteId | None = None
    payment_method: Token | None = None
    resume: Annotated[str, Meta(max_length=400_000)] | None = None


class Change(Result):
    """A change and where it stands. `pending` while a payment is awaited.

    `seats_after` are the seats of each type once it is in effect, `seats_change` by how many that
    is more or fewer than when it was asked.
    """

    change: ChangeText
    kind: ChangeKindText
    state: ChangeStateText
    effective_at: Moment
    requested_at: Moment
    closed_at: Moment | None
    actor: Actor
    subscription: SubscriptionText | None
    invoice: InvoiceText | None
    quote: QuoteText | None
    seats_after: dict[Key, int]
    seats_change: dict[Key, int]
    asked: dict[str, Any]
    failure: dict[str, Any] | None = None
    resumed: dict[str, Any] | None = None
    pending: bool = False


def change_of(row: Row) -> Change:
    """A change as its readers see it."""
    effect = msgspec.convert(row["effect"], Effect)
    after, change = effect.seats
    return Change(
        change=ChangeId.text(row["change_id"]),
        kind=row["kind"],
        state=row["state"],
        effective_at=row["effective_at"],
        requested_at=row["requested_at"],
        closed_at=row["closed_at"],
        actor=actor_of(row["actor"]),
        subscription=Sub.text_or_none(row["subscription_id"]),
        invoice=InvoiceId.text_or_none(row["invoice_id"]),
        quote=QuoteId.text_or_none(row["quote_id"]),
        seats_after=after,
        seats_change=change,
        asked=row["command"],
        failure=row["failure"],
        pending=row["state"] == "awaiting_payment",
    )
