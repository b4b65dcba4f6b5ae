"""What is not paid: tried again, in arrears with access, and ended only after the grace."""

from datetime import timedelta

import pytest

from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import changes, debts, seats
from seatkeeper.operations.asked import Cancel, ChangePlan, PurchaseSeats
from seatkeeper.operations.seats import UnassignSeat
from tests.money_world import day, subscribing
from tests.operations import deals
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")

DUE = day(2027, 1, 1)


@pytest.fixture
async def buyer(money):
    made = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await made.crowd(3, "enterprise")
    return made


def read(buyer, change):
    return changes.ReadChange(organization=buyer.id, change=ChangeId.parse(change.change))


async def attempts(buyer):
    rows = await buyer.world.rows(
        """select p.attempted_at, p.state from payment p join invoice i
              using (organization_id, invoice_id)
            where p.organization_id = $1 and i.cause = 'period' order by p.payment_id""",
        buyer.organization_id,
    )
    return [((row["attempted_at"] - DUE).days, row["state"]) for row in rows]


async def test_a99_a_failed_renewal_is_tried_on_days_one_three_five_and_seven(money, buyer):
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=13))
    assert await attempts(buyer) == [(n, "declined") for n in (0, 1, 3, 5, 7)]
    on = await buyer.subscription()
    assert (on.status, on.grace_ends_at) == ("past_due", DUE + timedelta(days=14))


async def test_a99_access_is_kept_through_the_grace_and_nobody_loses_a_seat(money, buyer):
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=14) - timedelta(microseconds=1))
    assert (await buyer.subscription()).status == "past_due"
    assert await buyer.seats() == (20, 3, 0, 0)
    await money.advance(DUE + timedelta(days=14))
    async with refused(Code.NOT_FOUND):
        await buyer.subscription()
    assert await buyer.seats() == (0, 3, 0, 0)


@pytest.mark.parametrize(("day_paid", "tries"), [(1, 2), (3, 3), (7, 5)])
async def test_a99_a_card_that_works_again_ends_the_arrears(money, buyer, day_paid, tries):
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=day_paid) - timedelta(hours=1))
    await buyer.pays_with("sandbox_ok")
    await money.advance(DUE + timedelta(days=day_paid))
    on = await buyer.subscription()
    assert (on.status, on.grace_ends_at) == ("active", None)
    assert len(await attempts(buyer)) == tries
    await money.advance(DUE + timedelta(days=60))
    assert (await buyer.subscription()).status == "active"
    assert len(await attempts(buyer)) == tries


async def test_a99_paying_by_hand_ends_the_arrears(money, buyer):
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=2))
    (open_,) = await buyer.invoices("open")
    assert (await buyer.pay(open_.invoice)).code is Code.PAYMENT_DECLINED
    await buyer.pay(open_.invoice, "sandbox_ok")
    assert (await buyer.subscription()).status == "active"
    assert [state for _, state in await attempts(buyer)].count("succeeded") == 1


async def test_a28_nothing_is_sold_while_something_is_overdue(money, buyer):
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=2))
    async with refused(Code.PAST_DUE):
        await buyer.add(1)
    async with refused(Code.PAST_DUE):
        await buyer.quote(PurchaseSeats(quantity=1))


async def test_m18_seats_can_be_freed_and_given_while_past_due(money, buyer):
    ada = await buyer.join("ada", "enterprise")
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=2))
    await seats.unassign(await buyer.ctx(), UnassignSeat(organization=buyer.id, member=ada))
    await buyer.join("bob", "enterprise")
    assert await buyer.seats() == (20, 4, 0, 0)


