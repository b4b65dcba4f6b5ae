"""Other plans: up now with credit, down at the end, and what people do to it meanwhile."""

import pytest

from seatkeeper.domain.refusals import Code
from seatkeeper.operations import seat_requests
from seatkeeper.operations.asked import ChangePlan, PurchaseSeats, SeatQuantity
from seatkeeper.operations.context import new_id
from seatkeeper.operations.seat_requests import ListSeatRequests, RequestSeat
from tests.domain.shipped import DOCUMENTS
from tests.money_world import day, shape, subscribing
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


def to(plan, price=None, **seats):
    wanted = [SeatQuantity(seat_type=key, quantity=n) for key, n in seats.items()]
    return ChangePlan(plan=plan, price=price, seats=wanted)


async def organization(money, plan="per_seat", people=1, **how):
    """A buyer with so many members, the owner among them, and a seat for each."""
    buyer = await money.buyer(
        "organization", plan=plan, seats=how.pop("seats", None) or {"member": people}, **how
    )
    for n in range(1, people):
        await buyer.join(f"m{n}")
    return buyer


async def test_c50_an_upgrade_is_immediate_with_credit_for_the_unused_part(money):
    buyer = await organization(money, people=4)
    await money.advance(day(2026, 1, 11))  # 21 of 31 days are left
    quote = await buyer.quote(to("base_and_seats"))
    made = await buyer.change(quote=quote.quote)
    assert made.state == "applied"
    # 4 x 8.00 back; 20.00 and 4 x 5.00 for the rest: each line rounded once
    assert shape(await buyer.last()) == [
        ("credit", 0, 21, 31, -21_68),
        ("base", 1, 21, 31, 13_55),
        ("seats", 4, 21, 31, 13_55),
    ]
    assert quote.due_now_minor == (await buyer.last()).payable_minor == 5_42
    on = await buyer.subscription()
    assert (on.plan, on.period_end) == ("base_and_seats", day(2026, 2, 1))
    await money.advance(day(2026, 2, 1))
    assert (await buyer.totals())[-1] == 40_00


async def test_c50_g6_credit_beyond_the_charges_goes_to_the_balance(money):
    buyer = await organization(money, people=10)
    await money.advance(day(2026, 1, 16))  # 16 of 31 days are left
    await buyer.change(to("one_included"))  # dearer in rank, and in price
    await money.advance(day(2026, 1, 17))
    other = await organization(money, plan="graduated", people=1, seats={"member": 10})
    await money.advance(day(2026, 1, 18))
    await other.change(to("ten_included"))  # 100.00 a month for 25.00 a month
    invoice = await other.last()
    assert invoice.payable_minor == 0
    carried = [x.amount_minor for x in invoice.lines if x.kind == "carried_to_balance"]
    assert [amount > 0 for amount in carried] == [True]
    await money.advance(day(2026, 2, 17))
    renewal = await other.last()
    assert renewal.balance_used_minor == 25_00


async def test_c54_a_plan_change_ends_what_waited_for_the_old_plan(money):
    buyer = await money.buyer(plan="team", price="monthly", seats={"standard": 30})
    await buyer.reduce(25, "standard")
    await buyer.change(to("enterprise", enterprise=30))
    rows = await money.rows(
        "select state from change where organization_id = $1 and kind = 'reduce_seats'",
        buyer.organization_id,
    )
    assert [row["state"] for row in rows] == ["canceled"]
    await money.advance(day(2027, 1, 1))
    assert (await buyer.seats("enterprise"))[0] == 30


async def test_a97_the_way_from_team_to_enterprise_has_no_way_back(money):
    buyer = await money.buyer(plan="team", price="yearly", seats={"standard": 25})
    await buyer.join("ada", "standard")
    await buyer.change(to("enterprise", enterprise=25))
    assert await buyer.seats("enterprise") == (25, 1, 0, 0)  # who sat sits on
    async with refused(Code.CONTRACT_MANAGED):
        await buyer.ask(to("team", "monthly", standard=25))


async def test_a98_team_with_fewer_people_buys_the_minimum(money):
    buyer = await money.buyer(plan="team", price="yearly", seats={"standard": 5})
    await buyer.crowd(5, "standard")
    await buyer.change(to("enterprise"))
    assert await buyer.seats("enterprise") == (20, 5, 0, 0)


