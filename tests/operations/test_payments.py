"""Payments: money moves once whatever breaks, and what it bought comes once."""

import pytest

from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import changes, dunning, payments, settlements
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.invoice_words import Invoice
from seatkeeper.payments.port import Outcome, PaymentResult
from seatkeeper.store.database import Unavailable
from tests.money_world import day, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


class Crash(Exception):
    """The process dies here."""


class Rail:
    """The sandbox, with accidents: what it does for the next call."""

    def __init__(self, sandbox):
        self.sandbox, self.name = sandbox, sandbox.name
        self.charged = []
        self.loses_answers = False
        self.never_arrives = False

    def accepts(self, method):
        return self.sandbox.accepts(method)

    async def charge(self, charge):
        if self.never_arrives:
            return PaymentResult(Outcome.UNKNOWN)
        self.charged.append(charge.key)
        result = await self.sandbox.charge(charge)
        return PaymentResult(Outcome.UNKNOWN) if self.loses_answers else result

    async def find(self, key):
        return None if self.loses_answers or self.never_arrives else await self.sandbox.find(key)

    async def confirm(self, key):
        return await self.sandbox.confirm(key)


@pytest.fixture
async def rail(money):
    rail = Rail(money.engine.providers["sandbox"])
    money.engine.providers = {**money.engine.providers, "sandbox": rail}
    return rail


@pytest.fixture
async def buyer(money):
    return await money.buyer(plan="enterprise", seats={"enterprise": 20})


async def _crash(*_args, **_more):
    raise Crash


async def _charges(money, buyer):
    rows = await money.rows(
        """select count(*) as n from sandbox_charge c join payment p using (provider_key)
            where p.organization_id = $1 and c.outcome = 'succeeded'""",
        buyer.organization_id,
    )
    return rows[0]["n"]


