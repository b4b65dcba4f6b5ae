"""Arrivals: seats that are bought for people who come in by themselves, and seats asked for."""

import asyncio

import pytest

from seatkeeper.domain.ids import MemberId, PaymentId
from seatkeeper.domain.members import Permission, Role, decide_permission
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import arrivals, members, seat_requests
from seatkeeper.operations.arrivals import buy_due
from seatkeeper.operations.members import AddMember
from seatkeeper.operations.seat_requests import ListSeatRequests, RequestSeat
from tests.money_world import day, shape, subscribing
from tests.operations.people import add, page
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def enterprise(money, seats=20, **how):
    return await money.buyer("enterprise", plan="enterprise", seats={"enterprise": seats}, **how)


async def full(money, **how):
    """Twenty seats, all taken."""
    buyer = await enterprise(money, **how)
    await buyer.crowd(20, "enterprise")
    return buyer


async def link(buyer, name, **fields):
    return await add(buyer, name, source="link", user=f"{name}-{buyer.organization_id}", **fields)


async def state(buyer, name):
    (member,) = (await page(buyer, q=name)).items
    return member.state


async def queue(buyer):
    command = ListSeatRequests(organization=buyer.id)
    items = (await seat_requests.list_all(await buyer.ctx(), command)).items
    return [(item.name, item.reason) for item in items]


async def request(buyer, member, actor=None, **fields):
    command = RequestSeat(organization=buyer.id, member=MemberId.parse(member.member), **fields)
    return await seat_requests.request(await buyer.ctx(actor), command)


async def test_a58_a_seat_is_bought_and_paid_for_who_joins_by_link(money):
    buyer = await full(money)
    await money.advance(day(2026, 4, 1))
    ada = await link(buyer, "ada")
    assert ada.state == "awaiting_seat"  # as long as the payment ran
    assert await state(buyer, "ada") == "seated"
    assert shape(await buyer.last()) == [("added_seats", 21, 275, 365, 180_82)]  # 240 x 275/365
    assert ((await buyer.last()).state, await buyer.seats()) == ("paid", (21, 21, 0, 0))
    assert await queue(buyer) == []


async def test_a57_a_free_seat_is_taken_without_a_purchase(money):
    buyer = await enterprise(money)
    assert (await link(buyer, "ada")).state == "seated"
    assert len(await buyer.invoices()) == 1


@pytest.mark.parametrize("terms", ["charged", "invoiced"])
async def test_a58_one_who_joins_by_link_buys_one_seat_and_sits_on_it(money, terms):
    # One seat, taken; five provisioned people wait, for whom the plan buys none.
    collect = {"collect": "charge"} if terms == "charged" else {"collect": "invoice"}
    policies = {"full_provisioned": "wait", "full_self_joined": "buy", **collect}
    catalog, plan = await money.variant("enterprise", "enterprise", minimum=1, policies=policies)
    buyer = await money.buyer(catalog, plan=plan, seats={"enterprise": 1})
    await buyer.crowd(1, "enterprise")
    for n in range(5):
        mark = f"w{n}-{buyer.organization_id}"
        await add(buyer, f"w{n}", source="scim", user=mark)
    assert await buyer.seats() == (1, 1, 0, 5)
    await link(buyer, "ada")
    assert await state(buyer, "ada") == "seated"
    assert await buyer.seats() == (2, 2, 0, 5)
    assert shape(await buyer.last())[0][:2] == ("added_seats", 2)
    assert len(await buyer.invoices()) == 2
    # What is bought for nobody in particular goes to who waits longest.
    await buyer.add(1)
    assert [name for name, _ in await queue(buyer)] == ["W1", "W2", "W3", "W4"]