async def test_a95_legacy_seats_become_the_single_seat_at_the_renewal(money):
    buyer = await money.buyer()
    asked = subscribing("standard_and_premium", {"standard": 15, "premium": 10})
    await buyer.change(asked, manager=True)
    await buyer.join("ada", "standard")
    await buyer.join("bob", "premium")
    await money.advance(day(2027, 1, 1))
    await buyer.refresh()
    on = await buyer.subscription()
    assert (on.plan, on.term_end) == ("enterprise_assisted", day(2028, 1, 1))
    assert await buyer.seats("enterprise") == (25, 2, 0, 0)
    assert (await buyer.last()).total_minor == 25 * 240_00


async def test_c50_a_downgrade_waits_for_the_end_of_the_period(money):
    buyer = await organization(money, "base_and_seats", people=3)
    made = await buyer.change(to("per_seat"))
    assert (made.state, made.effective_at) == ("scheduled", day(2026, 2, 1))
    assert (await buyer.subscription()).plan == "base_and_seats"
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).plan == "per_seat"
    assert await buyer.totals() == [35_00, 24_00]


async def test_g3_a_downgrade_keeps_the_anchor(money):
    money.now = day(2026, 1, 31, 9)
    buyer = await organization(money, "base_and_seats", people=1)
    await buyer.change(to("per_seat"))
    ends = []
    for month in (3, 4, 5, 6):
        await money.advance(day(2026, month, 1))
        ends.append((await buyer.subscription()).period_end)
    assert ends == [day(2026, 3, 31), day(2026, 4, 30), day(2026, 5, 31), day(2026, 6, 30)]


async def test_s15_a95_who_waits_for_a_seat_type_that_goes_gets_what_it_becomes(money):
    buyer = await money.buyer("enterprise", plan="team", seats={"standard": 1, "premium": 1})
    await buyer.join("ada", "premium")
    waiting = [await buyer.join("bob", "standard")]
    waiting += [await buyer.join(name) for name in ("cyd", "eve")]
    for member, seat_type in zip(waiting, ("premium", "premium", None), strict=True):
        wish = RequestSeat(organization=buyer.id, member=member, seat_type=seat_type)
        await seat_requests.request(await buyer.ctx(), wish)
    # Bob sits already: the better seat that he waits for is now the one he moves to.
    await buyer.change(to("enterprise"))
    assert await buyer.seats() == (20, 4, 0, 0)
    page = await seat_requests.list_all(await buyer.ctx(), ListSeatRequests(organization=buyer.id))
    assert page.items == []


async def test_s15_who_waits_for_a_type_that_goes_keeps_their_place_in_a_full_pool(money):
    policies = {"change_plan_who": "billing", "upgrade_when": "now"}
    team = DOCUMENTS["enterprise"]["plans"]["team"]
    mark = new_id().hex[-12:]
    one = {"seat": {"name": "Seat", "rank": 10}}
    price = {"usd": {"currency": "USD", "per": "month", "seats": {"seat": {"unit_minor": 5_00}}}}
    plans = {
        "two": {**team, "minimum": 1, "policies": {**team["policies"], **policies}},
        "one": {"name": "One", "rank": 99, "seat_types": one, "prices": price},
    }
    catalog = await money.shelve(mark, plans)
    buyer = await money.buyer(catalog, plan=f"two_{mark}", seats={"standard": 1, "premium": 1})
    await buyer.join("ada", "premium")
    await buyer.join("bob", "standard")
    cyd = await buyer.join("cyd")
    wish = RequestSeat(organization=buyer.id, member=cyd, seat_type="premium")
    await seat_requests.request(await buyer.ctx(), wish)
    await buyer.change(to(f"one_{mark}", seat=2))
    page = await seat_requests.list_all(await buyer.ctx(), ListSeatRequests(organization=buyer.id))
    assert [r.seat_type for r in page.items] == ["seat"]
    assert "seat_request.changed" in await buyer.events("seat_request.")
    await buyer.add(1)
    assert (await buyer.seats())[:2] == (3, 3)


async def test_c51_a_coming_limit_blocks_new_seats_at_once(money):
    buyer = await organization(money, "base_and_seats", people=10, seats={"member": 12})
    await buyer.change(to("per_seat_limited"))
    async with refused(Code.OVER_LIMIT):
        await buyer.join("one-more")
    async with refused(Code.OVER_PLAN_LIMIT):
        await buyer.ask(PurchaseSeats(quantity=1))
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).plan == "per_seat_limited"
    assert await buyer.seats() == (10, 10, 0, 0)


