"""Contract renewals: signed, left unsigned through the grace, ended, on a test clock."""

import asyncio

from seatkeeper.domain.refusals import Code
from seatkeeper.operations import contracts, due
from seatkeeper.operations.asked import Cancel, ChangePlan
from seatkeeper.operations.contract_renewals import renew
from tests.money_world import a_money_world, day, shape, subscribing
from tests.operations import deals
from tests.operations.deals import coming, contract, shown, sign
from tests.world import refused

NEXT_YEAR = day(2027, 1, 1)


async def legacy(money, seats, **people):
    """An organization on the old pair of plans, under a contract."""
    buyer = await money.buyer("enterprise")
    await buyer.change(subscribing("chat_and_code", seats), manager=True)
    await contract(buyer, "chat_and_code")
    for seat_type, count in people.items():
        await buyer.crowd(count, seat_type)
    return buyer


async def test_a95_signed_the_old_pair_becomes_the_successor_and_everyone_moves(money):
    buyer = await legacy(money, {"chat": 30, "chat_code": 12}, chat=3)
    await money.advance(day(2026, 12, 20))
    await buyer.invite("ivy", seat_type="chat_code")
    signed = await sign(buyer)
    assert (signed.next_terms.plan, signed.next_terms.seats) == ("enterprise_assisted", {})
    assert signed.state == "active"
    rehearsed = await coming(buyer)
    await money.advance(NEXT_YEAR)
    await buyer.refresh()
    assert await buyer.seats("enterprise") == (42, 3, 1, 0)
    last = await buyer.last()
    assert last.total_minor == rehearsed.total_minor == 42 * 24_000
    assert rehearsed.kind == "contract"
    made = await shown(buyer)
    assert (made.plan, made.state, made.signed_until) == (
        "enterprise_assisted",
        "active",
        day(2028, 1, 1),
    )
    assert made.next_terms is None
    moved = await money.rows(
        "select ended_rule from assignment where organization_id = $1 and ended_at is not null",
        buyer.organization_id,
    )
    assert {row["ended_rule"] for row in moved} == {"transition"}


async def test_a95_a98_eleven_old_seats_become_the_minimum_of_twenty(money):
    buyer = await legacy(money, {"chat": 15, "chat_code": 6})
    await sign(buyer, seats={"enterprise": 20}, prices={"enterprise": 1_000}, net_terms_days=15)
    await money.advance(NEXT_YEAR)
    last = await buyer.last()
    assert last.total_minor == 20 * 12_000
    assert (last.due_at - last.issued_at).days == 15
    assert (await shown(buyer)).prices.seats == {"enterprise": 1_000}


async def test_a14_old_plans_are_not_signed_again_and_signed_seats_must_fit(money):
    buyer = await legacy(money, {"chat": 15, "chat_code": 6})
    async with refused(Code.BELOW_MINIMUM_SEATS):
        await sign(buyer, seats={"enterprise": 19})
    async with refused(Code.INVALID_REQUEST):
        await sign(buyer, term_months=7)
    async with refused(Code.INVALID_REQUEST):
        await sign(buyer, plan="team")
    for old in ("standard_and_premium", "chat_and_code"):
        async with refused(Code.NOT_FOUND):
            await sign(buyer, plan=old)
    assert (await shown(buyer)).next_terms is None


async def test_a14_a_plan_that_is_not_closed_is_signed_again_with_its_two_kinds_of_seat(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "chat_and_code_regulated", {"chat": 30, "chat_code": 12})
    await buyer.crowd(2, "chat_code")
    await sign(buyer, plan="chat_and_code_regulated", seats={"chat": 10, "chat_code": 10})
    await money.advance(NEXT_YEAR)
    made = await shown(buyer)
    assert (made.plan, made.seats) == ("chat_and_code_regulated", {"chat_code": 10, "chat": 10})


