"""Discounts: one at a time, off the bills from the next period on, gone with their price."""

import asyncio

import pytest

from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import discounts
from seatkeeper.operations.asked import Cancel, ChangePlan, PurchaseSeats, Subscribe
from seatkeeper.operations.discount_words import PutDiscount, ReadDiscount, RemoveDiscount
from tests.money_world import day, subscribing
from tests.operations.deals import agreed, as_owner, coming, contract
from tests.operations.workspaces import a_workspace
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")
FEB, MAR, APR, MAY = (day(2026, month, 1) for month in (2, 3, 4, 5))


async def grant(buyer, *, if_match=None, **terms):
    command = PutDiscount(organization=buyer.id, **terms)
    return await discounts.put(await buyer.act(manager=True, if_match=if_match), command)


async def remove(buyer, *, if_match=None):
    command = RemoveDiscount(organization=buyer.id)
    return await discounts.remove(await buyer.act(manager=True, if_match=if_match), command)


async def shown(buyer):
    return await discounts.show(await buyer.ctx(), ReadDiscount(organization=buyer.id))


async def told(money, buyer):
    rows = await money.rows(
        """select kind, facts ->> 'because' as because from event
            where organization_id = $1 and kind like 'discount.%' order by event_id""",
        buyer.organization_id,
    )
    return [row["because"] or row["kind"] for row in rows]


async def monthly(money, seats=5, **how):
    """On 20.00 and 5.00 a seat, by the month from 1 January, with everyone in a seat."""
    buyer = await money.buyer("organization", **how)
    await buyer.crowd(seats - 1)
    await buyer.change(ChangePlan(plan="base_and_seats"))
    return buyer


def amounts(invoice):
    return [(line.full_minor, line.discount_minor, line.amount_minor) for line in invoice.lines]


async def test_c54_a_percentage_is_off_each_line_for_as_long_as_it_was_granted(money):
    buyer = await monthly(money)
    made = await grant(buyer, basis_points=20_00, periods=2)
    assert (made.periods_used, made.off_now_basis_points, made.version) == (0, 0, 1)
    await money.advance(FEB)
    # 20.00 and 5 x 5.00, each less 20 %
    assert amounts(await buyer.last()) == [(20_00, 4_00, 16_00), (25_00, 5_00, 20_00)]
    now = await shown(buyer)
    assert (now.periods_used, now.off_now_basis_points) == (1, 20_00)
    await money.advance(MAR)
    assert (await shown(buyer)).periods_used == 2
    await money.advance(APR)
    assert await buyer.totals() == [45_00, 36_00, 36_00, 45_00]
    async with refused(Code.NOT_FOUND):
        await shown(buyer)
    assert await told(money, buyer) == ["discount.granted", "over"]


async def test_c54_quote_and_charge_of_seats_added_in_a_discounted_period(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00)
    assert (await buyer.quote(PurchaseSeats(quantity=2))).due_now_minor == 10_00  # not yet
    await money.advance(day(2026, 2, 15))
    quoted = await buyer.quote(PurchaseSeats(quantity=3))
    assert quoted.due_now_minor == 6_00  # 3 x 5.00 x 14/28 x 80 %
    assert (quoted.lines[0].full_minor, quoted.lines[0].discount_basis_points) == (15_00, 20_00)
    await buyer.change(quote=quoted.quote)
    for _ in range(3):
        await buyer.add(1)  # 2.00 each: levels 8.00, 10.00, 12.00
    assert (await buyer.totals())[2:] == [6_00, 2_00, 2_00, 2_00]
    await money.advance(MAR)
    # Who is there renews: five seats, 20.00 + 25.00, less 20 %.
    assert (await buyer.last()).total_minor == 36_00


