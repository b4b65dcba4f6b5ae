"""Many buy at once: the count is exact, the money too."""

import asyncio
from collections import Counter

import pytest

from seatkeeper.domain.ids import QuoteId
from seatkeeper.domain.refusals import Code, Refusal, Refused
from seatkeeper.operations import changes
from seatkeeper.operations.asked import Cancel, PurchaseSeats, ReduceSeats, Resume
from seatkeeper.operations.due import do_due
from seatkeeper.store.database import Unavailable
from tests.money_world import day, subscribing

pytestmark = pytest.mark.race


async def outcome(awaitable):
    """What came of it: a change's state, or the code of a refusal."""
    try:
        made = await awaitable
    except Refused as refused:
        return refused.refusal.code
    except Unavailable:
        return "unavailable"
    return made.code if isinstance(made, Refusal) else made.state


async def until_done(buyer, asked, **how):
    """Asks again while another payment of the same organization is under way."""
    while True:
        found = await outcome(_make(buyer, asked, **how))
        if found not in (Code.REQUEST_IN_PROGRESS, "unavailable"):
            return found


async def _make(buyer, asked=None, *, quote=None, **how):
    quoted = None if quote is None else QuoteId.parse(quote)
    command = changes.MakeChange(organization=buyer.id, change=asked, quote=quoted)
    return await changes.make(await buyer.act(**how), command)


async def test_c25_as_many_are_sold_as_the_plan_allows(money):
    buyer = await money.buyer("organization", plan="per_seat_limited", seats={"member": 1})
    results = Counter(
        await asyncio.gather(*(until_done(buyer, PurchaseSeats(quantity=1)) for _ in range(14)))
    )
    assert results == {"applied": 9, Code.OVER_PLAN_LIMIT: 5}
    assert await buyer.seats() == (10, 1, 0, 0)
    assert sum(await buyer.totals()) == 50_00


async def test_how_many_click_does_not_change_the_bill(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await money.advance(day(2026, 4, 1))
    await asyncio.gather(*(until_done(buyer, PurchaseSeats(quantity=1)) for _ in range(10)))
    assert sum((await buyer.totals())[1:]) == 1808_22


async def test_two_totals_at_once_end_in_the_larger_or_in_one_of_them(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    wanted = (22, 25)
    results = await asyncio.gather(
        *(until_done(buyer, PurchaseSeats(total=total)) for total in wanted)
    )
    purchased = (await buyer.seats())[0]
    # Each either bought the difference that was left, or was told that it is there already.
    assert purchased == 25
    assert set(results) <= {"applied", Code.QUANTITY_OUT_OF_RANGE}
    assert sum(await buyer.totals()) == 25 * 240_00


async def test_b027_a_quote_is_accepted_once_however_many_click(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    quote = await buyer.quote(PurchaseSeats(quantity=3))
    results = Counter(
        await asyncio.gather(
            *(outcome(_make(buyer, quote=quote.quote, key=f"k{n}")) for n in range(10))
        )
    )
    assert results.pop("applied") == 1
    assert set(results) <= {Code.STATE_CONFLICT, Code.REQUEST_IN_PROGRESS}
    assert await buyer.seats() == (23, 0, 0, 0)
    assert len(await buyer.invoices()) == 2


async def test_b027_the_quote_of_a_first_subscription_too(money):
    buyer = await money.buyer()
    quote = await buyer.quote(subscribing("enterprise", {"enterprise": 20}))
    results = Counter(
        await asyncio.gather(
            *(outcome(_make(buyer, quote=quote.quote, key=f"k{n}")) for n in range(6))
        )
    )
    await buyer.refresh()
    assert results.pop("applied") == 1, results
    assert set(results) <= {Code.STATE_CONFLICT, Code.REQUEST_IN_PROGRESS}
    assert await buyer.seats() == (20, 0, 0, 0)


async def test_one_request_sent_ten_times_happens_once(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    results = await asyncio.gather(
        *(until_done(buyer, PurchaseSeats(quantity=3), key="one") for _ in range(10))
    )
    assert set(results) == {"applied"}
    assert await buyer.seats() == (23, 0, 0, 0)
    assert len(await buyer.invoices()) == 2


async def test_a29_one_scheduled_reduction_is_left_of_many(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 60})
    results = Counter(
        await asyncio.gather(*(until_done(buyer, ReduceSeats(target=40 + n)) for n in range(10)))
    )
    assert results == {"scheduled": 10}
    rows = await money.rows(
        "select state, effect from change where organization_id = $1 and slot is not null",
        buyer.organization_id,
    )
    states = Counter(row["state"] for row in rows)
    assert states == {"canceled": 9, "scheduled": 1}
    (left,) = [row["effect"]["deltas"]["enterprise"] for row in rows if row["state"] == "scheduled"]
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (60 + left, 0, 0, 0)


async def test_b091_buying_while_the_period_turns_bills_each_seat_once(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    money.now = day(2026, 2, 1)

    async def turn():
        await do_due(money.engine, money.now, money.clock_id)
        return "turned"

    tries = [outcome(_make(buyer, PurchaseSeats(quantity=1))) for _ in range(6)]
    results = Counter(await asyncio.gather(turn(), *tries))
    assert results.pop("turned") == 1
    bought = results["applied"]
    assert set(results) <= {
        "applied",
        Code.STATE_CONFLICT,
        Code.REQUEST_IN_PROGRESS,
        "unavailable",
    }
    await turn()  # A turn passes over who is buying at that moment, and comes again.
    # Bought before the turn it cannot be, and after it each seat pays for the whole new period.
    assert sorted(await buyer.totals()) == [8_00] * (2 + bought)
    assert await buyer.seats() == (1 + bought, 1, 0, 0)


async def test_cancelling_and_resuming_at_once_leave_one_of_the_two(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await asyncio.gather(*(until_done(buyer, Cancel() if n % 2 else Resume()) for n in range(8)))
    on = await buyer.subscription()
    assert (on.status == "canceling") == (on.cancel_at is not None)
    await money.advance(day(2027, 1, 1))
    assert len(await buyer.invoices()) == (1 if on.cancel_at else 2)
