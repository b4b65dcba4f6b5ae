"""Invitations: who may send them, what they hold, how they end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seatkeeper.domain.invitations import (
    TRANSITIONS,
    Acceptance,
    Household,
    InvitationState,
    decide_accept,
    decide_accepted_hold,
    decide_all_holds,
    decide_domain,
    decide_first_owner,
    decide_frozen,
    decide_holds,
    decide_invite,
    decide_resend,
    decide_revoke,
    holds_seat,
    lifetime,
    repeated,
    state_at,
)
from seatkeeper.domain.members import Role
from seatkeeper.domain.policies import TypeChoice
from seatkeeper.domain.refusals import Code, Refusal, Way
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, WORKSPACE
from tests.domain.test_seats import pool

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PENDING, ACCEPTED, REVOKED, EXPIRED = InvitationState
PRIMARY, OWNER, ADMIN, MEMBER = Role
HIGH, LOW = TypeChoice
COMPANY = Household(ENTERPRISE["enterprise"], has_primary_owner=True)
PRO = Household(WORKSPACE["pro"], has_primary_owner=True)
ALONE = Household(WORKSPACE["starter"], has_primary_owner=True, people=1)


def code(refusal):
    return refusal.code if isinstance(refusal, Refusal) else refusal


@pytest.mark.parametrize(
    ("state", "seconds_left", "expected"),
    [
        ("pending", 1, PENDING),
        ("pending", 0, EXPIRED),  # half-open: the instant itself is past
        ("accepted", -1, ACCEPTED),
        ("revoked", -1, REVOKED),
    ],
)
def test_a53_an_invitation_past_its_time_has_expired(state, seconds_left, expected):
    assert state_at(state, NOW + timedelta(seconds=seconds_left), NOW) is expected


def test_only_an_expired_invitation_comes_back():
    assert set(TRANSITIONS) == set(InvitationState)
    assert {state for state, following in TRANSITIONS.items() if PENDING in following} == {EXPIRED}


@pytest.mark.parametrize(
    ("plan", "holds", "days"),
    [
        (ENTERPRISE["enterprise"], True, 21),  # A50, A53
        (ORGANIZATION["per_seat"], True, 30),  # C53
        (WORKSPACE["business"], True, 14),
        (WORKSPACE["pro"], False, 14),  # T9
        (None, False, 21),
    ],
)
def test_a50_a53_c53_t9_what_an_invitation_holds_and_how_long_it_lives(plan, holds, days):
    assert (holds_seat(plan), lifetime(plan).days) == (holds, days)


@pytest.mark.parametrize(
    ("roles", "actor", "household", "expected"),
    [
        ([MEMBER], ADMIN, COMPANY, None),
        ([MEMBER] * 500, None, COMPANY, None),
        ([ADMIN, OWNER], OWNER, COMPANY, None),
        ([MEMBER, ADMIN], ADMIN, COMPANY, Code.FORBIDDEN),  # A3
        ([MEMBER], MEMBER, COMPANY, Code.FORBIDDEN),
        ([PRIMARY], None, COMPANY, Code.STATE_CONFLICT),  # A5
        ([PRIMARY], OWNER, COMPANY, Code.FORBIDDEN),
        ([PRIMARY], None, replace(COMPANY, has_primary_owner=False), None),  # A63
        ([PRIMARY] * 2, None, replace(COMPANY, has_primary_owner=False), Code.STATE_CONFLICT),
        ([MEMBER], None, Household(None, has_primary_owner=False), None),
        ([MEMBER], PRIMARY, PRO, None),
        ([MEMBER] * 2, PRIMARY, PRO, Code.QUANTITY_OUT_OF_RANGE),  # T14
        ([ADMIN], PRIMARY, PRO, Code.STATE_CONFLICT),  # T6
        ([MEMBER], None, replace(PRO, has_primary_owner=False), Code.PRIMARY_OWNER_REQUIRED),
        ([PRIMARY], None, replace(PRO, has_primary_owner=False), None),  # T16: a new admin
        ([MEMBER], PRIMARY, ALONE, Code.OVER_PLAN_LIMIT),  # T1
        ([MEMBER], PRIMARY, replace(ALONE, people=0), None),
    ],
)
def test_a3_a5_t1_t6_t14_t16_who_may_be_invited(roles, actor, household, expected):
    assert code(decide_invite(roles, actor, household)) == expected


def test_a5_the_first_primary_owner_is_brought_by_the_vendor():
    nobody = Household(None, has_primary_owner=False)
    assert decide_first_owner(None, nobody) is None
    assert code(decide_first_owner(OWNER, nobody)) is Code.FORBIDDEN


@pytest.mark.parametrize(
    ("household", "expected"),
    [
        (COMPANY, None),
        (replace(COMPANY, has_primary_owner=False), None),
        (Household(None, has_primary_owner=False), None),
        (PRO, None),
        (replace(PRO, has_primary_owner=False), Code.PRIMARY_OWNER_REQUIRED),
    ],
)
def test_t16_invitations_rest_without_an_admin(household, expected):
    assert code(decide_frozen(household)) == expected


def test_a56_addresses_that_are_known_or_given_twice():
    assert repeated(["a", "b", "a", "c"], {"c"}) == {2, 3}
    assert repeated(["a", "b"], ()) == frozenset()


def types(outcomes):
    return [code(o) if isinstance(o, Refusal) else o.seat_type for o in outcomes]


@pytest.mark.parametrize(
    ("free", "wanted", "choice", "expected"),
    [
        ((2, 1), [None, None], LOW, ["standard", "standard"]),
        ((1, 1), [None, None], LOW, ["standard", "premium"]),
        ((1, 1), [None, None], HIGH, ["premium", "standard"]),
        # A named type goes first, so that who takes any does not take it away.
        ((1, 1), [None, "standard"], LOW, ["premium", "standard"]),
        ((0, 1), ["premium", None], LOW, ["premium", Code.INSUFFICIENT_SEATS]),
        ((1, 1), ["gold", "premium"], LOW, [Code.SEAT_TYPE_NOT_OWNED, "premium"]),
    ],
)
def test_a55_which_pools_hold_the_seats(free, wanted, choice, expected):
    standard, premium = free
    pools = [pool("standard", 5 + standard, 5), pool("premium", 5 + premium, 5)]
    assert types(decide_holds(pools, wanted, choice, "standard")) == expected


def test_a55_c27_one_refusal_for_the_whole_shortage():
    pools = [pool("standard", 3, 2), pool("premium", 2, 2)]
    refused = decide_all_holds(pools, ["standard"] * 3 + ["premium"], LOW, "standard")
    assert isinstance(refused, Refusal)
    assert refused.facts["needed"] == 3  # 2 + 3 of 3, and 2 + 1 of 2
    assert refused.facts["short"] == {"premium": 1, "standard": 2}
    bought = [r.facts for r in refused.remedies if r.way is Way.BUY_SEATS]
    assert bought == [
        {"seat_type": "premium", "quantity": 1},
        {"seat_type": "standard", "quantity": 2},
    ]


def test_c26_a_shortage_of_one_type_speaks_of_that_type():
    refused = decide_all_holds([pool("seat", 3, 1)], [None] * 4, LOW, "seat")
    assert isinstance(refused, Refusal)
    assert (refused.facts["needed"], refused.facts["seats_quantity"]) == (2, 5)
    assert "short" not in refused.facts


@pytest.mark.parametrize(("choice", "spoken_of"), [(LOW, "standard"), (HIGH, "premium")])
def test_a_shortage_of_any_type_speaks_of_the_one_the_plan_would_give(choice, spoken_of):
    pools = [pool("basic", 0, rank=1), pool("standard", 1, 1), pool("premium", 1, 1)]
    refused = decide_all_holds(pools, [None], choice, "basic")
    assert isinstance(refused, Refusal)
    assert refused.facts["seat_type"] == spoken_of


def test_a17_where_nothing_is_owned_the_entry_type_is_spoken_of():
    refused = decide_all_holds([], [None], LOW, "standard")
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.facts["seat_type"]) == (Code.SEAT_TYPE_NOT_OWNED, "standard")


def test_types_that_are_not_there_are_named_before_a_shortage():
    pools = [pool("standard", 1, 1)]
    refused = decide_all_holds(pools, ["standard", "gold", "iron"], LOW, "standard")
    assert isinstance(refused, Refusal)
    assert refused.code is Code.SEAT_TYPE_NOT_OWNED
    none = decide_all_holds(pools, ["gold", "iron"], LOW, "standard")
    assert isinstance(none, Refusal)
    assert "needed" not in none.facts


def test_a50_enough_seats_hold_them_all():
    held = decide_all_holds([pool("seat", 3)], [None] * 3, LOW, "seat")
    assert types(held) == ["seat"] * 3


@pytest.mark.parametrize(
    ("state", "own", "same_user", "expected"),
    [
        (PENDING, True, False, Acceptance.FIRST),
        (ACCEPTED, True, True, Acceptance.REPEATED),
        (ACCEPTED, True, False, Code.INVITATION_UNAVAILABLE),
        (REVOKED, True, True, Code.INVITATION_UNAVAILABLE),
        (EXPIRED, True, False, Code.INVITATION_UNAVAILABLE),
        (PENDING, False, False, Code.FORBIDDEN),  # B049
        (EXPIRED, False, True, Code.FORBIDDEN),
    ],
)
def test_g11_s10_who_can_accept_what(state, own, same_user, expected):
    assert code(decide_accept(state, own=own, same_user=same_user)) == expected


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        (None, None),
        (pool("seat", 1, held=1), None),
        (pool("seat", 1, 1, 1), Code.OVER_LIMIT),
        (pool("seat", 5, 3, held=3), Code.OVER_LIMIT),
    ],
)
def test_c46_while_over_the_limit_no_hold_becomes_a_seat(seats, expected):
    assert code(decide_accepted_hold(seats)) == expected


@pytest.mark.parametrize(
    ("state", "resend", "revoke"),
    [
        (PENDING, None, None),
        (EXPIRED, None, Code.STATE_CONFLICT),
        (REVOKED, Code.STATE_CONFLICT, None),  # twice succeeds
        (ACCEPTED, Code.STATE_CONFLICT, Code.STATE_CONFLICT),
    ],
)
def test_a53_a54_which_can_be_sent_again_or_taken_back(state, resend, revoke):
    assert (code(decide_resend(state)), code(decide_revoke(state))) == (resend, revoke)


@pytest.mark.parametrize(
    ("email", "allowed", "domain"),
    [
        ("ada@example.com", [], None),  # no restriction
        ("ada@example.com", ["example.com"], None),
        ("ada@example.com", ["example.org", "example.com"], None),
        ("ada@example.org", ["example.com"], "example.org"),
        ("ada@mail.example.com", ["example.com"], "mail.example.com"),  # not those below it,
        ("ada@example.com", ["mail.example.com"], "example.com"),  # nor those above
        ("ada@notexample.com", ["example.com"], "notexample.com"),
    ],
)
def test_a52_an_address_is_at_an_allowed_domain_exactly(email, allowed, domain):
    refusal = decide_domain(email, allowed)
    if domain is None:
        assert refusal is None
    else:
        assert (refusal.code, refusal.facts) == (Code.DOMAIN_NOT_VERIFIED, {"domain": domain})
        assert refusal.sentence == f"The organization lets nobody in from the domain {domain}."
