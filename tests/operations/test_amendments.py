"""Amendments: asked, offered, accepted, carried out on their day; exceptions with a reason."""

import asyncio

import pytest

from seatkeeper.domain.amendments import AmendmentState
from seatkeeper.domain.ids import AmendmentId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import amendments
from seatkeeper.operations.amendment_words import (
    AcceptAmendment,
    QuoteAmendment,
    ReadAmendments,
    RequestAmendment,
    SeatDelta,
)
from seatkeeper.operations.asked import PurchaseSeats
from tests.money_world import day, shape
from tests.operations import deals
from tests.operations.deals import accept, agreed, amendment, contract, decline, quote, request
from tests.world import refused

NEXT_YEAR = day(2027, 1, 1)


async def business(money, seats=10, plan="business", **more):
    buyer = await money.buyer("workspace")
    await contract(buyer, plan, {"member": seats}, **more)
    return buyer


async def test_t30_t31_two_more_on_a_monthly_contract_come_with_the_next_cycle(money):
    buyer = await business(money)
    await money.advance(day(2026, 3, 10))
    async with refused(Code.CONTRACT_MANAGED):
        await buyer.change(PurchaseSeats(quantity=2))
    asked = await request(buyer, {"member": 2}, note="two more, please")
    assert (asked.state, asked.seats, asked.offer) == ("requested", {"member": 2}, None)
    offered = await quote(buyer, asked.amendment)
    assert (offered.state, offered.offer.due_now_minor) == ("quoted", 0)
    assert (offered.effective_at, offered.offer.scheduled) == (day(2026, 4, 1), True)
    accepted = await accept(buyer, asked.amendment)
    assert accepted.state == "scheduled"
    assert await buyer.seats() == (10, 0, 0, 0)  # not yet
    assert len(await buyer.totals()) == 3  # March 0.00
    await money.advance(day(2026, 4, 1))
    assert await buyer.seats() == (12, 0, 0, 0)
    assert (await buyer.last()).total_minor == 96_000  # 12 x 80.00
    done = await amendment(buyer, asked.amendment)
    assert (done.state, done.closed_at) == ("applied", day(2026, 4, 1))
    kinds = await buyer.events("amendment.")
    assert [kind.removeprefix("amendment.") for kind in kinds] == [
        "requested",
        "quoted",
        "accepted",
        "scheduled",
        "applied",
    ]


async def test_t30_t31_two_more_on_a_yearly_contract_work_at_once_and_pay_for_its_rest(money):
    buyer = await business(money, plan="business_yearly", net_terms_days=60)
    await money.advance(day(2026, 4, 1))
    done = await agreed(buyer, {"member": 2})
    assert (done.state, done.offer.due_now_minor) == ("applied", 144_658)
    assert await buyer.seats() == (12, 0, 0, 0)
    last = await buyer.last()
    assert shape(last) == [("added_seats", 12, 275, 365, 144_658)]  # 2 x 960.00 x 275/365
    assert (last.state, (last.due_at - money.now).days) == ("open", 60)
    await deals.sign(buyer)
    await money.advance(NEXT_YEAR)
    assert (await buyer.last()).total_minor == 1_152_000  # 12 x 960.00


@pytest.mark.parametrize(
    ("plan", "at", "renewed"),
    [("business", day(2026, 2, 1), 56_000), ("business_yearly", NEXT_YEAR, 672_000)],
)
async def test_t33_fewer_seats_from_the_next_cycle_or_from_the_renewal(money, plan, at, renewed):
    buyer = await business(money, plan=plan)
    await deals.sign(buyer)
    done = await agreed(buyer, {"member": -3})
    assert (done.state, done.effective_at) == ("scheduled", at)
    await money.advance(at)
    assert (await buyer.last()).total_minor == renewed
    assert await buyer.seats() == (7, 0, 0, 0)


async def test_t33_a35_on_the_day_nobody_loses_a_seat(money):
    buyer = await business(money)
    await agreed(buyer, {"member": -3})
    await buyer.crowd(9, "member")
    assert (await deals.coming(buyer)).seats[0].because == [
        "carried",
        "scheduled",
        "kept_for_occupied",
    ]
    await money.advance(day(2026, 2, 1))
    assert await buyer.seats() == (9, 9, 0, 0)
    async with refused(Code.SEATS_IN_USE, needed=1):
        await agreed(buyer, {"member": -1})


