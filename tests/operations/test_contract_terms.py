"""A contract's own terms come before its plan's: when to pay, how long to wait, what follows."""

import pytest

from seatkeeper.operations.asked import ChangePlan
from tests.domain.shipped import DOCUMENTS
from tests.money_world import day
from tests.operations.deals import coming, contract, shown, sign

pytestmark = pytest.mark.usefixtures("verified")

NEXT_YEAR = day(2027, 1, 1)


async def test_a99_the_grace_of_a_contract_is_what_it_agrees_on(money):
    buyer = await money.buyer("workspace", method=None)
    terms = {"net_terms_days": 10, "overdue_grace_days": 45}
    made = await contract(buyer, "business", {"member": 10}, **terms)
    assert made.overdue_grace_days == 45
    await money.advance(day(2026, 1, 20))
    on = await buyer.subscription()
    assert on.grace_ends_at == day(2026, 2, 25)  # 1 January + 10 days of terms + 45 of grace
    await money.advance(day(2026, 2, 24))
    assert (await shown(buyer)).state == "active"  # the plan's 14 days are long over
    await money.advance(day(2026, 2, 25))
    assert (await shown(buyer)).state == "ended"


async def test_a99_the_grace_is_a_detail_of_the_contract_and_of_what_is_signed_next(money):
    buyer = await money.buyer("workspace")
    assert (await contract(buyer, "business_yearly", {"member": 10})).overdue_grace_days is None
    longer = await contract(buyer, "business_yearly", overdue_grace_days=30)
    assert (longer.overdue_grace_days, longer.version) == (30, 2)
    assert (await contract(buyer, "business_yearly")).version == 2  # not named, it stays
    assert (await sign(buyer)).next_terms.overdue_grace_days == 30
    await sign(buyer, overdue_grace_days=0)
    await money.advance(NEXT_YEAR)
    assert (await shown(buyer)).overdue_grace_days == 0


async def test_a27_a_change_of_plan_under_a_contract_is_invoiced_on_its_terms(money):
    buyer = await money.buyer("workspace")
    terms = {"term_months": 24, "net_terms_days": 60}
    await contract(buyer, "business_yearly", {"member": 10}, **terms)
    await buyer.change(ChangePlan(plan="business"), manager=True)
    rehearsed = await coming(buyer)
    assert (rehearsed.kind, rehearsed.plan) == ("change_plan", "business")
    await money.advance(NEXT_YEAR)
    last = await buyer.last()
    assert (last.total_minor, last.due_at) == (80_000, day(2027, 3, 2))  # 1 January + 60 days
    made = await shown(buyer)
    assert (made.plan, made.kind, made.state) == ("business", "monthly", "active")
    assert (made.net_terms_days, made.signed_until) == (60, day(2028, 1, 1))


async def test_a27_a_contract_that_ends_with_its_plan_ends_its_terms_too(money):
    catalog, mark = await pair(money)
    buyer = await money.buyer(catalog)
    terms = {"term_months": 24, "net_terms_days": 60}
    await contract(buyer, f"kept_{mark}", {"member": 10}, **terms)
    await buyer.change(ChangePlan(plan=f"open_{mark}"), manager=True)
    await money.advance(NEXT_YEAR)
    last = await buyer.last()
    assert (last.total_minor, last.due_at) == (50_000, NEXT_YEAR)  # the plan charges at once
    assert (await shown(buyer)).state == "ended"


async def test_t33_a_change_of_plan_at_once_makes_the_contract_of_the_new_kind(money):
    buyer = await money.buyer("workspace")
    assert (await contract(buyer, "business", {"member": 10})).kind == "monthly"
    await buyer.change(ChangePlan(plan="business_yearly"), manager=True)
    assert (await shown(buyer)).kind == "annual_upfront"


async def test_a96_a_change_of_plan_does_not_renew_an_unsigned_contract(money):
    buyer = await money.buyer("workspace")
    await contract(buyer, "business_yearly", {"member": 10})
    planned = await buyer.change(ChangePlan(plan="business"), manager=True)
    assert (await coming(buyer)).kind == "unsigned"
    await money.advance(NEXT_YEAR)
    made = await shown(buyer)
    assert (made.plan, made.state) == ("business_yearly", "unsigned")
    assert await buyer.totals() == [960_000]
    # Signed within the grace, what is signed takes the place of what was planned.
    await sign(buyer)
    made = await shown(buyer)
    assert (made.plan, made.state, made.signed_until) == (
        "business_yearly",
        "active",
        day(2028, 1, 1),
    )
    assert await state_of(money, buyer, "change_plan") == ["canceled"]
    assert planned.state == "scheduled"


async def test_a95_what_was_signed_comes_before_a_change_that_was_planned_later(money):
    buyer = await money.buyer("workspace")
    await contract(buyer, "business_yearly", {"member": 10}, net_terms_days=60)
    await sign(buyer, net_terms_days=15)
    await buyer.change(ChangePlan(plan="business"), manager=True)
    assert (await coming(buyer)).kind == "contract"
    await money.advance(NEXT_YEAR)
    made = await shown(buyer)
    assert (made.plan, made.next_terms, made.net_terms_days) == ("business_yearly", None, 15)
    assert (await buyer.last()).due_at == day(2027, 1, 16)
    assert await state_of(money, buyer, "change_plan") == ["canceled"]


async def test_a96_at_its_end_a_contract_can_be_left_for_a_plan_without_one(money):
    catalog, mark = await pair(money)
    buyer = await money.buyer(catalog)
    await contract(buyer, f"kept_{mark}", {"member": 10})
    await buyer.change(ChangePlan(plan=f"open_{mark}"), manager=True)
    assert (await coming(buyer)).kind == "change_plan"
    await money.advance(NEXT_YEAR)
    assert (await buyer.subscription()).plan == f"open_{mark}"
    assert (await shown(buyer)).state == "ended"


async def pair(money):
    """A catalog with a yearly plan sold under contracts and a smaller one that anybody buys."""
    shelf = {
        "kept": DOCUMENTS["workspace"]["plans"]["business_yearly"],
        "open": {
            "name": "Open",
            "rank": 10,
            "seat_types": {"member": {"name": "Member"}},
            "prices": {
                "monthly": {
                    "currency": "USD",
                    "per": "month",
                    "seats": {"member": {"unit_minor": 5_000}},
                }
            },
        },
    }
    mark = money.engine.new_id().hex[-12:]
    return await money.shelve(mark, shelf), mark


async def state_of(money, buyer, kind):
    rows = await money.rows(
        "select state from change where organization_id = $1 and kind = $2 order by change_id",
        buyer.organization_id,
        kind,
    )
    return [row["state"] for row in rows]
