"""What roles may do, which states there are, and how someone who comes in is seated."""

from dataclasses import replace

import pytest

from seatkeeper.domain.members import (
    BILLING_PERMISSIONS,
    TRANSITIONS,
    MemberState,
    Permission,
    Role,
    Seating,
    Source,
    decide_admin,
    decide_billing_right,
    decide_manage,
    decide_permission,
    decide_removal,
    decide_role,
    decide_seating,
    decide_suspension,
    decide_transfer,
    member_state,
    permissions_of,
)
from seatkeeper.domain.policies import Payer, Policies, PoolFull, SeatUse, TypeChoice
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way
from tests.domain.shipped import PLANS

PRIMARY, OWNER, ADMIN, MEMBER = Role


def code(refusal):
    return None if refusal is None else refusal.code


@pytest.mark.parametrize(
    ("standing", "seated", "waiting", "state"),
    [
        ("active", True, False, MemberState.SEATED),
        ("active", True, True, MemberState.SEATED),
        ("active", False, True, MemberState.AWAITING_SEAT),
        ("active", False, False, MemberState.UNSEATED),
        ("suspended", False, False, MemberState.SUSPENDED),
        ("removed", True, True, MemberState.REMOVED),
    ],
)
def test_a_members_state_follows_from_standing_seat_and_queue(standing, seated, waiting, state):
    assert member_state(standing, seated=seated, waiting=waiting) is state


def test_every_state_can_be_left_and_only_for_another():
    assert set(TRANSITIONS) == set(MemberState)
    assert all(state not in following for state, following in TRANSITIONS.items())


@pytest.mark.parametrize(
    ("role", "may_bill", "needed", "expected"),
    [
        (PRIMARY, False, Permission.SEATS_PURCHASE, None),
        (OWNER, False, Permission.BILLING_MANAGE, None),
        (ADMIN, False, Permission.SEATS_ASSIGN, None),
        (ADMIN, False, Permission.SEATS_PURCHASE, Code.BILLING_PERMISSION_REQUIRED),  # A4
        (ADMIN, True, Permission.SEATS_PURCHASE, None),  # A1: a role with the billing permission
        (ADMIN, True, Permission.SETTINGS_MANAGE, Code.FORBIDDEN),
        (MEMBER, False, Permission.SEATS_ASSIGN, Code.FORBIDDEN),
        (MEMBER, True, Permission.BILLING_READ, None),
    ],
)
def test_a1_a4_c17_what_a_role_may_do(role, may_bill, needed, expected):
    assert code(decide_permission(role, needed, may_bill=may_bill)) == expected


def test_a1_the_billing_permission_adds_nothing_else():
    added = permissions_of(MEMBER, may_bill=True) - permissions_of(MEMBER, may_bill=False)
    assert added == BILLING_PERMISSIONS


@pytest.mark.parametrize("actor", [None, *Role])
@pytest.mark.parametrize("target", Role)
def test_a3_who_handles_whom(actor, target):
    allowed = actor in (None, PRIMARY, OWNER) or (actor is ADMIN and target is MEMBER)
    assert (decide_manage(actor, target) is None) == allowed


@pytest.mark.parametrize(
    ("target", "themselves", "paid_by_members", "provisioned", "expected"),
    [
        (PRIMARY, False, False, False, Code.PRIMARY_OWNER_REQUIRED),  # A8
        (PRIMARY, True, True, False, None),  # T16
        (OWNER, True, False, False, Code.FORBIDDEN),  # A7
        (OWNER, False, False, False, None),
        (ADMIN, True, False, False, None),
        (MEMBER, True, False, True, Code.FORBIDDEN),  # C59
        (MEMBER, False, False, True, None),
    ],
)
def test_a7_a8_c59_c61_t16_who_can_leave(
    target, themselves, paid_by_members, provisioned, expected
):
    refusal = decide_removal(
        target, themselves=themselves, paid_by_members=paid_by_members, provisioned=provisioned
    )
    assert code(refusal) == expected


@pytest.mark.parametrize(
    ("target", "themselves", "expected"),
    [
        (PRIMARY, False, Code.PRIMARY_OWNER_REQUIRED),
        (OWNER, True, Code.FORBIDDEN),
        (OWNER, False, None),
        (MEMBER, False, None),
    ],
)
def test_a8_who_can_be_suspended(target, themselves, expected):
    assert code(decide_suspension(target, themselves=themselves)) == expected


@pytest.mark.parametrize("actor", [None, *Role])
def test_a1_who_gives_the_billing_permission(actor):
    allowed = actor in (None, PRIMARY, OWNER)
    assert (decide_billing_right(actor) is None) == allowed


