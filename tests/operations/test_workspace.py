"""Workspaces whose members pay for themselves: who pays what when, and who is touched by it."""

import asyncio

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code, Refusal
from seatkeeper.operations import seats, workspace
from seatkeeper.operations.asked import Subscribe
from seatkeeper.operations.context import new_id
from seatkeeper.operations.dunning import complete_unpaid
from seatkeeper.operations.seats import MoveSeats, SeatMove, UnassignSeat
from tests.money_world import day
from tests.operations.people import add, change
from tests.operations.workspaces import a_workspace, accept_as, homes, pays_with, user_of
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")


async def test_t2_t8_the_first_member_who_pays_makes_the_workspace(money):
    place = await a_workspace(money, plan=None)
    made = await place.sign_up()
    assert (made.plan, made.status, made.pending) == ("pro", "active", False)
    assert (made.period_start, made.period_end) == (day(2026, 1, 1), day(2026, 2, 1))
    assert await place.buyer.totals() == [99_00]
    assert (await place.state(), await place.seats()) == ("seated", (1, 1))
    assert await place.history("owner") == [("signup", None)]


async def test_t7_t10_an_invitee_pays_the_full_price_on_their_own_anchor(money):
    place = await a_workspace(money)
    await money.advance(day(2026, 1, 20, 15))
    ada = await place.join("ada")
    assert (ada.state, ada.seat_type) == ("seated", "member")
    own = await place.show("ada")
    assert (own.period_start, own.period_end) == (day(2026, 1, 20), day(2026, 2, 20))
    assert await place.buyer.totals() == [99_00, 99_00]
    assert await place.seats() == (2, 2)
    await money.advance(day(2026, 2, 20))
    assert await place.buyer.totals() == [99_00] * 4  # owner on 1 February, Ada on the 20th
    assert {i.state for i in await place.buyer.invoices()} == {"paid"}


@pytest.mark.parametrize(("people", "monthly"), [(1, 99_00), (2, 198_00), (3, 297_00), (5, 495_00)])
async def test_t8_each_seat_is_a_charge_of_its_own(money, people, monthly):
    place = await a_workspace(money)
    for n in range(people - 1):
        await place.join(f"m{n}")
    assert await place.buyer.totals() == [99_00] * people
    await money.advance(day(2026, 2, 1))
    assert sum((await place.buyer.totals())[people:]) == monthly


async def test_t9_a_declined_payment_leaves_the_invitation_as_it_was(money):
    place = await a_workspace(money)
    ada = await place.invite("ada")
    async with refused(Code.PAYMENT_DECLINED):
        await place.accept(ada, "ada", "sandbox_declined")
    async with refused(Code.INVALID_REQUEST):
        await place.accept(ada, "ada", None)
    async with refused(Code.INVALID_REQUEST):
        await place.accept(ada, "ada", "sandbox_unknown")
    assert await place.seats() == (1, 1)
    assert "member.added" not in await place.buyer.events()
    assert (await place.accept(ada, "ada")).state == "seated"
    assert (await place.accept(ada, "ada")).existed
    assert await place.buyer.totals() == [99_00, 99_00]


async def test_t7_b065_a_payment_that_needs_the_payer_lets_them_in_when_confirmed(money):
    place = await a_workspace(money)
    ada = await place.invite("ada")
    async with refused(Code.PAYMENT_ACTION_REQUIRED) as answers:
        await place.accept(ada, "ada", "sandbox_action_required")
    async with refused(Code.PAYMENT_ACTION_REQUIRED):
        await place.accept(ada, "ada", "sandbox_ok")  # the payment that is on its way counts
    assert await place.seats() == (1, 1)
    await place.buyer.confirm(str(answers[0].facts["payment"]))
    member = await place.accept(ada, "ada")
    assert (member.state, member.existed) == ("seated", True)
    assert await place.buyer.totals() == [99_00, 99_00]


