"""Trials: nothing is charged until they end, and they are had once."""

import pytest

from seatkeeper.domain.refusals import Code
from seatkeeper.operations.asked import Cancel, PurchaseSeats, Resume, Subscribe
from tests.money_world import day, shape
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")

TRIAL = Subscribe(plan="trial", trial=True)


async def trying(money, people=1, **how):
    buyer = await money.buyer("organization", **how)
    await buyer.crowd(people - 1)
    await buyer.change(TRIAL)
    return buyer


async def test_c20_a_trial_costs_nothing_and_converts_by_itself(money):
    buyer = await trying(money, 2)
    on = await buyer.subscription()
    assert (on.status, on.trial_end) == ("trialing", day(2026, 1, 15))
    assert await buyer.invoices() == []
    await money.advance(day(2026, 1, 15))
    on = await buyer.subscription()
    assert (on.status, on.period_end) == ("active", day(2026, 2, 15))
    assert shape(await buyer.last()) == [("seats", 2, 1, 1, 24_00)]


async def test_c21_seats_bought_during_the_trial_are_paid_when_it_ends(money):
    buyer = await trying(money)
    quote = await buyer.quote(PurchaseSeats(quantity=2))
    assert (quote.due_now_minor, quote.lines) == (0, [])
    await buyer.change(quote=quote.quote)
    assert await buyer.seats() == (3, 1, 0, 0)
    await buyer.crowd(2)
    await money.advance(day(2026, 1, 15))
    assert await buyer.totals() == [36_00]


async def test_c34_the_first_paid_period_is_sized_like_any_other(money):
    buyer = await trying(money)
    await buyer.add(4)
    await money.advance(day(2026, 1, 15))
    assert await buyer.totals() == [12_00]


async def test_c20_cancelling_keeps_access_to_the_end_of_the_trial(money):
    buyer = await trying(money)
    made = await buyer.change(Cancel())
    assert made.effective_at == day(2026, 1, 15)
    await money.advance(day(2026, 1, 14))
    assert (await buyer.subscription()).plan == "trial"
    await money.advance(day(2026, 1, 15))
    assert (await buyer.subscription()).plan == "free"
    assert await buyer.invoices() == []


async def test_c20_a_cancelled_trial_can_be_resumed(money):
    buyer = await trying(money)
    await buyer.change(Cancel())
    await buyer.change(Resume())
    assert (await buyer.subscription()).status == "trialing"
    await money.advance(day(2026, 1, 15))
    assert await buyer.totals() == [12_00]


async def test_c20_nobody_tries_twice(money):
    buyer = await trying(money)
    await buyer.change(Cancel())
    await money.advance(day(2026, 1, 16))
    async with refused(Code.STATE_CONFLICT, state="no trial available"):
        await buyer.ask(TRIAL)
    await buyer.change(Subscribe(plan="trial"))
    assert await buyer.totals() == [12_00]


async def test_c20_who_has_paid_before_gets_no_trial(money):
    buyer = await money.buyer("organization", plan="per_seat")
    await buyer.change(Cancel())
    await money.advance(day(2026, 2, 1))
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(TRIAL)


async def test_c20_a_trial_needs_a_payment_method(money):
    buyer = await money.buyer("organization", method=None)
    async with refused(Code.STATE_CONFLICT) as found:
        await buyer.ask(TRIAL)
    assert [r.way for r in found[0].remedies] == ["other_payment_method"]


async def test_c20_unless_the_plan_does_not_ask_for_one(money):
    trial = {"days": 14, "payment_method": False}
    catalog, plan = await money.variant("organization", "trial", trial=trial)
    buyer = await money.buyer(catalog, method=None)
    await buyer.change(Subscribe(plan=plan, trial=True))
    assert (await buyer.subscription()).status == "trialing"


async def test_c42_a_trial_whose_first_payment_fails_is_past_due(money):
    buyer = await trying(money)
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2026, 1, 15, 1))
    assert (await buyer.subscription()).status == "past_due"


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("America/New_York", day(2026, 3, 15, 4)),  # the clocks went forward on the 8th
        ("Europe/Berlin", day(2026, 3, 14, 23)),
        ("Asia/Kolkata", day(2026, 3, 14, 18).replace(minute=30)),
    ],
)
async def test_g2_a_trial_ends_at_local_midnight(money, zone, ends):
    money.now = day(2026, 3, 1, 12)
    buyer = await trying(money, zone=zone)
    assert (await buyer.subscription()).trial_end == ends
