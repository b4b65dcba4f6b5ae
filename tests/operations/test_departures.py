"""Leaving a workspace whose members pay for themselves: what ends, what goes on, who is touched."""

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import changes, roles
from seatkeeper.operations.roles import TransferPrimaryOwner
from tests.money_world import day
from tests.operations.people import add, invite, remove, revoke
from tests.operations.workspaces import (
    a_workspace,
    accept_as,
    homes,
    pays_with,
    user_of,
)
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def test_t17_who_paid_while_the_invitation_was_revoked_has_a_workspace_of_their_own(money):
    place = await a_workspace(money)
    ada = await place.invite("ada")
    async with refused(Code.PAYMENT_ACTION_REQUIRED) as answers:
        await place.accept(ada, "ada", "sandbox_action_required")
    await revoke(place.buyer, ada)
    await place.buyer.confirm(str(answers[0].facts["payment"]))
    assert await place.seats() == (1, 1)
    (home,) = await homes(money, "ada", place.mark)
    assert (await home.show()).period_end == day(2026, 2, 1)
    assert (await home.state(), await home.buyer.totals()) == ("seated", [])


async def test_t15_t38_who_cancels_stays_to_the_end_of_their_period_and_nobody_else_is_touched(
    money,
):
    place = await a_workspace(money)
    await money.advance(day(2026, 1, 10))
    await place.join("ada")
    cancelled = await place.ask("cancel", "ada")
    assert (cancelled.status, cancelled.cancel_at) == ("canceling", day(2026, 2, 10))
    assert (await place.ask("cancel", "ada")).cancel_at == day(2026, 2, 10)
    await money.advance(day(2026, 2, 9, 23))
    assert await place.state("ada") == "seated"
    await money.advance(day(2026, 2, 10))
    assert (await place.state("ada"), await place.state()) == ("unseated", "seated")
    assert await place.history("ada") == [("signup", "subscription_ended")]
    assert await place.seats() == (1, 1)
    assert await place.buyer.totals() == [99_00] * 3
    again = await place.sign_up("ada")
    assert (again.period_start, await place.state("ada")) == (day(2026, 2, 10), "seated")


async def test_t38_a_cancellation_can_be_taken_back_before_the_end(money):
    place = await a_workspace(money)
    await place.ask("cancel")
    assert (await place.ask("resume")).status == "active"
    await money.advance(day(2026, 2, 1))
    assert await place.buyer.totals() == [99_00, 99_00]
    await place.ask("cancel")
    await money.advance(day(2026, 3, 1))
    async with refused(Code.NOT_FOUND):
        await place.ask("resume")


async def test_t15_a_downgrade_in_a_shared_pool_goes_on_alone(money):
    place = await a_workspace(money)
    await place.join("ada")
    waiting = await place.sign_up("ada", "starter", None)
    assert waiting.plan == "pro"
    await money.advance(day(2026, 2, 1))
    assert (await place.state("ada"), await place.state()) == ("unseated", "seated")
    (home,) = await homes(money, "ada", place.mark)
    assert (await home.show()).plan == "starter"
    assert (await home.state(), await home.buyer.totals()) == ("seated", [29_00])
    assert (await home.buyer.last()).state == "paid"
    assert await place.buyer.totals() == [99_00] * 3


async def test_t15_who_is_alone_is_downgraded_in_place(money):
    place = await a_workspace(money)
    await place.sign_up(plan="starter", method=None)
    await money.advance(day(2026, 2, 1))
    assert ((await place.show()).plan, await place.state()) == ("starter", "seated")
    assert await place.buyer.totals() == [99_00, 29_00]


async def test_t16_the_admin_may_leave_and_the_workspace_works_on(money):
    place = await a_workspace(money)
    await place.join("ada")
    owner = place.people["owner"]
    await remove(place.buyer, owner, actor=owner)
    assert (await place.state("ada"), await place.seats()) == ("seated", (1, 1))
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await invite(place.buyer, "bob")
    command = TransferPrimaryOwner(
        organization=place.buyer.id, member=place.people["ada"], confirm_email="ada@example.com"
    )
    await roles.transfer(await place.buyer.ctx(), command)
    assert (await place.join("bob")).state == "seated"


async def test_t17_a_removed_members_seat_goes_on_alone_without_a_charge(money):
    place = await a_workspace(money)
    await money.advance(day(2026, 1, 10))
    await place.join("ada")
    await money.advance(day(2026, 1, 20))
    await remove(place.buyer, place.people["ada"])
    assert (await place.state("ada"), await place.seats()) == ("removed", (1, 1))
    (home,) = await homes(money, "ada", place.mark)
    own = await home.show()
    assert (own.status, own.period_end, own.has_payment_method) == (
        "active",
        day(2026, 2, 10),
        True,
    )
    assert (await home.state(), await home.buyer.totals()) == ("seated", [])
    await money.advance(day(2026, 2, 10))
    assert await home.buyer.totals() == [99_00]
    assert await place.buyer.totals() == [99_00, 99_00, 99_00]
    # And back again: what they pay comes along.
    assert (
        await accept_as(place, await place.invite("ada"), f"ada-{place.mark}")
    ).state == "seated"
    assert await place.buyer.totals() == [99_00] * 3


