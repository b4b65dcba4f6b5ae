"""Changes: who may buy, give back, convert and cancel, when it takes effect and what it costs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from seatkeeper.domain.changes import (
    Asker,
    ConvertSeats,
    Offer,
    PurchaseSeats,
    ReduceSeats,
    Scheduled,
    decide_convert,
    decide_purchase,
    decide_reduce,
    decide_who,
)
from seatkeeper.domain.policies import When, Who
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.refusals import Code, Remedy, Way
from seatkeeper.domain.subscriptions import Status
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
TEAM = ENTERPRISE["team"]


def reducing(account, target, *, asker=BILLING, at_once=False, seat_type=None, now=JUNE):
    key = seat_type or account.subscription.plan.entry_type.key
    return decide_reduce(account, ReduceSeats(key, target, now=at_once), asker, now)


def converting(account, quantity, *, to="premium", now=None, asker=BILLING):
    source = "standard" if to == "premium" else "premium"
    asked = ConvertSeats(source, to, quantity)
    return decide_convert(account, asked, asker, now or day(1, 15))


# --- Who may ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "asker", "code"),
    [
        (Who.BILLING, BILLING, None),
        (Who.BILLING, ACCOUNT_MANAGER, None),  # for whoever has the billing right
        (Who.EITHER, BILLING, None),
        (Who.EITHER, ACCOUNT_MANAGER, None),
        (Who.ACCOUNT_MANAGER, ACCOUNT_MANAGER, None),
        (Who.ACCOUNT_MANAGER, BILLING, Code.CONTRACT_MANAGED),  # A31, T32
        (Who.MEMBER, MEMBER, None),
        (Who.MEMBER, ACCOUNT_MANAGER, Code.FORBIDDEN),
    ],
)
def test_a31_t32_who_may_ask(who, asker, code):
    assert code_of(decide_who(who, asker, None)) is code


def test_t32_business_seats_go_through_the_account_manager_by_name():
    outcome = buying(begun(WORKSPACE["business"], 10), 2, day(3, 10))
    contact = Remedy(Way.CONTACT_ACCOUNT_MANAGER, {"contact": "Your account manager"})
    assert code_of(outcome) is Code.CONTRACT_MANAGED
    assert outcome.ways_out == (contact,)


# --- Buying --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seats", "on", "due_now"),
    [
        (1, date(2026, 1, 1), 240_00),  # 365/365
        (5, date(2026, 3, 1), 1006_03),  # 5 x 240 x 306/365
        (10, date(2026, 4, 1), 1808_22),  # 10 x 240 x 275/365
        (20, date(2026, 6, 15), 2630_14),  # 20 x 240 x 200/365
        (1, date(2026, 7, 2), 120_33),  # 240 x 183/365
        (7, date(2026, 9, 30), 428_05),  # 7 x 240 x 93/365
        (3, date(2026, 12, 31), 1_97),  # 3 x 240 x 1/365
        (10, date(2028, 4, 1), 1803_28),  # 10 x 240 x 275/366
    ],
)
def test_a19_a20_a25_a26_seats_added_at_any_time_pay_for_the_rest_of_the_term(seats, on, due_now):
    account = begun(SINGLE, 50, on=date(on.year, 1, 1))
    now = day(on.month, on.day, on.year)
    offer = buying(account, seats, now)
    assert isinstance(offer, Offer)
    assert (offer.due_now, due(offer), offer.deltas) == (due_now, due_now, {"enterprise": seats})
    [line] = offer.lines
    assert line.period_ends_at == account.subscription.term_ends_at  # no term of their own
    assert (offer.effective_at, offer.scheduled, offer.status) == (now, False, None)


@pytest.mark.parametrize(
    ("seats", "on", "due_now"),
    [(5, (3, 1), 1000_00), (10, (4, 1), 1800_00), (10, (4, 17), 1800_00)],  # x 20 x 10, 9, 9 months
)
def test_a27_a_contract_is_invoiced_by_the_month(seats, on, due_now):
    assert due(buying(begun(ASSISTED, 50), seats, day(*on))) == due_now


@pytest.mark.parametrize(
    ("key", "owned", "added", "passed", "full", "due_now"),
    [
        ("base_and_seats", 5, 1, (0, 30), 5_00, 5_00),
        ("one_included", 1, 1, (15, 30), 10_00, 5_00),
        ("base_and_seats", 5, 1, (10, 31), 5_00, 3_39),  # 5 x 21/31
        ("base_and_seats", 5, 2, (10, 31), 10_00, 6_77),  # 10 x 21/31
        ("trial", 5, 3, (20, 30), 36_00, 12_00),  # 3 x 12 x 10/30
        ("base_and_seats", 5, 3, (29, 30), 15_00, 50),  # 15 x 1/30
        ("five_included", 3, 2, (15, 30), 0, 0),  # inside the included seats
        ("five_included", 5, 2, (15, 30), 20_00, 10_00),  # 2 x 10 x 15/30
    ],
)
def test_c23_c24_full_price_less_the_days_passed(key, owned, added, passed, full, due_now):
    gone, days = passed
    month = 4 if days == 30 else 5
    account = begun(ORGANIZATION[key], owned, on=date(2026, month, 1))
    offer = buying(account, added, day(month, 1 + gone))
    [line] = offer.lines  # base and seats already paid are not in it
    discount = line.full_minor - line.amount_minor
    assert (line.full_minor, discount, due(offer)) == (full, full - due_now, due_now)


@pytest.mark.parametrize(("asked", "added"), [({"total": 12}, 4), ({"quantity": 4}, 4)])
def test_c18_total_is_what_to_have_and_quantity_what_to_add(asked, added):
    account = begun(ORGANIZATION["per_seat"], 8)
    offer = decide_purchase(account, PurchaseSeats("member", **asked), BILLING, day(1, 5))
    assert isinstance(offer, Offer)
    assert offer.deltas == {"member": added}


@pytest.mark.parametrize(
    ("asked", "bounds"),
    [
        ({"quantity": 0}, (1, 490)),
        ({"quantity": -3}, (1, 490)),
        ({"total": 10}, (11, 500)),  # as many as there are
        ({"total": 0}, (11, 500)),
    ],
)
def test_c18_nothing_to_add_is_out_of_range(asked, bounds):
    account = begun(ORGANIZATION["volume"], 10)
    outcome = decide_purchase(account, PurchaseSeats("member", **asked), BILLING, day(1, 5))
    code, facts, _ = refused(outcome)
    assert code is Code.QUANTITY_OUT_OF_RANGE
    assert (facts["minimum"], facts["maximum"]) == bounds


@pytest.mark.parametrize("asked", [{}, {"quantity": 1, "total": 9}])
def test_c18_exactly_one_of_quantity_and_total(asked):
    account = begun(ORGANIZATION["per_seat"], 8)
    outcome = decide_purchase(account, PurchaseSeats("member", **asked), BILLING, day(1, 5))
    assert code_of(outcome) is Code.INVALID_REQUEST


def test_a_seat_type_of_another_plan_cannot_be_bought():
    assert code_of(buying(begun(SINGLE, 20), 1, JUNE, seat_type="premium")) is Code.INVALID_REQUEST


@pytest.mark.parametrize(("added", "code"), [(1, None), (2, Code.OVER_PLAN_LIMIT)])
def test_c25_not_above_the_plans_maximum(added, code):
    outcome = buying(begun(ORGANIZATION["per_seat_limited"], 9), added, day(1, 5))
    assert code_of(outcome) is code


def test_c25_the_way_out_of_a_limit_is_a_plan_with_room():
    outcome = buying(begun(ORGANIZATION["per_seat_limited"], 9), 3, day(1, 5))
    code, facts, ways = refused(outcome)
    assert (code, facts) == (Code.OVER_PLAN_LIMIT, {"limit": 10, "count": 12})
    assert ways == [Way.CHOOSE_PLAN, Way.FREE_SEAT, Way.REVOKE_INVITATION]
    assert outcome.ways_out[0].facts == {"min_seats": 12}
    # The price ends at the limit too: what people hear of is the plan.
    assert code_of(buying(begun(ORGANIZATION["volume"], 10), 491, day(1, 5))) is code


@pytest.mark.parametrize(
    ("key", "seats"), [("limit_only", 10), ("free", 7), ("unlimited", QUANTITY_MAX)]
)
def test_c15_where_no_seat_is_sold_the_plans_own_number_is_the_limit(key, seats):
    plan = ORGANIZATION[key]
    account = begun(replace(plan, prices=ORGANIZATION["limit_only"].prices), seats)
    code, facts, _ = refused(buying(account, 3, day(1, 5)))
    assert (code, facts) == (Code.OVER_PLAN_LIMIT, {"limit": seats, "count": seats + 3})
    assert code_of(buying(account, 0, day(1, 5))) is Code.OVER_PLAN_LIMIT


def test_a_quantity_past_the_last_tier_is_refused_never_billed_short():
    account = begun(replace(ORGANIZATION["volume"], limit=None), 10)
    assert code_of(buying(account, 490, day(1, 5))) is None
    code, facts, _ = refused(buying(account, 491, day(1, 5)))
    assert (code, facts) == (Code.QUANTITY_OUT_OF_RANGE, {"minimum": 1, "maximum": 490})
    code, _, _ = refused(buying(begun(SINGLE, 20), QUANTITY_MAX, JUNE))
    assert code is Code.OVER_PLAN_LIMIT  # B079


def test_c51_a_coming_smaller_plan_already_limits():
    coming = (Scheduled("change_plan", limit=10),)
    account = replace(begun(ORGANIZATION["per_seat"], 9), scheduled=coming)
    assert code_of(buying(account, 1, day(1, 5))) is None
    assert code_of(buying(account, 2, day(1, 5))) is Code.OVER_PLAN_LIMIT


@pytest.mark.parametrize(
    ("status", "more", "now", "state"),
    [
        (Status.ENDED, {}, JUNE, "ended"),
        (Status.SCHEDULED, {}, JUNE, "scheduled"),
        (Status.INCOMPLETE, {}, JUNE, "incomplete"),
        (Status.ACTIVE, {}, END, "period over"),  # B069: at the boundary it is the next period's
        (Status.CANCELING, {"cancel_at": JUNE}, JUNE, "period over"),
        (Status.PAST_DUE, {"grace_ends_at": JUNE}, JUNE, "period over"),
    ],
)
def test_no_seat_is_sold_where_nothing_runs(status, more, now, state):
    outcome = buying(standing(begun(SINGLE, 20), status=status, **more), 1, now)
    assert (code_of(outcome), outcome.facts) == (Code.STATE_CONFLICT, {"state": state})


def test_a93_a_canceled_plan_sells_seats_until_its_end():
    account = standing(begun(SINGLE, 50), status=Status.CANCELING, cancel_at=END)
    assert due(buying(account, 10, day(4, 1))) == 1808_22  # 10 x 240 x 275/365


def test_t7_nothing_is_bought_or_given_back_for_the_day_of_the_end():
    later = with_policies(SINGLE, purchase_when=When.TERM_END)
    end = begun(later, 50).subscription.term_ends_at
    account = standing(begun(later, 50), status=Status.CANCELING, cancel_at=end)
    for outcome in (buying(account, 10, JUNE), reducing(account, 40)):
        assert outcome.facts == {"state": "canceling"}
    sooner = standing(begun(later, 50), status=Status.CANCELING, cancel_at=end + timedelta(days=1))
    assert code_of(buying(sooner, 10, JUNE)) is None


def test_a96_an_unsigned_contract_sells_nothing():
    account = replace(begun(ASSISTED, 50), unsigned=True)
    assert code_of(buying(account, 1, JUNE)) is Code.STATE_CONFLICT
    assert buying(account, 1, JUNE).facts == {"state": "unsigned"}


@pytest.mark.parametrize(
    ("plan", "code"), [(SINGLE, Code.PAST_DUE), (ORGANIZATION["per_seat"], None)]
)
def test_a28_c43_buying_while_something_is_overdue_is_a_policy(plan, code):
    account = replace(begun(plan, 20), overdue=True)
    assert code_of(buying(account, 1, day(1, 5))) is code


def test_c21_seats_bought_in_a_trial_cost_nothing_now():
    account = begun(ORGANIZATION["trial"], 5, trial=True)
    offer = buying(account, 2, day(1, 5))
    assert isinstance(offer, Offer)
    assert (offer.lines, offer.due_now, offer.deltas) == ((), 0, {"member": 2})
    account = standing(account, status=Status.CANCELING, cancel_at=day(1, 15))
    assert due(buying(account, 2, day(1, 5))) == 0


def test_t30_t31_business_monthly_applies_from_the_next_cycle():
    account = begun(WORKSPACE["business"], 10, on=date(2026, 3, 1))
    offer = buying(account, 2, day(3, 10), asker=ACCOUNT_MANAGER)
    assert isinstance(offer, Offer)
    assert (offer.scheduled, offer.lines, offer.deltas) == (True, (), {"member": 2})  # March: 0.00
    assert offer.effective_at == datetime(2026, 4, 1, tzinfo=UTC)


def test_t30_t31_business_yearly_counts_at_once_and_pays_for_the_rest():
    offer = buying(begun(WORKSPACE["business_yearly"], 10), 2, day(4, 1), asker=ACCOUNT_MANAGER)
    assert (due(offer), offer.scheduled) == (1446_58, False)  # 2 x 960 x 275/365


@pytest.mark.parametrize(
    ("asked", "added"), [({"quantity": 3}, 3), ({"total": 15}, 3), ({"total": 12}, None)]
)
def test_t30_seats_bought_for_later_count_in_totals_and_limits(asked, added):
    coming = (Scheduled("purchase_seats", "member", 2), Scheduled("reduce_seats", "member", -4))
    plan = replace(WORKSPACE["business"], limit=15)
    account = replace(begun(plan, 10), scheduled=coming)
    offer = decide_purchase(account, PurchaseSeats("member", **asked), ACCOUNT_MANAGER, day(1, 5))
    if added is None:  # 10 owned and 2 coming are 12
        assert code_of(offer) is Code.QUANTITY_OUT_OF_RANGE
    else:
        assert isinstance(offer, Offer)
        assert offer.deltas == {"member": added}
    assert code_of(buying(account, 4, day(1, 5), asker=ACCOUNT_MANAGER)) is Code.OVER_PLAN_LIMIT


@pytest.mark.parametrize(
    ("when", "at"), [(When.PERIOD_END, datetime(2026, 2, 1, tzinfo=UTC)), (When.TERM_END, END)]
)
def test_a_policy_may_let_purchases_wait_for_the_period_or_the_term(when, at):
    plan = with_policies(ENTERPRISE["standard_and_premium"], purchase_when=when)
    offer = buying(begun(plan, {"standard": 20, "premium": 5}), 1, day(1, 5), seat_type="premium")
    assert isinstance(offer, Offer)
    assert offer.effective_at == at


def test_a_policy_may_sell_nothing_on_request():
    plan = with_policies(SINGLE, purchase_when=When.NEVER)
    assert code_of(buying(begun(plan, 20), 0, JUNE)) is Code.CONTRACT_MANAGED


# --- Converting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "due_now"),
    [
        ("day_after", 61_94),  # 150 x 16/31 = 77.42, less 30 x 16/31 = 15.48
        ("day", 65_81),  # 150 x 17/31 = 82.26, less 30 x 17/31 = 16.45
    ],
)
def test_a46_standard_to_premium_pays_the_difference_for_the_days_left(basis, due_now):
    plan = with_policies(TEAM, proration=type(TEAM.policies.proration)(basis))
    account = begun(plan, {"standard": 10, "premium": 0})
    offer = converting(account, 1)
    assert isinstance(offer, Offer)
    assert (offer.due_now, offer.deltas) == (due_now, {"standard": -1, "premium": 1})
    after = applied(account, offer)
    assert (after.purchased_of("standard"), after.purchased_of("premium")) == (9, 1)


def test_a46_a_seat_bought_after_a_conversion_costs_one_seat():
    account = begun(TEAM, {"standard": 10, "premium": 0})
    account = applied(account, converting(account, 2))
    more = buying(account, 1, day(1, 15), seat_type="standard")
    assert due(more) == 15_49  # 30 x 16/31; with the two credited: -15.48 of -30.97
    account = applied(account, more)
    assert account.purchased == 11


@pytest.mark.parametrize("now", [day(1, 15), day(1, 31)])  # on the last day no share is left
def test_a32_converting_down_waits_for_the_renewal(now):
    account = begun(TEAM, {"standard": 5, "premium": 5})
    code, _, ways = refused(converting(account, 1, to="standard", now=now))
    assert code is Code.REDUCTION_NOT_ALLOWED_MID_TERM
    assert ways == [Way.SCHEDULE_FOR_RENEWAL, Way.CONTACT_ACCOUNT_MANAGER]


@pytest.mark.parametrize(
    ("quantity", "premium", "code"),
    [
        (0, "premium", Code.QUANTITY_OUT_OF_RANGE),
        (-2, "premium", Code.QUANTITY_OUT_OF_RANGE),
        (11, "premium", Code.QUANTITY_OUT_OF_RANGE),
        (1, "standard", Code.SEAT_TYPE_NOT_OWNED),  # A17: no premium seat is owned
        (4, "premium", Code.SEATS_IN_USE),
        (3, "premium", None),
    ],
)
def test_a46_what_can_be_converted(quantity, premium, code):
    account = with_people(begun(TEAM, {"standard": 10, "premium": 0}), assigned=6, held=1)
    assert code_of(converting(account, quantity, to=premium)) is code


def test_a46_types_of_one_price_change_into_each_other_for_nothing():
    price = TEAM.prices["monthly"]
    same = replace(price, seats={**price.seats, "premium": price.seats["standard"]})
    account = begun(replace(TEAM, prices={"same": same}), {"standard": 4, "premium": 4})
    assert due(converting(account, 4)) == due(converting(account, 4, to="standard")) == 0


def test_a46_conversions_ask_for_two_types_of_the_plan_and_an_open_account():
    account = begun(TEAM, {"standard": 10, "premium": 0})
    same = decide_convert(account, ConvertSeats("standard", "standard", 1), BILLING, day(1, 15))
    other = decide_convert(account, ConvertSeats("standard", "chat", 1), BILLING, day(1, 15))
    assert code_of(same) is code_of(other) is Code.INVALID_REQUEST
    overdue = replace(account, overdue=True)
    assert code_of(converting(overdue, 1)) is Code.PAST_DUE
    ended = standing(account, status=Status.ENDED)
    assert code_of(converting(ended, 1)) is Code.STATE_CONFLICT