async def test_invoices_on_terms_are_due_after_their_days(money):
    buyer = await money.buyer(method=None)
    asked = subscribing("enterprise_assisted", {"enterprise": 20})
    await buyer.change(asked, manager=True)
    await money.advance(day(2026, 1, 31, 8))
    assert (await buyer.subscription()).status == "active"  # due at nine
    await money.advance(day(2026, 1, 31, 9))
    assert (await buyer.subscription()).status == "past_due"
    (open_,) = await buyer.invoices("open")
    await buyer.record(open_.invoice)
    assert (await buyer.subscription()).status == "active"


async def test_without_a_rail_a_renewal_is_due_on_terms(money, buyer):
    await buyer.pays_with(None)
    await money.advance(DUE + timedelta(days=29))
    assert (await buyer.subscription()).status == "active"
    await money.advance(DUE + timedelta(days=30))
    assert (await buyer.subscription()).status == "past_due"


async def test_c42_renewals_go_on_while_past_due_and_one_debt_follows_the_other(money):
    overdue = {"may_buy": True, "grace_days": 45}
    catalog, plan = await money.variant("organization", "per_seat", policies={"overdue": overdue})
    buyer = await money.buyer(catalog, plan=plan, seats={"member": 1})
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 3, 2))
    assert [i.state for i in await buyer.invoices()] == ["paid", "open", "open"]
    first, second = await buyer.invoices("open")
    await buyer.pay(first.invoice, "sandbox_ok")
    assert (await buyer.subscription()).status == "past_due"
    await buyer.pay(second.invoice, "sandbox_ok")
    assert (await buyer.subscription()).status == "active"


async def test_grace_ends_at_local_midnight_though_the_clocks_change(money):
    money.now = day(2026, 2, 20, 12)
    buyer = await money.buyer(
        "organization", plan="per_seat", seats={"member": 1}, zone="Europe/Berlin"
    )
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 3, 20, 12))
    # due on the 20th at 23:00 UTC of the day before; summer time begins on the 29th
    assert (await buyer.subscription()).grace_ends_at == day(2026, 4, 2, 22)


async def test_c42_cancelling_in_arrears_ends_at_once_where_there_is_no_default_plan(money, buyer):
    await buyer.pays_with("sandbox_declined")
    await money.advance(DUE + timedelta(days=3))
    pools = buyer.pools
    await buyer.change(Cancel())
    async with refused(Code.NOT_FOUND):
        await buyer.subscription()
    buyer.pools = pools
    assert await buyer.seats() == (0, 3, 0, 0)


async def test_a99_an_upgrade_is_no_way_out_of_arrears(money, monkeypatch):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 2))
    monkeypatch.setattr(debts, "collect", _nothing)  # the debt cannot be collected this time
    await buyer.change(ChangePlan(plan="base_and_seats"), payment_method="sandbox_ok")
    on = await buyer.subscription()
    assert (on.plan, on.status, on.grace_ends_at) == (
        "base_and_seats",
        "past_due",
        day(2026, 2, 15),
    )
    row = await money.row(
        "select past_due_since from subscription where organization_id = $1",
        buyer.organization_id,
    )
    assert row["past_due_since"] == day(2026, 2, 1)
    await money.advance(day(2026, 2, 15))
    assert (await buyer.subscription()).plan == "free"


async def _nothing(*_args):
    return None


async def test_t5_a_change_that_waits_for_a_transfer_does_not_hold_up_the_end_of_the_grace(money):
    buyer = await money.buyer("organization")
    await buyer.change(subscribing("base_and_seats", {"member": 3}, "yearly_usd"))
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2027, 1, 2))
    await buyer.pays_with(None)
    waits = await buyer.change(PurchaseSeats(quantity=1))
    assert (waits.state, (await buyer.subscription()).grace_ends_at) == (
        "awaiting_payment",
        day(2027, 1, 15),
    )
    await money.advance(day(2027, 1, 15))
    assert (await buyer.subscription()).plan == "free"
    assert (await changes.show(await buyer.ctx(), read(buyer, waits))).state == "failed"