@pytest.mark.parametrize(
    ("actor", "now", "wanted", "paid_by_members", "expected"),
    [
        (None, MEMBER, OWNER, False, None),
        (OWNER, MEMBER, ADMIN, False, None),
        (OWNER, OWNER, MEMBER, False, None),
        (ADMIN, MEMBER, ADMIN, False, Code.FORBIDDEN),
        (MEMBER, MEMBER, MEMBER, False, Code.FORBIDDEN),
        (OWNER, PRIMARY, MEMBER, False, Code.PRIMARY_OWNER_REQUIRED),
        (PRIMARY, PRIMARY, PRIMARY, False, None),
        (PRIMARY, MEMBER, PRIMARY, False, Code.STATE_CONFLICT),  # A6: only transferred
        (PRIMARY, MEMBER, ADMIN, True, Code.STATE_CONFLICT),  # T6
        (PRIMARY, ADMIN, MEMBER, True, None),
    ],
)
def test_a3_a6_t6_who_gives_which_role(actor, now, wanted, paid_by_members, expected):
    assert code(decide_role(actor, now, wanted, paid_by_members=paid_by_members)) == expected


@pytest.mark.parametrize(
    ("plan", "before", "wanted", "by_account_manager", "expected"),
    [
        ("business", MEMBER, ADMIN, False, Code.CONTRACT_MANAGED),
        ("business", MEMBER, OWNER, False, Code.CONTRACT_MANAGED),
        ("business", ADMIN, OWNER, False, Code.CONTRACT_MANAGED),
        ("business", None, ADMIN, False, Code.CONTRACT_MANAGED),  # who is invited
        ("business_yearly", MEMBER, ADMIN, False, Code.CONTRACT_MANAGED),
        ("business", MEMBER, ADMIN, True, None),
        ("business", None, MEMBER, False, None),
        ("business", ADMIN, MEMBER, False, None),  # owners may always lower a role
        ("business", OWNER, ADMIN, False, None),
        ("business", ADMIN, ADMIN, False, None),
        ("business", None, PRIMARY, False, None),  # whoever creates the workspace
        ("pro", MEMBER, ADMIN, False, None),  # one admin: T6 has its own refusal
        (None, MEMBER, ADMIN, False, None),
    ],
)
def test_t35_on_business_the_account_manager_makes_admins(
    plan, before, wanted, by_account_manager, expected
):
    chosen = PLANS["workspace"][plan] if plan else None
    refusal = decide_admin(
        chosen, before=before, wanted=wanted, by_account_manager=by_account_manager
    )
    assert code(refusal) == expected
    if refusal is not None:
        [remedy] = refusal.ways_out
        assert (remedy.way, remedy.facts) == (
            Way.CONTACT_ACCOUNT_MANAGER,
            {"contact": "Your account manager"},
        )


def test_t35_a_plan_that_names_nobody_still_says_whom_to_ask():
    plan = replace(PLANS["workspace"]["business"], contact=None)
    refusal = decide_admin(plan, before=MEMBER, wanted=ADMIN, by_account_manager=False)
    assert refusal.ways_out == (Remedy(Way.CONTACT_ACCOUNT_MANAGER),)


@pytest.mark.parametrize(
    ("actor", "confirmed", "expected"),
    [
        (PRIMARY, True, None),
        (PRIMARY, False, Code.INVALID_REQUEST),
        (None, True, None),
        (None, False, Code.INVALID_REQUEST),
        (OWNER, True, Code.FORBIDDEN),
        (ADMIN, False, Code.FORBIDDEN),
    ],
)
def test_a6_a8_who_passes_on_the_primary_role(actor, confirmed, expected):
    assert code(decide_transfer(actor, confirmed=confirmed)) == expected


EXPLICIT = Policies()
EVERYONE = Policies(seat_use=SeatUse.EVERY_MEMBER, full_self_joined=PoolFull.REFUSE)
EACH_PAYS = Policies(payer=Payer.MEMBER, seat_use=SeatUse.EVERY_MEMBER)
HIGH, LOW = TypeChoice
WAIT, BUY, NO = PoolFull


@pytest.mark.parametrize(
    ("policies", "source", "asked", "expected"),
    [
        (EXPLICIT, Source.API, None, None),
        (EXPLICIT, Source.API, True, (HIGH, NO)),
        (EXPLICIT, Source.CREATION, None, None),
        (EXPLICIT, Source.JIT, None, (HIGH, WAIT)),
        (EXPLICIT, Source.JIT, False, None),
        (EXPLICIT, Source.SCIM, True, (HIGH, WAIT)),
        (EXPLICIT, Source.LINK, None, (LOW, BUY)),
        (EXPLICIT, Source.INVITATION, None, (LOW, NO)),
        (EVERYONE, Source.API, None, (HIGH, NO)),
        (EVERYONE, Source.CREATION, None, (HIGH, NO)),
        (EVERYONE, Source.API, False, Code.STATE_CONFLICT),
        (EVERYONE, Source.JIT, None, (HIGH, WAIT)),
        (EVERYONE, Source.LINK, None, (LOW, NO)),
        (EACH_PAYS, Source.API, None, None),
        (EACH_PAYS, Source.JIT, False, None),
    ],
)
def test_a57_a65_c31_c58_t8_how_someone_who_comes_in_is_seated(policies, source, asked, expected):
    decided = decide_seating(policies, source, asked=asked)
    match decided:
        case Seating():
            assert (decided.choice, decided.full) == expected
        case Refusal():
            assert decided.code is expected
        case _:
            assert expected is None


def test_c59_who_comes_through_a_directory():
    assert [source for source in Source if source.is_provisioned] == [Source.JIT, Source.SCIM]
