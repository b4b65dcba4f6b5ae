"""Billing: the lines of a bill, each with the arithmetic that made it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from seatkeeper.domain.billed import Billed
from seatkeeper.domain.billing import (
    WHOLE,
    LineKind,
    effective_instant,
    inside,
    period_lines,
    rest_lines,
    step,
    total,
    unit_of,
)
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import ReductionMoney
from seatkeeper.domain.prices import DayLevel
from seatkeeper.domain.proration import Basis, Share
from seatkeeper.domain.unused import unused_lines
from tests.domain.facts import begun, day, standing, with_lines, with_people, with_policies
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, SINGLE, WORKSPACE

TEAM = ENTERPRISE["team"]
CREDITING = with_policies(SINGLE, reduction_money=ReductionMoney.CREDIT)


def whole_period(account, number=0):
    subscription = account.subscription
    pools = {key: of_type.pool for key, of_type in account.pools.items()}
    period = subscription.recurrence.period(number)
    return period_lines(subscription.plan, subscription.price, number, period, pools)


def stepped(account, *targets, seat_type=None, now, convert=False):
    """The lines of moving a pool to one quantity after another, and the last levels."""
    key = seat_type or account.subscription.plan.entry_type.key
    of_type, made = account.pools[key], []
    for target in targets:
        asked = replace(of_type, day=replace(of_type.day, credited=convert))
        taken = step(account.subscription, asked, target, now)
        basis = account.subscription.plan.policies.proration
        at = effective_instant(basis, account.subscription.period, now)
        pool = replace(of_type.pool, purchased=target)
        of_type = replace(of_type, pool=pool, billed_at=at, day=taken.day)
        made.append(taken.line)
    return made, of_type.day


@pytest.mark.parametrize(
    ("key", "seats", "amounts"),
    [
        ("base_and_seats", 5, [(None, 20_00), ("member", 25_00)]),  # 20 + 5 x 5 = 45.00
        ("ten_included", 12, [(None, 25_00), ("member", 20_00)]),  # 25 + 10 x 0 + 2 x 10 = 45.00
        ("five_included", 5, [(None, 25_00), ("member", 0)]),  # 25 + 5 x 0
        ("per_seat", 10, [("member", 80_00)]),  # no base, no line for one
        ("per_seat", 0, []),
        ("first_five_flat", 8, [("member", 25_00)]),  # 10 + 3 x 5
        ("limit_only", 10, [(None, 30_00)]),  # C15: no seat is bought
        ("unlimited", 100, [(None, 499_00)]),
    ],
)
def test_c14_a_period_bills_the_base_and_the_seats(key, seats, amounts):
    lines = whole_period(begun(ORGANIZATION[key], seats))
    assert [(line.seat_type, line.amount_minor) for line in lines] == amounts
    assert all(line.full_minor == line.amount_minor and line.share == WHOLE for line in lines)


def test_m14_a_line_says_plan_version_price_people_and_period():
    account = with_people(begun(SINGLE, 50), assigned=40, held=3)
    [line] = whole_period(account)
    assert (line.kind, line.plan_key, line.plan_version) == (LineKind.SEATS, "enterprise", 1)
    assert (line.price_key, line.quantity, line.unit_minor) == ("yearly", 50, 240_00)
    assert (line.assigned, line.held, line.amount_minor) == (40, 3, 12_000_00)  # 50 x 240
    assert line.quantity_before == 0
    assert line.period_starts_at == line.effective_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert line.period_ends_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plan", "price", "unit"),
    [
        (SINGLE, "yearly", 240_00),  # 20 a month, billed by the year
        (TEAM, "monthly", 30_00),
        (ORGANIZATION["one_included"], "monthly_usd", None),  # one seat costs 0, others 10
        (ORGANIZATION["first_five_flat"], "monthly_usd", None),
        (ORGANIZATION["base_and_seats"], "yearly_usd", 50_00),
    ],
)
def test_a_line_names_the_price_of_a_seat_where_there_is_one(plan, price, unit):
    chosen = plan.prices[price]
    assert unit_of(chosen, chosen.seats[plan.entry_type.key]) == unit


def test_a_year_split_into_months_has_no_one_price_of_a_seat():
    yearly = WORKSPACE["starter"].prices["yearly"]
    split = replace(yearly, billing=Interval.MONTH)
    assert unit_of(split, split.seats["member"]) is None


def test_m8_the_months_of_a_split_year_add_up_to_the_year():
    account = begun(ORGANIZATION["base_and_seats"], 1, price="yearly_usd")
    split = replace(account.subscription.price, billing=Interval.MONTH)
    account = replace(account, subscription=replace(account.subscription, price=split))
    months = [total(whole_period(account, number)) for number in range(12)]
    assert sum(months) == 250_00  # 200 + 50
    assert set(months) == {20_82, 20_84}  # 16.66 + 4.16, or 16.67 + 4.17


@pytest.mark.parametrize(
    ("basis", "now", "effective"),
    [
        (Basis.DAY, day(4, 1, hour=23), datetime(2026, 4, 1, tzinfo=UTC)),
        (Basis.MONTH, day(4, 17), datetime(2026, 4, 17, tzinfo=UTC)),
        (Basis.SECOND, day(4, 1), day(4, 1)),
        (Basis.DAY, day(1, 1, 2027), datetime(2026, 12, 31, tzinfo=UTC)),  # after the last day
    ],
)
def test_amounts_of_one_day_are_rounded_together_or_of_one_instant(basis, now, effective):
    assert effective_instant(basis, begun(SINGLE, 20).subscription.period, now) == effective


def test_t4_stored_bounds_may_lie_outside_a_zone_that_moved():
    account = begun(SINGLE, 20)
    period = account.subscription.period
    last = period.ends_at - timedelta(microseconds=1)
    assert inside(period, day(1, 2, 2027)) == last
    assert inside(period, day(12, 31, 2025)) == period.starts_at
    assert inside(period, day(4, 1)) == day(4, 1)
    [line], _ = stepped(account, 21, now=day(1, 2, 2027))
    assert line.amount_minor == 66  # 240.00 x 1/365 = 0.658: the last day
    [rest] = rest_lines(
        SINGLE,
        account.subscription.price,
        period,
        {"enterprise": account.pools["enterprise"].pool},
        day(1, 2, 2027),
    )
    assert rest.share == Share(1, 365, Basis.DAY)


def test_a20_a_line_of_added_seats_says_from_how_many_to_how_many():
    account = with_people(begun(SINGLE, 50), assigned=48)
    [line], after = stepped(account, 60, now=day(4, 1))
    assert (line.kind, line.quantity, line.quantity_before) == (LineKind.ADDED_SEATS, 60, 50)
    assert line.share == Share(275, 365, Basis.DAY)
    assert (line.full_minor, line.amount_minor) == (2_400_00, 1_808_22)  # 10 x 240 x 275/365
    assert (line.assigned, line.unit_minor) == (48, 240_00)
    assert after == DayLevel(paid=50, level=60, billed=1_808_22)


@pytest.mark.parametrize(
    ("targets", "amounts", "after"),
    [
        ([51, 53, 57], [180_82, 361_65, 723_28], DayLevel(50, 57, 1_265_75)),  # 1 + 2 + 4 …
        ([57], [1_265_75], DayLevel(50, 57, 1_265_75)),  # … cost what 7 cost
        ([57, 50], [1_265_75, -1_265_75], DayLevel(50, 50, 0)),  # up and down nets to nothing
        ([45], [None], DayLevel(50, 50, 0)),  # A32: no refund, no line; 50 stay paid
        ([45, 50], [None, 0], DayLevel(50, 50, 0)),  # what is paid is not paid twice
        ([45, 52], [None, 361_64], DayLevel(50, 52, 361_64)),  # 2 x 240 x 275/365
    ],
)
def test_g6_a_day_bills_above_what_is_paid_and_gives_nothing_back(targets, amounts, after):
    lines, levels = stepped(begun(SINGLE, 50), *targets, now=day(4, 1))
    assert [None if line is None else line.amount_minor for line in lines] == amounts
    assert levels == after


def test_a_new_day_starts_on_what_the_day_before_has_paid():
    account = begun(SINGLE, 50)
    _, first = stepped(account, 60, now=day(4, 1))
    pool = replace(account.pools["enterprise"].pool, purchased=60)
    seats = replace(account.pools["enterprise"], pool=pool, day=first)
    taken = step(account.subscription, seats, 61, day(4, 2))
    assert taken.day == DayLevel(paid=60, level=61, billed=180_16)  # 240 x 274/365
    assert taken.line is not None
    assert taken.line.amount_minor == 180_16


@pytest.mark.parametrize(
    ("targets", "amounts"),
    [
        ([45], [-904_11]),  # 5 x 240 x 275/365 back
        ([45, 60], [-904_11, 2_712_33]),  # and then 15: together 10 x 240 x 275/365 = 1,808.22
        ([60, 45], [1_808_22, -2_712_33]),
    ],
)
def test_g6_a_policy_may_credit_what_is_given_back(targets, amounts):
    lines, after = stepped(begun(CREDITING, 50), *targets, now=day(4, 1))
    assert [line.amount_minor for line in lines] == amounts
    assert after.level == targets[-1]
    assert lines[0].kind is (LineKind.RETURNED_SEATS if targets[0] < 50 else LineKind.ADDED_SEATS)


def test_g6_more_seats_at_a_lower_volume_price_earn_no_money():
    [line], after = stepped(begun(ORGANIZATION["volume"], 10), 11, now=day(1, 16))
    assert line.amount_minor == 0  # 11 x 8 = 88 is less than the 100 paid
    assert after == DayLevel(paid=10, level=11, billed=0)


def test_a46_converted_seats_are_credited_whatever_the_policy():
    [line], after = stepped(
        begun(TEAM, {"standard": 10}), 8, now=day(1, 15), convert=True, seat_type="standard"
    )
    assert line.amount_minor == -30_97  # 2 x 30 x 16/31
    assert after == DayLevel(paid=10, level=8, billed=-30_97)


def test_g6_after_a_conversion_only_the_bought_seats_cost_and_nothing_else_comes_back():
    account = begun(TEAM, {"standard": 10})
    _, converted = stepped(account, 8, now=day(1, 15), convert=True, seat_type="standard")
    pool = replace(account.pools["standard"].pool, purchased=8)
    at = datetime(2026, 1, 15, tzinfo=UTC)
    seats = replace(account.pools["standard"], pool=pool, billed_at=at, day=converted)
    more = step(account.subscription, seats, 9, day(1, 15))
    assert more.line is not None
    assert more.line.amount_minor == 15_49  # 30 x 16/31: one seat, not the two credited before
    fewer = step(account.subscription, seats, 5, day(1, 15))
    assert (fewer.line, fewer.day) == (None, converted)


def test_g6_seats_given_back_without_credit_earn_none_by_a_later_conversion():
    account = begun(TEAM, {"standard": 10})
    _, given_back = stepped(account, 6, now=day(1, 14), seat_type="standard")
    pool = replace(account.pools["standard"].pool, purchased=6)
    seats = replace(account.pools["standard"], pool=pool, day=replace(given_back, credited=True))
    taken = step(account.subscription, seats, 4, day(1, 15))
    assert taken.line is not None
    assert taken.line.amount_minor == -30_97  # 2 x 30 x 16/31, not 6 x 30 x 16/31
    assert taken.day.level == 8  # 10 are paid, 2 of them converted


def test_c15_where_seats_cost_nothing_nothing_is_billed():
    lines, after = stepped(begun(ORGANIZATION["limit_only"], 10), 12, 9, now=day(1, 16))
    assert lines == [None, None]
    assert after == DayLevel(paid=10, level=10, billed=0)


@pytest.mark.parametrize(
    ("on", "amounts"),
    [
        (date(2026, 4, 1), [20_00, 25_00]),  # the whole month
        (date(2026, 4, 16), [10_00, 12_50]),  # 20 x 15/30, 5 x 5 x 15/30
        (date(2026, 4, 30), [67, 83]),  # 0.667, 0.833
    ],
)
def test_c50_the_rest_of_a_period_is_base_and_seats_for_the_days_left(on, amounts):
    account = begun(ORGANIZATION["base_and_seats"], 5, on=date(2026, 4, 1))
    subscription = account.subscription
    now = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    pools = {"member": account.pools["member"].pool}
    lines = rest_lines(subscription.plan, subscription.price, subscription.period, pools, now)
    assert [line.amount_minor for line in lines] == amounts
    assert [line.full_minor for line in lines] == [20_00, 25_00]
    back = unused_lines(account, {"member": 5}, now)
    assert total(back) == -total(lines)
    assert [line.kind for line in back] == [LineKind.CREDIT, LineKind.CREDIT]
    assert [(line.quantity, line.quantity_before) for line in back] == [(0, 1), (0, 5)]


def test_m7_no_more_of_a_split_year_comes_back_than_its_month_has_cost():
    account = begun(ORGANIZATION["base_and_seats"], 0, price="yearly_usd")
    price = replace(account.subscription.price, base=103, billing=Interval.MONTH)
    monthly = standing(account, price=price)
    for number in range(12):  # 1.03 / 12 = 0.0858: 0.09 or 0.08
        period = monthly.subscription.recurrence.period(number)
        [paid] = period_lines(SINGLE, price, number, period, {})
        now = standing(
            monthly,
            number=number,
            period_starts_at=period.starts_at,
            period_ends_at=period.ends_at,
        )
        now = with_lines(replace(now, billed=Billed()), [paid])
        [back] = unused_lines(now, {}, period.starts_at)
        assert back.amount_minor == -paid.amount_minor


def test_a_line_that_cost_nothing_is_not_given_back():
    account = begun(ORGANIZATION["five_included"], 5)
    back = unused_lines(account, {"member": 5}, account.subscription.period_starts_at)
    assert [line.amount_minor for line in back] == [-25_00]
