"""Upcoming: what is rehearsed is what then happens; and an operator's word where it was stopped."""

from seatkeeper.domain.refusals import Code
from seatkeeper.operations import parking
from seatkeeper.operations.asked import Cancel, ChangePlan
from seatkeeper.operations.context import Principal
from seatkeeper.operations.parking import Unpark
from tests.money_world import ACCOUNT_MANAGER, day, subscribing
from tests.operations.deals import as_owner, coming, contract, credit, plan, quote, request
from tests.world import refused

NEXT_YEAR = day(2027, 1, 1)
OPERATOR = Principal(ACCOUNT_MANAGER.key_id, "operator", "operator", frozenset())


async def same_as_real(money, buyer, rehearsed):
    """Lets the instant come, and compares."""
    await money.advance(rehearsed.at)
    await buyer.refresh()
    last = await buyer.last()
    shown = [
        (x.kind, x.seat_type, x.quantity, x.unit_minor, x.full_minor, x.amount_minor)
        for x in rehearsed.lines
    ]
    real = [
        (x.kind, x.seat_type, x.quantity, x.unit_minor, x.full_minor, x.amount_minor)
        for x in last.lines
    ]
    assert shown == real
    assert (rehearsed.total_minor, rehearsed.balance_used_minor, rehearsed.payable_minor) == (
        last.total_minor,
        last.balance_used_minor,
        last.payable_minor,
    )
    view = await buyer.subscription()
    assert (view.period_start, view.period_end, view.term_end) == (
        rehearsed.period_start,
        rehearsed.period_end,
        rehearsed.term_end,
    )
    assert {s.seat_type: s.then for s in rehearsed.seats if s.then} == view.seats