async def test_c54_a_removed_discount_stays_with_the_period_it_began(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00)
    await money.advance(day(2026, 2, 15))
    gone = await remove(buyer)
    assert (gone.ended_because, gone.off_now_basis_points) == ("removed", 20_00)
    await buyer.add(2)
    assert (await buyer.last()).total_minor == 4_00  # 2 x 5.00 x 14/28 x 80 %
    await money.advance(MAR)
    assert (await buyer.last()).total_minor == 45_00
    async with refused(Code.NOT_FOUND):
        await remove(buyer)


async def test_c54_granted_and_removed_before_a_period_begins_nothing_has_happened(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00)
    await remove(buyer)
    await money.advance(FEB)
    assert await buyer.totals() == [45_00, 45_00]


@pytest.mark.parametrize(
    ("minor", "lines", "total"),
    [
        (15_00, [(20_00, 6_67, 13_33), (25_00, 8_33, 16_67)], 30_00),  # 15.00 x 20/45, the rest
        (45_00, [(20_00, 20_00, 0), (25_00, 25_00, 0)], 0),
        (99_00, [(20_00, 20_00, 0), (25_00, 25_00, 0)], 0),  # never below nothing
    ],
)
async def test_c54_a_fixed_amount_is_off_each_periods_bill(money, minor, lines, total):
    buyer = await monthly(money)
    await grant(buyer, amount_minor=minor)
    await money.advance(FEB)
    february = await buyer.last()
    assert (amounts(february), february.total_minor) == (lines, total)
    assert february.state == "paid"
    await buyer.add(1)
    assert (await buyer.last()).total_minor == 5_00  # what is added later pays in full


async def test_c54_a_hundred_percent_is_billed_as_nothing(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=100_00, periods=1)
    await money.advance(FEB)
    last = await buyer.last()
    assert (last.state, last.total_minor, len(last.lines)) == ("paid", 0, 2)
    await buyer.add(1)
    assert (await buyer.last()).total_minor == 0
    await money.advance(MAR)
    assert (await buyer.last()).total_minor == 45_00


async def test_c54_one_at_a_time_the_newer_takes_the_place_of_the_older(money):
    buyer = await monthly(money)
    first = await grant(buyer, basis_points=20_00)
    assert await grant(buyer, basis_points=20_00) == first  # twice is once
    second = await grant(buyer, amount_minor=10_00, if_match=first.version)
    assert second.version == 2
    async with refused(Code.PRECONDITION_FAILED, version=2):
        await grant(buyer, basis_points=50_00, if_match=first.version)
    async with refused(Code.PRECONDITION_FAILED, version=2):
        await remove(buyer, if_match=first.version)
    await money.advance(FEB)
    assert (await buyer.last()).total_minor == 35_00
    assert await told(money, buyer) == ["discount.granted", "replaced", "discount.granted"]


