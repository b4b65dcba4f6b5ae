"""Seats of one type become seats of another, for the prorated difference."""

import pytest

from seatkeeper.domain.refusals import Code
from seatkeeper.operations.asked import ConvertSeats
from tests.money_world import day
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def test_a46_standard_to_premium_costs_the_prorated_difference(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 10, "premium": 1})
    await money.advance(day(2026, 1, 15))
    quote = await buyer.quote(ConvertSeats(from_type="standard", to_type="premium", quantity=1))
    assert quote.due_now_minor == 61_94  # (150 - 30) x 16/31, the purchase day not counted
    await buyer.change(quote=quote.quote)
    assert await buyer.seats("standard") == (9, 0, 0, 0)
    assert await buyer.seats("premium") == (2, 0, 0, 0)
    assert (await buyer.subscription()).period_end == day(2026, 2, 1)


async def test_a46_the_same_with_the_purchase_day_counted(money):
    catalog, plan = await money.variant("enterprise", "team", policies={"proration": "day"})
    buyer = await money.buyer(catalog, plan=plan, price="monthly", seats={"standard": 10})
    await money.advance(day(2026, 1, 15))
    await buyer.change(ConvertSeats(from_type="standard", to_type="premium", quantity=1))
    assert (await buyer.last()).total_minor == 65_81  # (150 - 30) x 17/31


async def test_a46_conversion_to_a_cheaper_type_is_a_reduction(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 2, "premium": 2})
    async with refused(Code.REDUCTION_NOT_ALLOWED_MID_TERM):
        await buyer.ask(ConvertSeats(from_type="premium", to_type="standard", quantity=1))


async def test_a46_seats_in_use_cannot_be_converted(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 1, "premium": 1})
    await buyer.join("ada", "standard")
    async with refused(Code.SEATS_IN_USE):
        await buyer.ask(ConvertSeats(from_type="standard", to_type="premium", quantity=1))