async def test_t33_g13_the_exception_has_a_reason_a_credit_note_and_leaves_a_trail(money):
    buyer = await business(money, plan="business_yearly")
    await money.advance(day(2026, 4, 1))
    [first] = await buyer.invoices()
    asked = await request(buyer, {"member": -3})
    async with refused(Code.INVALID_REQUEST):
        await quote(buyer, asked.amendment, effective="now")
    async with refused(Code.INVALID_REQUEST):
        await quote(buyer, asked.amendment, credit=(first.invoice, 100))
    async with refused(Code.INVALID_REQUEST, left_minor=960_000):
        await quote(buyer, asked.amendment, credit=(first.invoice, 960_001), reason="x")
    await quote(
        buyer,
        asked.amendment,
        effective="now",
        reason="a team was closed",
        credit=(first.invoice, 200_000),
    )
    done = await accept(buyer, asked.amendment)
    assert (done.state, done.credit_minor) == ("applied", 200_000)
    assert await buyer.seats() == (7, 0, 0, 0)
    assert (await buyer.events("credit_note.")) == ["credit_note.created"]
    row = await money.row(
        """select actor, facts from event where organization_id = $1
            and kind = 'amendment.accepted'""",
        buyer.organization_id,
    )
    assert (row["facts"]["effective"], row["facts"]["reason"]) == ("now", "a team was closed")
    await deals.sign(buyer)
    await money.advance(NEXT_YEAR)
    last = await buyer.last()
    assert (last.total_minor, last.balance_used_minor) == (672_000, 200_000)


async def test_t34_b059_only_the_account_manager_names_prices_and_only_in_their_own_name(money):
    buyer = await business(money)
    asked = await request(buyer, {"member": 2})
    offer = QuoteAmendment(organization=buyer.id, amendment=AmendmentId.parse(asked.amendment))
    async with refused(Code.FORBIDDEN):
        await amendments.quote(await buyer.act(), offer)
    async with refused(Code.CONTRACT_MANAGED):
        await amendments.quote(await deals.as_owner(buyer, account_manager=True), offer)
    assert "prices" not in RequestAmendment.__struct_fields__


async def test_t34_an_owner_accepts_or_the_account_manager_with_a_note(money):
    buyer = await business(money)
    asked = await request(buyer, {"member": 2}, note="as discussed")
    async with refused(Code.STATE_CONFLICT, state="requested"):
        await accept(buyer, asked.amendment)
    await quote(buyer, asked.amendment)
    async with refused(Code.INVALID_REQUEST):
        await accept(buyer, asked.amendment, account_manager=True)
    done = await accept(buyer, asked.amendment, account_manager=True, note="e-mail of 3 March")
    assert (done.state, done.note) == ("scheduled", "as discussed\ne-mail of 3 March")
    assert (await accept(buyer, asked.amendment)).version == done.version  # twice is once
    async with refused(Code.STATE_CONFLICT, state="scheduled"):
        await decline(buyer, asked.amendment)
    other = await quote(buyer, (await request(buyer, {"member": 1})).amendment)
    command = AcceptAmendment(organization=buyer.id, amendment=AmendmentId.parse(other.amendment))
    assert (await amendments.accept(await deals.as_owner(buyer), command)).state == "scheduled"


async def test_t34_declined_is_declined(money):
    buyer = await business(money)
    asked = await request(buyer, {"member": 2})
    await quote(buyer, asked.amendment)
    assert (await decline(buyer, asked.amendment, note="too dear")).state == "declined"
    assert (await decline(buyer, asked.amendment)).note == "too dear"
    for late in (quote, accept):
        async with refused(Code.STATE_CONFLICT, state=AmendmentState.DECLINED):
            await late(buyer, asked.amendment)


