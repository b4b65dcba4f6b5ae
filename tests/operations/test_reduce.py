"""Fewer seats: when they go, who may ask, and what stands in the way on the day."""

import pytest

from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import members, withdrawals
from seatkeeper.operations.asked import PurchaseSeats, ReduceSeats
from seatkeeper.operations.withdrawals import CancelChange
from tests.money_world import day, shape, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def enterprise(money, seats=60, people=0):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": seats})
    await buyer.crowd(people, "enterprise")
    return buyer


async def test_a24_a29_a32_a_reduction_waits_for_the_renewal_and_gives_nothing_back(money):
    buyer = await enterprise(money, 50)
    await money.advance(day(2026, 4, 1))
    await buyer.add(10)
    await money.advance(day(2026, 6, 15))
    quote = await buyer.quote(ReduceSeats(target=45))
    assert (quote.scheduled, quote.due_now_minor, quote.lines) == (True, 0, [])
    made = await buyer.change(quote=quote.quote)
    assert (made.state, made.effective_at) == ("scheduled", day(2027, 1, 1))
    assert await buyer.seats() == (60, 0, 0, 0)
    await money.advance(day(2027, 1, 1))
    # 50 x 240, 10 x 240 x 275/365, 45 x 240
    assert await buyer.totals() == [12000_00, 1808_22, 10800_00]
    assert await buyer.seats() == (45, 0, 0, 0)


async def test_a24_without_a_reduction_the_enlarged_count_renews_at_full_price(money):
    buyer = await enterprise(money, 50)
    await money.advance(day(2026, 4, 1))
    await buyer.add(10)
    await money.advance(day(2027, 1, 1))
    assert (await buyer.totals())[-1] == 14400_00


async def test_a35_people_who_came_meanwhile_keep_their_seats(money):
    buyer = await enterprise(money, 60)
    await buyer.reduce(45)
    await buyer.crowd(48, "enterprise")
    await money.advance(day(2027, 1, 1))
    assert (await buyer.totals())[-1] == 11520_00  # 48 x 240
    assert await buyer.seats() == (48, 48, 0, 0)


async def test_a34_a_target_below_what_is_occupied_is_refused(money):
    buyer = await enterprise(money, 30, people=24)
    await buyer.invite("p1", seat_type="enterprise")
    async with refused(Code.SEATS_IN_USE, needed=3) as found:
        await buyer.reduce(22)
    assert {r.way for r in found[0].remedies} == {"free_seat", "revoke_invitation"}


async def test_a12_a_target_below_the_minimum_is_refused(money):
    buyer = await enterprise(money, 30)
    async with refused(Code.BELOW_MINIMUM_SEATS, minimum=20):
        await buyer.reduce(19)


async def test_a30_now_is_not_mid_term_and_both_ways_out_are_named(money):
    buyer = await enterprise(money, 30)
    async with refused(Code.REDUCTION_NOT_ALLOWED_MID_TERM) as found:
        await buyer.reduce(25, now=True)
    ways = [r.way for r in found[0].remedies]
    assert ways == ["schedule_for_renewal", "contact_account_manager"]


async def test_a31_under_a_contract_only_the_account_manager_reduces(money):
    buyer = await money.buyer(method=None)
    await buyer.change(subscribing("enterprise_assisted", {"enterprise": 40}), manager=True)
    async with refused(Code.CONTRACT_MANAGED):
        await buyer.reduce(30)
    made = await buyer.reduce(30, manager=True)
    assert made.state == "scheduled"


async def test_a30_t33_the_account_manager_can_reduce_at_once(money):
    buyer = await money.buyer(method=None)
    await buyer.change(subscribing("enterprise_assisted", {"enterprise": 40}), manager=True)
    made = await buyer.reduce(30, now=True, manager=True)
    assert (made.state, await buyer.seats()) == ("applied", (30, 0, 0, 0))
    assert await buyer.totals() == [9600_00]  # nothing comes back by itself


async def test_c32_where_renewal_sizes_seats_nothing_is_reduced_by_hand(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 5})
    async with refused(Code.REDUCTION_NOT_ALLOWED_MID_TERM):
        await buyer.reduce(4)