async def test_a36_a37_a_signed_renewal_carries_the_seats_in_use(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    await buyer.crowd(37, "enterprise")
    await buyer.join("unseated")
    await sign(buyer, prices={"enterprise": 1_500})
    rehearsed = await coming(buyer)
    await money.advance(NEXT_YEAR)
    assert [line[1:] for line in shape(await buyer.last())] == [(37, 1, 1, 37 * 18_000)]
    assert (rehearsed.kind, rehearsed.total_minor) == ("contract", 37 * 18_000)
    assert rehearsed.seats[0].because == ["in_use"]


async def test_a35_signed_seats_take_the_place_of_what_waited_and_never_unseat(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    lowered = await buyer.reduce(45, manager=True)
    await sign(buyer, seats={"enterprise": 30})
    assert (await sign(buyer, seats={"enterprise": 32})).next_terms.seats == {"enterprise": 32}
    rows = await money.rows(
        "select state from change where organization_id = $1 and kind = 'reduce_seats'",
        buyer.organization_id,
    )
    assert [row["state"] for row in rows] == ["canceled"]
    assert lowered.state == "scheduled"
    await buyer.crowd(34, "enterprise")
    rehearsed = await coming(buyer)
    assert rehearsed.seats[0].because == ["signed", "kept_for_occupied"]
    await money.advance(NEXT_YEAR)
    assert await buyer.seats() == (34, 34, 0, 0)


async def test_a95_what_is_signed_takes_the_place_of_a_change_of_plan(money):
    buyer = await money.buyer("workspace")
    await contract(buyer, "business_yearly", {"member": 10})
    planned = await buyer.change(ChangePlan(plan="business"), manager=True)
    assert planned.state == "scheduled"
    await deals.agreed(buyer, {"member": -3})
    await sign(buyer)
    await money.advance(NEXT_YEAR)
    made = await shown(buyer)
    assert (made.plan, made.seats) == ("business_yearly", {"member": 7})


async def test_a96_unsigned_the_plan_stays_in_force_nothing_is_sold_and_then_it_ends(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    await buyer.crowd(3, "enterprise")
    assert (await coming(buyer)).kind == "unsigned"
    await money.advance(NEXT_YEAR)
    made = await shown(buyer)
    assert (made.state, made.unsigned_since, made.grace_ends_at) == (
        "unsigned",
        NEXT_YEAR,
        day(2027, 1, 31),
    )
    assert (await buyer.subscription()).status == "active"
    async with refused(Code.STATE_CONFLICT, state="unsigned"):
        await buyer.add(1)
    await buyer.join("dora", "enterprise")  # seats that are owned go on being assigned
    await money.advance(day(2027, 1, 30, 23))
    assert (await shown(buyer)).state == "unsigned"
    assert (await coming(buyer)).kind == "end"
    await money.advance(day(2027, 1, 31))
    assert (await shown(buyer)).state == "ended"
    async with refused(Code.NOT_FOUND):
        await buyer.subscription()
    async with refused(Code.STATE_CONFLICT):
        await sign(buyer)
    assert await buyer.totals() == [1_200_000]
    counts = await money.rows(
        "select purchased, assigned, state from seat_pool where organization_id = $1",
        buyer.organization_id,
    )
    assert [tuple(row) for row in counts] == [(0, 4, "over_limit")]
    assert (await buyer.events("contract."))[-2:] == ["contract.unsigned", "contract.ended"]


async def test_a96_signed_within_the_grace_it_renews_from_the_end_of_the_term(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    await money.advance(day(2027, 1, 20))
    made = await sign(buyer, seats={"enterprise": 40})
    assert (made.state, made.signed_until, made.seats) == (
        "active",
        day(2028, 1, 1),
        {"enterprise": 40},
    )
    last = await buyer.last()
    assert (last.total_minor, last.lines[0].period_start) == (40 * 24_000, NEXT_YEAR)
    assert last.due_at == day(2027, 2, 19)  # thirty days from its issue, not from the term's end
    await buyer.add(1)
    await money.advance(day(2027, 12, 31))
    assert len(await buyer.totals()) == 3


async def test_a96_a_grace_of_no_days_ends_with_the_term(money):
    catalog, plan = await money.variant(
        "enterprise", "enterprise_assisted", policies={"unsigned_grace_days": 0}
    )
    buyer = await money.buyer(catalog)
    await contract(buyer, plan, {"enterprise": 50})
    await money.advance(NEXT_YEAR)
    assert (await shown(buyer)).state == "ended"


async def test_a96_the_monthly_contract_is_signed_for_a_year_and_catches_up_when_signed_late(money):
    catalog, plan = await money.variant(
        "workspace", "business", policies={"unsigned_grace_days": 90}
    )
    buyer = await money.buyer(catalog)
    await contract(buyer, plan, {"member": 10})
    await money.advance(day(2027, 2, 15))
    assert (await shown(buyer)).state == "unsigned"
    assert len(await buyer.totals()) == 12
    await sign(buyer, term_months=6)
    await money.advance(day(2027, 2, 16))
    assert await buyer.totals() == [80_000] * 14  # January at once, and February
    made = await shown(buyer)
    assert (made.state, made.signed_until) == ("active", day(2027, 7, 1))


async def test_a96_t1_a_turn_that_is_taken_twice_finds_the_same(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    await money.advance(day(2027, 1, 10))
    for _ in range(2):
        await money.run(
            "update subscription set due_at = period_ends_at where organization_id = $1",
            buyer.organization_id,
        )
        await money.advance(money.now)
    assert (await shown(buyer)).unsigned_since == NEXT_YEAR
    assert await buyer.events("contract.unsigned") == ["contract.unsigned"]
    rows = await money.rows(
        "select due_at from subscription where organization_id = $1", buyer.organization_id
    )
    assert rows[0]["due_at"] == day(2027, 1, 31)


async def test_a96_parked_a_late_signature_waits_for_the_operator(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    await money.advance(day(2027, 1, 10))
    await money.run(
        "update organization set parked_at = $2, parked_reason = 'why' where organization_id = $1",
        buyer.organization_id,
        money.now,
    )
    assert (await sign(buyer)).state == "unsigned"
    assert len(await buyer.totals()) == 1
    await money.run(
        "update organization set parked_at = null, parked_reason = null where organization_id = $1",
        buyer.organization_id,
    )
    await money.advance(day(2027, 1, 11))
    assert (await shown(buyer)).state == "active"
    assert len(await buyer.totals()) == 2


async def test_a96_m19_a_long_grace_is_no_reason_to_park(fresh_database_dsn):
    async with a_money_world(fresh_database_dsn) as money:
        catalog, plan = await money.variant(
            "workspace", "business", policies={"unsigned_grace_days": 120}
        )
        buyer = await money.buyer(catalog, live=True)
        await contract(buyer, plan, {"member": 10})
        for month in range(2, 17):
            money.now = day(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 1, 1)
            await due.do_due(money.engine, money.now, None)
        assert (await shown(buyer)).state == "unsigned"
        money.now = day(2027, 5, 2)
        await due.do_due(money.engine, money.now, None)
        assert (await shown(buyer)).state == "ended"
        assert await buyer.events("organization.parked") == []


async def test_a95_signed_terms_that_people_have_outgrown_wait_for_a_new_signature(money):
    catalog = await money.shelve(
        (mark := money.engine.new_id().hex[-12:]),
        {
            "large": deals.plan("business"),
            "small": {**deals.plan("business_yearly"), "limit": 10},
        },
    )
    buyer = await money.buyer(catalog)
    await contract(buyer, f"large_{mark}", {"member": 10}, term_months=1)
    await sign(buyer, plan=f"small_{mark}")
    await deals.agreed(buyer, {"member": 5}, effective="now", reason="a project")
    await buyer.crowd(12, "member")
    await money.advance(day(2026, 2, 1))
    made = await shown(buyer)
    assert (made.state, made.plan) == ("unsigned", f"large_{mark}")
    assert (await coming(buyer)).kind == "end"
    assert (await sign(buyer, plan=f"large_{mark}")).state == "active"
    assert (await buyer.last()).total_minor == 15 * 8_000


async def test_a95_signed_terms_that_still_do_not_fit_at_the_end_of_the_grace_end_it(money):
    catalog = await money.shelve(
        (mark := money.engine.new_id().hex[-12:]),
        {
            "large": deals.plan("business"),
            "small": {**deals.plan("business_yearly"), "limit": 10},
        },
    )
    buyer = await money.buyer(catalog)
    await contract(buyer, f"large_{mark}", {"member": 15}, term_months=1)
    await buyer.crowd(9, "member")
    await money.run(
        """update contract set next_terms = jsonb_build_object('plan_version_id',
               (select plan_version_id from plan_version where plan_key = $2), 'plan', $2::text,
               'price', 'yearly', 'seats', '{"member": 10}'::jsonb, 'amounts', null,
               'term_months', null, 'net_terms_days', 30) where organization_id = $1""",
        buyer.organization_id,
        f"small_{mark}",
    )
    await buyer.crowd(0, "member")
    for name in ("x", "y"):
        await buyer.join(name, "member")
    await money.advance(day(2026, 3, 4))
    assert (await shown(buyer)).state == "ended"


async def test_t39_a92_the_account_manager_cancels_and_the_contract_ends_with_the_term(money):
    buyer = await money.buyer("enterprise")
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    async with refused(Code.CONTRACT_MANAGED):
        await buyer.change(Cancel())
    await buyer.change(Cancel(), manager=True)
    assert (await coming(buyer)).kind == "end"
    await money.advance(NEXT_YEAR)
    assert (await shown(buyer)).state == "ended"


async def test_a99_a_contract_that_is_not_paid_ends_after_its_grace(money):
    buyer = await money.buyer("workspace", method=None)
    await contract(buyer, "business", {"member": 10}, net_terms_days=10)
    await money.advance(day(2026, 1, 20))
    assert (await buyer.subscription()).status == "past_due"
    async with refused(Code.PAST_DUE):
        await deals.agreed(buyer, {"member": 1})
    await money.advance(day(2026, 3, 1))
    assert (await shown(buyer)).state == "ended"


async def test_c42_the_default_plan_follows_on_a_contract_that_ends(money):
    mark = money.engine.new_id().hex[-12:]
    free = {
        "name": "Free",
        "rank": 0,
        "seat_types": {"member": {"name": "Member"}},
        "prices": {
            "free": {"currency": "USD", "per": "month", "seats": {"member": {"unit_minor": 0}}}
        },
    }
    catalog = await money.shelve(
        mark, {"business": deals.plan("business_yearly"), "free": free}, "free"
    )
    buyer = await money.buyer(catalog)
    made = await contract(buyer, f"business_{mark}", {"member": 10})
    assert made.seats == {"member": 10}
    await money.advance(day(2027, 2, 15))
    assert (await shown(buyer)).state == "ended"
    assert (await buyer.subscription()).plan == f"free_{mark}"
    again = await contract(buyer, f"business_{mark}", {"member": 5})
    assert (again.state, again.contract != made.contract) == ("active", True)


async def test_a97_leaving_the_plans_sold_under_contracts_leaves_the_contract(money):
    catalog = await money.shelve(
        (mark := money.engine.new_id().hex[-12:]),
        {"business": deals.plan("business"), "open": deals.plan("organization", "base_and_seats")},
    )
    buyer = await money.buyer(catalog)
    await contract(buyer, f"business_{mark}", {"member": 10})
    await buyer.change(ChangePlan(plan=f"open_{mark}"), manager=True)
    await money.advance(day(2026, 2, 2))
    assert (await buyer.subscription()).plan == f"open_{mark}"
    assert (await shown(buyer)).state == "ended"


async def test_t29_two_first_contracts_at_once_are_one(money):
    buyer = await money.buyer("workspace")
    command = contracts.PutContract(
        organization=buyer.id,
        plan="business",
        seats=deals.seats_of({"member": 10}),
        account_manager="Grace Hopper",
    )
    made = await asyncio.gather(
        *[contracts.put(await buyer.act(manager=True), command) for _ in range(5)]
    )
    assert len({one.contract for one in made}) == 1
    assert await buyer.totals() == [80_000]
    await buyer.refresh()


async def test_t1_without_a_contract_there_is_nothing_to_renew_here(money):
    buyer = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 50})
    ctx = await buyer.ctx()
    async with ctx.transaction() as db:
        account, changes = await deals.account(ctx, db)
        assert not await renew(ctx, db, account, changes)
