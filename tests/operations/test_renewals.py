"""Renewals: the quantity, the period, and each of them exactly once."""

from dataclasses import replace

import pytest

from seatkeeper.domain.billing import WHOLE, Line, LineKind
from seatkeeper.domain.ids import SubscriptionId
from seatkeeper.domain.policies import TypeChoice
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import catalog, due, invitations, renewal_writing, resume
from seatkeeper.operations.asked import Cancel, PurchaseSeats, ReduceSeats
from seatkeeper.operations.invoices import Bill, issue
from seatkeeper.operations.queue import Wish, enqueue
from seatkeeper.operations.seating import lock_room
from tests.money_world import day, shape, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def sized(money, plan, bought, members, invited=0, **how):
    """A buyer on the plan with so many seats, members and pending invitations."""
    name = how.pop("catalog", "organization")
    buyer = await money.buyer(name, plan=plan, seats={"member": bought}, **how)
    await buyer.crowd(members - 1)
    if invited:
        await buyer.invite(*(f"p{n}" for n in range(invited)))
    return buyer


# (plan, bought, members, pending, seats renewed, renewal total), seed 1 and the rule book
RIGHT_SIZED = [
    ("base_and_seats", 8, 5, 0, 5, 45_00),
    ("base_and_seats", 8, 5, 1, 6, 50_00),  # invitations are needed too
    ("five_included", 7, 3, 0, 5, 25_00),  # never below the included ones
    ("one_included", 4, 4, 0, 4, 55_00),
    ("first_five_flat", 8, 6, 0, 6, 15_00),
]


@pytest.mark.parametrize(("plan", "bought", "members", "pending", "seats", "total"), RIGHT_SIZED)
async def test_c34_c35_c36_c38_the_quantity_fits_the_people_at_each_period(
    money, plan, bought, members, pending, seats, total
):
    buyer = await sized(money, plan, bought, members, pending)
    # Invitations live thirty days: asked again in time they are there on the day.
    await money.advance(day(2026, 1, 30))
    await money.advance(day(2026, 2, 1) if not pending else day(2026, 1, 31))
    if pending:
        await money.run(
            "update invitation set expires_at = $2 where organization_id = $1",
            buyer.organization_id,
            day(2026, 2, 10),
        )
        await money.advance(day(2026, 2, 1))
    assert (await buyer.seats())[:3] == (seats, members, pending)
    assert (await buyer.totals())[-1] == total


async def test_c36_members_only_leaves_invitations_standing_without_their_holds(money):
    policies = {"renewal_quantity": "members", "invitations": {"lives_days": 60}}
    name, plan = await money.variant("organization", "base_and_seats", policies=policies)
    buyer = await sized(money, plan, 8, 5, 1, catalog=name)
    await money.advance(day(2026, 2, 1))
    assert await buyer.seats() == (5, 5, 0, 0)
    assert (await buyer.totals())[-1] == 45_00
    rows = await money.rows(
        "select state from invitation where organization_id = $1", buyer.organization_id
    )
    assert [row["state"] for row in rows] == ["pending"]


async def test_c35_without_a_fee_per_seat_nothing_is_adjusted(money):
    buyer = await money.buyer("organization", plan="limit_only")
    await buyer.crowd(2)
    await money.advance(day(2026, 2, 1))
    assert await buyer.seats() == (10, 3, 0, 0)
    assert await buyer.totals() == [30_00, 30_00]


async def test_c39_a_yearly_price_is_right_sized_yearly(money):
    buyer = await sized(money, "base_and_seats", 8, 5, price="yearly_usd")
    await money.advance(day(2026, 12, 31))
    assert (await buyer.seats())[0] == 8
    await money.advance(day(2027, 1, 1))
    assert (await buyer.seats())[0] == 5
    assert (await buyer.totals())[-1] == 200_00 + 5 * 50_00