async def test_a29_a_newer_reduction_takes_the_place_of_the_older(money):
    buyer = await enterprise(money, 60)
    first = await buyer.reduce(45)
    second = await buyer.reduce(50)
    assert await _states(buyer) == {first.change: "canceled", second.change: "scheduled"}
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (50, 0, 0, 0)


async def test_a29_a_scheduled_reduction_can_be_taken_back(money):
    buyer = await enterprise(money, 60)
    made = await buyer.reduce(45)
    command = CancelChange(organization=buyer.id, change=ChangeId.parse(made.change))
    for _ in range(2):
        taken_back = await withdrawals.cancel(await buyer.ctx(), command)
        assert taken_back.state == "canceled"
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (60, 0, 0, 0)


async def test_the_quote_of_a_reduction_is_accepted_once(money):
    buyer = await enterprise(money, 60)
    quote = await buyer.quote(ReduceSeats(target=45))
    await buyer.change(quote=quote.quote, key="one")
    async with refused(Code.STATE_CONFLICT):
        await buyer.ask(quote=quote.quote, key="two")


async def test_a33_removing_a_member_changes_no_bill(money):
    buyer = await enterprise(money, 30)
    ada = await buyer.join("ada", "enterprise")
    command = members.RemoveMember(organization=buyer.id, member=ada)
    await members.remove(await buyer.ctx(), command)
    assert await buyer.seats() == (30, 0, 0, 0)
    assert len(await buyer.invoices()) == 1


async def test_b067_three_added_and_three_removed_at_one_instant_net_to_nothing(money):
    policies = {"reduce_when": "now", "reduction_money": "credit"}
    catalog, plan = await money.variant("organization", "per_seat", policies=policies)
    buyer = await money.buyer(catalog, plan=plan, seats={"member": 2})
    await money.advance(day(2026, 1, 11))
    for _ in range(5):
        await buyer.add(3)
        await buyer.reduce(2, now=True)
    totals = await buyer.totals()
    balance = (
        await money.row(
            "select balance_minor from billing_account where organization_id = $1",
            buyer.organization_id,
        )
    )["balance_minor"]
    due = sum(i.payable_minor for i in await buyer.invoices())
    assert due - balance == 16_00  # what the first two seats cost, and nothing else
    assert totals[0] == 16_00
    assert await buyer.seats() == (2, 1, 0, 0)


async def test_g6_a_credited_reduction_goes_to_the_balance_and_pays_the_next_invoice(money):
    policies = {"reduce_when": "now", "reduction_money": "credit"}
    catalog, plan = await money.variant("organization", "per_seat", policies=policies)
    buyer = await money.buyer(catalog, plan=plan, seats={"member": 5})
    await money.advance(day(2026, 1, 16))  # 16 of 31 days are left
    await buyer.reduce(1, now=True)
    invoice = await buyer.last()
    assert [(x.kind, x.amount_minor) for x in invoice.lines] == [
        ("returned_seats", -16_52),  # 4 x 8.00 x 16/31
        ("carried_to_balance", 16_52),
    ]
    await money.advance(day(2026, 2, 1))
    renewal = await buyer.last()
    assert (renewal.total_minor, renewal.balance_used_minor, renewal.payable_minor) == (
        8_00,
        8_00,
        0,
    )


async def test_a17_a_type_that_is_not_owned_is_named(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 1})
    async with refused(Code.SEAT_TYPE_NOT_OWNED, seat_type="premium"):
        await buyer.reduce(0, "premium")
    await buyer.add(1, "premium")
    assert shape(await buyer.last()) == [("added_seats", 1, 30, 31, 145_16)]  # 150 x 30/31


async def test_a_purchase_after_a_reduction_was_scheduled_adds_to_what_renews(money):
    buyer = await enterprise(money, 60)
    await buyer.reduce(45)
    await buyer.change(PurchaseSeats(quantity=5))
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (50, 0, 0, 0)  # 60 - 15 + 5


async def _states(buyer):
    rows = await buyer.world.rows(
        "select change_id, state from change where organization_id = $1 and slot is not null",
        buyer.organization_id,
    )
    return {ChangeId.text(row["change_id"]): row["state"] for row in rows}
