"""Quotes: what is shown is what is charged, for half an hour of one day, or one is told why not."""

import asyncio

import pytest

from seatkeeper.domain.ids import QuoteId
from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import changes, quotes
from seatkeeper.operations.asked import Cancel, ConvertSeats, PurchaseSeats, ReduceSeats
from tests.money_world import day
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


@pytest.fixture
async def buyer(money):
    return await money.buyer(plan="enterprise", seats={"enterprise": 20}, zone="America/New_York")


async def test_a22_the_quote_is_the_charge(money, buyer):
    await money.advance(day(2026, 4, 1, 12))
    quote = await buyer.quote(PurchaseSeats(quantity=10))
    made = await buyer.change(quote=quote.quote)
    assert made.quote == quote.quote
    assert (await buyer.last()).payable_minor == quote.due_now_minor == 1808_22
    assert [line.discount_minor for line in quote.lines] == [
        line.discount_minor for line in (await buyer.last()).lines
    ]


async def test_a22_a_quote_changes_nothing(money, buyer):
    for asked in (PurchaseSeats(quantity=10), ReduceSeats(target=20), Cancel()):
        try:
            await buyer.quote(asked)
        except Refused:
            continue
    assert await buyer.seats() == (20, 0, 0, 0)
    assert (await buyer.subscription()).status == "active"
    assert len(await buyer.invoices()) == 1


async def test_a22_a_quote_lives_half_an_hour(money, buyer):
    quote = await buyer.quote(PurchaseSeats(quantity=1))
    money.pass_time(minutes=29, seconds=59)
    again = await buyer.quote(PurchaseSeats(quantity=1))
    await buyer.change(quote=quote.quote)
    money.pass_time(minutes=30)
    async with refused(Code.QUOTE_EXPIRED):
        await buyer.ask(quote=again.quote)


async def test_a22_a_quote_dies_at_local_midnight(money, buyer):
    await money.advance(day(2026, 4, 2, 3).replace(minute=50))  # 23:50 in New York
    quote = await buyer.quote(PurchaseSeats(quantity=1))
    money.pass_time(minutes=9)
    other = await buyer.quote(PurchaseSeats(quantity=2))
    money.pass_time(minutes=1)
    for old in (quote, other):
        async with refused(Code.QUOTE_EXPIRED):
            await buyer.ask(quote=old.quote)
    assert (await buyer.quote(PurchaseSeats(quantity=1))).due_now_minor < quote.due_now_minor


async def test_a22_facts_that_changed_make_a_quote_outdated_with_the_difference(money):
    buyer = await money.buyer("organization", plan="ten_included", seats={"member": 10})
    await buyer.add(1)
    await buyer.pays_with("sandbox_ok")
    five = await money.buyer("organization", plan="first_five_flat", seats={"member": 4})
    quote = await five.quote(PurchaseSeats(total=6))
    await five.add(1)
    async with refused(Code.QUOTE_OUTDATED, quoted_minor=5_00, due_now_minor=5_00) as found:
        await five.ask(quote=quote.quote)
    assert found[0].facts["difference_minor"] == 0
    adds = await five.quote(PurchaseSeats(quantity=1))
    await five.add(2)
    async with refused(Code.QUOTE_OUTDATED):
        await five.ask(quote=adds.quote)


async def test_b027_one_quote_and_two_keys_one_purchase(money, buyer):
    quote = await buyer.quote(PurchaseSeats(quantity=5))

    async def click(key):
        command = changes.MakeChange(organization=buyer.id, quote=QuoteId.parse(quote.quote))
        try:
            return await changes.make(await buyer.act(key=key), command)
        except Refused as error:
            return error.refusal

    outcomes = await asyncio.gather(click("one"), click("two"))
    made = [o for o in outcomes if isinstance(o, changes.Change)]
    (other,) = [o for o in outcomes if not isinstance(o, changes.Change)]
    assert [m.state for m in made] == ["applied"]
    assert other.code in (Code.STATE_CONFLICT, Code.REQUEST_IN_PROGRESS)
    assert await buyer.seats() == (25, 0, 0, 0)
    assert len(await buyer.invoices()) == 2
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(quote=quote.quote, key="three")


