"""Payments: what a payment that is not there yet, or comes too late, means for everything else."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse

AWAITING = "awaiting_payment"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for its payment. `in_flight`: a rail has been asked and will answer."""

    change: str
    invoice: str
    in_flight: bool


def decide_beside(waiting: Waiting | None) -> Refusal | None:
    """Whether a change may be made beside the one that waits for its payment; None means yes.

    A rail answers within seconds, so it is worth asking again; a transfer takes days, so what
    helps is to pay or to cancel. Refuses: request_in_progress, state_conflict with the change and
    its invoice. Source: G19, B065.
    """
    if waiting is None:
        return None
    if waiting.in_flight:
        return refuse(Code.REQUEST_IN_PROGRESS)
    return refuse(
        Code.STATE_CONFLICT,
        Remedy(Way.PAY, {"invoice": waiting.invoice}),
        Remedy(Way.CANCEL_CHANGE, {"change": waiting.change}),
        detail="Another change waits for its invoice to be paid; pay it, or cancel that change.",
        state=AWAITING,
        change=waiting.change,
        invoice=waiting.invoice,
    )


def is_beside(refusal: Refusal) -> bool:
    """Whether a change was refused only because another one waits for its payment."""
    return refusal.code is Code.REQUEST_IN_PROGRESS or (
        refusal.code is Code.STATE_CONFLICT and refusal.facts.get("state") == AWAITING
    )
