"""What comes back of a period is what it billed and what of that still stands, never the price."""

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import members
from seatkeeper.operations.asked import (
    ChangePlan,
    ConvertSeats,
    PurchaseSeats,
    ReduceSeats,
    SeatQuantity,
)
from tests.money_world import day, shape, subscribing
from tests.operations import deals
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def amend_plan_now(buyer, plan):
    asked = await deals.request(buyer, note="by e-mail", plan=plan)
    await deals.quote(buyer, asked.amendment, effective="now", reason="an exception")
    await deals.accept(buyer, asked.amendment)


async def balance(money, buyer):
    row = await money.row(
        "select balance_minor from billing_account where organization_id = $1",
        buyer.organization_id,
    )
    return row["balance_minor"]


async def one_seat(money, **how):
    buyer = await money.buyer("organization", **how)
    await buyer.ask(subscribing("per_seat", {"member": 1}))
    return buyer


async def test_m7_m14_seats_at_two_agreed_amounts_come_back_at_what_each_was_billed(money):
    buyer = await money.buyer("workspace", method=None)
    await deals.contract(buyer, "business_yearly", {"member": 10})  # 10 x 960.00
    await deals.agreed(buyer, {"member": 1}, prices={"member": 5_000_00})  # 1 x 5,000.00
    await amend_plan_now(buyer, "business")
    # 9,600.00 + 5,000.00 on the first day, not 11 x 5,000.00
    assert shape(await buyer.last())[0] == ("credit", 0, 365, 365, -14_600_00)


@pytest.mark.parametrize("unit", [1_000_00, 1_00])  # dearer and cheaper than the 20.00 paid
async def test_m7_m14_a_contract_at_other_amounts_gives_back_what_was_paid(money, unit):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 30})
    await deals.contract(buyer, "enterprise_assisted", {}, prices={"enterprise": unit})
    await amend_plan_now(buyer, "chat_and_code_regulated")
    assert (await buyer.last()).lines[0].amount_minor == -30 * 240_00


async def test_m11_a46_converted_seats_come_back_at_what_they_were_billed(money):
    buyer = await money.buyer("enterprise", method=None)
    await deals.contract(buyer, "chat_and_code_regulated", {"chat": 20})  # 20 x 240.00
    [first] = await buyer.invoices("open")
    await buyer.record(first.invoice)
    await money.advance(day(2026, 4, 1))
    await deals.agreed(buyer, {"chat": 1}, prices={"chat": 39_00})  # 468.00 x 9/12
    [second] = await buyer.invoices("open")
    await buyer.record(second.invoice)
    await money.advance(day(2026, 7, 1))
    for _ in range(2):
        await buyer.ask(ConvertSeats(from_type="chat", to_type="chat_code", quantity=10))
    back = [
        line.amount_minor
        for invoice in (await buyer.invoices())[-2:]
        for line in invoice.lines
        if line.kind == "returned_seats"
    ]
    # 20 of the 21 seats, billed 4,800.00 + 468.00 a year, for six of twelve months.
    assert back == [-1_254_29, -1_254_28]  # 2,508.57 = 5,268.00 x 20/21 x 6/12, in two steps


async def test_m7_m10_what_a_credit_note_took_does_not_come_back_again(money):
    buyer = await one_seat(money)
    invoice = await buyer.last()
    await deals.credit(buyer, invoice.invoice, 8_00)
    await buyer.ask(ChangePlan(plan="graduated"))
    # Paid 8.00, and 8.00 came back: used on the 10.00 of the new plan.
    last = await buyer.last()
    assert (shape(last), last.payable_minor) == ([("seats", 1, 31, 31, 10_00)], 2_00)
    assert await balance(money, buyer) == 0


async def test_m7_m10_half_credited_half_of_the_rest_comes_back(money):
    buyer = await one_seat(money)
    invoice = await buyer.last()
    await deals.credit(buyer, invoice.invoice, 4_00)
    await money.advance(day(2026, 1, 11))
    await buyer.ask(ChangePlan(plan="graduated"))
    assert shape(await buyer.last())[0] == ("credit", 0, 21, 31, -2_71)  # 4.00 x 21/31


async def test_m7_m10_what_came_back_cannot_be_credited_again(money):
    buyer = await one_seat(money)
    invoice = await buyer.last()
    await money.advance(day(2026, 1, 11))
    await buyer.ask(ChangePlan(plan="base_and_seats", price="yearly_usd"))  # 5.42 came back
    async with refused(Code.INVALID_REQUEST, left_minor=2_58):  # 8.00 - 8.00 x 21/31
        await deals.credit(buyer, invoice.invoice, 2_59)
    await deals.credit(buyer, invoice.invoice, 2_58)