async def test_a_declined_quote_can_be_accepted_with_another_card(money, buyer):
    quote = await buyer.quote(PurchaseSeats(quantity=5))
    refusal = await buyer.ask(quote=quote.quote, payment_method="sandbox_declined")
    assert refusal.code is Code.PAYMENT_DECLINED
    await buyer.change(quote=quote.quote)
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_prices_by_the_second_are_charged_as_quoted(money):
    catalog, plan = await money.variant("enterprise", "team", policies={"proration": "second"})
    buyer = await money.buyer(catalog, plan=plan, price="monthly", seats={"standard": 10})
    await money.advance(day(2026, 1, 16, 12))
    quote = await buyer.quote(PurchaseSeats(quantity=2, seat_type="standard"))
    assert quote.due_now_minor == 30_00  # 2 x 30.00 x half of the month
    money.pass_time(minutes=20)
    await buyer.change(quote=quote.quote)
    assert (await buyer.last()).payable_minor == 30_00
    stale = await buyer.quote(PurchaseSeats(quantity=1, seat_type="standard"))
    money.pass_time(seconds=1)
    await buyer.add(1, "standard")
    async with refused(Code.QUOTE_OUTDATED):
        await buyer.ask(quote=stale.quote)


async def test_either_a_change_or_a_quote(money, buyer):
    quote = await buyer.quote(PurchaseSeats(quantity=5))
    async with refused(Code.INVALID_REQUEST):
        await buyer.ask(PurchaseSeats(quantity=5), quote=quote.quote)
    async with refused(Code.INVALID_REQUEST):
        await buyer.ask()


async def test_t11_another_organizations_quote_is_not_there(money, buyer):
    other = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    quote = await buyer.quote(PurchaseSeats(quantity=5))
    async with refused(Code.NOT_FOUND):
        await other.ask(quote=quote.quote)


async def test_a46_a_conversion_is_quoted_like_it_is_charged(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 10})
    await money.advance(day(2026, 1, 15))
    asked = ConvertSeats(from_type="standard", to_type="premium", quantity=3)
    quote = await buyer.quote(asked)
    assert quote.seats_change == {"standard": -3, "premium": 3}
    await buyer.change(quote=quote.quote)
    assert (await buyer.last()).payable_minor == quote.due_now_minor


async def test_if_match_b029_two_totals_at_once_one_of_them_is_told(money, buyer):
    version = (await buyer.subscription()).version

    async def wants(total):
        command = changes.MakeChange(organization=buyer.id, change=PurchaseSeats(total=total))
        try:
            return await changes.make(await buyer.act(if_match=version), command)
        except Refused as error:
            return error.refusal

    outcomes = await asyncio.gather(wants(22), wants(25))
    (made,) = [o for o in outcomes if isinstance(o, changes.Change)]
    (told,) = [o for o in outcomes if not isinstance(o, changes.Change)]
    assert told.code in (Code.PRECONDITION_FAILED, Code.REQUEST_IN_PROGRESS)
    assert (await buyer.seats())[0] == 20 + made.seats_change["enterprise"] in (22, 25)
    async with refused(Code.PRECONDITION_FAILED):
        await buyer.ask(PurchaseSeats(quantity=1), if_match=version)
    fresh = (await buyer.subscription()).version
    await buyer.add(1, if_match=fresh)


async def test_a_quote_of_what_would_be_refused_is_refused(money, buyer):
    command = quotes.AskQuote(organization=buyer.id, change=ReduceSeats(target=5))
    async with refused(Code.BELOW_MINIMUM_SEATS):
        await quotes.ask(await buyer.act(), command)