async def test_c41_a_hold_over_the_boundary_is_bought_until_the_next_one(money):
    policies = {"invitations": {"lives_days": 40}}
    name, plan = await money.variant("organization", "per_seat", policies=policies)
    buyer = await sized(money, plan, 2, 1, 1, catalog=name)
    await money.advance(day(2026, 2, 20))
    assert await buyer.seats() == (2, 1, 0, 0)
    await money.advance(day(2026, 3, 1))
    assert await buyer.totals() == [16_00, 16_00, 8_00]


async def test_c40_who_joins_after_the_instant_is_bought_in_the_new_period(money):
    buyer = await sized(money, "per_seat", 2, 1)
    await money.advance(day(2026, 2, 1))
    await buyer.add(1)
    assert shape(await buyer.last()) == [("added_seats", 2, 28, 28, 8_00)]


async def test_c37_more_people_than_the_limit_bill_the_limit(money):
    buyer = await sized(money, "per_seat_limited", 10, 10)
    pool = buyer.pools["member"]
    # As after a forced change: eleven sit where ten may.
    await money.run("update seat_pool set purchased = 11 where pool_id = $1", pool)
    await buyer.join("m11")
    await money.run(
        "update seat_pool set purchased = 10, state = 'over_limit' where pool_id = $1", pool
    )
    await money.advance(day(2026, 2, 1))
    assert await buyer.seats() == (10, 11, 0, 0)
    assert (await buyer.totals())[-1] == 50_00


async def test_a36_self_serve_carries_what_was_bought(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 30})
    await buyer.crowd(3, "enterprise")
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (30, 3, 0, 0)


async def test_a36_a37_invoiced_plans_carry_what_is_in_use(money):
    policies = {"renewal_quantity": "carry_assigned"}
    name, plan = await money.variant("enterprise", "enterprise", policies=policies)
    buyer = await money.buyer(name, plan=plan, seats={"enterprise": 30})
    await buyer.crowd(22, "enterprise")
    await buyer.join("unassigned")
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (22, 22, 0, 0)
    few = await money.buyer(name, plan=plan, seats={"enterprise": 30})
    await few.crowd(4, "enterprise")
    await money.advance(day(2028, 1, 1))
    assert (await few.seats())[0] == 20  # the minimum


async def test_m14_a_new_version_of_the_plan_does_not_touch_who_is_on_the_old(money):
    name, plan = await money.variant("organization", "per_seat")
    buyer = await money.buyer(name, plan=plan, seats={"member": 1})
    row = await money.row("select document from catalog where catalog_key = $1", name)
    document = row["document"]
    (fields,) = document["plans"].values()
    fields["prices"] = {
        "dearer": {"currency": "USD", "per": "month", "seats": {"member": {"unit_minor": 900}}}
    }
    await catalog.apply(await money.vendor(), catalog.ApplyCatalog(document=document))
    await money.advance(day(2026, 2, 1))
    other = await money.buyer(name, plan=plan, seats={"member": 1})
    assert (await buyer.totals(), await other.totals()) == ([8_00, 8_00], [9_00])


async def test_g15_t1_one_renewal_however_often_it_is_called(money):
    buyer = await sized(money, "per_seat", 1, 1)
    await money.advance(day(2026, 2, 1))
    for _ in range(3):
        await due.do_due(money.engine, money.now, money.clock_id)
    subscription = SubscriptionId.parse((await buyer.subscription()).subscription)
    ctx = await buyer.ctx()
    # What a second scheduler would write: the period's one cause stands already.
    cause = renewal_writing.period_cause(subscription, day(2026, 2, 1))
    lines = [replace(line, ceiling_minor=line.full_minor) for line in await _line_of(buyer)]
    bill = Bill(subscription, tuple(lines), "period", cause)
    async with refused(Code.STATE_CONFLICT), ctx.transaction() as db:
        await issue(ctx, db, bill, draft=False)
    assert await buyer.totals() == [8_00, 8_00]


