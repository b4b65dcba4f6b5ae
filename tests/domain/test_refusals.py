"""Refusals: every no has a sentence, facts and a way out."""

from __future__ import annotations

from string import Formatter

import pytest

from seatkeeper.domain.refusals import (
    SENTENCES,
    USUAL_WAYS,
    Code,
    Refusal,
    Refused,
    Remedy,
    Way,
    refuse,
    refuse_field,
)


@pytest.mark.parametrize("code", Code)
def test_g19_every_refusal_says_a_sentence_even_without_facts(code: Code) -> None:
    sentence = refuse(code).sentence
    assert sentence[0].isupper() or sentence.startswith("some ")
    assert sentence.endswith(".")
    assert "{" not in sentence


@pytest.mark.parametrize("code", Code)
def test_g19_every_refusal_puts_its_facts_into_the_sentence(code: Code) -> None:
    names = {name for _, name, _, _ in Formatter().parse(SENTENCES[code]) if name}
    sentence = refuse(code, **{name: f"<{name}>" for name in names}).sentence
    assert all(f"<{name}>" in sentence for name in names)


@pytest.mark.parametrize("code", Code)
def test_g19_every_refusal_has_a_way_out(code: Code) -> None:
    ways = refuse(code).ways_out
    assert ways
    assert len(set(USUAL_WAYS[code])) == len(ways)


def test_g19_every_way_out_helps_against_something() -> None:
    usual = {way for ways in USUAL_WAYS.values() for way in ways}
    # These need a fact only a decision has: until when, whom, which.
    assert set(Way) - usual == {Way.WAIT, Way.REMOVE_MEMBERS, Way.CANCEL_CHANGE}


def test_no_sentence_is_left_over_and_no_code_is_spelled_two_ways() -> None:
    assert set(SENTENCES) == set(USUAL_WAYS) == set(Code)
    assert len(set(SENTENCES.values())) == len(Code)
    assert all(code.value == code.value.lower().replace("-", "_") for code in Code)


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (refuse(Code.INSUFFICIENT_SEATS, needed=3), "The organization is short of 3 seats."),
        (refuse(Code.BELOW_MINIMUM_SEATS, minimum=20), "The plan requires at least 20 seats."),
        (refuse(Code.OVER_PLAN_LIMIT, limit=10), "The plan allows at most 10 seats."),
        (
            refuse(Code.SEAT_TYPE_NOT_OWNED, seat_type="premium"),
            "The organization owns no seat of the type premium.",
        ),
        (refuse(Code.SEATS_IN_USE), "some seats must be freed first."),
    ],
)
def test_g19_sentences_a_customer_reads(refusal: Refusal, sentence: str) -> None:
    assert refusal.sentence == sentence


def test_g19_a_fact_is_never_read_as_a_template() -> None:
    refusal = refuse(Code.STATE_CONFLICT, state="{secret} %s")
    assert refusal.sentence == "This cannot be done in the present state ({secret} %s)."


def test_g19_a_detail_takes_the_place_of_the_sentence() -> None:
    refusal = refuse(Code.SEATS_IN_USE, detail="Free {two} seats.", needed=2)
    assert refusal.sentence == "Free {two} seats."
    assert refusal.facts == {"needed": 2}


def test_g19_the_ways_a_decision_names_take_the_place_of_the_usual_ones() -> None:
    buy = Remedy(Way.BUY_SEATS, {"quantity": 3})
    assert refuse(Code.INSUFFICIENT_SEATS, buy, needed=3).ways_out == (buy,)
    assert refuse(Code.INSUFFICIENT_SEATS, needed=3).ways_out == (
        Remedy(Way.BUY_SEATS),
        Remedy(Way.FREE_SEAT),
        Remedy(Way.REVOKE_INVITATION),
    )


def test_a30_a_reduction_refused_mid_term_names_both_ways_out() -> None:
    ways = {remedy.way for remedy in refuse(Code.REDUCTION_NOT_ALLOWED_MID_TERM).ways_out}
    assert ways == {Way.SCHEDULE_FOR_RENEWAL, Way.CONTACT_ACCOUNT_MANAGER}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Code.FORBIDDEN, Code.NOT_FOUND),  # not permitted
        (Code.NOT_FOUND, Code.STATE_CONFLICT),
        (Code.STATE_CONFLICT, Code.SEAT_TYPE_NOT_OWNED),  # wrong state
        (Code.SEAT_TYPE_NOT_OWNED, Code.OVER_PLAN_LIMIT),  # not owned
        (Code.OVER_PLAN_LIMIT, Code.INSUFFICIENT_SEATS),  # limit, then shortage
        (Code.OVER_LIMIT, Code.INSUFFICIENT_SEATS),
        (Code.INSUFFICIENT_SEATS, Code.PAYMENT_DECLINED),
    ],
)
def test_the_code_that_is_said_first_stands_first(first: Code, second: Code) -> None:
    order = list(Code)
    assert order.index(first) < order.index(second)


def test_a_refusal_is_raised_once_and_carried_whole() -> None:
    refusal = refuse(Code.NO_SEAT)
    with pytest.raises(Refused, match="no_seat") as caught:
        raise Refused(refusal)
    assert caught.value.refusal is refusal


def test_a_wrong_field_is_named_by_its_pointer():
    refusal = refuse_field("/quantity", "Give a number.")
    assert refusal.code is Code.INVALID_REQUEST
    assert refusal.sentence == "/quantity: Give a number."
    assert "/quantity" in str(refusal.facts["errors"])