async def test_m9_a24_a_renewal_with_what_is_scheduled_is_as_rehearsed(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await money.advance(day(2026, 6, 1))
    await buyer.add(10)
    await buyer.reduce(45)
    await buyer.crowd(48, "enterprise")
    first = (await buyer.invoices())[0]
    await credit(buyer, first.invoice, 100_000)
    rehearsed = await coming(buyer)
    assert (rehearsed.kind, rehearsed.at, rehearsed.plan) == ("renewal", NEXT_YEAR, "enterprise")
    [seats] = rehearsed.seats
    assert (seats.now, seats.then) == (60, 48)
    assert seats.because == ["carried", "scheduled", "kept_for_occupied"]
    assert rehearsed.total_minor == 1_152_000  # 48 x 20.00 x 12
    assert rehearsed.balance_used_minor == 100_000
    await same_as_real(money, buyer, rehearsed)


async def test_m9_c34_c36_a_right_sized_renewal_is_as_rehearsed(money):
    buyer = await money.buyer("organization")
    await buyer.change(subscribing("base_and_seats", {"member": 8}))
    for name in ("a", "b", "c"):
        await buyer.join(name)
    await money.advance(day(2026, 1, 20))
    await buyer.invite("dora")
    rehearsed = await coming(buyer)
    assert (rehearsed.seats[0].then, rehearsed.seats[0].because) == (5, ["occupied"])
    await same_as_real(money, buyer, rehearsed)


async def test_m9_c36_members_only_and_invitations_without_their_holds(money):
    catalog, key = await money.variant(
        "organization", "base_and_seats", policies={"renewal_quantity": "members"}
    )
    buyer = await money.buyer(catalog)
    await buyer.change(subscribing(key, {"member": 8}))
    await money.advance(day(2026, 1, 20))
    await buyer.invite("dora")
    rehearsed = await coming(buyer)
    assert (rehearsed.seats[0].then, rehearsed.seats[0].because) == (1, ["in_use"])
    await same_as_real(money, buyer, rehearsed)


async def test_m9_c50_a_scheduled_change_of_plan_is_as_rehearsed(money):
    mark = money.engine.new_id().hex[-12:]
    high = {**plan("organization", "base_and_seats"), "rank": 90}
    low = {**plan("organization", "per_seat"), "rank": 80}
    catalog = await money.shelve(mark, {"high": high, "low": low})
    buyer = await money.buyer(catalog)
    await buyer.change(subscribing(f"high_{mark}", {"member": 8}))
    made = await buyer.change(ChangePlan(plan=f"low_{mark}"))
    assert made.state == "scheduled"
    await buyer.join("ada")
    rehearsed = await coming(buyer)
    assert (rehearsed.kind, rehearsed.plan) == ("change_plan", f"low_{mark}")
    await same_as_real(money, buyer, rehearsed)


async def test_m9_a95_a_transition_without_a_contract_is_as_rehearsed(money):
    buyer = await money.buyer("enterprise")
    await buyer.change(subscribing("chat_and_code", {"chat": 15, "chat_code": 12}), manager=True)
    rehearsed = await coming(buyer)
    assert (rehearsed.kind, rehearsed.plan) == ("transition", "enterprise_assisted")
    assert {s.seat_type: (s.now, s.then) for s in rehearsed.seats} == {
        "chat": (15, 0),
        "chat_code": (12, 0),
        "enterprise": (0, 27),
    }
    await same_as_real(money, buyer, rehearsed)


async def test_t7_what_is_cancelled_ends_and_bills_nothing(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await buyer.change(Cancel())
    rehearsed = await coming(buyer)
    assert (rehearsed.kind, rehearsed.at, rehearsed.total_minor) == ("end", NEXT_YEAR, 0)
    assert rehearsed.period_start is None


async def test_x1_without_a_subscription_nothing_comes(money):
    buyer = await money.buyer("enterprise")
    async with refused(Code.NOT_FOUND):
        await coming(buyer)


async def parked(money, buyer):
    await money.run(
        "update organization set parked_at = $2, parked_reason = 'late' where organization_id = $1",
        buyer.organization_id,
        money.now,
    )


async def unpark(buyer, principal=OPERATOR, **more):
    ctx = await buyer.act()
    ctx.principal = principal
    return await parking.unpark(ctx, Unpark(organization=buyer.id, reason="looked at", **more))


async def test_m19_an_operator_lets_a_parked_organization_be_billed_again(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    await parked(money, buyer)
    await money.advance(day(2027, 3, 1))
    assert len(await buyer.totals()) == 1
    made = await unpark(buyer)
    assert (made.parked_at, made.parked_reason) == (None, None)
    assert (await unpark(buyer, catch_up_until=day(2027, 4, 1))).parked_at is None
    row = await money.row(
        "select catch_up_until from organization where organization_id = $1", buyer.organization_id
    )
    assert row["catch_up_until"] == day(2027, 4, 1)
    assert await buyer.events("organization.unparked") == ["organization.unparked"] * 2
    await money.advance(day(2027, 3, 2))
    assert len(await buyer.totals()) == 2


async def test_m19_while_parked_nothing_is_put_under_a_contract_or_amended(money):
    buyer = await money.buyer("enterprise")
    await parked(money, buyer)
    async with refused(Code.PARKED):
        await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    await unpark(buyer)
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    asked = await request(buyer, {"enterprise": 2})
    await parked(money, buyer)
    async with refused(Code.PARKED):
        await quote(buyer, asked.amendment)
    await unpark(buyer)


async def test_m19_only_an_operator_and_at_most_a_year_ahead(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    async with refused(Code.FORBIDDEN):
        await unpark(buyer, ACCOUNT_MANAGER)
    ctx = await as_owner(buyer)
    ctx.principal = OPERATOR
    async with refused(Code.FORBIDDEN):
        await parking.unpark(ctx, Unpark(organization=buyer.id, reason="mine"))
    async with refused(Code.INVALID_REQUEST):
        await unpark(buyer, catch_up_until=day(2028, 1, 1))
