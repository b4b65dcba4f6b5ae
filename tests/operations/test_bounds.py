"""A bug in our own arithmetic parks whom it meets: access stays, money stops, someone is told."""

import pytest

from seatkeeper.domain import billing, bounds
from seatkeeper.domain import renewals as domain
from seatkeeper.domain.prices import Price
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import bounds as checking
from seatkeeper.operations.asked import PurchaseSeats
from tests.money_world import day
from tests.operations.deals import contract
from tests.operations.workspaces import a_workspace
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


@pytest.fixture
async def buyer(money):
    made = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await made.crowd(3, "enterprise")
    return made


async def parked(money, buyer, reason):
    """Parked once for that reason, told, and everything as it was."""
    money.parked.add(buyer.organization_id)
    row = await money.row(
        "select parked_reason from organization where organization_id = $1", buyer.organization_id
    )
    assert row["parked_reason"] == reason
    assert await buyer.events("organization.parked") == ["organization.parked"]
    rows = await money.rows(
        "select 1 from invoice where organization_id = $1", buyer.organization_id
    )
    assert len(rows) == 1
    async with refused(Code.PARKED):
        await buyer.ask(PurchaseSeats(quantity=1))


async def test_m19_a_bug_in_proration_parks_and_bills_nothing(money, buyer, monkeypatch):
    await money.advance(day(2026, 4, 1))
    with monkeypatch.context() as patch:
        patch.setattr(Price, "charged", lambda *_: 10 * 240_00 + 1)
        async with refused(Code.PARKED):
            await buyer.ask(PurchaseSeats(quantity=10), key="k")
    assert await buyer.seats() == (20, 3, 0, 0)
    await parked(money, buyer, bounds.TOO_LARGE)
    async with refused(Code.PARKED):
        await buyer.ask(PurchaseSeats(quantity=10), key="k")


@pytest.mark.parametrize("plan", ["plain", "waiting"])
async def test_m19_a_bug_in_a_period_price_parks_whose_renewal_it_meets(
    money, buyer, monkeypatch, plan
):
    """Alone, and among others in one batch; one with people who wait takes its turn alone."""
    money.breaks = True
    other = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    if plan == "waiting":
        await money.run(
            "update seat_pool set waiting = 1 where organization_id = $1", buyer.organization_id
        )
    right = Price.of_period

    def wrong(price, amount, number):
        return right(price, amount, number) * (2 if amount == 20 * 20_00 else 1)

    with monkeypatch.context() as patch:
        patch.setattr(Price, "of_period", wrong)
        await money.advance(day(2027, 1, 1))
    assert (await buyer.subscription()).status == "active"
    if plan == "waiting":
        await money.run(
            "update seat_pool set waiting = 0 where organization_id = $1", buyer.organization_id
        )
    await parked(money, buyer, bounds.TOO_LARGE)
    assert await other.totals() == [8_00] * 13


async def test_m19_a_renewal_that_grows_for_no_reason_parks(money, buyer, monkeypatch):
    money.breaks = True
    right = domain.renewal_quantities
    with monkeypatch.context() as patch:
        patch.setattr(
            domain,
            "renewal_quantities",
            lambda *facts: {
                key: domain.Quantity(found.purchased + 1) for key, found in right(*facts).items()
            },
        )
        await money.advance(day(2027, 1, 1))
    await parked(money, buyer, bounds.UNEXPLAINED)


async def test_m19_too_many_lines_of_one_day_park(money, buyer, monkeypatch):
    for module in (bounds, checking):
        monkeypatch.setattr(module, "LINES_PER_DAY_MAX", 1)
    async with refused(Code.PARKED):
        await buyer.add(1)
    await parked(money, buyer, bounds.TOO_MANY)
    monkeypatch.undo()


async def test_m19_the_lines_of_another_day_do_not_count(money, buyer, monkeypatch):
    for module in (bounds, checking):
        monkeypatch.setattr(module, "LINES_PER_DAY_MAX", 1)
    for date in (2, 3):
        await money.advance(day(2026, 1, date))
        await buyer.add(1)
    assert (await buyer.seats())[0] == 22


async def test_m19_a_contract_is_bounded_too(money, monkeypatch):
    buyer = await money.buyer("enterprise")
    with monkeypatch.context() as patch:
        right = billing.SeatPrice.amount
        patch.setattr(billing.SeatPrice, "amount", lambda *facts: right(*facts) * 3)
        async with refused(Code.PARKED):
            await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    money.parked.add(buyer.organization_id)
    assert await buyer.invoices() == []


async def test_m19_what_a_member_pays_is_bounded_too(money, monkeypatch):
    place = await a_workspace(money, plan=None)
    with monkeypatch.context() as patch:
        right = billing.SeatPrice.amount
        patch.setattr(billing.SeatPrice, "amount", lambda *facts: right(*facts) * 2)
        async with refused(Code.PARKED):
            await place.sign_up()
    money.parked.add(place.buyer.organization_id)
    assert await place.buyer.invoices() == []