async def test_t34_an_offer_expires_by_the_clock_and_can_be_made_again_before(money):
    buyer = await business(money)
    asked = await request(buyer, {"member": 2})
    first = await quote(buyer, asked.amendment, valid_days=2)
    second = await quote(buyer, asked.amendment, valid_days=10)
    assert (second.expires_at - first.expires_at).days == 8
    forgotten = await request(buyer, {"member": 1})
    await money.advance(day(2026, 1, 11, 8))
    assert (await amendment(buyer, asked.amendment)).state == "quoted"
    money.now = second.expires_at  # its instant has come, the worker not yet
    async with refused(Code.QUOTE_EXPIRED):
        await accept(buyer, asked.amendment)
    done = await money.advance(day(2026, 1, 12))
    assert done["amendments_expired"] == 1
    closed = await amendment(buyer, asked.amendment)
    assert (closed.state, closed.closed_at) == ("expired", second.expires_at)
    async with refused(Code.STATE_CONFLICT, state="expired"):
        await quote(buyer, asked.amendment)
    await money.advance(day(2026, 2, 1))
    assert (await amendment(buyer, forgotten.amendment)).state == "expired"


async def test_a22_m9_the_amount_that_was_shown_is_charged_or_the_difference_told(money):
    buyer = await business(money, plan="business_yearly")
    await money.advance(day(2026, 3, 25))
    asked = await request(buyer, {"member": 2})
    offered = await quote(buyer, asked.amendment)
    shown = offered.offer.due_now_minor
    assert shown == 148_340  # 2 x 960.00 x 282/365
    await money.advance(day(2026, 4, 1))
    async with refused(Code.QUOTE_OUTDATED, difference_minor=144_658 - 148_340):
        await accept(buyer, asked.amendment, due_now_minor=shown)
    done = await accept(buyer, asked.amendment, due_now_minor=144_658)
    assert done.offer.due_now_minor == (await buyer.last()).total_minor == 144_658


async def test_t30_amendments_for_one_day_add_up(money):
    buyer = await business(money)
    await agreed(buyer, {"member": 2})
    await agreed(buyer, {"member": 3})
    await agreed(buyer, {"member": -1})
    await money.advance(day(2026, 2, 1))
    assert await buyer.seats() == (14, 0, 0, 0)
    assert (await buyer.last()).total_minor == 14 * 8_000


async def test_m14_agreed_prices_hold_from_the_next_term_on(money):
    buyer = await business(money)
    done = await agreed(buyer, prices={"member": 7_000})
    assert (done.state, done.prices.seats) == ("scheduled", {"member": 7_000})
    assert (await deals.coming(buyer)).total_minor == 70_000
    await money.advance(day(2026, 3, 1))
    assert await buyer.totals() == [80_000, 70_000, 70_000]
    assert (await deals.shown(buyer)).prices.seats == {"member": 7_000}


async def test_a26_prices_with_more_seats_hold_at_once_for_what_is_billed_from_now_on(money):
    buyer = await business(money, plan="business_yearly")
    await money.advance(day(2026, 4, 1))
    await agreed(buyer, {"member": 2})
    await agreed(buyer, {"member": 2}, prices={"member": 48_000})
    # 2 x 960.00 x 275/365, then 2 x 480.00 x 275/365: the same day, each at its price
    assert (await buyer.totals())[1:] == [144_658, 72_329]
    await deals.sign(buyer)
    await money.advance(NEXT_YEAR)
    assert (await buyer.last()).total_minor == 14 * 48_000


async def test_a30_another_plan_at_the_renewal_by_amendment(money):
    buyer = await business(money)
    await buyer.crowd(4, "member")
    done = await agreed(buyer, plan="business_yearly", prices={"member": 90_000})
    assert (done.state, done.effective_at) == ("scheduled", day(2026, 2, 1))
    assert (await deals.coming(buyer)).kind == "change_plan"
    await money.advance(day(2026, 2, 1))
    made = await deals.shown(buyer)
    assert (made.plan, made.kind, made.seats) == (
        "business_yearly",
        "annual_upfront",
        {"member": 10},
    )
    assert (await buyer.last()).total_minor == 900_000
    assert (await amendment(buyer, done.amendment)).state == "applied"


async def test_c50_another_plan_at_once_is_an_exception_with_credit_for_the_rest(money):
    buyer = await business(money)
    await money.advance(day(2026, 1, 16))
    waiting = await agreed(buyer, {"member": 2})
    done = await agreed(
        buyer, plan="business_yearly", price="yearly", effective="now", reason="asked for"
    )
    assert done.state == "applied"
    assert (await buyer.last()).total_minor == 960_000 - 41_290  # 10 x 80.00 x 16/31 back
    assert (await deals.shown(buyer)).kind == "annual_upfront"
    assert (await amendment(buyer, waiting.amendment)).state == "expired"  # its plan is gone


