"""Adding seats: what it costs on which day, when the seats come, and what stands in the way."""

import pytest

from seatkeeper.domain.refusals import Code
from seatkeeper.operations.asked import Cancel, PurchaseSeats
from seatkeeper.operations.invoice_words import Invoice
from seatkeeper.operations.payments import Payment
from tests.money_world import day, shape, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")

# p = 240.00 a seat and year, term 2026-01-01 to 2027-01-01; the day of the purchase counts
ANNUAL = [
    (1, day(2026, 1, 1, 12), 365, 240_00),
    (5, day(2026, 3, 1), 306, 1006_03),  # 5 x 240 x 306/365
    (10, day(2026, 4, 1, 23), 275, 1808_22),
    (20, day(2026, 6, 15), 200, 2630_14),
    (1, day(2026, 7, 2), 183, 120_33),
    (7, day(2026, 9, 30), 93, 428_05),
    (3, day(2026, 12, 31, 23), 1, 1_97),
]


@pytest.mark.parametrize(("seats", "on", "left", "due"), ANNUAL)
async def test_a19_a20_a25_a26_added_seats_pay_for_the_rest_of_the_term(
    money, seats, on, left, due
):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await money.advance(on)
    quote = await buyer.quote(PurchaseSeats(quantity=seats))
    await buyer.change(quote=quote.quote)
    invoice = await buyer.last()
    assert (quote.due_now_minor, invoice.total_minor, invoice.state) == (due, due, "paid")
    assert shape(invoice) == [("added_seats", 20 + seats, left, 365, due)]
    assert invoice.lines[0].discount_minor == seats * 240_00 - due
    assert await buyer.seats() == (20 + seats, 0, 0, 0)
    assert (await buyer.subscription()).term_end == day(2027, 1, 1)


async def test_a20_a_leap_term_has_366_days(money):
    money.now = day(2028, 1, 1, 9)
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await money.advance(day(2028, 4, 1))
    await buyer.add(10)
    assert shape(await buyer.last()) == [("added_seats", 30, 275, 366, 1803_28)]


