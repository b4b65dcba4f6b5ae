"""The default plan: everyone starts on it and comes back to it."""

import pytest

from seatkeeper.domain.refusals import Code
from seatkeeper.operations import organizations
from seatkeeper.operations.asked import Cancel, ChangePlan, PurchaseSeats
from seatkeeper.operations.organizations import ChangeOrganization
from tests.money_world import day, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def test_c9_an_organization_starts_on_the_default_plan(money):
    buyer = await money.buyer("organization", zone="Europe/Vienna")
    on = await buyer.subscription()
    assert (on.plan, on.status, on.currency) == ("free", "active", "USD")
    assert await buyer.seats() == (5, 1, 0, 0)
    assert on.period_start == day(2025, 12, 31, 23)


async def test_c9_where_there_is_none_it_starts_on_nothing(money):
    buyer = await money.buyer()
    async with refused(Code.NOT_FOUND):
        await buyer.subscription()
    async with refused(Code.STATE_CONFLICT, state="no subscription"):
        await buyer.ask(PurchaseSeats(quantity=1))


async def test_c10_the_limit_is_five_unless_it_is_set(money):
    buyer = await money.buyer("organization")
    await buyer.crowd(4)
    async with refused(Code.OVER_PLAN_LIMIT, limit=5):
        await buyer.join("one-more")
    async with refused(Code.SEAT_TYPE_NOT_OWNED):
        await buyer.reduce(3)


async def test_c11_a_plan_with_seats_sets_its_own_limit(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    command = ChangeOrganization(organization=buyer.id, membership_limit=9)
    async with refused(Code.LIMIT_MANAGED_BY_PLAN):
        await organizations.change(await buyer.ctx(), command)


async def test_c9_it_renews_without_a_bill(money):
    buyer = await money.buyer("organization")
    await money.advance(day(2026, 7, 1))
    assert await buyer.invoices() == []
    assert (await buyer.subscription()).period_start == day(2026, 7, 1)


async def test_c9_non_payment_leads_back_to_it_after_the_grace(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 3})
    await buyer.crowd(2)
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 2, 14, 23))
    assert (await buyer.subscription()).plan == "per_seat"
    await money.advance(day(2026, 2, 15))
    on = await buyer.subscription()
    assert (on.plan, on.status) == ("free", "active")
    assert await buyer.seats() == (5, 3, 0, 0)
    await money.advance(day(2026, 6, 1))  # and stays there
    assert (await buyer.subscription()).plan == "free"
    assert len(await buyer.invoices()) == 2


async def test_c9_a_downgrade_leads_to_it_at_the_end(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 3})
    made = await buyer.change(ChangePlan(plan="free"))
    assert (made.state, made.effective_at) == ("scheduled", day(2026, 2, 1))
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).plan == "free"
    assert await buyer.totals() == [24_00]


async def test_c9_from_it_one_can_subscribe_again_and_again(money):
    buyer = await money.buyer("organization")
    for month in (1, 2, 3):
        await buyer.change(subscribing("per_seat", {}))
        await buyer.change(Cancel())
        await money.advance(day(2026, month + 1, 1))
        assert (await buyer.subscription()).plan == "free"
    assert await buyer.totals() == [8_00, 8_00, 8_00]


async def test_c3_a_base_of_nothing_with_a_fee_per_seat_is_a_paid_plan(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(subscribing("base_and_seats", {}))
    await buyer.change(Cancel())


async def test_c9_the_default_plan_cannot_be_cancelled_into_nothing(money):
    buyer = await money.buyer("organization")
    async with refused(Code.STATE_CONFLICT, state="the default plan"):
        await buyer.ask(Cancel())