async def test_c54_of_two_account_managers_one_is_told_that_something_is_there(money):
    buyer = await monthly(money)
    first = await grant(buyer, basis_points=10_00)
    asked = [grant(buyer, basis_points=n, if_match=first.version) for n in (20_00, 30_00)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    (stale,) = [each for each in done if isinstance(each, Refused)]
    assert stale.refusal.code is Code.PRECONDITION_FAILED
    (granted,) = [each for each in done if not isinstance(each, BaseException)]
    assert (await shown(buyer)).discount == granted.discount


async def test_c54_what_is_used_up_can_be_granted_afresh(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00, periods=1)
    await money.advance(FEB)
    assert (await grant(buyer, basis_points=20_00, periods=1)).version == 2
    await money.advance(APR)
    assert await buyer.totals() == [45_00, 36_00, 36_00, 45_00]


async def test_c54_a_discount_until_an_instant(money):
    buyer = await monthly(money)
    async with refused(Code.INVALID_REQUEST):
        await grant(buyer, basis_points=20_00, until=FEB)
    await grant(buyer, basis_points=20_00, until=day(2026, 3, 1, 1))
    await money.advance(APR)
    assert await buyer.totals() == [45_00, 36_00, 36_00, 45_00]


async def test_c54_a_change_of_plan_now_takes_the_discount_away(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00)
    await money.advance(day(2026, 2, 15))
    change = ChangePlan(plan="five_included")
    quoted = await buyer.quote(change)
    assert quoted.ends_discount.sentence == "This change removes your discount of 20 %."
    # Back: (20.00 + 25.00) x 80 % x 14/28 = 18.00; new: 25.00 x 14/28.
    assert [line.amount_minor for line in quoted.lines] == [-8_00, -10_00, 12_50, 0]
    await buyer.change(quote=quoted.quote)
    await buyer.add(1)
    last = await buyer.last()
    assert (last.total_minor, last.payable_minor) == (5_00, 0)  # 10.00 x 14/28, from the balance
    async with refused(Code.NOT_FOUND):
        await shown(buyer)
    assert await told(money, buyer) == ["discount.granted", "plan"]


async def test_c54_m7_a_second_change_gives_back_what_the_first_one_billed(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00)
    await money.advance(day(2026, 2, 15))
    await buyer.change(ChangePlan(plan="five_included"))  # 25.00 x 14/28 without a discount
    await money.advance(day(2026, 2, 22))
    quoted = await buyer.quote(ChangePlan(plan="ten_included"))
    # Back: 25.00 x 7/28; new: 25.00 x 7/28.
    assert [line.amount_minor for line in quoted.lines if line.full_minor] == [-6_25, 6_25]
    assert {line.discount_basis_points for line in quoted.lines} == {0}


async def test_c54_m9_a_change_of_plan_later_takes_it_away_on_its_day(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00)
    quoted = await buyer.quote(ChangePlan(plan="per_seat"))
    assert (quoted.scheduled, quoted.ends_discount.basis_points) == (True, 20_00)
    await buyer.change(quote=quoted.quote)
    assert (await shown(buyer)).ended_at is None  # it is in force until then
    before = await coming(buyer)
    assert (before.kind, before.total_minor, before.discount) == ("change_plan", 40_00, None)
    assert before.ends_discount is not None
    await money.advance(FEB)
    assert await buyer.totals() == [45_00, 40_00]  # 5 x 8.00
    assert await told(money, buyer) == ["discount.granted", "plan"]


async def test_c54_m9_what_comes_shows_what_is_off_and_then_what_ends(money):
    buyer = await monthly(money)
    await grant(buyer, basis_points=20_00, periods=1)
    before = await coming(buyer)
    assert (before.total_minor, before.discount.basis_points) == (36_00, 20_00)
    assert before.ends_discount is None
    await money.advance(FEB)
    after = await coming(buyer)
    assert (after.total_minor, after.discount) == (45_00, None)
    assert after.ends_discount.periods_used == 1


async def test_c54_the_end_of_a_subscription_ends_its_discount(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await grant(buyer, basis_points=20_00)
    await buyer.change(Cancel())
    assert (await coming(buyer)).ends_discount is not None
    await money.advance(day(2027, 1, 1))
    assert await told(money, buyer) == ["discount.granted", "subscription"]


async def test_c54_a_trials_discount_is_off_its_first_paid_period(money):
    buyer = await money.buyer("organization")
    await buyer.change(Subscribe(plan="trial", trial=True))
    await grant(buyer, basis_points=50_00, periods=1)
    await money.advance(day(2026, 1, 15))
    assert await buyer.totals() == [6_00]  # 1 x 12.00 x 50 %


async def business(money):
    """Under a contract on ten seats at 80.00 a month, discounted by 20 % in February."""
    buyer = await money.buyer("workspace")
    await contract(buyer, "business", {"member": 10})
    await grant(buyer, basis_points=20_00)
    await money.advance(FEB)
    assert (await buyer.last()).total_minor == 640_00  # 10 x 80.00 x 80 %
    return buyer


async def test_c54_a_contract_goes_on_with_its_discount(money):
    buyer = await business(money)
    await money.advance(day(2026, 2, 10))
    await agreed(buyer, {"member": 2}, effective="now", reason="a favour")
    assert (await buyer.last()).total_minor == 86_86  # 2 x 80.00 x 19/28 x 80 % = 86.857
    await money.advance(MAR)
    assert (await buyer.last()).total_minor == 768_00  # 12 x 80.00 x 80 %


async def test_c54_under_a_contract_on_the_same_terms_the_discount_goes_on(money):
    buyer = await money.buyer("enterprise")
    await buyer.change(subscribing("chat_and_code", {"chat": 15, "chat_code": 6}), manager=True)
    granted = await grant(buyer, basis_points=20_00)
    await contract(buyer, "chat_and_code")
    assert (await shown(buyer)).discount == granted.discount
    other = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await grant(other, basis_points=20_00)
    await contract(other, "enterprise_assisted")  # at no charge, but another plan
    assert await told(money, other) == ["discount.granted", "plan"]


async def test_c54_amounts_agreed_for_later_end_the_discount_on_their_day(money):
    buyer = await business(money)
    offered = (await agreed(buyer, {"member": 2}, prices={"member": 70_00})).offer
    assert offered.ends_discount.basis_points == 20_00
    before = await coming(buyer)
    assert (before.total_minor, before.discount) == (840_00, None)  # 12 x 70.00
    assert before.ends_discount is not None
    assert (await shown(buyer)).ended_at is None
    await money.advance(MAR)
    assert (await buyer.last()).total_minor == 840_00
    assert await told(money, buyer) == ["discount.granted", "price"]


async def test_c54_amounts_agreed_now_end_the_discount_at_once(money):
    buyer = await business(money)
    await money.advance(day(2026, 2, 15))
    await agreed(buyer, {"member": 2}, prices={"member": 70_00}, effective="now", reason="a favour")
    assert (await buyer.last()).total_minor == 70_00  # 2 x 70.00 x 14/28
    assert await told(money, buyer) == ["discount.granted", "price"]
    await agreed(buyer, {"member": 1}, effective="now", reason="a favour")
    assert (await buyer.last()).total_minor == 35_00


async def test_c54_only_an_account_manager_grants_and_removes(money):
    buyer = await monthly(money)
    put = PutDiscount(organization=buyer.id, basis_points=20_00)
    taken = RemoveDiscount(organization=buyer.id)
    for ctx in (
        await buyer.act(),
        await as_owner(buyer),
        await as_owner(buyer, account_manager=True),
    ):
        async with refused(Code.FORBIDDEN):
            await discounts.put(ctx, put)
        async with refused(Code.FORBIDDEN):
            await discounts.remove(ctx, taken)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"basis_points": 1, "amount_minor": 1},
        {"basis_points": 1, "periods": 1, "until": MAY},
    ],
)
async def test_c54_a_discount_that_says_two_things_or_none_is_refused(money, terms):
    buyer = await monthly(money)
    async with refused(Code.INVALID_REQUEST):
        await grant(buyer, **terms)


async def test_c54_there_is_nothing_to_take_off_a_free_plan(money):
    buyer = await money.buyer("organization")
    async with refused(Code.STATE_CONFLICT, state="a free plan"):
        await grant(buyer, basis_points=20_00)


async def test_c54_what_members_pay_themselves_is_not_discounted(money):
    workspace = await a_workspace(money)
    await workspace.sign_up()
    async with refused(Code.STATE_CONFLICT, state="no subscription"):
        await grant(workspace.buyer, basis_points=20_00)


async def test_c54_while_a_change_waits_for_its_payment_nothing_is_granted(money):
    buyer = await monthly(money)
    await buyer.ask(PurchaseSeats(quantity=1), payment_method="sandbox_action_required")
    async with refused(Code.REQUEST_IN_PROGRESS):
        await grant(buyer, basis_points=20_00)