async def test_c51_over_the_limit_on_the_day_the_old_plan_renews(money):
    buyer = await organization(money, "base_and_seats", people=10, seats={"member": 12})
    await buyer.change(to("per_seat_limited"))
    # Nothing lets an eleventh in; a change that came with an older program would be there.
    await money.run(
        "update seat_pool set ceiling = 1000000 where pool_id = $1", buyer.pools["member"]
    )
    await buyer.join("one-more")
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).plan == "base_and_seats"
    assert await buyer.totals() == [80_00, 75_00]  # 20 + 11 x 5
    assert "change.failed" in await buyer.events("change.")
    await buyer.add(1)  # and no limit stays behind


async def test_c51_replaced_by_a_plan_without_a_limit_the_block_is_lifted(money):
    buyer = await organization(money, "base_and_seats", people=10, seats={"member": 12})
    await buyer.change(to("per_seat_limited"))
    await buyer.change(to("per_seat"))
    await buyer.join("one-more")
    await money.advance(day(2026, 2, 1))
    assert await buyer.totals() == [80_00, 88_00]


async def test_c48_too_many_people_for_a_limited_plan(money):
    buyer = await organization(money, "base_and_seats", people=11)
    async with refused(Code.OVER_PLAN_LIMIT, limit=10, count=11) as found:
        await buyer.ask(to("per_seat_limited"))
    assert found[0].remedies[0].way == "remove_members"


async def test_c49_above_the_membership_limit_the_free_plan_is_out_of_reach(money):
    buyer = await organization(money, "base_and_seats", people=6)
    async with refused(Code.OVER_PLAN_LIMIT, limit=5, count=6):
        await buyer.ask(to("free"))


async def test_g18_invitations_count_in_limit_checks(money):
    buyer = await organization(money, "base_and_seats", people=9, seats={"member": 12})
    await buyer.invite("p1", "p2")
    async with refused(Code.OVER_PLAN_LIMIT, count=11):
        await buyer.ask(to("per_seat_limited"))


async def test_an_upgrade_replaces_a_downgrade_that_waits(money):
    buyer = await organization(money, "base_and_seats", people=2)
    await buyer.change(to("per_seat"))
    await buyer.change(to("ten_included"))
    await money.advance(day(2026, 2, 1))
    assert (await buyer.subscription()).plan == "ten_included"


async def test_from_month_to_year_a_new_period_begins_today(money):
    buyer = await organization(money, "base_and_seats", people=2)
    await money.advance(day(2026, 1, 11))
    await buyer.change(to("base_and_seats", "yearly_usd"))
    on = await buyer.subscription()
    assert (on.period_start, on.period_end) == (day(2026, 1, 11), day(2027, 1, 11))
    # 30.00 x 21/31 back in two lines, 200.00 and 2 x 50.00
    assert (await buyer.last()).total_minor == 300_00 - 13_55 - 6_77


async def test_seats_bought_after_a_downgrade_was_planned_come_along(money):
    catalog, plan = await money.variant("enterprise", "team", default_plan=None)
    buyer = await money.buyer(catalog, plan=plan, price="yearly", seats={"standard": 10})
    await buyer.change(to(plan, "monthly"))
    await buyer.add(5, "standard")
    await buyer.crowd(14, "standard")
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats("standard") == (15, 14, 0, 0)
    assert (await buyer.last()).total_minor == 15 * 30_00


async def test_named_seats_that_are_too_few_on_the_day_fail_the_change(money):
    catalog, plan = await money.variant("enterprise", "team", default_plan=None)
    buyer = await money.buyer(catalog, plan=plan, price="yearly", seats={"standard": 10})
    await buyer.change(to(plan, "monthly", standard=5))
    await buyer.crowd(8, "standard")
    await money.advance(day(2027, 1, 1))
    assert await buyer.seats("standard") == (10, 8, 0, 0)
    assert (await buyer.last()).total_minor == 10 * 300_00


@pytest.mark.parametrize(("price", "then"), [("monthly", "monthly"), ("yearly", "yearly")])
async def test_a95_g3_without_a_word_on_the_price_the_rhythm_stays(money, price, then):
    shipped = DOCUMENTS["enterprise"]["plans"]["team"]
    new = {**shipped, "prices": {f"new_{key}": p for key, p in shipped["prices"].items()}}
    mark = new_id().hex[-12:]
    old = {**shipped, "transition_to": f"new_{mark}"}
    catalog = await money.shelve(mark, {"old": old, "new": {**new, "rank": 30}, "third": new})
    seats = {"standard": 5, "premium": 1}
    transits = await money.buyer(catalog, plan=f"old_{mark}", price=price, seats=seats)
    changes = await money.buyer(catalog, plan=f"old_{mark}", price=price, seats=seats)
    await changes.change(to(f"new_{mark}"))
    await money.advance(day(2027, 1, 1))
    for buyer in (transits, changes):
        on = await buyer.subscription()
        assert (on.plan, on.price) == (f"new_{mark}", f"new_{then}")


