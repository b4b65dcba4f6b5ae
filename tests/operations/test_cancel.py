"""Cancelling: access to the end, free to take back, and what is left afterwards."""

import pytest

from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import changes, members, seats
from seatkeeper.operations.asked import (
    Cancel,
    ChangePlan,
    PurchaseSeats,
    ReduceSeats,
    Resume,
)
from seatkeeper.operations.context import new_id
from seatkeeper.operations.seats import AssignSeat
from tests.money_world import day, subscribing
from tests.operations import deals
from tests.operations.deals import coming
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def test_a91_t7_a_cancelled_organization_works_on_to_the_end_of_the_term(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    ada = await buyer.join("ada")
    made = await buyer.change(Cancel())
    assert (made.state, made.effective_at) == ("applied", day(2027, 1, 1))
    on = await buyer.subscription()
    assert (on.status, on.cancel_at) == ("canceling", day(2027, 1, 1))
    await money.advance(day(2026, 12, 31, 23))
    command = AssignSeat(organization=buyer.id, member=ada, seat_type="enterprise")
    await seats.assign(await buyer.ctx(), command)
    await money.advance(day(2027, 1, 1))
    assert len(await buyer.invoices()) == 1
    assert "subscription.ended" in await buyer.events("subscription.")


async def test_a94_at_the_end_the_seats_lapse_and_the_people_stay(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    ada = await buyer.join("ada", "enterprise")
    bob = await buyer.join("bob")
    await buyer.change(Cancel())
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (0, 1, 0, 0)
    command = AssignSeat(organization=buyer.id, member=bob, seat_type="enterprise")
    async with refused(Code.OVER_LIMIT):
        await seats.assign(await buyer.ctx(), command)
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(PurchaseSeats(quantity=1))
    await buyer.change(subscribing("enterprise", {"enterprise": 25}))
    assert await buyer.seats() == (25, 1, 0, 0)
    assert ada


async def test_a91_a_cancellation_is_taken_back_for_nothing(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.change(Cancel())
    await money.advance(day(2026, 12, 31, 23))
    await buyer.change(Resume())
    assert (await buyer.subscription()).status == "active"
    assert len(await buyer.invoices()) == 1
    await money.advance(day(2027, 1, 1))
    assert (await buyer.totals())[-1] == 4800_00


async def test_t7_cancelling_and_resuming_twice_are_no_different(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    for asked in (Cancel(), Cancel(), Resume(), Resume()):
        made = await buyer.change(asked)
        assert made.state == "applied"
    assert (await buyer.subscription()).cancel_at is None


async def test_t7_at_the_end_exactly_it_is_too_late_to_resume(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.change(Cancel())
    money.now = day(2027, 1, 1)
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(Resume())


async def test_a93_seats_can_be_added_to_the_end_date(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.change(Cancel())
    await money.advance(day(2026, 7, 2))
    await buyer.add(1)
    assert (await buyer.last()).total_minor == 120_33


async def test_a31_t39_a_contract_is_cancelled_by_its_account_manager(money):
    buyer = await money.buyer(method=None)
    await buyer.change(subscribing("enterprise_assisted", {"enterprise": 20}), manager=True)
    async with refused(Code.CONTRACT_MANAGED):
        await buyer.ask(Cancel())


@pytest.mark.parametrize("people", [3, 6])
async def test_c52_c44_t38_after_the_end_the_default_plan_and_nobody_is_put_out(money, people):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": people})
    await buyer.crowd(people - 1)
    await buyer.change(Cancel())
    await money.advance(day(2026, 1, 31, 23))
    assert (await buyer.subscription()).plan == "per_seat"
    await money.advance(day(2026, 2, 1))
    on = await buyer.subscription()
    assert (on.plan, on.status) == ("free", "active")
    assert await buyer.seats() == (5, people, 0, 0)
    if people > 5:
        async with refused(Code.OVER_LIMIT):
            await buyer.invite("p1")
    else:
        await buyer.invite("p1")
    assert await buyer.totals() == [people * 8_00]


async def test_c45_under_the_limit_means_below_it(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 6})
    people = [await buyer.join(f"m{n}") for n in range(5)]
    await buyer.change(Cancel())
    await money.advance(day(2026, 2, 1))
    remove = [members.RemoveMember(organization=buyer.id, member=one) for one in people]
    await members.remove(await buyer.ctx(), remove[0])
    async with refused(Code.OVER_PLAN_LIMIT, limit=5, count=5):
        await buyer.invite("p1")
    await members.remove(await buyer.ctx(), remove[1])
    await buyer.invite("p1")
    assert await buyer.seats() == (5, 4, 1, 0)


async def test_c42_cancelling_while_past_due_ends_at_once_and_the_debt_stays(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 2, 1))
    made = await buyer.change(Cancel())
    assert made.state == "applied"
    on = await buyer.subscription()
    assert (on.plan, on.status) == ("free", "active")
    assert [i.state for i in await buyer.invoices()] == ["paid", "open"]
    # what is owed for a plan that is over puts nobody into arrears on the free one
    await money.advance(day(2026, 3, 20))
    assert (await buyer.subscription()).status == "active"


async def test_c42_the_debt_is_collected_at_the_next_checkout(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 2, 1))
    await buyer.change(Cancel())
    await buyer.change(subscribing("base_and_seats", {}), payment_method="sandbox_ok")
    assert [i.state for i in await buyer.invoices()] == ["paid", "paid", "paid"]


async def test_a_scheduled_reduction_ends_with_the_subscription(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 30})
    await buyer.reduce(25)
    await buyer.change(Cancel())
    await money.advance(day(2027, 1, 1))
    rows = await money.rows(
        "select state from change where organization_id = $1 and slot is not null",
        buyer.organization_id,
    )
    assert [row["state"] for row in rows] == ["canceled"]


async def two_plans(money, *, low_billing="month"):
    """A buyer with five seats of the higher plan, sold by the year and billed by the month."""
    policies = {"cancel_when": "term_end", "downgrade_when": "period_end"}
    plans = {}
    for name, rank, unit, billing in (("hi", 20, 40_00, "month"), ("lo", 10, 10_00, low_billing)):
        price = {
            "currency": "USD",
            "per": "month",
            "billing": billing,
            "term": "year",
            "seats": {"s": {"unit_minor": unit}},
        }
        plans[name] = {
            "name": name,
            "rank": rank,
            "seat_types": {"s": {"name": "S", "rank": 10}},
            "prices": {"usd": price},
            "policies": policies,
        }
    mark = new_id().hex[-12:]
    catalog = await money.shelve(mark, plans)
    return await money.buyer(catalog, plan=f"hi_{mark}", seats={"s": 5}), f"lo_{mark}"


async def test_t7_a91_a_downgrade_that_comes_first_does_not_take_a_cancellation_back(money):
    buyer, lower = await two_plans(money)
    await buyer.change(ChangePlan(plan=lower))
    assert (await buyer.change(Cancel())).effective_at == day(2027, 1, 1)
    await money.advance(day(2026, 2, 1))
    on = await buyer.subscription()
    assert (on.plan, on.status, on.cancel_at) == (lower, "canceling", day(2027, 1, 1))
    await money.advance(day(2027, 3, 1))
    # 5 x 40.00 for January, eleven times 5 x 10.00, and nothing after the day it ends
    assert await buyer.totals() == [200_00, *[50_00] * 11]
    assert "subscription.ended" in await buyer.events("subscription.")


async def test_t7_a_plan_that_is_paid_beyond_a_cancellation_does_not_begin(money):
    buyer, lower = await two_plans(money, low_billing="year")
    made = await buyer.change(ChangePlan(plan=lower))
    await buyer.change(Cancel())
    assert (await coming(buyer)).kind == "renewal"
    await money.advance(day(2026, 2, 1))
    on = await buyer.subscription()
    assert (on.plan != lower, on.status, on.cancel_at) == (True, "canceling", day(2027, 1, 1))
    command = changes.ReadChange(organization=buyer.id, change=ChangeId.parse(made.change))
    failed = await changes.show(await buyer.ctx(), command)
    assert (failed.state, failed.failure) == (
        "failed",
        {"code": "state_conflict", "state": "canceling"},
    )


async def test_t7_nothing_is_scheduled_for_the_day_on_which_a_subscription_ends(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 25})
    await buyer.change(Cancel())
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(ReduceSeats(target=20))
    await buyer.change(Resume())
    assert (await buyer.reduce(20)).effective_at == day(2027, 1, 1)


async def ended(money, plan, seats, price=None):
    """Everyone sits on a subscription that is over."""
    buyer = await money.buyer(plan=plan, seats=seats, price=price)
    for kind, count in seats.items():
        for n in range(count):
            await buyer.join(f"{kind}{n}", kind)
    await buyer.change(Cancel())
    await money.advance((await buyer.subscription()).cancel_at)
    return buyer


async def sitting(buyer):
    rows = await buyer.world.rows(
        """select seat_type, purchased, assigned, state from seat_pool
            where organization_id = $1 and assigned + purchased > 0 order by seat_type""",
        buyer.organization_id,
    )
    return [tuple(row) for row in rows]


async def test_m12_a34_who_still_sits_is_counted_when_a_new_subscription_begins(money):
    buyer = await ended(money, "team", {"standard": 4, "premium": 1}, "monthly")
    assert await sitting(buyer) == [
        ("premium", 0, 1, "over_limit"),
        ("standard", 0, 4, "over_limit"),
    ]
    for verb in (buyer.ask, buyer.quote):
        async with refused(Code.SEATS_IN_USE, needed=3, seat_type="standard"):
            await verb(subscribing("team", {"standard": 1, "premium": 4}, "monthly"))
    # 5 people and the owner: one premium as it was, and five standard.
    await buyer.change(subscribing("team", {}, "monthly"))
    assert await sitting(buyer) == [("premium", 1, 1, "open"), ("standard", 5, 4, "open")]


async def test_m12_a_fresh_contract_has_a_seat_for_who_still_sits(money):
    buyer = await money.buyer("workspace", method=None)
    await deals.contract(buyer, "business", {"member": 5})
    await buyer.crowd(5, "member")
    await buyer.change(Cancel(), manager=True)
    await money.advance(day(2026, 2, 1))
    async with refused(Code.SEATS_IN_USE, needed=4, seat_type="member"):
        await deals.contract(buyer, "business_yearly", {"member": 1})
    await deals.contract(buyer, "business_yearly", {"member": 5})
    assert await sitting(buyer) == [("member", 5, 5, "open")]


async def test_a28_c42_the_debt_of_an_ended_subscription_stands_in_the_way(money):
    buyer = await money.buyer(plan="team", seats={"standard": 5}, price="monthly")
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 9))
    await buyer.change(Cancel())
    await buyer.pays_with("sandbox_ok")
    asked = subscribing("team", {"standard": 5}, "monthly")
    for verb in (buyer.ask, buyer.quote):
        async with refused(Code.PAST_DUE):
            await verb(asked)
    (owed,) = await buyer.invoices("open")
    await buyer.pay(owed.invoice)
    await buyer.change(asked)
    assert await buyer.totals() == [150_00, 150_00, 150_00]


async def test_c43_where_one_may_buy_the_old_debt_is_collected_with_what_is_new(money):
    policies = {"overdue": {"may_buy": True}}
    catalog, plan = await money.variant("organization", "per_seat", policies=policies)
    buyer = await money.buyer(catalog, plan=plan, seats={"member": 1})
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 9))
    await buyer.change(Cancel())
    await buyer.pays_with("sandbox_ok")
    await buyer.change(subscribing(plan, {"member": 1}))
    assert [(i.state, i.total_minor) for i in await buyer.invoices()] == [("paid", 8_00)] * 3