async def test_m7_the_charge_of_a_void_invoice_does_not_come_back(money):
    buyer = await one_seat(money, method=None)
    [first] = await buyer.invoices("open")
    await buyer.record(first.invoice)
    await money.advance(day(2026, 2, 1, 9))
    [second] = await buyer.invoices("open")
    await buyer.void(second.invoice)
    await buyer.ask(ChangePlan(plan="graduated"))
    assert shape(await buyer.last()) == [("seats", 1, 28, 28, 10_00)]


async def test_m7_an_invoice_of_which_something_came_back_is_not_taken_back(money):
    buyer = await money.buyer("organization", method=None)
    await buyer.ask(subscribing("per_seat", {"member": 1}))
    [first] = await buyer.invoices("open")
    await buyer.record(first.invoice)
    await money.advance(day(2026, 2, 1, 9))
    [second] = await buyer.invoices("open")
    await buyer.ask(ChangePlan(plan="base_and_seats", price="yearly_usd"))
    [third] = [i for i in await buyer.invoices("open") if i.invoice != second.invoice]
    await buyer.record(third.invoice)
    async with refused(Code.STATE_CONFLICT, state="credited"):
        await buyer.void(second.invoice)


async def test_c32_a32_g6_sideways_and_back_gives_no_seats_back(money):
    buyer = await money.buyer("organization")
    await buyer.ask(subscribing("graduated", {"member": 30}))
    await buyer.crowd(29)
    await money.advance(day(2026, 1, 2, 9))
    rows = await money.rows(
        "select member_id from member where organization_id = $1 and role = 'member'",
        buyer.organization_id,
    )
    for row in rows:
        removed = MemberId(int=row["member_id"].int)
        await members.remove(
            await buyer.act(), members.RemoveMember(organization=buyer.id, member=removed)
        )
    await buyer.ask(ChangePlan(plan="volume"))
    await buyer.ask(ChangePlan(plan="graduated"))
    assert (await buyer.seats())[:2] == (30, 1)
    assert await balance(money, buyer) == 0


async def test_a32_g6_fewer_seats_on_another_plan_earn_nothing(money):
    buyer = await money.buyer("enterprise")
    await buyer.ask(subscribing("team", {"standard": 100}, "yearly"))  # 100 x 300.00
    await money.advance(day(2026, 1, 2, 9))
    twenty = [SeatQuantity(seat_type="enterprise", quantity=20)]
    await buyer.ask(ChangePlan(plan="enterprise", seats=twenty))
    last = await buyer.last()
    # 20 x 240.00 x 364/365; of 6,000.00 paid for these twenty no more comes back than that.
    assert [line.amount_minor for line in last.lines] == [-4_786_85, 4_786_85]
    assert await balance(money, buyer) == 0


async def test_a32_g6_a_second_change_brings_nothing_that_the_first_did_not(money):
    buyer = await money.buyer("organization")
    await buyer.ask(subscribing("graduated", {"member": 30}))  # 260.00
    await money.advance(day(2026, 1, 2, 9))
    one = [SeatQuantity(seat_type="member", quantity=1)]
    for plan in ("volume", "graduated"):
        await buyer.ask(ChangePlan(plan=plan, seats=one))
        # 10.00 x 30/31, each way
        assert [x.amount_minor for x in (await buyer.last()).lines] == [-9_68, 9_68]
    assert await balance(money, buyer) == 0


async def test_m11_a_contract_remembers_seats_that_were_given_back_but_paid(money):
    prices = {"y": {"currency": "USD", "per": "year", "seats": {"member": {"unit_minor": 96_000}}}}
    shared = {"rank": 10, "seat_types": {"member": {"name": "M", "rank": 10}}, "prices": prices}
    managed = dict.fromkeys(("reduce_who", "change_plan_who", "cancel_who"), "account_manager")
    plans = {
        "a": {"name": "A", **shared, "policies": {"reduce_when": "now"}},
        "c": {
            "name": "C",
            **shared,
            "contact": "x",
            "policies": {"purchase_who": "either", "collect": "invoice", **managed},
        },
    }
    catalog = await money.shelve("kept", plans)
    buyer = await money.buyer(catalog, plan="a_kept", seats={"member": 10})
    await buyer.ask(ReduceSeats(target=5, now=True))
    await deals.contract(buyer, "c_kept", {})
    await buyer.ask(PurchaseSeats(quantity=5))  # paid to the period's end already
    await buyer.ask(PurchaseSeats(quantity=1))
    assert (await buyer.totals())[1:] == [0, 960_00]


async def test_c50_the_lines_of_a_new_plan_say_who_sits_on_its_seats(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 5})
    await buyer.crowd(2)
    await money.advance(day(2026, 1, 11, 15))
    made = await buyer.change(ChangePlan(plan="base_and_seats"))
    people = [(line.kind, line.assigned) for line in (await buyer.last()).lines]
    assert people == [("credit", 3), ("base", 0), ("seats", 3)]
    assert made.effective_at == day(2026, 1, 11, 15)  # when it took effect