async def test_c51_a_plan_that_cannot_hold_the_people_any_more_is_not_begun(money):
    mark = money.engine.new_id().hex[-12:]
    small = {**deals.plan("business_yearly"), "limit": 12}
    catalog = await money.shelve(mark, {"business": deals.plan("business"), "small": small})
    buyer = await money.buyer(catalog)
    await contract(buyer, f"business_{mark}", {"member": 10})
    done = await agreed(buyer, plan=f"small_{mark}")
    await agreed(buyer, {"member": 5}, effective="now", reason="a project")
    await buyer.crowd(13, "member")
    assert (await deals.coming(buyer)).kind == "renewal"
    await money.advance(day(2026, 2, 1))
    assert (await amendment(buyer, done.amendment)).state == "expired"
    assert "change.failed" in await buyer.events("change.")
    assert (await buyer.last()).total_minor == 15 * 8_000


async def test_a96_unsigned_and_ended_contracts_take_no_amendment(money):
    buyer = await business(money, plan="business_yearly")
    waiting = await agreed(buyer, {"member": -1})
    asked = await request(buyer, {"member": 2})
    await money.advance(NEXT_YEAR)
    fresh = await request(buyer, {"member": 3})
    async with refused(Code.STATE_CONFLICT, state="unsigned"):
        await quote(buyer, fresh.amendment)
    await money.advance(day(2027, 2, 1))
    states = [(await amendment(buyer, one.amendment)).state for one in (waiting, asked, fresh)]
    assert states == ["expired", "expired", "expired"]
    for late in (request, quote, accept):
        async with refused(Code.NOT_FOUND):
            await late(buyer, *([] if late is request else [fresh.amendment]))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"seats": [SeatDelta(change=0)]},
        {"seats": [SeatDelta(change=1), SeatDelta(change=2, seat_type="member")]},
        {"seats": [SeatDelta(change=1, seat_type="guest")]},
    ],
)
async def test_t34_an_amendment_asks_for_something(money, asked):
    buyer = await business(money)
    command = RequestAmendment(organization=buyer.id, **asked)
    async with refused(Code.INVALID_REQUEST):
        await amendments.request(await buyer.act(), command)


async def test_t34_amendments_are_listed_newest_first_and_belong_to_their_organization(money):
    buyer = await business(money)
    made = [(await request(buyer, {"member": n})).amendment for n in (1, 2, 3)]
    await decline(buyer, made[1])
    first = await amendments.list_all(
        await buyer.ctx(), ReadAmendments(organization=buyer.id, limit=2)
    )
    rest = await amendments.list_all(
        await buyer.ctx(), ReadAmendments(organization=buyer.id, limit=2, after=first.next)
    )
    assert [item.amendment for item in (*first.items, *rest.items)] == made[::-1]
    declined = await amendments.list_all(
        await buyer.ctx(), ReadAmendments(organization=buyer.id, state=AmendmentState.DECLINED)
    )
    assert [item.amendment for item in declined.items] == [made[1]]
    other = await business(money)
    for foreign in (amendment, decline):
        async with refused(Code.NOT_FOUND):
            await foreign(other, made[0])


async def test_t34_accepted_by_five_at_once_it_is_carried_out_once(money):
    buyer = await business(money, plan="business_yearly")
    await money.advance(day(2026, 4, 1))
    offered = await quote(buyer, (await request(buyer, {"member": 2})).amendment)
    command = AcceptAmendment(organization=buyer.id, amendment=AmendmentId.parse(offered.amendment))
    done = await asyncio.gather(*[amendments.accept(await buyer.act(), command) for _ in range(5)])
    assert {one.state for one in done} == {"applied"}
    assert await buyer.totals() == [960_000, 144_658]
    assert await buyer.seats() == (12, 0, 0, 0)


async def test_a26_the_account_manager_asks_by_a_note_and_offers_what_was_agreed(money):
    buyer = await business(money)
    asked = await request(buyer, account_manager=True, note="call of 3 March")
    async with refused(Code.INVALID_REQUEST):
        await quote(buyer, asked.amendment)
    offered = await quote(buyer, asked.amendment, seats=[SeatDelta(change=4)])
    assert offered.seats == {"member": 4}
    assert (await accept(buyer, asked.amendment)).state == "scheduled"
