"""Invoices: one per cause, numbered without gaps, never changed; and the balance beside them."""

import asyncio

import pytest

from seatkeeper.domain.ids import InvoiceId
from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import invoices, seats
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.invoice_words import ReadBalance, ReadInvoice, ReadInvoices
from seatkeeper.operations.invoices import INVOICES
from tests.money_world import day, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def test_m5_numbers_follow_the_order_of_issue_whatever_was_declined(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    for method in ("sandbox_declined", "sandbox_ok", "sandbox_declined", "sandbox_ok"):
        await buyer.ask(PurchaseSeats(quantity=1), payment_method=method)
    numbers = [str(invoice.number)[-6:] for invoice in await buyer.invoices()]
    assert numbers == ["000001", "000002", "000003"]


async def test_m2_every_invoice_adds_up(money):
    buyer = await money.buyer("organization", plan="base_and_seats", seats={"member": 3})
    await money.advance(day(2026, 1, 11))
    await buyer.add(2)
    for invoice in await buyer.invoices():
        assert invoice.total_minor == sum(line.amount_minor for line in invoice.lines)
        assert invoice.payable_minor == invoice.total_minor - invoice.balance_used_minor
        for line in invoice.lines:
            assert line.discount_minor == line.full_minor - line.amount_minor


@pytest.mark.parametrize(
    ("credit", "charge", "due", "left"),
    [(50_00, 20_00, 0, 30_00), (15_00, 20_00, 5_00, 0), (0, 20_00, 20_00, 0)],
)
async def test_c55_credit_is_used_before_the_payment_method(money, credit, charge, due, left):
    price = {"currency": "USD", "per": "month", "seats": {"member": {"unit_minor": charge}}}
    catalog, plan = await money.variant("organization", "per_seat", prices={"monthly": price})
    buyer = await money.buyer(catalog)
    await _grant(buyer, credit)
    await buyer.change(subscribing(plan, {}))
    (invoice,) = await buyer.invoices()
    assert (invoice.total_minor, invoice.payable_minor, invoice.state) == (charge, due, "paid")
    balance = await invoices.balance(await buyer.ctx(), ReadBalance(organization=buyer.id))
    assert balance.balance_minor == left
    paid = await money.rows(
        "select amount_minor from payment where organization_id = $1", buyer.organization_id
    )
    assert [row["amount_minor"] for row in paid] == ([due] if due else [])


async def test_c55_a_declined_payment_gives_the_credit_back(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await _grant(buyer, 100_00)
    refusal = await buyer.ask(PurchaseSeats(quantity=1), payment_method="sandbox_declined")
    assert refusal.code is Code.PAYMENT_DECLINED
    balance = await invoices.balance(await buyer.ctx(), ReadBalance(organization=buyer.id))
    assert balance.balance_minor == 100_00
    assert [e.amount_minor for e in balance.items] == [100_00, -100_00, 100_00]
    await buyer.add(1)
    assert (await buyer.last()).balance_used_minor == 100_00


async def test_c55_a_renewal_uses_the_credit_too(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await _grant(buyer, 3_00)
    await money.advance(day(2026, 2, 1))
    renewal = await buyer.last()
    assert (renewal.balance_used_minor, renewal.payable_minor, renewal.state) == (
        3_00,
        5_00,
        "paid",
    )


async def test_m4_the_content_of_an_issued_invoice_is_sealed(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await money.advance(day(2027, 1, 1))
    sql = "select content_hash from invoice where organization_id = $1 order by invoice_id"
    before = await money.rows(sql, buyer.organization_id)
    ctx = await buyer.ctx()
    async with ctx.transaction() as db:
        ids = [InvoiceId.parse(i.invoice) for i in await buyer.invoices()]
        same = [buyer.organization_id] * len(ids)
        await db.run(INVOICES.seal, organization_ids=same, invoice_ids=ids)
    assert before == await money.rows(sql, buyer.organization_id)
    assert all(len(row["content_hash"]) == 32 for row in before)


async def test_m6_one_cause_has_one_invoice(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    with pytest.raises(Exception, match="invoice_cause_once"):
        await money.run(
            """insert into invoice (organization_id, invoice_id, subscription_id, state, cause,
                   cause_id, currency, subtotal_minor, due_minor, created_at)
               select organization_id, gen_random_uuid(), subscription_id, 'draft', cause, cause_id,
                   currency, 0, 0, created_at from invoice where organization_id = $1""",
            buyer.organization_id,
        )


async def test_pages_show_what_went_out_newest_first(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    for _ in range(4):
        await buyer.add(1)
    await buyer.ask(PurchaseSeats(quantity=1), payment_method="sandbox_action_required")
    first = await invoices.list_all(await buyer.ctx(), ReadInvoices(organization=buyer.id, limit=3))
    rest = await invoices.list_all(
        await buyer.ctx(), ReadInvoices(organization=buyer.id, limit=3, after=first.next)
    )
    numbers = [str(i.number)[-1] for i in [*first.items, *rest.items]]
    assert (numbers, rest.next) == (["5", "4", "3", "2", "1"], None)


async def test_another_organizations_invoice_is_not_there(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    other = await money.buyer()
    invoice = InvoiceId.parse((await buyer.last()).invoice)
    async with refused(Code.NOT_FOUND):
        await invoices.show(await other.ctx(), ReadInvoice(organization=other.id, invoice=invoice))


async def test_b073_a_paid_invoice_cannot_be_voided_and_a_void_one_not_paid(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20}, method="sandbox_ok")
    paid = await buyer.last()
    async with refused(Code.STATE_CONFLICT, state="paid"):
        await buyer.void(paid.invoice)
    await buyer.pays_with(None)
    await buyer.add(5)
    (open_,) = await buyer.invoices("open")
    for _ in range(2):
        assert (await buyer.void(open_.invoice)).state == "void"
    async with refused(Code.STATE_CONFLICT, state="void"):
        await buyer.record(open_.invoice)
    async with refused(Code.STATE_CONFLICT, state="void"):
        await buyer.pay(open_.invoice, "sandbox_ok")
    assert await buyer.seats() == (20, 0, 0, 0)
    await buyer.add(1)  # nothing waits any more


async def test_b073_voiding_gives_back_the_balance_it_had_used(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await _grant(buyer, 50_00)
    await buyer.pays_with(None)
    await buyer.add(1)
    (open_,) = await buyer.invoices("open")
    await buyer.void(open_.invoice)
    balance = await invoices.balance(await buyer.ctx(), ReadBalance(organization=buyer.id))
    assert balance.balance_minor == 50_00


@pytest.mark.parametrize("rounds", range(3))
async def test_b073_void_and_pay_at_once_end_in_one_of_them(money, rounds):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.pays_with(None)
    await buyer.add(5)
    (open_,) = await buyer.invoices("open")

    async def tries(what):
        try:
            return await what
        except Refused as error:
            return error.refusal

    await asyncio.gather(
        tries(buyer.void(open_.invoice)),
        tries(buyer.pay(open_.invoice, "sandbox_ok")),
        tries(buyer.record(open_.invoice)),
    )
    (after,) = [i for i in await buyer.invoices() if i.invoice == open_.invoice]
    granted = {"paid": 25, "void": 20, "open": 20}[after.state]
    assert (await buyer.seats())[0] == granted
    assert after.state != "open"


async def test_a99_voiding_what_was_overdue_ends_the_arrears(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 2, 1))
    assert (await buyer.subscription()).status == "past_due"
    (open_,) = await buyer.invoices("open")
    await buyer.void(open_.invoice)
    assert (await buyer.subscription()).status == "active"
    await money.advance(day(2026, 2, 20))
    assert (await buyer.subscription()).plan == "per_seat"


async def test_g14_purchased_seats_at_any_time_come_from_the_ledger(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    for month in (3, 5, 7):
        await money.advance(day(2026, month, 1))
        await buyer.add(month)
    await buyer.reduce(22)
    await money.advance(day(2027, 1, 1, 1))

    async def owned(at):
        counts = await seats.summary(
            await buyer.ctx(), seats.ReadSeats(organization=buyer.id, at=at)
        )
        return [count.purchased for count in counts.items]

    assert await owned(day(2026, 1, 1)) == []
    for at, purchased in [
        (day(2026, 1, 2), 20),
        (day(2026, 3, 1), 23),
        (day(2026, 6, 30), 28),
        (day(2026, 12, 31), 35),
        (day(2027, 1, 1), 22),
        (None, 22),
    ]:
        assert await owned(at) == [purchased]


async def _grant(buyer, amount):
    if not amount:
        return
    ctx = await buyer.ctx()
    async with ctx.transaction() as db:
        await db.run(
            INVOICES.grant,
            organization_id=buyer.organization_id,
            amount_minor=amount,
            entry_id=ctx.new_id(),
            currency="USD",
            reason="goodwill",
            invoice_id=None,
            credit_note_id=None,
            now=ctx.now,
        )
