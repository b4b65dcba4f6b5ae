"""Money that comes when nothing is to be paid any more: credited once to who paid, and told."""

import asyncio

import pytest

from seatkeeper.domain.ids import ChangeId, PaymentId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import dunning, member_subscriptions, payments, withdrawals
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.invoice_words import ReadBalance
from seatkeeper.operations.invoices import balance
from seatkeeper.operations.member_subscriptions import ReadMemberSubscription
from seatkeeper.payments.port import Outcome, PaymentResult
from seatkeeper.store.database import Unavailable
from tests.money_world import day
from tests.operations.workspaces import a_workspace, pays_with
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")

FIVE = 5 * 240_00  # on 1 January, for the whole year


class SlowRail:
    """The sandbox, as a rail is on a bad day: slow, forgetful, or telling what was true before."""

    def __init__(self, sandbox):
        self.sandbox, self.name = sandbox, sandbox.name
        self.meanwhile = None  # happens while it moves money
        self.says = None  # to who looks a charge up
        self.loses_answers = False

    def accepts(self, method):
        return self.sandbox.accepts(method)

    async def charge(self, charge):
        result = await self.sandbox.charge(charge)
        if self.meanwhile is not None:
            await self.meanwhile()
        return PaymentResult(Outcome.UNKNOWN) if self.loses_answers else result

    async def find(self, key):
        if self.loses_answers:
            return None
        return await self.sandbox.find(key) if self.says is None else PaymentResult(self.says)

    async def confirm(self, key):
        result = await self.sandbox.confirm(key)
        if self.meanwhile is not None:
            await self.meanwhile()
        return result


@pytest.fixture
async def rail(money):
    rail = SlowRail(money.engine.providers["sandbox"])
    money.engine.providers = {**money.engine.providers, "sandbox": rail}
    return rail


@pytest.fixture
async def buyer(money):
    return await money.buyer(plan="enterprise", seats={"enterprise": 20})


async def payments_of(buyer):
    page = await payments.list_all(await buyer.ctx(), payments.ReadPayments(organization=buyer.id))
    return page.items


async def owed(buyer):
    return await balance(await buyer.ctx(), ReadBalance(organization=buyer.id))


async def withdrawn(buyer, change):
    command = withdrawals.CancelChange(organization=buyer.id, change=ChangeId.parse(change))
    return await withdrawals.cancel(await buyer.ctx(), command)


async def credited(buyer, amount):
    """What everybody can see of money that came late: once, whole, with its payment."""
    told = await owed(buyer)
    assert (told.balance_minor, [e.amount_minor for e in told.items]) == (amount, [amount])
    entry = told.items[0]
    (late,) = [p for p in await payments_of(buyer) if p.credited]
    assert (entry.payment, entry.invoice, entry.reason) == (
        late.payment,
        late.invoice,
        "payment came late",
    )
    assert (late.state, late.amount_minor) == ("succeeded", amount)
    rows = await buyer.world.rows(
        "select subject_id, facts from event where organization_id = $1"
        " and kind = 'payment.credited'",
        buyer.organization_id,
    )
    facts = {"invoice": late.invoice, "amount_minor": amount, "currency": "USD"}
    assert [(PaymentId.text(r["subject_id"]), r["facts"]) for r in rows] == [(late.payment, facts)]


async def confirmed_elsewhere(money, payment):
    """The payer confirms on the rail's own page and does not come back."""
    row = await money.row(
        "select provider_key from payment where payment_id = $1", PaymentId.parse(payment)
    )
    await money.engine.providers["sandbox"].sandbox.confirm(row["provider_key"])


async def tried(buyer, invoice):
    """An open invoice tried with a card that needs its payer; the payment."""
    refusal = await buyer.pay(invoice, "sandbox_action_required")
    assert refusal.code is Code.PAYMENT_ACTION_REQUIRED
    return refusal.facts["payment"]


async def by_transfer(buyer):
    """Five seats that wait for a transfer: the change and its open invoice."""
    await buyer.pays_with(None)
    made = await buyer.add(5)
    return made, (await buyer.last()).invoice