async def test_t9_a_scheduled_reduction_applies_before_the_quantity_is_computed(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 60})
    await buyer.change(ReduceSeats(target=45))
    await money.advance(day(2026, 12, 31, 23))
    await buyer.add(2)
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats() == (47, 0, 0, 0)


async def test_a_renewal_serves_whoever_waits(money):
    buyer = await money.buyer("workspace")
    await buyer.change(subscribing("business", {"member": 1}), manager=True)
    await buyer.join("ada", "member")
    bob = await buyer.join("bob")
    ctx = await buyer.ctx()
    async with ctx.transaction() as db:
        await lock_room(ctx, db)
        await enqueue(ctx, db, Wish(bob, None, TypeChoice.HIGHEST))
    await buyer.add(1, manager=True)
    await money.advance(day(2026, 2, 1))
    assert await buyer.seats() == (2, 2, 0, 0)


async def test_b089_assigning_within_what_is_owned_goes_on_after_cancelling(money):
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await buyer.change(Cancel())
    await buyer.crowd(3, "enterprise")
    assert await buyer.seats() == (20, 3, 0, 0)


async def test_g8_c28_the_refused_invitation_is_sent_after_the_purchase(money):
    buyer = await sized(money, "per_seat", 1, 1)
    command = invitations.CreateInvitations(
        organization=buyer.id,
        invitations=[invitations.Invite(email=f"p{n}@example.com") for n in range(2)],
    )
    async with refused(Code.INSUFFICIENT_SEATS, needed=2) as found:
        await invitations.create(await buyer.ctx(), command)
    token = found[0].facts["resume"]
    assert resume.read(await buyer.ctx(), str(token)).action == "invitations.create"
    made = await buyer.change(PurchaseSeats(quantity=2), resume=token)
    assert made.resumed["done"] is True
    assert await buyer.seats() == (3, 1, 2, 0)
    billed = await buyer.totals()
    async with refused(Code.INVALID_REQUEST):
        await buyer.change(PurchaseSeats(quantity=1), resume=token)
    assert await buyer.seats() == (3, 1, 2, 0)
    assert await buyer.totals() == billed  # A used token buys nothing.


async def test_g8_a_token_whose_action_failed_is_good_for_another_try(money):
    buyer = await sized(money, "per_seat", 1, 1)
    command = invitations.CreateInvitations(
        organization=buyer.id,
        invitations=[invitations.Invite(email=f"p{n}@example.com") for n in range(2)],
    )
    async with refused(Code.INSUFFICIENT_SEATS) as found:
        await invitations.create(await buyer.ctx(), command)
    token = found[0].facts["resume"]
    short = await buyer.change(PurchaseSeats(quantity=1), resume=token)
    assert (short.resumed["done"], short.resumed["code"]) == (False, "insufficient_seats")
    assert await buyer.seats() == (2, 1, 0, 0)  # The seat stays bought.
    assert (await buyer.change(PurchaseSeats(quantity=1), resume=token)).resumed["done"] is True
    assert await buyer.seats() == (3, 1, 2, 0)


async def test_c33_a_declined_purchase_sends_no_invitations(money):
    buyer = await sized(money, "per_seat", 1, 1)
    command = invitations.CreateInvitations(
        organization=buyer.id, invitations=[invitations.Invite(email="p@example.com")]
    )
    async with refused(Code.INSUFFICIENT_SEATS) as found:
        await invitations.create(await buyer.ctx(), command)
    outcome = await buyer.ask(
        PurchaseSeats(quantity=1),
        resume=found[0].facts["resume"],
        payment_method="sandbox_declined",
    )
    assert outcome.code is Code.PAYMENT_DECLINED
    assert await buyer.seats() == (1, 1, 0, 0)


async def _line_of(buyer):
    period = (day(2026, 2, 1), day(2026, 3, 1), day(2026, 2, 1))
    return [
        Line(
            LineKind.SEATS,
            "per_seat",
            1,
            "monthly_usd",
            "member",
            1,
            0,
            800,
            WHOLE,
            800,
            800,
            *period,
        )
    ]