async def test_m18_no_transaction_is_open_while_the_payment_runs(money):
    buyer = await full(money)
    seen = []
    rail = money.engine.providers["sandbox"]

    class Watched:
        name = "sandbox"
        find, confirm, accepts = rail.find, rail.confirm, rail.accepts

        async def charge(self, charge):
            # Another connection sees the member who waits, so their arrival is committed.
            seen.append(await queue(buyer))
            return await rail.charge(charge)

    money.engine.providers = {**money.engine.providers, "sandbox": Watched()}
    await link(buyer, "ada")
    assert seen == [[("Ada", "purchase")]]


async def test_a58_declined_they_wait_and_the_reason_says_why(money):
    buyer = await full(money)
    await buyer.pays_with("sandbox_declined")
    assert (await link(buyer, "ada")).state == "awaiting_seat"
    assert await queue(buyer) == [("Ada", "payment_declined")]
    await money.advance(day(2026, 1, 2))
    assert await queue(buyer) == [("Ada", "payment_declined")]  # asked once, not for ever
    await buyer.pays_with("sandbox_ok")
    await buyer.add(1)
    assert (await state(buyer, "ada"), await queue(buyer)) == ("seated", [])


async def test_a58_without_a_rail_the_seat_comes_with_the_recorded_payment(money):
    buyer = await full(money)
    await buyer.pays_with(None)
    assert (await link(buyer, "ada")).state == "awaiting_seat"
    invoice = await buyer.last()
    assert (invoice.state, await buyer.seats()) == ("open", (20, 20, 0, 1))
    assert (await link(buyer, "bob")).state == "awaiting_seat"
    await buyer.record(invoice.invoice)
    assert await state(buyer, "ada") == "seated"
    assert await queue(buyer) == [("Bob", "purchase")]
    await buy_due(money.engine, now=money.now, clock_id=money.clock_id, most=10)
    await buyer.record((await buyer.last()).invoice)
    assert await state(buyer, "bob") == "seated"


async def test_a58_at_a_hard_cap_the_refusal_says_whom_to_ask(money):
    catalog, plan = await money.variant("enterprise", "enterprise", limit=20)
    buyer = await money.buyer(catalog, plan=plan, seats={"enterprise": 20})
    await buyer.crowd(20, "enterprise")
    async with refused(Code.OVER_PLAN_LIMIT, limit=20) as answers:
        await link(buyer, "ada")
    assert answers[0].ways_out[0].way == "ask_owner"
    assert (await buyer.seats(), await queue(buyer)) == ((20, 20, 0, 0), [])


async def test_a58_in_arrears_nothing_is_bought(money):
    buyer = await full(money)
    await buyer.pays_with("sandbox_declined")
    await money.advance(day(2027, 1, 1))
    await money.advance(day(2027, 1, 2))
    async with refused(Code.PAST_DUE):
        await link(buyer, "ada")


async def test_a59_on_terms_the_seat_is_there_at_once(money):
    policies = {"full_self_joined": "buy", "purchase_who": "billing"}
    catalog, plan = await money.variant("enterprise", "enterprise_assisted", policies=policies)
    buyer = await money.buyer(catalog)
    await buyer.change(subscribing(plan, {"enterprise": 50}), manager=True)
    await buyer.record((await buyer.last()).invoice)
    await buyer.crowd(50, "enterprise")
    assert (await link(buyer, "ada")).state == "seated"
    assert ((await buyer.last()).state, await buyer.seats()) == ("open", (51, 51, 0, 0))


async def test_a59_a_purchase_only_for_a_later_day_refuses_now(money):
    policies = {"full_self_joined": "buy", "purchase_when": "period_end"}
    catalog, plan = await money.variant("enterprise", "enterprise", policies=policies)
    buyer = await money.buyer(catalog, plan=plan, seats={"enterprise": 20})
    await buyer.crowd(20, "enterprise")
    async with refused(Code.INSUFFICIENT_SEATS):
        await link(buyer, "ada")