async def test_m18_a_lost_answer_is_found_again_and_charged_once(money):
    place = await a_workspace(money)
    assert (await place.join("ada", "sandbox_timeout")).state == "seated"
    assert await place.buyer.totals() == [99_00, 99_00]


async def test_m18_a_payment_that_never_ends_is_given_up_after_a_day(money):
    place = await a_workspace(money)
    ada = await place.invite("ada")
    async with refused(Code.PAYMENT_ACTION_REQUIRED):
        await place.accept(ada, "ada", "sandbox_action_required")
    await money.advance(day(2026, 1, 3))
    await complete_unpaid(money.engine, money.now, money.clock_id)
    assert (await place.accept(ada, "ada")).state == "seated"
    assert await place.buyer.totals() == [99_00, 99_00]


async def test_t11_an_own_subscription_comes_along_without_a_second_charge(money):
    place = await a_workspace(money)
    home = await a_workspace(money, plan=None)
    await money.advance(day(2026, 1, 10, 8))
    await home.sign_up()
    await money.advance(day(2026, 1, 20, 8))
    ada = await place.invite("ada")
    member = await accept_as(place, ada, await user_of(money, home.buyer.owner))
    assert member.state == "seated"
    place.people["ada"] = MemberId.parse(member.member)
    own = await place.show("ada")
    assert (own.period_start, own.period_end) == (day(2026, 1, 10), day(2026, 2, 10))
    assert await place.buyer.totals() == [99_00]
    async with refused(Code.NOT_FOUND):
        await home.show()
    assert (await home.state(), await home.history("owner")) == ("unseated", [("signup", "moved")])
    await money.advance(day(2026, 2, 10))
    assert await place.buyer.totals() == [99_00, 99_00, 99_00]
    assert await home.buyer.totals() == [99_00]


async def test_t11_a_cancelled_subscription_that_comes_along_still_ends(money):
    place, home = await a_workspace(money), await a_workspace(money)
    await home.ask("cancel")
    ada = await place.invite("ada")
    member = await accept_as(place, ada, await user_of(money, home.buyer.owner))
    place.people["ada"] = MemberId.parse(member.member)
    own = await place.show("ada")
    assert (own.status, own.cancel_at) == ("canceling", day(2026, 2, 1))
    await money.advance(day(2026, 2, 1))
    assert await place.state("ada") == "unseated"
    assert await place.state() == "seated"


async def test_t11_in_another_time_zone_the_paid_days_stay_the_same(money):
    place = await a_workspace(money, zone="Asia/Tokyo")
    home = await a_workspace(money, zone="Europe/Berlin")
    ada = await place.invite("ada")
    member = await accept_as(place, ada, await user_of(money, home.buyer.owner))
    place.people["ada"] = MemberId.parse(member.member)
    assert (await place.show("ada")).period_end == day(2026, 1, 31, 15)  # 1 February in Tokyo


async def test_t11_who_is_in_arrears_pays_first(money):
    place, home = await a_workspace(money), await a_workspace(money, plan=None)
    await home.sign_up()
    await pays_with(home, "sandbox_declined")
    await money.advance(day(2026, 2, 1))
    ada = await place.invite("ada")
    async with refused(Code.PAST_DUE):
        await accept_as(place, ada, await user_of(money, home.buyer.owner), "sandbox_ok")


async def test_t12_who_is_on_starter_upgrades_and_then_joins(money):
    place, home = await a_workspace(money), await a_workspace(money, plan="starter")
    user = await user_of(money, home.buyer.owner)
    ada = await place.invite("ada")
    async with refused(Code.PLAN_TIER_MISMATCH, plan="pro"):
        await accept_as(place, ada, user, "sandbox_ok")
    await money.advance(day(2026, 1, 10, 9))
    upgraded = await home.sign_up(method=None)
    # Mid-month there is no credit: the full price from today on.
    assert (upgraded.plan, upgraded.period_end) == ("pro", day(2026, 2, 10))
    assert await home.buyer.totals() == [29_00, 99_00]
    assert (await accept_as(place, ada, user)).state == "seated"