async def test_a20_how_people_click_does_not_change_the_bill(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await money.advance(day(2026, 4, 1))
    for _ in range(10):
        await buyer.add(1)
    assert sum((await buyer.totals())[1:]) == 1808_22  # and not 10 x 180.82


# (unit, added, passed of the month, full, discount, due), seed 1's monthly plans
MONTHLY = [
    (5_00, 1, day(2026, 4, 1), 5_00, 0, 5_00),  # 0/30
    (10_00, 1, day(2026, 4, 16), 10_00, 5_00, 5_00),  # 15/30
    (5_00, 1, day(2026, 5, 11), 5_00, 1_61, 3_39),  # 10/31
    (5_00, 2, day(2026, 5, 11), 10_00, 3_23, 6_77),
    (12_00, 3, day(2026, 4, 21), 36_00, 24_00, 12_00),  # 20/30
    (5_00, 3, day(2026, 4, 30), 15_00, 14_50, 50),  # 29/30
    (5_01, 1, day(2026, 4, 16), 5_01, 2_50, 2_51),  # a tie: the charge is rounded, not the rest
]


@pytest.mark.parametrize(("unit", "added", "on", "full", "discount", "due"), MONTHLY)
async def test_c23_c24_g1_g4_g5_mid_period_seats_show_full_price_and_discount(
    money, unit, added, on, full, discount, due
):
    price = {"currency": "USD", "per": "month", "seats": {"member": {"unit_minor": unit}}}
    catalog, plan = await money.variant("organization", "per_seat", prices={"monthly": price})
    money.now = on.replace(day=1)
    buyer = await money.buyer(catalog, plan=plan)
    await money.advance(on)
    quote = await buyer.quote(PurchaseSeats(quantity=added))
    (line,) = quote.lines
    assert (line.full_minor, line.discount_minor, line.amount_minor) == (full, discount, due)
    await buyer.change(quote=quote.quote)
    assert (await buyer.last()).total_minor == due


async def test_c24_a_seat_inside_the_included_ones_costs_nothing(money):
    buyer = await money.buyer("organization", plan="ten_included", seats={"member": 10})
    await buyer.add(1)
    await money.advance(day(2026, 1, 17))  # 16 of 31 passed
    five = await money.buyer("organization", plan="ten_included", seats={"member": 3})
    assert await five.seats() == (10, 1, 0, 0)
    # the eleventh costs 10.00 from the first day on
    assert await buyer.totals() == [25_00, 10_00]


async def test_c24_two_seats_over_five_included_at_half_time(money):
    price = {
        "currency": "USD",
        "per": "month",
        "base_minor": 25_00,
        "seats": {"member": {"included": 5, "unit_minor": 5_00}},
    }
    catalog, plan = await money.variant("organization", "five_included", prices={"m": price})
    money.now = day(2026, 4, 1)
    buyer = await money.buyer(catalog, plan=plan)
    await buyer.crowd(4)
    await money.advance(day(2026, 4, 16))
    await buyer.add(2)
    await buyer.join("m5")
    await buyer.join("m6")
    await money.advance(day(2026, 5, 1))
    assert await buyer.totals() == [25_00, 5_00, 35_00]


async def test_a21_c18_a_total_is_the_number_wanted_not_the_difference(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    made = await buyer.change(PurchaseSeats(total=25))
    assert made.seats_change == {"enterprise": 5}
    async with refused(Code.QUANTITY_OUT_OF_RANGE, minimum=26):
        await buyer.ask(PurchaseSeats(total=25))
    async with refused(Code.INVALID_REQUEST):
        await buyer.ask(PurchaseSeats(total=30, quantity=5))


async def test_a23_c33_a_declined_card_changes_nothing(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    outcome = await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_declined", key="k")
    assert outcome.code is Code.PAYMENT_DECLINED
    assert await buyer.seats() == (20, 0, 0, 0)
    assert len(await buyer.invoices()) == 1
    assert "seats.purchased" not in (await buyer.events("seats."))[1:]
    again = await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_declined", key="k")
    assert again.code is Code.PAYMENT_DECLINED  # the same request again is not a success


async def test_b065_a_payment_that_needs_its_payer_grants_after_the_confirmation(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    outcome = await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_action_required")
    assert outcome.code is Code.PAYMENT_ACTION_REQUIRED
    assert await buyer.seats() == (20, 0, 0, 0)
    async with refused(Code.REQUEST_IN_PROGRESS):
        await buyer.ask(PurchaseSeats(quantity=1))
    for _ in range(2):
        paid = await buyer.confirm(outcome.facts["payment"])
        assert isinstance(paid, Payment)
        assert paid.state == "succeeded"
    assert await buyer.seats() == (25, 0, 0, 0)
    assert len(await buyer.invoices("paid")) == 2


async def test_b065_a_confirmation_that_never_comes_is_given_up_after_a_day(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    outcome = await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_action_required")
    await money.advance(day(2026, 1, 3))
    paid = await buyer.confirm(outcome.facts["payment"])
    assert paid.state == "canceled"
    assert await buyer.seats() == (20, 0, 0, 0)
    await buyer.add(1)


async def test_m6_an_answer_that_is_lost_moves_money_once_and_grants_once(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    made = await buyer.add(5, payment_method="sandbox_timeout")
    assert made.state == "applied"
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_the_manual_rail_grants_when_the_money_is_recorded(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.pays_with(None)
    made = await buyer.add(5)
    assert (made.state, await buyer.seats()) == ("awaiting_payment", (20, 0, 0, 0))
    (invoice,) = await buyer.invoices("open")
    for _ in range(2):
        assert (await buyer.record(invoice.invoice)).state == "paid"
    assert await buyer.seats() == (25, 0, 0, 0)
    assert [p["provider"] for p in await payments_of(buyer)] == ["sandbox", "manual"]


async def test_an_open_invoice_of_the_manual_rail_can_be_paid_by_card(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.pays_with(None)
    await buyer.add(5)
    (invoice,) = await buyer.invoices("open")
    assert (await buyer.pay(invoice.invoice, "sandbox_declined")).code is Code.PAYMENT_DECLINED
    paid = await buyer.pay(invoice.invoice, "sandbox_ok")
    assert isinstance(paid, Invoice)
    assert (paid.state, await buyer.seats()) == ("paid", (25, 0, 0, 0))
    states = sorted(p["state"] for p in await payments_of(buyer))
    assert states == ["canceled", "declined", "succeeded", "succeeded"]


async def test_seats_on_the_manual_rail_that_are_never_paid_end_with_their_period(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 4})
    await buyer.crowd(3)
    await buyer.pays_with(None)
    await buyer.add(2)
    await money.advance(day(2026, 2, 2))
    assert await buyer.seats() == (4, 4, 0, 0)
    states = [(i.state, i.cause) for i in await buyer.invoices()]
    assert states == [("paid", "change"), ("void", "change"), ("open", "period")]


async def test_a28_a93_an_overdue_invoice_refuses_and_a_cancellation_does_not(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.change(Cancel())
    await money.advance(day(2026, 12, 31))
    await buyer.add(3)
    assert (await buyer.last()).total_minor == 1_97  # to the end date, 1/365
    other = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await other.pays_with("sandbox_declined")
    await money.advance(day(2027, 12, 31, 1))
    async with refused(Code.PAST_DUE) as found:
        await other.ask(PurchaseSeats(quantity=1))
    assert found[0].sentence


async def test_c43_organization_plans_sell_while_past_due(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 2})
    await buyer.join("m1")
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 3))
    assert (await buyer.subscription()).status == "past_due"
    await buyer.add(1, payment_method="sandbox_ok")
    assert (await buyer.seats())[0] == 3
    # and the debt is collected with the same method
    assert [i.state for i in await buyer.invoices()] == ["paid", "paid", "paid"]
    assert (await buyer.subscription()).status == "active"


async def test_b069_the_last_instant_and_the_boundary_belong_to_one_period_each(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await money.advance(day(2026, 1, 31, 23).replace(minute=59, second=59))
    await buyer.add(1)
    assert shape(await buyer.last()) == [("added_seats", 2, 1, 31, 26)]  # 8.00/31
    await buyer.join("m1")
    await money.advance(day(2026, 2, 1))
    await buyer.add(1)
    assert shape(await buyer.last()) == [("added_seats", 3, 28, 28, 8_00)]
    assert await buyer.totals() == [8_00, 26, 16_00, 8_00]


async def test_b069_b091_at_the_boundary_nothing_is_sold_before_the_renewal(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 2})
    money.now = day(2026, 2, 1)  # the instant has come, the renewal has not
    async with refused(Code.STATE_CONFLICT, state="period over"):
        await buyer.ask(PurchaseSeats(quantity=1))
    await money.advance(day(2026, 2, 1))
    await buyer.add(1)
    assert await buyer.totals() == [16_00, 8_00, 8_00]


async def test_a27_sales_assisted_seats_come_at_once_with_an_invoice_on_terms(money):
    buyer = await money.buyer(method=None)
    wanted = {"enterprise": 100}
    await buyer.change(subscribing("enterprise_assisted", wanted), manager=True)
    await buyer.record((await buyer.invoices())[0].invoice)
    await money.advance(day(2026, 3, 1))
    made = await buyer.add(5)
    assert made.state == "applied"
    invoice = await buyer.last()
    assert shape(invoice) == [("added_seats", 105, 10, 12, 1000_00)]  # 5 x 240 x 10/12
    assert (invoice.state, invoice.due_at) == ("open", day(2026, 3, 31))
    await money.advance(day(2026, 4, 1))
    assert (await buyer.subscription()).status == "past_due"  # since the 31st
    await buyer.record(invoice.invoice)
    assert (await buyer.subscription()).status == "active"


async def test_a20_the_month_basis_counts_the_started_month(money):
    catalog, plan = await money.variant("enterprise", "enterprise", policies={"proration": "month"})
    buyer = await money.buyer(catalog, plan=plan, seats={"enterprise": 50})
    await money.advance(day(2026, 4, 1))
    await buyer.add(10)
    assert shape(await buyer.last()) == [("added_seats", 60, 9, 12, 1800_00)]  # 10 x 240 x 9/12


async def test_help_centre_annual_team_bill_with_the_purchase_day_counted(money):
    catalog, plan = await money.variant("enterprise", "team", policies={"proration": "day"})
    buyer = await money.buyer(catalog, plan=plan, price="yearly", seats={"standard": 10})
    await money.advance(day(2026, 4, 1))
    await buyer.add(5, "standard")
    # 10 x 25 x 12; 5 x 300 x 275/365, where the help centre's own copy misprints 941.78
    assert await buyer.totals() == [3000_00, 1130_14]


async def test_help_centre_monthly_team_bill_does_not_count_the_purchase_day(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 10, "premium": 0})
    await money.advance(day(2026, 1, 15))
    await buyer.add(5, "standard")
    assert await buyer.totals() == [300_00, 77_42]  # 5 x 30.00 x 16/31
    await money.advance(day(2026, 2, 1))
    assert (await buyer.totals())[-1] == 450_00


async def test_t30_t31_a_monthly_contract_adds_seats_with_the_next_cycle(money):
    buyer = await money.buyer("workspace")
    await buyer.change(subscribing("business", {"member": 10}), manager=True)
    async with refused(Code.CONTRACT_MANAGED):
        await buyer.ask(PurchaseSeats(quantity=2))
    await money.advance(day(2026, 1, 10))
    made = await buyer.add(2, manager=True)
    assert (made.state, made.effective_at) == ("scheduled", day(2026, 2, 1))
    await money.advance(day(2026, 2, 1))
    assert await buyer.totals() == [800_00, 960_00]


async def test_t30_a_yearly_contract_adds_seats_now_for_the_rest(money):
    buyer = await money.buyer("workspace")
    await buyer.change(subscribing("business_yearly", {"member": 10}), manager=True)
    await buyer.record((await buyer.last()).invoice)
    await money.advance(day(2026, 4, 1))
    await buyer.add(2, manager=True)
    await buyer.record((await buyer.last()).invoice)
    await money.advance(day(2027, 1, 1))
    assert await buyer.totals() == [9600_00, 1446_58, 11520_00]  # 2 x 960 x 275/365; 12 x 960


async def payments_of(buyer):
    return await buyer.world.rows(
        "select provider, state from payment where organization_id = $1 order by payment_id",
        buyer.organization_id,
    )