async def test_r9_a_purchase_that_was_cut_off_is_made_by_the_worker(money, monkeypatch):
    buyer = await full(money)
    monkeypatch.setattr(arrivals, "_follow", lambda _ctx: None)
    await link(buyer, "ada")
    assert await queue(buyer) == [("Ada", "purchase")]
    done = await money.advance(day(2026, 1, 2))
    assert done["seats_bought_for_arrivals"] == 1
    assert await state(buyer, "ada") == "seated"


async def test_m18_a_purchase_whose_answer_is_lost_is_made_once(money):
    buyer = await full(money)
    await buyer.pays_with("sandbox_timeout")
    await link(buyer, "ada")
    assert await state(buyer, "ada") == "seated"
    assert len(await buyer.invoices()) == 2


async def test_m18_a_purchase_that_waits_for_the_payer_is_not_made_again(money):
    buyer = await full(money)
    await buyer.pays_with("sandbox_action_required")
    await link(buyer, "ada")
    assert await queue(buyer) == [("Ada", "purchase")]
    done = await buy_due(money.engine, now=money.now, clock_id=money.clock_id, most=10)
    assert done == 0
    row = await money.row(
        "select payment_id from payment where organization_id = $1 and state = 'action_required'",
        buyer.organization_id,
    )
    await buyer.confirm(PaymentId.text(row["payment_id"]))
    assert await state(buyer, "ada") == "seated"


async def test_g9_the_same_arrival_twice_buys_once(money):
    buyer = await full(money)
    await link(buyer, "ada")
    assert (await link(buyer, "ada")).existed
    assert await buyer.seats() == (21, 21, 0, 0)


@pytest.mark.race
async def test_a59_ten_arrivals_at_once_buy_ten_seats(money):
    buyer = await full(money)

    async def arrive(n):
        command = AddMember(
            organization=buyer.id,
            user=f"late{n}-{buyer.organization_id}",
            email=f"late{n}@example.com",
            name=f"Late {n}",
            source="link",
        )
        return await members.add(await buyer.ctx(), command)

    await asyncio.gather(*(arrive(n) for n in range(10)))
    await buy_due(money.engine, now=money.now, clock_id=money.clock_id, most=10)
    assert (await buyer.seats(), await queue(buyer)) == ((30, 30, 0, 0), [])


async def test_a4_who_may_not_buy_asks_for_a_seat_and_owners_see_it(money):
    buyer = await full(money)
    admin = await buyer.join("admin")
    await money.run(
        "update member set role = 'admin' where organization_id = $1 and member_id = $2",
        buyer.organization_id,
        admin,
    )
    refusal = decide_permission(Role.ADMIN, Permission.SEATS_PURCHASE, may_bill=False)
    assert refusal is not None
    assert refusal.code is Code.BILLING_PERMISSION_REQUIRED
    assert refusal.ways_out[0].way == "ask_owner"
    eve = await add(buyer, "eve", user=f"eve-{buyer.organization_id}")
    assert eve.state == "unseated"
    assert (await request(buyer, eve, admin)).state == "awaiting_seat"
    assert (await request(buyer, eve, admin)).existed
    assert await queue(buyer) == [("Eve", "asked_for")]
    await buyer.add(1)
    assert await state(buyer, "eve") == "seated"
    assert (await request(buyer, eve)).existed


async def test_a4_where_a_seat_is_free_asking_gives_it(money):
    buyer = await enterprise(money)
    eve = await add(buyer, "eve", user=f"eve-{buyer.organization_id}")
    assert (await request(buyer, eve)).seat_type == "enterprise"
    bob = await add(buyer, "bob", user=f"bob-{buyer.organization_id}")
    async with refused(Code.SEAT_TYPE_NOT_OWNED):
        await request(buyer, bob, seat_type="premium")


async def test_a4_t8_nobody_asks_for_a_seat_that_members_pay_themselves(money):
    buyer = await money.buyer("workspace")
    eve = await add(buyer, "eve", user=f"eve-{buyer.organization_id}")
    async with refused(Code.STATE_CONFLICT):
        await request(buyer, eve)