async def test_t12_a_declined_upgrade_leaves_the_old_plan(money):
    place = await a_workspace(money, plan="starter")
    async with refused(Code.PAYMENT_DECLINED):
        await place.sign_up(plan="pro", method="sandbox_declined")
    own = await place.show()
    assert (own.plan, own.status, await place.state()) == ("starter", "active", "seated")
    await money.advance(day(2026, 2, 1))
    assert await place.buyer.totals() == [29_00, 29_00]


async def test_t13_everyone_in_a_workspace_is_on_one_plan(money):
    place = await a_workspace(money)
    place.people["bob"] = MemberId.parse((await add(place.buyer, "bob")).member)
    async with refused(Code.PLAN_TIER_MISMATCH, plan="pro") as answers:
        await place.sign_up("bob", "starter")
    assert [r.way for r in answers[0].ways_out] == ["choose_plan", "contact_account_manager"]
    assert (await place.sign_up("bob")).plan == "pro"
    for plan in ("pro", "starter"):
        async with refused(Code.STATE_CONFLICT):
            await place.buyer.ask(Subscribe(plan=plan))


async def test_t1_starter_is_one_person_alone(money):
    place = await a_workspace(money, plan="starter")
    async with refused(Code.OVER_PLAN_LIMIT, limit=1):
        await place.invite("ada")
    other = await a_workspace(money, plan=None)
    await add(other.buyer, "bob")
    async with refused(Code.OVER_PLAN_LIMIT, limit=1, count=2):
        await other.sign_up(plan="starter")


async def test_without_a_payment_method_the_seat_comes_with_the_recorded_payment(money):
    place = await a_workspace(money, plan=None)
    waiting = await place.sign_up(method=None)
    assert (waiting.status, waiting.pending, await place.state()) == (
        "incomplete",
        True,
        "unseated",
    )
    async with refused(Code.STATE_CONFLICT, state="awaiting_payment"):
        await place.sign_up()
    await place.buyer.record((await place.buyer.last()).invoice)
    assert ((await place.show()).status, await place.state()) == ("active", "seated")


async def test_t8_the_organizations_credit_does_not_pay_for_a_member(money):
    place = await a_workspace(money, plan=None)
    await money.run(
        "update billing_account set balance_minor = 50 where organization_id = $1",
        place.buyer.organization_id,
    )
    await money.run(
        """insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason,
               created_at) values ($1, $2, 50, 'USD', 'a gift', $3)""",
        place.buyer.organization_id,
        new_id(),
        money.now,
    )
    await place.sign_up()
    assert (await place.buyer.last()).payable_minor == 99_00


async def test_t8_t18_only_the_payer_sees_and_changes_what_they_pay(money):
    place = await a_workspace(money)
    await place.join("ada")
    owner = place.people["owner"]
    for verb in ("show", "cancel", "resume"):
        async with refused(Code.FORBIDDEN):
            await place.ask(verb, "ada", actor=owner)
    async with refused(Code.FORBIDDEN):
        await place.sign_up("ada", actor=owner)
    assert (await place.show("ada", actor=place.people["ada"])).plan == "pro"


async def test_t8_nobody_takes_a_seat_that_someone_pays_for(money):
    place = await a_workspace(money)
    owner = place.people["owner"]
    async with refused(Code.STATE_CONFLICT):
        await seats.unassign(
            await place.buyer.ctx(), UnassignSeat(organization=place.buyer.id, member=owner)
        )
    async with refused(Code.STATE_CONFLICT):
        moves = [SeatMove(member=owner, seat_type=None)]
        command = MoveSeats(organization=place.buyer.id, moves=moves)
        await seats.move(await place.buyer.ctx(), command)
    assert await place.seats() == (1, 1)


async def test_t37_the_seat_follows_the_person_not_the_address(money):
    place = await a_workspace(money)
    await place.join("ada")
    await change(place.buyer, place.people["ada"], email="ada@elsewhere.example")
    assert ((await place.show("ada")).status, await place.state("ada")) == ("active", "seated")


