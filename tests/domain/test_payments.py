"""Payments: what may be done beside a change that waits for its money."""

from __future__ import annotations

import pytest

from seatkeeper.domain.payments import Waiting, decide_beside, is_beside
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse


def test_g19_nothing_waits_and_nothing_is_refused() -> None:
    assert decide_beside(None) is None


def test_b065_a_rail_that_was_asked_answers_soon() -> None:
    refusal = decide_beside(Waiting("chg_1", "ivc_1", in_flight=True))
    assert refusal == Refusal(Code.REQUEST_IN_PROGRESS)


def test_g19_what_waits_for_a_transfer_is_named_and_can_be_paid_or_cancelled() -> None:
    refusal = decide_beside(Waiting("chg_1", "ivc_1", in_flight=False))
    assert refusal is not None
    assert refusal.code is Code.STATE_CONFLICT
    assert refusal.facts == {"state": "awaiting_payment", "change": "chg_1", "invoice": "ivc_1"}
    assert refusal.ways_out == (
        Remedy(Way.PAY, {"invoice": "ivc_1"}),
        Remedy(Way.CANCEL_CHANGE, {"change": "chg_1"}),
    )


@pytest.mark.parametrize(
    ("refusal", "beside"),
    [
        (decide_beside(Waiting("chg_1", "ivc_1", in_flight=True)), True),
        (decide_beside(Waiting("chg_1", "ivc_1", in_flight=False)), True),
        (refuse(Code.STATE_CONFLICT, state="canceled"), False),
        (refuse(Code.PAST_DUE), False),
    ],
)
def test_a58_whether_only_a_payment_stands_in_the_way(refusal: Refusal, *, beside: bool) -> None:
    assert is_beside(refusal) is beside
