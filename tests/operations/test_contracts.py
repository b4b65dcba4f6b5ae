"""Contracts: begun, converted, signed, left unsigned, ended, on a test clock."""

from datetime import date

import pytest

from seatkeeper.domain.contracts import Kind
from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.refusals import Code, Way
from seatkeeper.operations import contracts, withdrawals
from seatkeeper.operations.asked import Cancel, PurchaseSeats, ReduceSeats, Resume
from seatkeeper.operations.withdrawals import CancelChange
from tests.money_world import day
from tests.operations import deals
from tests.operations.deals import agreed, as_owner, contract, shown, sign
from tests.world import refused

NEXT_YEAR = day(2027, 1, 1)


async def test_t29_a27_a_contract_grants_its_seats_at_once_and_invoices_them_on_its_terms(money):
    buyer = await money.buyer("workspace", method=None)
    made = await contract(buyer, "business_yearly", {"member": 10}, net_terms_days=45)
    assert (made.kind, made.state, made.seats) == ("annual_upfront", "active", {"member": 10})
    assert made.signed_until == NEXT_YEAR
    [invoice] = await buyer.invoices()
    assert (invoice.state, invoice.total_minor, invoice.cause) == ("open", 960_000, "contract")
    assert (invoice.due_at - money.now).days == 45
    assert (await buyer.subscription()).status == "active"
    assert await deals.shown(buyer) == made


async def test_a26_a27_an_owner_buys_at_the_agreed_price_on_the_terms_of_the_contract(money):
    buyer = await money.buyer("enterprise")
    await contract(
        buyer,
        "enterprise_assisted",
        {"enterprise": 100},
        prices={"enterprise": 1_500},
        net_terms_days=60,
    )
    await money.advance(day(2026, 3, 1, 12))
    bought = await buyer.add(5)
    assert bought.state == "applied"
    last = await buyer.last()
    assert last.total_minor == 75_000  # 5 x 15.00 x 10 months
    assert (last.due_at - money.now).days == 60
    assert (await shown(buyer)).prices.seats == {"enterprise": 1_500}


async def test_a31_t32_only_an_account_manager_in_their_own_name_makes_contracts(money):
    buyer = await money.buyer("workspace")
    command = contracts.PutContract(
        organization=buyer.id, plan="business", account_manager="Grace Hopper"
    )
    async with refused(Code.FORBIDDEN):
        await contracts.put(await buyer.act(), command)
    async with refused(Code.CONTRACT_MANAGED) as refusals:
        await contracts.put(await deals.as_owner(buyer, account_manager=True), command)
    assert [r.way for r in refusals[0].ways_out] == [Way.CONTACT_ACCOUNT_MANAGER]
    async with refused(Code.NOT_FOUND):
        await shown(buyer)
    async with refused(Code.NOT_FOUND):
        await sign(buyer)


async def test_t29_the_same_contract_twice_is_one_and_only_people_and_payment_terms_change(money):
    buyer = await money.buyer("workspace")
    made = await contract(buyer, "business", {"member": 10}, prices={"member": 7_500})
    same = await contract(
        buyer, "business", {"member": 10}, prices={"member": 7_500}, kind=Kind.MONTHLY
    )
    assert same == made
    moved = await contract(buyer, "business", account_manager="Ada", net_terms_days=10)
    assert (moved.account_manager, moved.net_terms_days, moved.version) == ("Ada", 10, 2)
    for other in (
        {"seats": {"member": 11}},
        {"prices": {"member": 1}},
        {"start": date(2025, 1, 1)},
    ):
        async with refused(Code.ALREADY_EXISTS, different=[next(iter(other))]):
            await contract(buyer, "business", **other)
    async with refused(Code.ALREADY_EXISTS, different=["plan", "kind"]):
        await contract(buyer, "business_yearly", kind=Kind.ANNUAL_UPFRONT)
    assert await buyer.totals() == [75_000]