async def test_the_plan_one_is_on_succeeds_without_a_charge(money):
    place = await a_workspace(money)
    again = await place.sign_up(method=None)
    assert (again.existed, await place.buyer.totals()) == (True, [99_00])
    async with refused(Code.NOT_FOUND):
        place.people["nobody"] = MemberId(int=new_id().int)
        await place.sign_up("nobody")


async def test_t4_a_year_paid_upfront_renews_after_a_year(money):
    place = await a_workspace(money, plan=None)
    made = await place.sign_up(price="yearly")
    assert (made.price, made.period_end) == ("yearly", day(2027, 1, 1))
    assert await place.buyer.totals() == [990_00]


async def test_i3_a_repeated_request_finds_its_own_sign_up(money):
    place = await a_workspace(money, plan=None)
    first = await place.sign_up(key="k1")
    assert (await place.sign_up(key="k1")).subscription == first.subscription
    assert await place.buyer.totals() == [99_00]


@pytest.mark.race
async def test_t8_sixteen_sign_ups_at_once_are_one_charge(money):
    place = await a_workspace(money, plan=None)

    async def tried():
        async with refused(Code.REQUEST_IN_PROGRESS):
            answer = await place.sign_up()
            assert not isinstance(answer, Refusal)
            raise AssertionError("done")

    await asyncio.gather(*(tried() for _ in range(16)), return_exceptions=True)
    assert (await place.buyer.totals(), await place.seats()) == ([99_00], (1, 1))


@pytest.mark.race
async def test_t7_g11_sixteen_accepts_at_once_are_one_charge(money):
    place = await a_workspace(money)
    ada = await place.invite("ada")
    answers = await asyncio.gather(*(place.accept(ada, "ada") for _ in range(16)))
    assert {answer.state for answer in answers} == {"seated"}
    assert (await place.buyer.totals(), await place.seats()) == ([99_00, 99_00], (2, 2))


async def test_b025_a_sign_up_that_was_cut_off_is_brought_to_its_end(money, monkeypatch):
    place = await a_workspace(money)
    ada = await place.invite("ada")

    async def cut_off(_ctx, _begun):
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", cut_off)
        with pytest.raises(asyncio.CancelledError):
            await place.accept(ada, "ada")
    assert await place.seats() == (1, 1)
    done = await money.advance(day(2026, 1, 2))
    assert done["payments_completed"] == 1
    member = await place.accept(ada, "ada")
    assert (member.state, member.existed) == ("seated", True)
    assert await place.buyer.totals() == [99_00, 99_00]


async def test_t9_an_invitation_that_expired_while_they_paid_leaves_them_on_their_own(money):
    place = await a_workspace(money)
    await money.advance(day(2026, 1, 2))
    ada = await place.invite("ada")
    await money.advance(day(2026, 1, 15, 23))
    async with refused(Code.PAYMENT_ACTION_REQUIRED) as answers:
        await place.accept(ada, "ada", "sandbox_action_required")
    await money.advance(day(2026, 1, 16, 1))
    await place.buyer.confirm(str(answers[0].facts["payment"]))
    assert await place.seats() == (1, 1)
    (home,) = await homes(money, "ada", place.mark)
    assert await home.state() == "seated"


async def test_m19_a_parked_workspace_charges_no_member(money):
    place = await a_workspace(money)
    invited = await place.invite("bob")
    place.people["al"] = MemberId.parse((await add(place.buyer, "al", seat="none")).member)
    own = place.buyer.organization_id
    money.parked.add(own)
    await money.run(
        """update organization set parked_at = $2, parked_reason = 'a test'
            where organization_id = $1""",
        own,
        money.now,
    )
    for charging in (
        place.sign_up("al"),
        place.sign_up(price="yearly"),
        place.accept(invited, "bob"),
    ):
        async with refused(Code.PARKED):
            await charging
    assert await place.buyer.totals() == [99_00]
