"""Terms: what an organization moves to when it changes its plan, when and at what cost."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from seatkeeper.domain.billing import LineKind, total
from seatkeeper.domain.catalog import successors_of
from seatkeeper.domain.changes import Account, Asker
from seatkeeper.domain.periods import midnight
from seatkeeper.domain.policies import RenewalQuantity, When
from seatkeeper.domain.quantities import Choice, People, first_quantities, seated_in
from seatkeeper.domain.refusals import Code, Way
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.subscriptions import TRANSITIONS, Status
from seatkeeper.domain.terms import (
    Terms,
    beside_cancellation,
    ceilings_of,
    decide_change_plan,
    decide_subscribe,
    terms_from,
)
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
TEAM = ENTERPRISE["team"]
FREE = replace(ORGANIZATION["free"], prices={})
ANY_PRICE = TEAM.prices["monthly"]


def choice(plan, price=None, **seats):
    chosen = plan.prices[price] if price else plan.price_in("USD") or ANY_PRICE
    return Choice(plan, chosen, seats)


def moving(account, chosen, *, asker=BILLING, people=None, now=None):
    if people is None:
        pools = [of_type.pool for of_type in account.pools.values()]
        people = People(sum(p.assigned for p in pools), sum(p.held for p in pools))
    return decide_change_plan(account, chosen, asker, people, now or day(1, 16))


def test_c50_up_takes_effect_now_with_credit_for_the_unused_part():
    account = with_people(begun(ORGANIZATION["per_seat"], 5, on=date(2026, 4, 1)), assigned=5)
    terms = moving(account, choice(ORGANIZATION["base_and_seats"]), now=day(4, 16))
    assert isinstance(terms, Terms)
    # -5 x 8 x 15/30 = -20.00; 20 x 15/30 + 5 x 5 x 15/30 = 10.00 + 12.50
    assert [line.amount_minor for line in terms.lines] == [-20_00, 10_00, 12_50]
    assert (terms.due_now, terms.keeps_period, terms.scheduled) == (2_50, True, False)
    assert terms.ends_at == account.subscription.period_ends_at
    assert terms.status is Status.ACTIVE


def test_c50_a_new_rhythm_starts_today_and_what_was_paid_is_credited():
    account = with_people(begun(ORGANIZATION["trial"], 3, on=date(2026, 4, 1)), assigned=3)
    terms = moving(account, choice(ORGANIZATION["trial"], "yearly_usd"), now=day(4, 11))
    assert isinstance(terms, Terms)
    # -3 x 12 x 20/30 = -24.00; 3 x 10 x 12 = 360.00
    assert [line.amount_minor for line in terms.lines] == [-24_00, 360_00]
    assert (terms.anchor, terms.keeps_period) == (date(2026, 4, 11), False)
    assert terms.term_ends_at == datetime(2027, 4, 11, tzinfo=UTC)


def test_g6_more_credit_than_charge_is_not_paid_out():
    account = with_people(begun(ORGANIZATION["unlimited"], 1_000_000), assigned=4)
    up = with_policies(ORGANIZATION["unlimited"], downgrade_when=When.NOW)
    account = standing(account, plan=up)
    terms = moving(account, choice(ORGANIZATION["per_seat"]))
    assert isinstance(terms, Terms)
    assert total(terms.lines) == -257_55 + 16_52  # 499 x 16/31, 4 x 8 x 16/31
    assert terms.due_now == 0
    assert terms.lines[0].kind is LineKind.CREDIT


@pytest.mark.parametrize(
    ("anchor", "now", "starts", "ends"),
    [
        (date(2026, 1, 1), (1, 16), (2026, 2, 1), (2026, 3, 1)),
        (date(2026, 1, 31), (2, 10), (2026, 2, 28), (2026, 3, 31)),  # G3: the anchor stays
    ],
)
def test_c50_down_waits_for_the_end_of_the_period(anchor, now, starts, ends):
    account = with_people(begun(ORGANIZATION["base_and_seats"], 5, on=anchor), assigned=4)
    terms = moving(account, choice(ORGANIZATION["per_seat"]), now=day(*now))
    assert isinstance(terms, Terms)
    assert (terms.scheduled, terms.lines, terms.due_now) == (True, (), 0)
    assert terms.effective_at == terms.starts_at == midnight(date(*starts), "UTC")
    assert terms.ends_at == terms.term_ends_at == midnight(date(*ends), "UTC")
    assert (terms.anchor, terms.number, terms.quantities) == (anchor, 1, {"member": 4})


def test_c50_down_to_another_rhythm_begins_at_the_end_of_the_term():
    pair = replace(ENTERPRISE["standard_and_premium"], rank=30)
    pair = with_policies(pair, downgrade_when=When.TERM_END)
    account = begun(pair, {"standard": 20, "premium": 5})
    terms = moving(account, choice(ASSISTED), asker=ACCOUNT_MANAGER)
    assert isinstance(terms, Terms)
    assert terms.effective_at == terms.starts_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (terms.anchor, terms.number) == (date(2027, 1, 1), 0)
    assert terms.quantities == {"enterprise": 25}


@pytest.mark.parametrize(
    ("standard", "premium", "seats"),
    [(30, 10, 40), (12, 5, 20)],  # A95: the sum over the old types, twenty at least
)
def test_a95_every_old_seat_becomes_the_one_new_kind(standard, premium, seats):
    account = begun(ENTERPRISE["standard_and_premium"], {"standard": standard, "premium": premium})
    people = People(60)  # members without a seat are not counted
    terms = moving(account, choice(ASSISTED), asker=ACCOUNT_MANAGER, people=people)
    assert isinstance(terms, Terms)
    assert terms.quantities == {"enterprise": seats}
    assert terms.successors == {"standard": "enterprise", "premium": "enterprise"}


@pytest.mark.parametrize(
    ("old", "new", "becomes"),
    [
        ("chat_and_code", "enterprise", {"chat": "enterprise", "chat_code": "enterprise"}),
        ("chat_and_code", "chat_and_code_regulated", {"chat": "chat", "chat_code": "chat_code"}),
        ("chat_and_code", "team", {"chat": "premium", "chat_code": "premium"}),  # not its successor
        ("team", "enterprise", {"standard": "enterprise", "premium": "enterprise"}),
        ("enterprise", "team", {"enterprise": "premium"}),
    ],
)
def test_a95_a97_what_a_seat_becomes(old, new, becomes):
    assert successors_of(ENTERPRISE[old], ENTERPRISE[new]) == becomes


def test_a97_a98_from_team_to_enterprise_and_not_back():
    team = with_people(begun(TEAM, {"standard": 8, "premium": 0}, on=date(2026, 1, 1)), assigned=8)
    terms = moving(team, choice(SINGLE), now=day(1, 15))
    assert isinstance(terms, Terms)
    assert terms.quantities == {"enterprise": 20}
    # -8 x 30 x 16/31 = -123.87; 20 x 240 = 4,800.00
    assert [line.amount_minor for line in terms.lines] == [-123_87, 4_800_00]
    back = moving(begun(SINGLE, 20), choice(TEAM))
    assert refused(back)[::2] == (Code.CONTRACT_MANAGED, [Way.CONTACT_ACCOUNT_MANAGER])
    assert "no way back" in back.sentence


def test_t12_from_starter_to_pro_the_full_price_and_no_credit():
    starter = with_people(begun(WORKSPACE["starter"], 1), assigned=1)
    terms = moving(starter, choice(WORKSPACE["pro"]), asker=MEMBER, now=day(1, 31))
    assert isinstance(terms, Terms)
    assert [line.amount_minor for line in terms.lines] == [99_00]
    assert terms.anchor == date(2026, 1, 31)  # the month it buys starts today


@pytest.mark.parametrize(
    ("people", "code"),
    [(People(10), None), (People(9, 2), Code.OVER_PLAN_LIMIT)],
)
def test_c48_a_limited_plan_needs_few_enough_people(people, code):
    account = with_people(
        begun(ORGANIZATION["base_and_seats"], 12), assigned=people.members, held=people.invited
    )
    assert code_of(moving(account, choice(ORGANIZATION["per_seat_limited"]))) is code
    assert code_of(moving(account, choice(ORGANIZATION["limit_only"]))) is code


def test_c49_from_a_limit_to_the_default_one():
    plan = with_policies(ORGANIZATION["limit_only"], downgrade_when=When.NOW)
    account = with_people(begun(plan, 10), assigned=6)
    assert code_of(moving(account, choice(FREE))) is Code.OVER_PLAN_LIMIT


@pytest.mark.parametrize(
    ("seats", "needed"), [({"enterprise": 21}, None), ({"enterprise": 20}, 1), ({}, None)]
)
def test_a35_nobody_loses_a_seat_by_a_change_of_plan(seats, needed):
    team = with_people(begun(TEAM, {"standard": 20, "premium": 5}), assigned=18, held=1)
    team = with_people(team, "premium", assigned=2)
    outcome = moving(team, choice(SINGLE, **seats))
    assert code_of(outcome) is (Code.SEATS_IN_USE if needed else None)
    if needed:
        assert refused(outcome)[1] == {"needed": needed, "seat_type": "enterprise"}


@pytest.mark.parametrize(
    ("policy", "quantities"),
    [
        (RenewalQuantity.OCCUPIED, {"standard": 10, "premium": 3}),
        (RenewalQuantity.CARRY_PURCHASED, {"standard": 20, "premium": 5}),
    ],
)
def test_c36_a_plan_that_right_sizes_starts_with_who_sits_there(policy, quantities):
    team = with_people(begun(TEAM, {"standard": 20, "premium": 5}), assigned=9, held=1)
    team = with_people(team, "premium", assigned=3)
    new = replace(with_policies(TEAM, renewal_quantity=policy), key="other", rank=11)
    end = team.subscription.period_ends_at
    later = terms_from(team, choice(new), People(13), end)
    assert isinstance(later, Terms)
    assert later.quantities == quantities
    # In mid-period all that is paid comes along.
    now = moving(team, choice(new))
    assert isinstance(now, Terms)
    assert now.quantities == {"standard": 20, "premium": 5}


def test_c12_from_a_plan_without_seats_everyone_comes_along():
    free = replace(FREE, prices=ORGANIZATION["limit_only"].prices)
    account = with_people(begun(free, 5), assigned=4)
    terms = moving(account, choice(ORGANIZATION["per_seat"]), people=People(4, 1))
    assert isinstance(terms, Terms)
    assert terms.quantities == {"member": 5}
    wide = with_people(begun(free, 30), assigned=24)
    terms = moving(wide, choice(SINGLE), people=People(26))
    assert isinstance(terms, Terms)
    assert terms.quantities == {"enterprise": 26}


def changing(**changes) -> tuple[Account, Choice]:
    account = begun(ORGANIZATION["per_seat"], 2)
    return standing(account, **changes), choice(ORGANIZATION["base_and_seats"])


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": Status.CANCELING}, "canceling"),
        ({"status": Status.ENDED}, "ended"),
        ({"period_ends_at": day(1, 16)}, "period over"),
        ({"price": ORGANIZATION["base_and_seats"].price_in("USD"),
          "plan": ORGANIZATION["base_and_seats"]}, "already on this plan"),
    ],
)  # fmt: skip
def test_a_plan_changes_only_while_it_runs(changes, state):
    code, facts, _ = refused(moving(*changing(**changes)))
    assert (code, facts) == (Code.STATE_CONFLICT, {"state": state})


def test_a96_t32_a28_an_unsigned_a_managed_and_an_overdue_account_keep_their_plan():
    account, chosen = changing()
    assert moving(replace(account, unsigned=True), chosen).facts == {"state": "unsigned"}
    assert code_of(moving(replace(account, overdue=True), chosen)) is None  # C43
    overdue = replace(begun(TEAM, {"standard": 8}), overdue=True)
    assert code_of(moving(overdue, choice(SINGLE))) is Code.PAST_DUE
    assert code_of(moving(account, choice(ASSISTED))) is Code.CONTRACT_MANAGED
    assert code_of(moving(begun(ASSISTED, 20), choice(SINGLE))) is Code.CONTRACT_MANAGED


def test_c20_a_trial_is_no_way_out_of_a_paid_plan():
    chosen = replace(choice(ORGANIZATION["trial"]), trial=True)
    paid = moving(begun(ORGANIZATION["per_seat_limited"], 2), chosen)
    assert isinstance(paid, Terms)
    assert paid.status is Status.ACTIVE
    free = replace(FREE, prices={"monthly": replace(chosen.price, seats={})})
    tried = moving(begun(free, 5), chosen)
    assert isinstance(tried, Terms)
    assert (tried.status, tried.lines) == (Status.TRIALING, ())


def test_c20_a_plan_changed_in_a_trial_starts_to_cost():
    account = begun(ORGANIZATION["trial"], 3, trial=True)
    terms = moving(account, choice(ORGANIZATION["base_and_seats"]), people=People(3), now=day(1, 5))
    assert isinstance(terms, Terms)
    assert (terms.status, terms.due_now) == (Status.ACTIVE, 35_00)  # 20 + 3 x 5, no credit
    assert terms.status in TRANSITIONS[Status.TRIALING]


def test_c50_seats_bought_inside_the_period_are_credited_too():
    account = begun(ORGANIZATION["per_seat"], 5, on=date(2026, 4, 1))
    more = buying(account, 2, day(4, 16))
    assert due(more) == 8_00  # 2 x 8 x 15/30
    terms = moving(applied(account, more), choice(ORGANIZATION["ten_included"]), now=day(4, 16))
    assert isinstance(terms, Terms)
    assert terms.lines[0].amount_minor == -28_00  # 7 x 8 x 15/30


def test_c51_a_scheduled_plan_is_decided_again_on_its_day():
    account = begun(ORGANIZATION["base_and_seats"], 12, on=date(2026, 1, 31))
    account = with_people(account, assigned=9)
    at = account.subscription.period_ends_at
    smaller = choice(ORGANIZATION["per_seat_limited"])
    fewer = terms_from(with_people(account, assigned=7), smaller, People(7), at)
    assert isinstance(fewer, Terms)
    assert (fewer.quantities, fewer.due_now) == ({"member": 7}, 35_00)  # C34: 7 x 5
    assert (fewer.anchor, fewer.scheduled) == (date(2026, 1, 31), False)
    assert fewer.ends_at == midnight(date(2026, 3, 31), "UTC")
    more = terms_from(with_people(account, assigned=11), smaller, People(11), at)
    assert code_of(more) is Code.OVER_PLAN_LIMIT  # the old plan goes on


def test_t7_a_cancellation_ends_the_terms_that_come_before_its_day():
    lower = replace(ORGANIZATION["per_seat"], rank=1)
    account = begun(ORGANIZATION["base_and_seats"], 2)
    end = midnight(date(2026, 2, 1), "UTC")
    terms = terms_from(account, choice(lower), People(2), end)
    assert isinstance(terms, Terms)
    assert beside_cancellation(terms, account.subscription) is terms
    # Monthly periods from 1 January: one of them ends with 31 May, none with 14 May.
    canceled = standing(account, cancel_at=midnight(date(2026, 6, 1), "UTC")).subscription
    kept = beside_cancellation(terms, canceled)
    assert isinstance(kept, Terms)
    assert (kept.status, kept.cancel_at) == (Status.CANCELING, canceled.cancel_at)
    inside = standing(account, cancel_at=midnight(date(2026, 5, 15), "UTC")).subscription
    code, facts, _ = refused(beside_cancellation(terms, inside))
    assert (code, facts) == (Code.STATE_CONFLICT, {"state": "canceling"})


def sitting(plan=TEAM, **taken):
    """Pools that an end left without seats, and with people."""
    pools = []
    for key, count in taken.items():
        rank = plan.seat_types[key].rank
        pools.append(SeatPool(UUID(int=1), key, rank, 0, count, 0, state="over_limit"))
    return pools


@pytest.mark.parametrize(
    ("asked", "taken", "begins"),
    [
        # 6 people, one of them on a premium seat: 1 + 5
        ({}, {"standard": 4, "premium": 1}, {"premium": 1, "standard": 5}),
        ({}, {"premium": 6}, {"premium": 6, "standard": 0}),
        ({}, {}, {"premium": 0, "standard": 6}),
        ({"standard": 5}, {"standard": 5}, {"premium": 0, "standard": 5}),
        ({"standard": 4}, {"standard": 5}, Code.SEATS_IN_USE),
        ({"standard": 9}, {"premium": 1}, Code.SEATS_IN_USE),
        ({}, {"standard": 149, "premium": 2}, Code.OVER_PLAN_LIMIT),  # 150 seats at most
    ],
)
def test_m12_a34_who_still_sits_is_counted_when_something_begins(asked, taken, begins):
    people = People(members=6, seated=seated_in(TEAM, TEAM, sitting(**taken)))
    limited = replace(TEAM, limit=150)
    found = first_quantities(choice(limited, "monthly", **asked), people)
    assert (code_of(found) if isinstance(begins, Code) else found) == begins


def test_m12_a_plan_that_grants_its_seats_counts_nobody_twice():
    people = People(members=3, seated=seated_in(TEAM, FREE, sitting(standard=3)))
    assert first_quantities(choice(FREE), people) == {"member": 5}


def test_m12_a_first_start_refuses_what_any_start_refuses():
    people = People(members=3)
    unknown = first_quantities(choice(TEAM, "monthly", chat=3), people)
    assert code_of(unknown) is Code.INVALID_REQUEST
    terms = decide_subscribe(choice(TEAM, "monthly", chat=3), people, "UTC", day(1, 16))
    assert terms == unknown
    begun_ = decide_subscribe(choice(TEAM, "monthly", standard=5), people, "UTC", day(1, 16))
    assert isinstance(begun_, Terms)
    assert begun_.quantities == {"premium": 0, "standard": 5}


def test_m12_while_terms_wait_nobody_sits_above_their_seats():
    account = begun(TEAM, 5)
    account = with_people(account, assigned=3)
    quantities = {"enterprise": 20}
    becomes = successors_of(TEAM, ENTERPRISE["enterprise"])
    terms = moving(account, choice(ENTERPRISE["enterprise"]))
    assert isinstance(terms, Terms)
    assert (terms.quantities, terms.successors) == (quantities, becomes)
    # Two types become one: the first can have the 17 that are left, the other what it has.
    assert sum(ceilings_of(account, terms).values()) == 20