@pytest.mark.parametrize(
    ("plan", "more", "code"),
    [
        ("nothing", {}, Code.NOT_FOUND),
        ("chat_and_code", {}, Code.NOT_FOUND),  # not sold on new contracts
        ("enterprise", {}, Code.INVALID_REQUEST),  # an owner buys it alone
        ("enterprise_assisted", {"price": "monthly"}, Code.CURRENCY_MISMATCH),
        ("enterprise_assisted", {"seats": {"enterprise": 19}}, Code.BELOW_MINIMUM_SEATS),
        ("enterprise_assisted", {"seats": {"premium": 20}}, Code.INVALID_REQUEST),
        ("enterprise_assisted", {"prices": {"premium": 20}}, Code.INVALID_REQUEST),
        ("enterprise_assisted", {"kind": Kind.MONTHLY}, Code.INVALID_REQUEST),
        ("enterprise_assisted", {"term_months": 18}, Code.INVALID_REQUEST),
        ("enterprise_assisted", {"start": date(2026, 1, 2)}, Code.INVALID_REQUEST),
        ("enterprise_assisted", {"start": date(2024, 12, 31)}, Code.INVALID_REQUEST),
    ],
)
async def test_a14_a12_what_cannot_be_put_under_a_contract(money, plan, more, code):
    buyer = await money.buyer("enterprise")
    async with refused(code):
        await contract(buyer, plan, **more)
    assert await buyer.invoices() == []


async def test_t29_a_contract_can_begin_some_days_ago_and_last_for_years(money):
    buyer = await money.buyer("workspace")
    await money.advance(day(2026, 1, 15))
    made = await contract(
        buyer, "business_yearly", {"member": 10}, start=date(2026, 1, 1), term_months=36
    )
    assert made.signed_until == day(2029, 1, 1)
    assert (await buyer.subscription()).period_end == NEXT_YEAR
    await money.advance(day(2028, 6, 1))
    assert await buyer.totals() == [960_000] * 3  # signed for three years, billed each year
    assert (await shown(buyer)).state == "active"


async def test_t13_members_who_pay_for_themselves_and_a_contract_do_not_mix(money):
    buyer = await money.buyer("workspace")
    await money.run(
        """insert into subscription (organization_id, subscription_id, payer_member_id,
               plan_version_id, price_key, status, anchor_on, period_number, period_starts_at,
               period_ends_at, term_ends_at, due_at, started_at, timeline)
           select $1, $1, $2, plan_version_id, 'monthly', 'active', '2026-01-01', 0, $3, $4, $4, $4,
               $3, (select timeline from organization where organization_id = $1)
             from plan_version where plan_key = 'pro'""",
        buyer.organization_id,
        buyer.owner,
        day(2026, 1, 1),
        day(2036, 2, 1),
    )
    async with refused(Code.PLAN_TIER_MISMATCH):
        await contract(buyer, "business", {"member": 10})
    await money.run("delete from subscription where organization_id = $1", buyer.organization_id)


