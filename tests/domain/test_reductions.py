"""Reductions, cancellations and their way back: asked now, taking effect when the policy says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from seatkeeper.domain.changes import (
    Asker,
    Offer,
    ReduceSeats,
    Scheduled,
    decide_cancel,
    decide_reduce,
    decide_resume,
)
from seatkeeper.domain.policies import ReductionMoney, When, Who
from seatkeeper.domain.refusals import Code, Remedy, Way
from seatkeeper.domain.subscriptions import TRANSITIONS, Status
from tests.domain.facts import (
    applied,
    begun,
    buying,
    code_of,
    day,
    due,
    refused,
    standing,
    with_people,
    with_policies,
)
from tests.domain.shipped import ASSISTED, ENTERPRISE, ORGANIZATION, SINGLE, WORKSPACE

BILLING, ACCOUNT_MANAGER, MEMBER = Asker.BILLING, Asker.ACCOUNT_MANAGER, Asker.MEMBER
END = datetime(2027, 1, 1, tzinfo=UTC)
JUNE = day(6, 10)
PAIR = ENTERPRISE["standard_and_premium"]
AT_ONCE = with_policies(SINGLE, reduce_when=When.NOW)


def reducing(account, target, *, asker=BILLING, at_once=False, seat_type=None, now=JUNE):
    key = seat_type or account.subscription.plan.entry_type.key
    return decide_reduce(account, ReduceSeats(key, target, now=at_once), asker, now)


def test_a29_a32_a_reduction_waits_for_the_renewal_and_gives_nothing_back():
    offer = reducing(with_people(begun(SINGLE, 60), assigned=45), 45)
    assert isinstance(offer, Offer)
    assert (offer.scheduled, offer.effective_at, offer.deltas) == (True, END, {"enterprise": -15})
    assert (offer.lines, offer.due_now) == ((), 0)


def test_a29_a30_at_once_is_refused_with_both_ways_out():
    outcome = reducing(begun(SINGLE, 60), 45, at_once=True)
    assert code_of(outcome) is Code.REDUCTION_NOT_ALLOWED_MID_TERM
    assert outcome.ways_out == (
        Remedy(Way.SCHEDULE_FOR_RENEWAL, {"effective_at": "2027-01-01T00:00:00Z"}),
        Remedy(Way.CONTACT_ACCOUNT_MANAGER, {"contact": "The sales team"}),
    )


@pytest.mark.parametrize(
    ("plan", "asker", "at_once", "scheduled", "code"),
    [
        (ASSISTED, BILLING, False, None, Code.CONTRACT_MANAGED),  # A31
        (ASSISTED, ACCOUNT_MANAGER, False, True, None),
        (
            ASSISTED,
            ACCOUNT_MANAGER,
            True,
            False,
            None,
        ),  # A30: the exception
        (SINGLE, ACCOUNT_MANAGER, True, None, Code.REDUCTION_NOT_ALLOWED_MID_TERM),
        (WORKSPACE["business"], ACCOUNT_MANAGER, False, True, None),  # T33
        (WORKSPACE["business_yearly"], ACCOUNT_MANAGER, False, True, None),
        (WORKSPACE["business"], BILLING, False, None, Code.CONTRACT_MANAGED),
    ],
)
def test_a31_t33_under_a_contract_the_account_manager_reduces(
    plan, asker, at_once, scheduled, code
):
    outcome = reducing(begun(plan, 60), 45, asker=asker, at_once=at_once, now=day(1, 10))
    assert code_of(outcome) is code
    if isinstance(outcome, Offer):
        assert (outcome.scheduled, due(outcome)) == (scheduled, 0)  # no refund either way


@pytest.mark.parametrize(
    ("plan", "at"),
    [
        (WORKSPACE["business"], datetime(2026, 2, 1, tzinfo=UTC)),  # T33: monthly, the next cycle
        (WORKSPACE["business_yearly"], END),  # T33: paid ahead, the renewal
        (PAIR, END),  # invoiced monthly, bound for the year
        (ENTERPRISE["team"], datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_t33_reductions_wait_for_the_period_or_the_term(plan, at):
    quantities = dict.fromkeys(plan.seat_types, 30)
    offer = reducing(begun(plan, quantities), 20, asker=ACCOUNT_MANAGER, now=day(1, 10))
    assert isinstance(offer, Offer)
    assert offer.effective_at == at


@pytest.mark.parametrize("at_once", [False, True])
def test_c32_plans_that_fit_themselves_at_renewal_take_no_reduction(at_once):
    account = begun(ORGANIZATION["per_seat"], 8)
    outcome = reducing(account, 5, at_once=at_once, now=day(1, 10))
    code, _, ways = refused(outcome)
    assert code is Code.REDUCTION_NOT_ALLOWED_MID_TERM
    assert ways == [Way.WAIT, Way.CONTACT_ACCOUNT_MANAGER]
    assert outcome.ways_out[0].facts == {"until": "2026-02-01T00:00:00Z"}


@pytest.mark.parametrize(("target", "code"), [(20, None), (19, Code.BELOW_MINIMUM_SEATS)])
def test_a12_never_below_twenty(target, code):
    assert code_of(reducing(begun(SINGLE, 60), target)) is code


def test_a12_the_refusal_states_the_minimum():
    outcome = reducing(begun(SINGLE, 60), 19)
    assert outcome.facts == {"minimum": 20}
    assert outcome.sentence == "The plan requires at least 20 seats."
    assert outcome.ways_out == (Remedy(Way.CORRECT_REQUEST, {"minimum": 20}),)


@pytest.mark.parametrize(
    ("others", "coming", "target", "minimum"),
    [
        (10, 0, 10, None),  # 10 + 10
        (10, 0, 9, 10),  # 9 + 10: ten of this type would do
        (10, -5, 14, 15),  # 14 + 5
        (10, 5, 5, None),  # 5 + 15
        (25, 0, 0, None),
    ],
)
def test_a16_the_minimum_counts_all_types_with_what_is_scheduled(others, coming, target, minimum):
    account = begun(PAIR, {"standard": 30, "premium": others})
    scheduled = (Scheduled("reduce_seats", "premium", coming), Scheduled("change_plan", limit=99))
    account = replace(account, scheduled=scheduled)
    outcome = reducing(account, target, asker=ACCOUNT_MANAGER, now=day(1, 10))
    if minimum is None:
        assert code_of(outcome) is None
    else:
        assert code_of(outcome) is Code.BELOW_MINIMUM_SEATS
        assert outcome.ways_out == (Remedy(Way.CORRECT_REQUEST, {"minimum": minimum}),)


def test_a16_at_once_seats_still_to_come_do_not_count():
    account = begun(PAIR, {"standard": 30, "premium": 10})
    account = replace(account, scheduled=(Scheduled("purchase_seats", "premium", 10),))
    now = day(1, 10)
    assert code_of(reducing(account, 5, asker=ACCOUNT_MANAGER, now=now)) is None
    at_once = reducing(account, 5, asker=ACCOUNT_MANAGER, at_once=True, now=now)
    assert code_of(at_once) is Code.BELOW_MINIMUM_SEATS


@pytest.mark.parametrize(
    ("assigned", "held", "needed", "ways"),
    [
        (48, 0, 3, [Way.FREE_SEAT]),
        (44, 2, 1, [Way.FREE_SEAT, Way.REVOKE_INVITATION]),  # G18: held seats count
    ],
)
def test_a34_free_the_seats_first(assigned, held, needed, ways):
    account = with_people(begun(SINGLE, 60), assigned=assigned, held=held)
    code, facts, offered = refused(reducing(account, 45))
    assert (code, offered) == (Code.SEATS_IN_USE, ways)
    assert facts == {"needed": needed, "seat_type": "enterprise"}


def test_a33_fewer_people_change_neither_seats_nor_bill():
    full = with_people(begun(SINGLE, 60), assigned=60)
    fewer = with_people(full, assigned=40)
    assert fewer.purchased == full.purchased
    assert due(buying(fewer, 1, JUNE)) == due(buying(full, 1, JUNE))


@pytest.mark.parametrize("target", [60, 61, -1])
def test_a_target_is_a_number_of_seats_below_what_is_owned(target):
    code, facts, _ = refused(reducing(begun(replace(SINGLE, minimum=0), 60), target))
    assert code is Code.QUANTITY_OUT_OF_RANGE
    assert facts == {"minimum": 0, "maximum": 59}


@pytest.mark.parametrize(
    ("account", "seat_type"),
    [
        (begun(SINGLE, 60), "premium"),
        (begun(PAIR, {"standard": 60}), "premium"),  # A17: the type exists, none is owned
        (begun(ORGANIZATION["limit_only"], 10), "member"),
    ],
)
def test_a17_only_what_is_owned_can_be_reduced(account, seat_type):
    outcome = reducing(account, 0, seat_type=seat_type, asker=ACCOUNT_MANAGER, now=day(1, 10))
    assert code_of(outcome) is Code.SEAT_TYPE_NOT_OWNED


@pytest.mark.parametrize(
    ("money", "due_now", "balance"),
    [(ReductionMoney.NONE, 0, 0), (ReductionMoney.CREDIT, 0, -904_11)],  # 5 x 240 x 275/365
)
def test_g6_a_reduction_is_never_paid_out(money, due_now, balance):
    account = begun(with_policies(AT_ONCE, reduction_money=money), 50)
    offer = reducing(account, 45, now=day(4, 1))
    assert isinstance(offer, Offer)
    assert (offer.due_now, due(offer)) == (due_now, balance)
    after = applied(account, offer)
    assert after.purchased == 45
    again = buying(after, 5, day(4, 2))
    assert due(again) == (0 if money is ReductionMoney.NONE else 900_82)  # 5 x 240 x 274/365


def test_refusals_come_in_the_order_of_their_codes():
    """Take away the first reason, and the next one is said."""
    plan = with_policies(SINGLE, reduce_who=Who.ACCOUNT_MANAGER)
    account = standing(with_people(begun(plan, 60), assigned=30), status=Status.ENDED)
    said = [
        code_of(reducing(account, 60, at_once=True)),
        code_of(reducing(begun(SINGLE, 60), 60, at_once=True, now=END)),
        code_of(reducing(begun(SINGLE, 60), 10, at_once=True, now=END)),
        code_of(reducing(begun(SINGLE, 60), 10, seat_type="premium", at_once=True)),
        code_of(reducing(with_people(begun(SINGLE, 60), assigned=30), 10, at_once=True)),
        code_of(reducing(with_people(begun(SINGLE, 60), assigned=30), 10)),
        code_of(reducing(with_people(begun(SINGLE, 60), assigned=30), 25)),
    ]
    assert said == [
        Code.CONTRACT_MANAGED,
        Code.QUANTITY_OUT_OF_RANGE,
        Code.STATE_CONFLICT,
        Code.SEAT_TYPE_NOT_OWNED,
        Code.REDUCTION_NOT_ALLOWED_MID_TERM,
        Code.BELOW_MINIMUM_SEATS,
        Code.SEATS_IN_USE,
    ]
    order = list(Code)
    assert said == sorted(said, key=lambda code: order.index(code or Code.UNAVAILABLE))


# --- Cancelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "asker", "end"),
    [
        (SINGLE, BILLING, END),  # A91: the end of the annual cycle
        (ASSISTED, ACCOUNT_MANAGER, END),
        (PAIR, ACCOUNT_MANAGER, END),  # invoiced monthly, bound for the year
        (ORGANIZATION["per_seat"], BILLING, datetime(2026, 2, 1, tzinfo=UTC)),  # C52
        (WORKSPACE["pro"], MEMBER, datetime(2026, 2, 1, tzinfo=UTC)),  # T38
    ],
)
def test_a91_c52_t38_cancelling_takes_effect_at_the_end_and_can_be_undone(plan, asker, end):
    account = begun(plan, 20)
    offer = decide_cancel(account.subscription, asker, day(1, 10))
    assert isinstance(offer, Offer)
    assert (offer.effective_at, offer.cancel_at, offer.due_now) == (end, end, 0)
    canceled = applied(account, offer).subscription
    assert canceled.status is Status.CANCELING
    again = decide_cancel(canceled, asker, day(1, 11))
    assert isinstance(again, Offer)
    assert (again.cancel_at, again.status) == (end, None)  # T-7: twice is once
    back = decide_resume(canceled, asker, end - timedelta(seconds=1))
    assert isinstance(back, Offer)
    assert (back.status, back.cancel_at, back.due_now) == (Status.ACTIVE, None, 0)
    assert code_of(decide_resume(canceled, asker, end)) is Code.STATE_CONFLICT


def test_a92_t39_a_contract_is_cancelled_through_the_account_manager():
    for plan in (ASSISTED, WORKSPACE["business_yearly"]):
        subscription = begun(plan, 20).subscription
        for decide in (decide_cancel, decide_resume):
            code, _, ways = refused(decide(subscription, BILLING, JUNE))
            assert (code, ways) == (Code.CONTRACT_MANAGED, [Way.CONTACT_ACCOUNT_MANAGER])


def test_c20_a_canceled_trial_runs_to_its_end():
    account = begun(ORGANIZATION["trial"], 3, on=date(2026, 1, 20), trial=True)
    offer = decide_cancel(account.subscription, BILLING, day(1, 25))
    assert isinstance(offer, Offer)
    assert offer.cancel_at == datetime(2026, 2, 3, tzinfo=UTC)
    canceled = applied(account, offer).subscription
    back = decide_resume(canceled, BILLING, day(1, 26))
    assert isinstance(back, Offer)
    assert back.status is Status.TRIALING
    assert back.status in TRANSITIONS[canceled.status]


def test_c42_cancelling_while_past_due_ends_at_once():
    account = standing(begun(ORGANIZATION["per_seat"], 5), status=Status.PAST_DUE)
    offer = decide_cancel(account.subscription, BILLING, day(1, 10))
    assert isinstance(offer, Offer)
    assert (offer.status, offer.effective_at) == (Status.ENDED, day(1, 10))
    assert applied(account, offer).subscription.status is Status.ENDED


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.TRIALING, Status.PAST_DUE])
@pytest.mark.parametrize(("when", "code"), [(When.NOW, None), (When.NEVER, Code.CONTRACT_MANAGED)])
def test_a_policy_may_end_at_once_or_not_on_request(status, when, code):
    # Who does not pay is no freer than who does.
    subscription = begun(with_policies(SINGLE, cancel_when=when), 20).subscription
    outcome = decide_cancel(replace(subscription, status=status), BILLING, JUNE)
    assert code_of(outcome) is code
    if isinstance(outcome, Offer):
        assert (outcome.status, outcome.effective_at) == (Status.ENDED, JUNE)


@pytest.mark.parametrize(
    ("status", "now"),
    [
        (Status.ENDED, JUNE),
        (Status.INCOMPLETE, JUNE),
        (Status.SCHEDULED, JUNE),
        (Status.ACTIVE, END),
        (Status.CANCELING, END),  # without an instant it is no cancellation
    ],
)
def test_t7_too_late_to_cancel(status, now):
    subscription = standing(begun(SINGLE, 20), status=status).subscription
    assert code_of(decide_cancel(subscription, BILLING, now)) is Code.STATE_CONFLICT


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.ACTIVE, None),
        (Status.PAST_DUE, Code.STATE_CONFLICT),
        (Status.ENDED, Code.STATE_CONFLICT),
    ],
)
def test_t7_resuming_what_was_not_canceled_changes_nothing(status, code):
    subscription = standing(begun(SINGLE, 20), status=status).subscription
    outcome = decide_resume(subscription, BILLING, JUNE)
    assert code_of(outcome) is code
    if isinstance(outcome, Offer):
        assert outcome.status is status