async def test_m6_a_change_given_up_while_its_payer_confirms_credits_the_money(money, buyer, rail):
    asked = await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_action_required")

    async def given_up():
        money.pass_time(hours=25)
        rail.says = Outcome.ACTION_REQUIRED  # as it was when the worker looked
        assert await dunning.complete_unpaid(money.engine, money.now, money.clock_id) == 1

    rail.meanwhile = given_up
    for _ in range(3):
        assert (await buyer.confirm(asked.facts["payment"])).state == "succeeded"
    assert await buyer.seats() == (20, 0, 0, 0)
    await credited(buyer, FIVE)


async def test_m6_a_change_given_up_while_its_rail_was_asked_credits_the_money(money, buyer, rail):
    async def given_up():
        money.pass_time(hours=25)
        rail.says = Outcome.ACTION_REQUIRED
        assert await dunning.complete_unpaid(money.engine, money.now, money.clock_id) == 1

    rail.meanwhile = given_up
    made = await buyer.change(PurchaseSeats(quantity=5))
    assert (made.state, await buyer.seats()) == ("failed", (20, 0, 0, 0))
    await credited(buyer, FIVE)


async def test_m6_a_timeout_after_success_that_was_taken_for_a_no_is_credited(money, buyer, rail):
    rail.says = Outcome.DECLINED
    refusal = await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_timeout")
    assert refusal.code is Code.PAYMENT_DECLINED
    assert (await owed(buyer)).items == []
    rail.says = None
    (late, _) = await payments_of(buyer)
    assert (await buyer.confirm(late.payment)).credited
    assert await buyer.seats() == (20, 0, 0, 0)
    await credited(buyer, FIVE)


async def test_m6_the_credit_is_used_on_the_next_invoice(money, buyer, rail):
    rail.says = Outcome.DECLINED
    await buyer.ask(PurchaseSeats(quantity=5), payment_method="sandbox_timeout")
    rail.says = None
    (late, _) = await payments_of(buyer)
    await buyer.confirm(late.payment)
    await buyer.add(6)
    bought = await buyer.last()
    assert (bought.balance_used_minor, bought.payable_minor) == (FIVE, 240_00)


@pytest.mark.parametrize("way", ["void", "cancel"])
async def test_r2_money_for_what_was_taken_back_is_credited_once(money, buyer, rail, way):
    made, invoice = await by_transfer(buyer)
    payment = await tried(buyer, invoice)
    if way == "void":
        await buyer.void(invoice)
    else:
        await withdrawn(buyer, made.change)
    await confirmed_elsewhere(money, payment)
    await asyncio.gather(*(buyer.confirm(payment) for _ in range(4)))
    assert await buyer.seats() == (20, 0, 0, 0)
    await credited(buyer, FIVE)


async def test_m6_two_rails_pay_one_invoice_and_the_second_is_credited(money, buyer, rail):
    _, invoice = await by_transfer(buyer)
    payment = await tried(buyer, invoice)
    await confirmed_elsewhere(money, payment)
    assert (await buyer.record(invoice)).state == "paid"
    assert (await buyer.confirm(payment)).credited
    assert (await buyer.confirm(payment)).credited
    assert await buyer.seats() == (25, 0, 0, 0)
    await credited(buyer, FIVE)


async def test_m6_a_transfer_for_what_a_card_has_paid_is_credited_once(money, buyer):
    paid = await buyer.last()
    for _ in range(2):
        assert (await buyer.record(paid.invoice, "transfer 7")).state == "paid"
    await credited(buyer, 20 * 240_00)
    await buyer.record(paid.invoice, "transfer 8")  # and once more, by someone else there
    assert (await owed(buyer)).balance_minor == 2 * 20 * 240_00


async def test_m6_nothing_due_can_be_marked_as_paid(money, buyer, rail):
    await buyer.record((await buyer.last()).invoice)
    await buyer.add(1)
    free = await buyer.last()
    assert (free.state, free.payable_minor) == ("paid", 0)
    async with refused(Code.STATE_CONFLICT, state="paid"):
        await buyer.record(free.invoice)


