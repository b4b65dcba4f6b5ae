"""Credit notes: never more than the invoice, in its currency, on what was issued."""

import pytest

from seatkeeper.domain.credit_notes import decide_credit
from seatkeeper.domain.money import Money
from seatkeeper.domain.refusals import Code
from tests.domain.facts import code_of


@pytest.mark.parametrize(
    ("state", "left", "asked", "currency", "code"),
    [
        ("paid", 144_658, 144_658, None, None),
        ("open", 100_000, 100_000, "USD", None),
        ("paid", 100_000, 100_001, "USD", Code.INVALID_REQUEST),
        ("paid", 0, 1, None, Code.INVALID_REQUEST),
        ("paid", 144_658, 0, None, Code.INVALID_REQUEST),
        ("paid", 144_658, 100, "EUR", Code.CURRENCY_MISMATCH),
        ("void", 144_658, 100, None, Code.STATE_CONFLICT),
        ("draft", 144_658, 100, None, Code.STATE_CONFLICT),
    ],
)
def test_m10_m7_b075_what_can_be_credited(state, left, asked, currency, code):
    assert code_of(decide_credit(state, Money(left, "USD"), asked, currency)) is code


def test_m10_a_refusal_says_how_much_is_left():
    refusal = decide_credit("paid", Money(100_000, "USD"), 200_000, None)
    assert refusal is not None
    assert refusal.facts["left_minor"] == 100_000
    assert refusal.sentence == "At most 1,000.00 USD of this invoice can be credited."