async def test_a30_an_exception_converts_a_self_serve_plan_at_no_charge(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await money.advance(day(2026, 6, 1))
    await buyer.reduce(45)
    async with refused(Code.REDUCTION_NOT_ALLOWED_MID_TERM) as refusals:
        await buyer.reduce(40, now=True)
    assert Way.CONTACT_ACCOUNT_MANAGER in [r.way for r in refusals[0].ways_out]
    made = await contract(buyer, "enterprise_assisted")
    assert (made.plan, made.seats, made.signed_until) == (
        "enterprise_assisted",
        {"enterprise": 50},
        NEXT_YEAR,
    )
    assert await buyer.totals() == [1_200_000]
    lowered = await buyer.reduce(40, now=True, manager=True)
    assert lowered.state == "applied"
    assert await buyer.totals() == [1_200_000]  # no credit by itself


async def test_a30_seats_that_differ_from_those_owned_are_there_at_once(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await money.advance(day(2026, 4, 1))
    made = await contract(
        buyer, "enterprise_assisted", {"enterprise": 60}, prices={"enterprise": 1_500}
    )
    assert made.seats == {"enterprise": 60}
    assert await buyer.totals() == [1_200_000, 135_000]  # 10 x 15.00 x 9 months
    assert (await buyer.last()).state == "open"
    await buyer.crowd(30, "enterprise")
    other = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await other.crowd(30, "enterprise")
    async with refused(Code.SEATS_IN_USE, needed=5):
        await contract(other, "enterprise_assisted", {"enterprise": 25})
    async with refused(Code.BELOW_MINIMUM_SEATS):
        await contract(other, "enterprise_assisted", {"enterprise": 10})
    async with refused(Code.INVALID_REQUEST):
        await contract(other, "enterprise_assisted", start=date(2026, 1, 1))


async def test_a97_c50_a_team_comes_under_a_contract_with_credit_for_its_month(money):
    buyer = await money.buyer("enterprise", plan="team", price="monthly", seats={"standard": 25})
    await money.advance(day(2026, 1, 16))
    made = await contract(buyer, "enterprise_assisted", {"enterprise": 25})
    assert (made.kind, made.signed_until) == ("annual_upfront", day(2027, 1, 16))
    # 25 x 20.00 x 12, less 25 x 30.00 x 15/31
    assert (await buyer.last()).total_minor == 600_000 - 36_290


async def test_a30_b025_nothing_is_converted_while_a_payment_is_on_its_way(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await buyer.pays_with(None)
    pending = await buyer.add(5)
    assert pending.state == "awaiting_payment"
    async with refused(Code.STATE_CONFLICT, change=pending.change, invoice=pending.invoice):
        await contract(buyer, "enterprise_assisted")


async def test_a31_t32_what_the_account_manager_scheduled_the_owner_does_not_undo(money):
    buyer = await money.buyer("workspace", method=None)
    await contract(buyer, "business", {"member": 10})
    for asked in (PurchaseSeats(quantity=5), ReduceSeats(target=5)):
        made = await buyer.change(asked, manager=True)
        command = CancelChange(organization=buyer.id, change=ChangeId.parse(made.change))
        async with refused(Code.CONTRACT_MANAGED):
            await withdrawals.cancel(await as_owner(buyer), command)
        taken_back = await withdrawals.cancel(await buyer.act(manager=True), command)
        assert taken_back.state == "canceled"


async def test_a96_t7_nothing_is_signed_bought_or_amended_for_after_a_cancellation(money):
    buyer = await money.buyer("workspace", method=None)
    await contract(buyer, "business", {"member": 3})
    for invoice in await buyer.invoices("open"):
        await buyer.record(invoice.invoice)
    await buyer.change(Cancel(), manager=True)
    # Bought for the next cycle, which is not to come; signed and amended for it as well.
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(PurchaseSeats(quantity=2), manager=True)
    async with refused(Code.STATE_CONFLICT):
        await sign(buyer)
    async with refused(Code.STATE_CONFLICT):
        await agreed(buyer, {"member": 2})
    await buyer.change(Resume(), manager=True)
    assert (await sign(buyer)).next_terms is not None
    assert (await buyer.add(2, manager=True)).state == "scheduled"


async def test_a96_t7_a_contract_that_has_ended_shows_what_it_agreed_on_and_is_not_signed(money):
    policies = {"change_plan_who": "account_manager", "cancel_when": "period_end"}
    catalog, plan = await money.variant(
        "organization", "per_seat", default_plan="free", policies=policies
    )
    buyer = await money.buyer(catalog)
    async with refused(Code.NOT_FOUND):
        await sign(buyer)
    begun = await contract(buyer, plan, {"member": 3}, prices={"member": 7_00})
    assert begun.ended_at is None
    await buyer.change(Cancel(), manager=True)
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).plan != plan
    ended = await shown(buyer)
    assert (ended.state, ended.ended_at) == ("ended", day(2026, 2, 1))
    assert (ended.plan, ended.price, ended.seats) == (plan, begun.price, {"member": 3})
    assert ended.prices == begun.prices
    async with refused(Code.STATE_CONFLICT):
        await sign(buyer)
