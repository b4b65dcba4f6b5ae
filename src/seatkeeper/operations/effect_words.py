"""Effects as values: what a change does, as it is kept with the change and read again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.changes import Offer
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.terms import Terms
from seatkeeper.operations.own_seats import Payer


class TermsEffect(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that come into force."""

    plan_version_id: UUID
    price_key: str
    status: Status
    anchor: date
    number: int
    starts_at: datetime
    ends_at: datetime
    term_ends_at: datetime
    trial_ends_at: datetime | None
    quantities: dict[str, int]
    successors: dict[str, str]
    keeps_period: bool
    level_at: datetime
    # The same plan at the same price, only under a contract: its discount goes on.
    keeps_price: bool = False
    # The running period is credited and billed anew, so that no level of it is paid any more.
    bills_period: bool = False
    # A cancellation that still comes. Source: T-7.
    cancel_at: datetime | None = None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a change does. `levels` are (paid, level, billed) per seat type."""

    deltas: dict[str, int] = {}
    levels: dict[str, tuple[int, int, int]] = {}
    level_at: datetime | None = None
    status: Status | None = None
    cancel_at: datetime | None = None
    terms: TermsEffect | None = None
    # A coming plan's limit, which blocks new seats above it from now on. Source: C51.
    limit: int | None = None
    # How many may sit in each pool while the change waits for its payment. Source: C12, M-12.
    ceilings: dict[str, int] = {}
    # Who gets new seats: whoever waits longest, those for whom they were bought, or somebody who
    # comes in by this very transaction. Source: ADR 19.
    serves: Literal["queue", "bought", "nobody"] = "queue"
    # The member whose own subscription it is; None where it is the organization's.
    payer: Payer | None = None
    # The seats that were purchased when it was decided.
    before: dict[str, int] = {}

    @property
    def seats(self) -> tuple[dict[str, int], dict[str, int]]:
        """Per type, the seats once it is in effect, and by how many that is more or fewer."""
        if self.terms is not None:
            after = self.terms.quantities
        else:
            kinds = {**self.before, **self.deltas}
            after = {key: self.before.get(key, 0) + self.deltas.get(key, 0) for key in kinds}
        change = {
            key: after.get(key, 0) - self.before.get(key, 0) for key in {**self.before, **after}
        }
        return after, {key: delta for key, delta in change.items() if delta}


def counted(effect: Effect, account: Account) -> Effect:
    """The effect with the seats it was decided on."""
    before = {key: billed.pool.purchased for key, billed in account.pools.items()}
    return msgspec.structs.replace(effect, before=before)


def effect_of_offer(offer: Offer) -> Effect:
    """What accepting an offer does."""
    return Effect(
        deltas=dict(offer.deltas),
        levels={key: (d.paid, d.level, d.billed) for key, d in offer.levels.items()},
        level_at=offer.level_at,
        status=offer.status,
        cancel_at=offer.cancel_at,
    )


def effect_of_terms(terms: Terms, plan_version_id: UUID) -> Effect:
    """What coming onto terms does."""
    level_at = terms.lines[-1].effective_at if terms.lines else terms.starts_at
    return Effect(
        terms=TermsEffect(
            plan_version_id=plan_version_id,
            price_key=terms.price.key,
            status=terms.status,
            anchor=terms.anchor,
            number=terms.number,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            term_ends_at=terms.term_ends_at,
            trial_ends_at=terms.trial_ends_at,
            quantities=dict(terms.quantities),
            successors=dict(terms.successors),
            keeps_period=terms.keeps_period,
            bills_period=terms.keeps_period and bool(terms.lines),
            level_at=level_at,
            cancel_at=terms.cancel_at,
        ),
        limit=terms.plan.limit if terms.scheduled else None,
    )


class Cause(msgspec.Struct, frozen=True):
    """Why purchased seats change: a permanent word and the id of what did it."""

    word: str
    id: UUID