async def test_t5_a_purchase_is_not_confirmed_after_the_period_it_is_for(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 2})
    await money.advance(day(2026, 1, 31, 20))
    refusal = await buyer.ask(PurchaseSeats(quantity=3), payment_method="sandbox_action_required")
    billed = await buyer.totals()
    money.now = day(2026, 2, 1, 5)  # and the worker is late
    async with refused(Code.STATE_CONFLICT, state="period over"):
        await buyer.confirm(refusal.facts["payment"])
    row = await money.row(
        """select p.state, c.outcome from payment p join sandbox_charge c using (provider_key)
            where p.organization_id = $1 order by p.payment_id desc limit 1""",
        buyer.organization_id,
    )
    assert tuple(row) == ("canceled", "action_required")  # nothing was charged
    assert (await buyer.seats(), await buyer.totals()) == ((2, 1, 0, 0), billed)


async def test_t5_nor_is_the_invoice_of_one_paid_or_marked_as_paid(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 2}, method=None)
    await buyer.record((await buyer.last()).invoice)
    await money.advance(day(2026, 1, 31, 20))
    await buyer.change(PurchaseSeats(quantity=3))
    owed = await buyer.last()
    money.now = day(2026, 2, 1, 5)
    for paying in (buyer.record(owed.invoice), buyer.pay(owed.invoice, "sandbox_ok")):
        async with refused(Code.STATE_CONFLICT, state="period over"):
            await paying
    assert await buyer.seats() == (2, 1, 0, 0)


async def test_t5_a_card_that_nobody_confirmed_does_not_hold_up_a_renewal(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 2})
    await money.advance(day(2026, 1, 31, 20))
    await buyer.ask(PurchaseSeats(quantity=3), payment_method="sandbox_action_required")
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).period_start == day(2026, 2, 1)
    assert await buyer.totals() == [16_00, 8_00]


async def test_a99_c42_another_plan_forgives_no_debt(money):
    buyer = await money.buyer("workspace", method=None)
    await deals.contract(buyer, "business", {"member": 10}, net_terms_days=20)
    await buyer.record((await buyer.last()).invoice)
    await money.advance(day(2026, 2, 1, 12))
    await deals.agreed(buyer, plan="business_yearly")
    await money.advance(day(2026, 2, 25, 12))
    before = await buyer.subscription()
    assert (before.status, before.grace_ends_at) == ("past_due", day(2026, 3, 7))
    await money.advance(day(2026, 3, 1, 12))
    on = await buyer.subscription()
    assert (on.plan, on.status, on.grace_ends_at) == (
        "business_yearly",
        "past_due",
        before.grace_ends_at,
    )
    await money.advance(before.grace_ends_at)
    async with refused(Code.NOT_FOUND):
        await buyer.subscription()


async def test_a99_who_pays_after_the_change_of_plan_is_out_of_arrears(money):
    buyer = await money.buyer("workspace", method=None)
    await deals.contract(buyer, "business", {"member": 10}, net_terms_days=20)
    await buyer.record((await buyer.last()).invoice)
    await money.advance(day(2026, 2, 1, 12))
    await deals.agreed(buyer, plan="business_yearly")
    await money.advance(day(2026, 3, 1, 12))
    owed, *_ = await buyer.invoices("open")
    await buyer.record(owed.invoice)
    on = await buyer.subscription()
    assert (on.status, on.grace_ends_at, on.period_end) == ("active", None, day(2027, 3, 1))


async def test_a99_an_invoice_of_the_old_plan_that_comes_due_later_is_followed(money):
    buyer = await money.buyer("workspace", method=None)
    await deals.contract(buyer, "business", {"member": 10}, net_terms_days=60)
    await deals.agreed(buyer, plan="business_yearly")
    await money.advance(day(2026, 2, 2))
    assert (await buyer.subscription()).status == "active"
    await money.advance(day(2026, 3, 3))
    on = await buyer.subscription()
    assert (on.plan, on.status) == ("business_yearly", "past_due")
