"""Who may use what: the answer, its reason and the chain of facts behind it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from seatkeeper.domain.access import (
    Allowed,
    Asks,
    Coverage,
    Ground,
    Owner,
    Person,
    Question,
    decide_access,
    explain,
    features_of,
    rights_of,
)
from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.members import Permission, Role
from seatkeeper.domain.refusals import Code, Refusal, Way
from seatkeeper.domain.subscriptions import Status, stops_at
from tests.domain.shipped import PLANS

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PLAN = PLANS["enterprise"]["chat_and_code"]
ADA = Owner(UUID(int=7), "Ada")
SEATED = Person(
    UUID(int=1), "active", Role.MEMBER, False, "chat", Coverage(PLAN, Status.ACTIVE), None, ADA
)
UNSEATED = replace(SEATED, seat_type=None)
CODE = Question(Asks.FEATURE, "code")
WEB = Question(Asks.FEATURE, "web")


def code_of(person, question=WEB, now=NOW):
    outcome = decide_access(person, question, now)
    return outcome.code if isinstance(outcome, Refusal) else outcome.ground


def covered(status, *, cancel_at=None, grace_ends_at=None):
    stop = stops_at(status, cancel_at=cancel_at, grace_ends_at=grace_ends_at)
    return replace(SEATED, coverage=Coverage(PLAN, status, stop))


@pytest.mark.parametrize(
    ("seat_type", "feature", "allowed"),
    [
        ("chat", "web", True),
        ("chat", "code", False),  # the plain seat loses coding,
        ("chat_code", "code", True),  # and vice versa gains it.
        ("chat_code", "web", True),
        ("retired", "web", False),  # A type that the plan no longer knows grants nothing.
    ],
)
def test_a43_the_seat_type_decides_which_features_one_has(seat_type, feature, allowed):
    person = replace(SEATED, seat_type=seat_type)
    outcome = decide_access(person, Question(Asks.FEATURE, feature), NOW)
    assert isinstance(outcome, Allowed) is allowed
    assert (feature in features_of(person, NOW)) is allowed


def test_a11_an_enterprise_seat_grants_web_desktop_mobile_and_code():
    plan = PLANS["enterprise"]["enterprise"]
    person = replace(SEATED, seat_type="enterprise", coverage=Coverage(plan, Status.ACTIVE))
    assert {"web", "desktop", "mobile", "code"} <= features_of(person, NOW)


def test_a43_a_feature_of_a_higher_seat_is_refused_with_the_seat_to_move_to():
    refusal = decide_access(SEATED, CODE, NOW)
    assert (refusal.code, refusal.facts["seat_type"]) == (Code.NO_SEAT, "chat")
    assert [(way.way, dict(way.facts)) for way in refusal.remedies] == [
        (Way.REASSIGN, {"seat_type": "chat_code"}),
        (Way.ASK_OWNER, {"owner": MemberId.text(ADA.member_id), "name": "Ada"}),
    ]


def test_c56_a_feature_the_plan_does_not_have_is_refused_with_the_choice_of_another_plan():
    refusal = decide_access(SEATED, Question(Asks.FEATURE, "time_travel"), NOW)
    assert refusal.code is Code.PLAN_TIER_MISMATCH
    assert [way.way for way in refusal.remedies] == [Way.CHOOSE_PLAN]


def test_a39_someone_without_a_seat_cannot_use_the_product():
    refusal = decide_access(UNSEATED, WEB, NOW)
    assert (refusal.code, refusal.facts) == (Code.NO_SEAT, {"state": "unseated"})
    assert [way.way for way in refusal.remedies] == [Way.ASK_OWNER]
    assert features_of(UNSEATED, NOW) == frozenset()


def test_a69_someone_who_waits_is_told_so_and_whom_to_ask():
    refusal = decide_access(replace(UNSEATED, waiting_since=NOW), WEB, NOW)
    assert (refusal.code, refusal.facts) == (Code.NO_SEAT, {"state": "awaiting_seat"})
    assert refusal.remedies[0].facts["name"] == "Ada"
    assert "waits" in refusal.sentence
    nobody_to_ask = replace(UNSEATED, waiting_since=NOW, owner=None)
    assert decide_access(nobody_to_ask, WEB, NOW).remedies[0].facts == {}


def test_a9_an_owner_without_a_seat_administers_but_does_not_use_the_product():
    owner = replace(UNSEATED, role=Role.OWNER)
    assert rights_of(owner) == frozenset(Permission)
    for permission in Permission:
        assert code_of(owner, Question(Asks.PERMISSION, permission)) is Ground.ROLE
    assert code_of(owner) is Code.NO_SEAT


@pytest.mark.parametrize(
    ("role", "may_bill", "permission", "outcome"),
    [
        (Role.ADMIN, False, "seats.assign", Ground.ROLE),
        (Role.ADMIN, False, "billing.manage", Code.BILLING_PERMISSION_REQUIRED),
        (Role.ADMIN, True, "billing.manage", Ground.ROLE),
        (Role.MEMBER, False, "seats.assign", Code.FORBIDDEN),
    ],
)
def test_a9_permissions_come_from_the_role(role, may_bill, permission, outcome):
    person = replace(SEATED, role=role, may_bill=may_bill)
    assert code_of(person, Question(Asks.PERMISSION, permission)) is outcome
    assert (permission in rights_of(person)) is (outcome is Ground.ROLE)


@pytest.mark.parametrize(
    ("permission", "seat_type", "outcome"),
    [
        ("web:search", "chat", Ground.SEAT_TYPE),
        ("code:run", "chat_code", Ground.SEAT_TYPE),
        ("org:code:run", "chat_code", Ground.SEAT_TYPE),
        ("code:run", "chat", Code.NO_SEAT),  # The plan has it, a higher seat grants it.
        ("reports:export", "chat_code", Code.PLAN_TIER_MISMATCH),
        ("code", "chat_code", Code.PLAN_TIER_MISMATCH),  # Names no feature.
        ("web:search", None, Code.NO_SEAT),
        ("code:run", None, Code.NO_SEAT),
    ],
)
def test_c56_a39_a_custom_permission_needs_its_feature_in_the_plan_and_in_the_seat(
    permission, seat_type, outcome
):
    person = replace(SEATED, seat_type=seat_type)
    assert code_of(person, Question(Asks.PERMISSION, permission)) is outcome


@pytest.mark.parametrize("seat_type", ["chat", "chat_code", "retired", None])
@pytest.mark.parametrize("feature", ["web", "code", "time_travel"])
def test_c56_s13_a_custom_permission_and_its_feature_get_one_answer(seat_type, feature):
    person = replace(SEATED, seat_type=seat_type)
    used = code_of(person, Question(Asks.FEATURE, feature))
    assert code_of(person, Question(Asks.PERMISSION, f"{feature}:use")) is used


def test_c56_whoever_lacks_the_seat_for_a_permission_is_told_which_one_grants_it():
    refusal = decide_access(SEATED, Question(Asks.PERMISSION, "code:run"), NOW)
    assert [way.way for way in refusal.remedies] == [Way.REASSIGN, Way.ASK_OWNER]
    assert refusal.remedies[0].facts == {"seat_type": "chat_code"}
    chain = explain(SEATED, Question(Asks.PERMISSION, "code:run"), NOW)
    assert [link.ground for link in chain] == [
        Ground.MEMBERSHIP,
        Ground.SUBSCRIPTION,
        Ground.SEAT,
        Ground.PLAN,
        Ground.SEAT_TYPE,
    ]


def test_c56_a9_an_owner_without_a_seat_has_no_permission_that_is_a_use_of_the_product():
    owner = replace(UNSEATED, role=Role.PRIMARY_OWNER)
    assert code_of(owner, Question(Asks.PERMISSION, "code:run")) is Code.NO_SEAT
    assert code_of(owner, Question(Asks.PERMISSION, "billing.manage")) is Ground.ROLE


def test_a94_without_a_subscription_nobody_is_sent_to_ask_for_a_seat():
    person = replace(UNSEATED, coverage=None)
    refusal = decide_access(person, Question(Asks.FEATURE, "code"), NOW)
    assert [way.way for way in refusal.remedies] == [Way.CHOOSE_PLAN]
    assert refusal.sentence == "There is no subscription in force for this member."


def test_c56_a_custom_permission_needs_a_plan_in_force():
    nothing = replace(SEATED, coverage=None)
    refusal = decide_access(nothing, Question(Asks.PERMISSION, "code:run"), NOW)
    assert (refusal.code, refusal.facts) == (Code.STATE_CONFLICT, {"state": "none"})
    over = replace(SEATED, coverage=Coverage(PLAN, Status.ENDED))
    assert code_of(over, Question(Asks.PERMISSION, "code:run")) is Code.STATE_CONFLICT


@pytest.mark.parametrize(
    ("status", "end", "now", "outcome"),
    [
        (Status.TRIALING, None, NOW, Ground.SEAT_TYPE),
        (Status.ACTIVE, None, NOW, Ground.SEAT_TYPE),
        (Status.CANCELING, LATER, NOW, Ground.SEAT_TYPE),  # Keeps access to the end,
        (Status.CANCELING, LATER, LATER, Code.STATE_CONFLICT),  # and not an instant longer.
        (Status.PAST_DUE, LATER, NOW, Ground.SEAT_TYPE),  # The vendor's grace,
        (Status.PAST_DUE, LATER, LATER, Code.PAST_DUE),  # when it is over.
        (Status.INCOMPLETE, None, NOW, Code.STATE_CONFLICT),
        (Status.SCHEDULED, None, NOW, Code.STATE_CONFLICT),
        (Status.ENDED, None, NOW, Code.STATE_CONFLICT),
    ],
)
def test_c57_the_subscription_gives_access_until_its_end_or_that_of_its_grace(
    status, end, now, outcome
):
    key = "grace_ends_at" if status is Status.PAST_DUE else "cancel_at"
    person = covered(status, **{key: end})
    assert code_of(person, WEB, now) is outcome
    assert (features_of(person, now) != frozenset()) is isinstance(outcome, Ground)


@pytest.mark.parametrize(
    ("asks", "key", "outcome"),
    [
        (Asks.PLAN, PLAN.key, Ground.PLAN),
        (Asks.PLAN, "enterprise", Code.PLAN_TIER_MISMATCH),
        (Asks.SEAT_TYPE, "chat", Ground.SEAT_TYPE),
        (Asks.SEAT_TYPE, "chat_code", Code.NO_SEAT),
        (Asks.SEAT_TYPE, "premium", Code.PLAN_TIER_MISMATCH),  # Not a seat type of this plan.
    ],
)
def test_c56_plan_and_seat_type_are_those_of_the_members_own_seat(asks, key, outcome):
    assert code_of(SEATED, Question(asks, key)) is outcome
    assert code_of(UNSEATED, Question(asks, key)) is Code.NO_SEAT


@pytest.mark.parametrize(
    ("person", "outcome"),
    [
        (None, Code.NOT_FOUND),
        (replace(SEATED, standing="removed"), Code.NOT_FOUND),
        (replace(SEATED, standing="suspended"), Code.FORBIDDEN),
    ],
)
@pytest.mark.parametrize("question", [WEB, Question(Asks.PERMISSION, "seats.assign")])
def test_a41_who_is_not_an_active_member_has_nothing(person, outcome, question):
    assert code_of(person, question) is outcome
    assert features_of(person, NOW) == frozenset()
    assert rights_of(person) == frozenset()


def test_c58_where_every_member_has_a_seat_the_features_of_the_plan_come_with_it():
    plan = next(p for p in PLANS["organization"].values() if "reports" in p.features)
    person = replace(SEATED, seat_type=plan.entry_type.key, coverage=Coverage(plan, Status.ACTIVE))
    assert code_of(person, Question(Asks.FEATURE, "reports")) is Ground.SEAT_TYPE


@pytest.mark.parametrize(
    ("person", "question", "grounds"),
    [
        (SEATED, WEB, "membership subscription seat seat_type"),
        (SEATED, CODE, "membership subscription seat seat_type"),
        (SEATED, Question(Asks.PLAN, PLAN.key), "membership subscription seat plan"),
        (SEATED, Question(Asks.PERMISSION, "a:b"), "membership subscription seat plan"),
        (
            SEATED,
            Question(Asks.PERMISSION, "code:run"),
            "membership subscription seat plan seat_type",
        ),
        (SEATED, Question(Asks.PERMISSION, "seats.assign"), "membership role"),
        (UNSEATED, WEB, "membership subscription seat"),
        (None, WEB, "membership"),
    ],
)
def test_s13_the_explanation_ends_with_the_fact_that_decides(person, question, grounds):
    chain = explain(person, question, NOW)
    assert " ".join(link.ground for link in chain) == grounds
    assert all(link.refusal is None for link in chain[:-1])
    outcome = decide_access(person, question, NOW)
    assert chain[-1].refusal == (outcome if isinstance(outcome, Refusal) else None)
    assert all(link.sentence.endswith(".") for link in chain)