async def test_b025_killed_between_money_and_commit_the_retry_finds_it(money, buyer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(changes, "settle", _crash)
        with pytest.raises(Crash):
            await buyer.ask(PurchaseSeats(quantity=5), key="k")
    assert (await _charges(money, buyer), await buyer.seats()) == (2, (20, 0, 0, 0))
    for _ in range(2):
        made = await buyer.change(PurchaseSeats(quantity=5), key="k")
        assert made.state == "applied"
    assert (await _charges(money, buyer), await buyer.seats()) == (2, (25, 0, 0, 0))
    assert len(await buyer.invoices()) == 2


async def test_b025_killed_inside_the_settling_nothing_of_it_stands(money, buyer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(settlements, "finalize", _crash)
        with pytest.raises(Crash):
            await buyer.ask(PurchaseSeats(quantity=5), key="k")
    assert await buyer.seats() == (20, 0, 0, 0)
    await buyer.change(PurchaseSeats(quantity=5), key="k")
    assert (await _charges(money, buyer), await buyer.seats()) == (2, (25, 0, 0, 0))


@pytest.mark.parametrize("method", ["sandbox_ok", "sandbox_timeout"])
async def test_b025_i5_nobody_retries_and_the_worker_completes_it(
    money, buyer, monkeypatch, method
):
    with monkeypatch.context() as patch:
        patch.setattr(changes, "settle", _crash)
        with pytest.raises(Crash):
            await buyer.ask(PurchaseSeats(quantity=5), key="k", payment_method=method)
    for _ in range(2):
        money.pass_time(minutes=2)
        await dunning.complete_unpaid(money.engine, money.now, money.clock_id)
    assert (await _charges(money, buyer), await buyer.seats()) == (2, (25, 0, 0, 0))
    made = await buyer.change(PurchaseSeats(quantity=5), key="k")
    assert (made.state, await buyer.seats()) == ("applied", (25, 0, 0, 0))


async def test_i5_what_was_declined_behind_their_back_is_declined_at_the_retry(
    money, buyer, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(changes, "settle", _crash)
        with pytest.raises(Crash):
            await buyer.ask(PurchaseSeats(quantity=5), key="k", payment_method="sandbox_declined")
    money.pass_time(minutes=2)
    assert await dunning.complete_unpaid(money.engine, money.now, money.clock_id) == 1
    refusal = await buyer.ask(PurchaseSeats(quantity=5), key="k", payment_method="sandbox_declined")
    assert refusal.code is Code.PAYMENT_DECLINED
    assert await buyer.seats() == (20, 0, 0, 0)


async def test_m6_a_charge_that_never_arrived_is_made_again_under_its_key(money, buyer, rail):
    rail.never_arrives = True
    with pytest.raises(Unavailable):
        await buyer.ask(PurchaseSeats(quantity=5), key="k")
    rail.never_arrives = False
    money.pass_time(minutes=2)
    assert await dunning.complete_unpaid(money.engine, money.now, money.clock_id) == 1
    assert (await buyer.seats(), len(rail.charged)) == ((25, 0, 0, 0), 1)


async def test_m6_an_answer_lost_for_a_while_stays_unknown_and_then_counts_once(money, buyer, rail):
    rail.loses_answers = True
    with pytest.raises(Unavailable):
        await buyer.ask(PurchaseSeats(quantity=5), key="k")
    money.pass_time(minutes=2)
    assert await dunning.complete_unpaid(money.engine, money.now, money.clock_id) == 0
    assert await buyer.seats() == (20, 0, 0, 0)
    rail.loses_answers = False
    await buyer.change(PurchaseSeats(quantity=5), key="k")
    assert await buyer.seats() == (25, 0, 0, 0)
    assert len(set(rail.charged)) == 1


async def test_b093_a_renewal_paid_while_its_retry_runs_is_paid_once(money, rail):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_timeout")
    rail.loses_answers = True
    await money.advance(day(2026, 2, 1))
    (open_,) = await buyer.invoices("open")
    rail.loses_answers = False
    paid = await buyer.pay(open_.invoice, "sandbox_ok")  # finds the first charge, makes no other
    assert isinstance(paid, Invoice)
    await money.advance(day(2026, 2, 10))
    keys = [key for key in rail.charged if key.startswith("ivc")]
    assert len(set(keys)) == 1
    assert await buyer.totals() == [8_00, 8_00]


async def test_in_flight_money_can_neither_be_voided_nor_recorded_by_hand(money, rail):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    rail.loses_answers = True
    await money.advance(day(2026, 2, 1))
    (open_,) = await buyer.invoices("open")
    for act in (buyer.void, buyer.record):
        async with refused(Code.REQUEST_IN_PROGRESS):
            await act(open_.invoice)
    rail.loses_answers = False
    await money.advance(day(2026, 2, 3))
    assert (await buyer.last()).state == "paid"


async def test_b065_a_renewal_that_needs_its_payer_is_confirmed_once(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_action_required")
    await money.advance(day(2026, 2, 1, 1))
    assert (await buyer.subscription()).status == "past_due"
    page = await payments.list_all(await buyer.ctx(), payments.ReadPayments(organization=buyer.id))
    newest = page.items[0]
    assert newest.state == "action_required"
    for _ in range(2):
        assert (await buyer.confirm(newest.payment)).state == "succeeded"
    assert (await buyer.subscription()).status == "active"


async def test_a_payment_by_hand_gives_up_what_waited_for_the_payer(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with("sandbox_action_required")
    await money.advance(day(2026, 2, 1, 1))
    (open_,) = await buyer.invoices("open")
    page = await payments.list_all(await buyer.ctx(), payments.ReadPayments(organization=buyer.id))
    await buyer.record(open_.invoice)
    assert (await buyer.confirm(page.items[0].payment)).state == "canceled"


async def test_without_a_payment_method_there_is_nothing_to_charge(money):
    buyer = await money.buyer(method=None)
    await buyer.ask(subscribing("enterprise", {"enterprise": 20}))
    (open_,) = await buyer.invoices("open")
    async with refused(Code.INVALID_REQUEST):
        await buyer.pay(open_.invoice)
    async with refused(Code.INVALID_REQUEST):
        await buyer.pay(open_.invoice, "stripe_pm")


async def test_a_draft_is_nobodys_to_pay(money, buyer):
    refusal = await buyer.ask(PurchaseSeats(quantity=1), payment_method="sandbox_action_required")
    made = await changes.show(
        await buyer.ctx(),
        changes.ReadChange(organization=buyer.id, change=ChangeId.parse(refusal.facts["change"])),
    )
    for act in (buyer.record, buyer.pay, buyer.void):
        async with refused(Code.STATE_CONFLICT, state="draft"):
            await act(made.invoice)


async def test_parked_billing_sells_nothing(money, buyer):
    await money.run(
        "update organization set parked_at = $2, parked_reason = 'a doubt'"
        " where organization_id = $1",
        buyer.organization_id,
        money.now,
    )
    money.parked.add(buyer.organization_id)
    async with refused(Code.PARKED):
        await buyer.ask(PurchaseSeats(quantity=1))
    await money.advance(day(2027, 6, 1))
    assert len(await buyer.invoices()) == 1  # and renews nothing