async def test_t17_t15_a_downgrade_that_waits_comes_along(money):
    place = await a_workspace(money)
    await place.join("ada")
    await place.sign_up("ada", plan="starter")  # from 1 February: 29.00 instead of 99.00
    await money.advance(day(2026, 1, 20))
    await remove(place.buyer, place.people["ada"])
    (home,) = await homes(money, "ada", place.mark)
    (waits,) = await waiting_changes(home)
    assert (waits.kind, waits.state, waits.effective_at) == (
        "change_plan",
        "scheduled",
        day(2026, 2, 1),
    )
    await money.advance(day(2026, 2, 1))
    assert await home.buyer.totals() == [29_00]
    assert (await home.show()).plan == "starter"


async def test_t11_t15_a_downgrade_that_waits_comes_in_and_leaves_again_on_its_day(money):
    place, home = await a_workspace(money), await a_workspace(money)
    await home.sign_up(plan="starter")  # from 1 February
    ada = await place.invite("ada")
    user = await user_of(money, home.buyer.owner)
    place.people["ada"] = MemberId.parse((await accept_as(place, ada, user)).member)
    assert [c.effective_at for c in await waiting_changes(place)] == [day(2026, 2, 1)]
    await money.advance(day(2026, 2, 1))
    # The others stay on the dearer plan, so hers goes on in a workspace of her own.
    assert (await place.state("ada"), await place.seats()) == ("unseated", (1, 1))
    [own] = await money.rows(
        """select s.organization_id, v.plan_key from subscription s
             join member m on m.organization_id = s.organization_id
              and m.member_id = s.payer_member_id
             join user_account u using (user_id) join plan_version v using (plan_version_id)
            where u.external_id = $1 and s.status = 'active'""",
        user,
    )
    assert own["plan_key"] == "starter"


async def waiting_changes(place):
    command = changes.ReadChanges(organization=place.buyer.id, state="scheduled")
    return (await changes.list_all(await place.buyer.ctx(), command)).items


async def test_t16_where_nobody_pays_any_more_who_is_invited_still_pays(money):
    place = await a_workspace(money)
    ada = await place.invite("ada")
    await place.ask("cancel")
    await money.advance(day(2026, 2, 1))
    bob = await place.invite("bob")
    async with refused(Code.INVITATION_UNAVAILABLE):
        await place.accept(ada, "ada")
    async with refused(Code.INVALID_REQUEST):
        await place.accept(bob, "bob", None)
    assert (await place.accept(bob, "bob")).state == "seated"
    await remove(place.buyer, place.people["owner"], actor=place.people["owner"])
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await place.invite("eve")


async def test_t17_what_is_in_arrears_ends_with_the_removal(money):
    place = await a_workspace(money)
    await place.join("ada")
    await pays_with(place, "sandbox_declined", "ada")
    await money.advance(day(2026, 2, 1))
    assert (await place.show("ada")).status == "past_due"
    await remove(place.buyer, place.people["ada"])
    assert await homes(money, "ada", place.mark) == []
    async with refused(Code.NOT_FOUND):
        await place.show("ada")


async def test_t17_who_is_removed_while_they_pay_keeps_what_they_paid(money):
    place = await a_workspace(money)
    ada = MemberId.parse((await add(place.buyer, "ada", user=f"ada-{place.mark}")).member)
    place.people["ada"] = ada
    async with refused(Code.PAYMENT_ACTION_REQUIRED) as answers:
        await place.sign_up("ada", method="sandbox_action_required")
    await remove(place.buyer, ada)
    await place.buyer.confirm(str(answers[0].facts["payment"]))
    (home,) = await homes(money, "ada", place.mark)
    assert (await home.state(), await place.seats()) == ("seated", (1, 1))


async def test_a99_one_members_arrears_touch_nobody_else(money):
    place = await a_workspace(money)
    await place.join("ada")
    await pays_with(place, "sandbox_declined", "ada")
    await money.advance(day(2026, 2, 2))
    assert ((await place.show("ada")).status, (await place.show()).status) == ("past_due", "active")
    assert await place.state("ada") == "seated"  # through the grace
    await money.advance(day(2026, 2, 15))
    assert (await place.state("ada"), await place.state()) == ("unseated", "seated")


async def test_a99_another_payment_method_ends_the_arrears(money):
    place = await a_workspace(money)
    await pays_with(place, "sandbox_declined")
    await money.advance(day(2026, 2, 1))
    assert (await place.show()).status == "past_due"
    await pays_with(place, "sandbox_ok")
    await money.advance(day(2026, 2, 1))
    assert (await place.show()).status == "active"
    assert (await place.buyer.last()).state == "paid"


async def test_t17_who_is_removed_in_a_period_that_is_not_paid_takes_nothing_along(money):
    place = await a_workspace(money)
    place.people["bob"] = MemberId.parse((await add(place.buyer, "bob", seat="none")).member)
    await place.sign_up("bob", method=None)
    await place.buyer.record((await place.buyer.last()).invoice)
    await money.advance(day(2026, 2, 2))
    assert (await place.show("bob")).status == "active"
    await remove(place.buyer, place.people["bob"])
    (owed,) = await place.buyer.invoices("open")
    assert owed.total_minor == 99_00
    rows = await money.rows(
        """select s.status from subscription s join member m
              on m.organization_id = s.organization_id and m.member_id = s.payer_member_id
             join user_account u using (user_id)
            where u.user_id = (select user_id from member where member_id = $1)""",
        place.people["bob"],
    )
    assert [row["status"] for row in rows] == ["ended"]
