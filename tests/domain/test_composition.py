"""Changes compose: neither their order nor their number of steps changes seats or money."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.billing import total
from seatkeeper.domain.changes import (
    Asker,
    ConvertSeats,
    Offer,
    ReduceSeats,
    Scheduled,
    decide_convert,
    decide_reduce,
)
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import ReductionMoney, When
from seatkeeper.domain.prices import Price, SeatPrice, Tier
from seatkeeper.domain.proration import Basis
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.renewals import decide_renewal
from seatkeeper.domain.terms import Terms, decide_change_plan
from tests.domain.facts import applied, begun, buying, day, moved_onto, with_people, with_policies
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, SINGLE

NOW = day(4, 17)
TEAM = ENTERPRISE["team"]
FREELY = {"reduce_when": When.NOW, "upgrade_when": When.NOW, "downgrade_when": When.NOW}
bases = st.sampled_from(Basis)
units = st.integers(0, 50_000)
quantities = st.integers(1, 40)


def reducing(account, target, *, at_once, seat_type="enterprise"):
    return decide_reduce(account, ReduceSeats(seat_type, target, now=at_once), Asker.BILLING, NOW)


def per_seat(plan, unit, *, base=0, interval=Interval.MONTH):
    """The plan at another price for each seat."""
    seats = {key: SeatPrice((Tier(None, unit=unit),)) for key in plan.seat_types}
    price = Price("only", "USD", interval, interval, interval, base=base, seats=seats)
    return replace(plan, prices={"only": price})


@given(
    steps=st.lists(st.integers(1, 30), max_size=5),
    reduced=st.integers(1, 50),
    at=st.integers(0, 5),
    occupied=st.integers(0, 50),
)
def test_s8_a_scheduled_reduction_and_later_purchases_compose_in_any_order(
    steps, reduced, at, occupied
):
    account = with_people(begun(SINGLE, 100), assigned=occupied)
    scheduled: tuple[Scheduled, ...] = ()
    for index in range(len(steps) + 1):
        if index == min(at, len(steps)):
            offer = reducing(account, account.purchased - reduced, at_once=False)
            assert isinstance(offer, Offer)
            scheduled = (Scheduled("reduce_seats", "enterprise", offer.deltas["enterprise"]),)
        if index < len(steps):
            account = applied(account, buying(account, steps[index], NOW))
    renewal = decide_renewal(replace(account, scheduled=scheduled))
    seats = max(20, occupied, 100 - reduced + sum(steps))
    assert renewal.quantities["enterprise"].purchased == seats
    assert total(renewal.lines) == seats * 240_00


@given(st.lists(st.integers(-9, 12).filter(bool), max_size=6), st.permutations(range(6)))
def test_s8_what_is_scheduled_composes_in_any_order(deltas, order):
    waiting = [Scheduled("change", "enterprise", delta) for delta in deltas]
    shuffled = [waiting[index] for index in order if index < len(waiting)]
    account = begun(SINGLE, 100)
    one, other = (
        decide_renewal(replace(account, scheduled=tuple(items))) for items in (waiting, shuffled)
    )
    assert one == other


@given(
    basis=bases,
    credit=st.sampled_from(ReductionMoney),
    unit=units,
    owned=quantities,
    targets=st.lists(st.integers(1, 80), min_size=1, max_size=12),
)
def test_m8_step_by_step_costs_what_one_step_costs(basis, credit, unit, owned, targets):
    plan = with_policies(TEAM, proration=basis, reduction_money=credit, **FREELY)
    plan = per_seat(replace(plan, minimum=1), unit)
    start = begun(plan, owned, on=date(2026, 4, 1))
    steps, whole = start, 0
    for target in targets:
        change = target - steps.purchased_of("standard")
        if change > 0:
            offer = buying(steps, change, NOW, seat_type="standard")
        elif change < 0:
            offer = reducing(steps, target, at_once=True, seat_type="standard")
        else:
            continue
        steps, whole = applied(steps, offer), whole + total(offer.lines)
    change = targets[-1] - owned
    if change > 0:
        once = buying(start, change, NOW, seat_type="standard")
    elif change < 0:
        once = reducing(start, targets[-1], at_once=True, seat_type="standard")
    else:
        assert whole == 0
        return
    assert isinstance(once, Offer)
    assert total(once.lines) == whole
    assert applied(start, once).pools["standard"].day == steps.pools["standard"].day


@given(
    basis=bases,
    unit=units,
    dearer=st.integers(1, 50_000),
    owned=quantities,
    parts=st.lists(st.integers(1, 10), min_size=1, max_size=6),
)
def test_m8_converting_one_by_one_costs_what_converting_at_once_costs(
    basis, unit, dearer, owned, parts
):
    count = sum(parts)
    plan = with_policies(TEAM, proration=basis)
    price = per_seat(plan, unit).prices["only"]
    seats = {**price.seats, "premium": SeatPrice((Tier(None, unit=unit + dearer),))}
    plan = replace(plan, prices={"only": replace(price, seats=seats)})
    start = begun(plan, {"standard": owned + count, "premium": owned}, on=date(2026, 4, 1))

    def converted(account, quantity):
        asked = ConvertSeats("standard", "premium", quantity)
        offer = decide_convert(account, asked, Asker.BILLING, NOW)
        assert isinstance(offer, Offer)
        return applied(account, offer), total(offer.lines)

    steps, whole = start, 0
    for part in parts:
        steps, due = converted(steps, part)
        whole += due
    once, due = converted(start, count)
    assert (whole, steps.pools) == (due, once.pools)


@given(
    basis=bases,
    unit=units,
    owned=quantities,
    changes=st.lists(st.integers(-40, 40).filter(bool), min_size=1, max_size=12),
)
def test_g6_up_and_down_in_the_same_second_mints_no_credit(basis, unit, owned, changes):
    plan = per_seat(with_policies(replace(TEAM, minimum=1), proration=basis, **FREELY), unit)
    account, whole = begun(plan, owned, on=date(2026, 4, 1)), 0
    for change in changes:
        if change > 0:
            offer = buying(account, change, NOW, seat_type="standard")
        else:
            target = account.purchased_of("standard") + change
            offer = reducing(account, target, at_once=True, seat_type="standard")
        if isinstance(offer, Offer):
            account, whole = applied(account, offer), whole + total(offer.lines)
        assert whole >= 0


@given(
    old=st.tuples(units, units, bases),
    new=st.tuples(units, units, bases),
    interval=st.sampled_from(Interval),
    seats=quantities,
    more=st.integers(0, 10),
)
def test_c50_there_and_back_in_the_same_second_mints_no_credit(old, new, interval, seats, more):
    def plan_at(key, terms, interval):
        base, unit, basis = terms
        plan = with_policies(ORGANIZATION[key], proration=basis, **FREELY)
        return per_seat(plan, unit, base=base, interval=interval)

    one = plan_at("per_seat", old, Interval.MONTH)
    other = plan_at("base_and_seats", new, interval)
    account = with_people(begun(one, seats, on=date(2026, 4, 1)), assigned=seats)
    bought = 0
    if more:
        offer = buying(account, more, NOW)
        account, bought = applied(account, offer), total(offer.lines)

    def moved(account, plan, quantity):
        choice = Choice(plan, plan.prices["only"], {"member": quantity})
        terms = decide_change_plan(account, choice, Asker.BILLING, People(seats), NOW)
        assert isinstance(terms, Terms)
        return with_people(moved_onto(account, terms), assigned=seats), total(terms.lines)

    there, up = moved(account, other, seats + more)
    _, down = moved(there, one, seats + more)
    assert up + down >= 0
    assert bought + up + down >= 0
    if interval is Interval.MONTH and Basis.NONE not in (old[2], new[2]) and any(old[:2]):
        # Where the period goes on, and the new plan costs something, it is exactly nothing.
        assert up + down == 0 or not any(new[:2])