async def on_a_free_plan(money, people):
    """A free plan that seats everyone, beside a plan with two types; so many members."""
    mark = new_id().hex[-12:]
    team = {**DOCUMENTS["enterprise"]["plans"]["team"], "minimum": 0}
    free = {"name": "Free", "capacity": "unlimited", "seat_types": {"seat": {"name": "Seat"}}}
    free["policies"] = {"seat_use": "every_member" if people else "explicit"}
    catalog = await money.shelve(mark, {"team": team, "free": free}, "free")
    buyer = await money.buyer(catalog)
    await buyer.crowd(people)
    return buyer, f"team_{mark}"


async def test_a12_who_names_a_seat_type_buys_that_one_and_no_other(money):
    buyer, team = await on_a_free_plan(money, 0)
    asked = subscribing(team, {"premium": 5}, "monthly")
    assert (await buyer.quote(asked)).seats_after == {"premium": 5, "standard": 0}
    await buyer.change(asked)
    (invoice,) = await buyer.invoices()
    assert [(x.seat_type, x.quantity) for x in invoice.lines] == [("premium", 5)]


async def test_a34_who_sits_on_the_free_plan_is_not_left_behind_nor_billed_unasked(money):
    buyer, team = await on_a_free_plan(money, 4)
    # Their old type becomes the highest, as no successor is named.
    async with refused(Code.SEATS_IN_USE, needed=5, seat_type="premium"):
        await buyer.ask(subscribing(team, {"standard": 2}, "monthly"))
    unasked = await buyer.quote(subscribing(team, {}, "monthly"))
    assert unasked.seats_after == {"premium": 5, "standard": 0}  # who names nothing: one for each
    await buyer.change(subscribing(team, {"premium": 5, "standard": 2}, "monthly"))


@pytest.mark.parametrize("method", [None, "sandbox_action_required"])
async def test_m12_c12_nobody_joins_above_the_seats_that_are_being_paid_for(money, method):
    buyer = await money.buyer("organization", method=method)  # on the free plan: five seats
    asked = subscribing("base_and_seats", {"member": 2}, "yearly_usd")
    outcome = await buyer.ask(asked)
    await buyer.join("ada")
    async with refused(Code.OVER_LIMIT, needed=1):
        await buyer.join("bob")
    if method is None:
        await buyer.record((await buyer.last()).invoice)
    else:
        await buyer.confirm(outcome.facts["payment"])
    assert await buyer.seats() == (2, 2, 0, 0)
    await buyer.pays_with("sandbox_ok")
    await buyer.add(1)
    await buyer.join("bob")


async def test_m12_who_withdraws_what_was_to_be_paid_has_their_seats_back(money):
    buyer = await money.buyer("organization", method=None)
    waits = await buyer.change(subscribing("base_and_seats", {"member": 1}, "yearly_usd"))
    async with refused(Code.OVER_LIMIT, needed=1):
        await buyer.join("ada")
    await buyer.void(str((await buyer.last()).invoice))
    assert (await buyer.subscription()).plan == "free"
    await buyer.join("ada")
    # Declined at once, nothing was ever blocked.
    await buyer.pays_with("sandbox_declined")
    await buyer.ask(subscribing("base_and_seats", {"member": 2}, "yearly_usd"))
    await buyer.join("bob")
    assert waits.state == "awaiting_payment"


async def test_m12_two_types_that_become_one_share_what_is_to_come(money):
    seats = {"standard": 3, "premium": 3}
    buyer = await money.buyer(plan="team", seats=seats, price="monthly", method=None)
    await buyer.record((await buyer.last()).invoice)
    await buyer.join("ada", "premium")
    await buyer.join("bob", "standard")
    await buyer.change(to("enterprise", enterprise=20))
    rows = await money.rows(
        "select seat_type, ceiling from seat_pool where organization_id = $1 order by 1",
        buyer.organization_id,
    )
    # 20 seats for both: one of them can grow by the 18 that are left.
    assert sorted(row["ceiling"] for row in rows) == [1, 19]
