"""Credit notes: how much of an issued invoice can still be given back, to the balance."""

from __future__ import annotations

from seatkeeper.domain.money import Money
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse

CREDITED_STATES = frozenset({"open", "paid"})


def decide_credit(state: str, left: Money, asked: int, currency: str | None) -> Refusal | None:
    """Whether so much of an invoice can be credited; None means yes.

    What earlier notes took of it is not left, nor what a change of plan or of seats gave back of
    the periods it charges for. Refuses: state_conflict (void, not issued), currency_mismatch,
    invalid_request above what is left. Units: minor. Source: M-7, M-10, M-13, B075, G6, ADR 18.
    """
    if state not in CREDITED_STATES:
        return refuse(Code.STATE_CONFLICT, state=state)
    if currency not in (None, left.currency):
        return refuse(
            Code.CURRENCY_MISMATCH,
            Remedy(Way.CORRECT_REQUEST, {"currency": left.currency}),
            currency=currency,
            detail=f"The invoice is in {left.currency}.",
        )
    if not 0 < asked <= left.minor:
        return refuse(
            Code.INVALID_REQUEST,
            Remedy(Way.CORRECT_REQUEST, {"maximum": left.minor}),
            detail=f"At most {left} of this invoice can be credited.",
            left_minor=left.minor,
        )
    return None