@pytest.mark.parametrize("way", ["void", "cancel"])
async def test_m6_in_flight_nothing_is_taken_back_and_the_late_yes_pays(money, buyer, rail, way):
    made, invoice = await by_transfer(buyer)
    rail.loses_answers = True
    with pytest.raises(Unavailable):
        await buyer.pay(invoice, "sandbox_timeout")
    async with refused(Code.REQUEST_IN_PROGRESS):
        await (buyer.void(invoice) if way == "void" else withdrawn(buyer, made.change))
    rail.loses_answers = False
    money.pass_time(minutes=2)
    assert await dunning.complete_unpaid(money.engine, money.now, money.clock_id) == 1
    assert ((await buyer.last()).state, await buyer.seats()) == ("paid", (25, 0, 0, 0))
    assert (await owed(buyer)).items == []


async def test_m6_a_card_confirmed_for_an_invoice_by_transfer_pays_it(money, buyer, rail):
    _, invoice = await by_transfer(buyer)
    payment = await tried(buyer, invoice)
    assert (await buyer.confirm(payment)).state == "succeeded"
    assert ((await buyer.last()).state, await buyer.seats()) == ("paid", (25, 0, 0, 0))


async def test_m6_a_card_declined_for_an_invoice_by_transfer_leaves_it_open(money, buyer, rail):
    made, invoice = await by_transfer(buyer)
    rail.loses_answers = True
    with pytest.raises(Unavailable):
        await buyer.pay(invoice, "sandbox_declined")
    rail.loses_answers = False
    money.pass_time(minutes=2)
    await dunning.complete_unpaid(money.engine, money.now, money.clock_id)
    assert (await buyer.last()).state == "open"
    await buyer.record(invoice)
    assert await buyer.seats() == (25, 0, 0, 0)
    assert made.state == "awaiting_payment"


async def own(place, name="owner"):
    command = ReadMemberSubscription(organization=place.buyer.id, member=place.people[name])
    return await member_subscriptions.show(await place.buyer.ctx(), command)


async def test_m10_what_a_member_paid_late_is_the_members_and_pays_their_renewal(money, rail):
    place = await a_workspace(money)
    await place.join("ada")
    await pays_with(place, "sandbox_action_required")
    await money.advance(day(2026, 2, 1, 12))
    (open_,) = await place.buyer.invoices("open")
    (payment, *_) = [p for p in await payments_of(place.buyer) if p.state == "action_required"]
    await confirmed_elsewhere(money, payment.payment)
    await place.buyer.record(open_.invoice)
    assert (await place.buyer.confirm(payment.payment)).credited
    assert ((await own(place)).balance_minor, (await own(place, "ada")).balance_minor) == (99_00, 0)
    assert (await owed(place.buyer)).balance_minor == 0
    await money.advance(day(2026, 3, 2))
    used = {i.balance_used_minor for i in (await place.buyer.invoices())[-2:]}
    assert used == {99_00, 0}
    assert (await own(place)).balance_minor == 0


async def test_g19_what_waits_for_a_transfer_names_itself_and_its_ways_out(money, buyer, rail):
    made, invoice = await by_transfer(buyer)
    facts = {"state": "awaiting_payment", "change": made.change, "invoice": invoice}
    for act in (buyer.ask, buyer.quote):
        async with refused(Code.STATE_CONFLICT, **facts) as told:
            await act(PurchaseSeats(quantity=1))
        assert [(r.way, dict(r.facts)) for r in told[0].ways_out] == [
            ("pay", {"invoice": invoice}),
            ("cancel_change", {"change": made.change}),
        ]
    rail.loses_answers = True  # a card is tried for it: seconds, not days
    with pytest.raises(Unavailable):
        await buyer.pay(invoice, "sandbox_ok")
    async with refused(Code.REQUEST_IN_PROGRESS):
        await buyer.ask(PurchaseSeats(quantity=1))
    rail.loses_answers = False
    assert (await buyer.pay(invoice, "sandbox_ok")).state == "paid"


@pytest.mark.parametrize("way", ["pay", "cancel_change"])
async def test_g19_either_way_out_leads_out(money, buyer, way):
    made, invoice = await by_transfer(buyer)
    if way == "pay":
        await buyer.record(invoice)
    else:
        assert (await withdrawn(buyer, made.change)).state == "failed"
    await buyer.pays_with("sandbox_ok")
    await buyer.add(1)
    assert (await buyer.seats())[0] == (26 if way == "pay" else 21)
