"""Members who change, pause and leave, and where their seats go."""

import asyncio

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import members
from seatkeeper.operations.context import new_id
from seatkeeper.operations.members import (
    RemoveMember,
)
from tests.operations.people import add, change, page, remove
from tests.world import refused


async def test_a62_removing_frees_the_seat_and_a33_leaves_what_was_bought(world):
    house = await world.organization("enterprise", seats={"enterprise": 3})
    ada = await house.member("ada", seat="enterprise")
    gone = await remove(house, ada)
    assert (gone.state, gone.seat_type) == ("removed", None)
    assert await house.seats() == (3, 0, 0, 0)
    assert await house.events() == ["seat.unassigned", "member.removed"]
    async with refused(Code.NOT_FOUND):
        await remove(house, ada)


async def test_a7_an_owner_cannot_remove_themselves_another_can(world):
    house = await world.organization("enterprise", seats={"enterprise": 3})
    ada = await house.member("ada", role="owner")
    async with refused(Code.FORBIDDEN):
        await remove(house, ada, actor=ada)
    assert (await remove(house, ada, actor=house.owner)).state == "removed"


async def test_a8_the_primary_owner_cannot_be_removed_before_a_transfer(world):
    house = await world.organization("enterprise", seats={"enterprise": 3})
    for actor in (None, house.owner):
        async with refused(Code.PRIMARY_OWNER_REQUIRED):
            await remove(house, house.owner, actor=actor)


async def test_t16_the_admin_of_a_workspace_whose_members_pay_may_leave(world):
    house = await world.organization("pro")
    assert (await remove(house, house.owner, actor=house.owner)).state == "removed"


async def test_t17_a_removed_member_keeps_their_own_subscription(world):
    house = await world.organization("pro")
    ada = await house.member("ada")
    subscription = await world._subscription(house, house.plan, payer=ada)
    house.pools["own"] = new_id()
    await world.run(
        """insert into seat_pool (organization_id, pool_id, subscription_id, payer_member_id,
               seat_type, rank, capacity, every_member, purchased, billed_at)
           values ($1, $2, $3, $4, 'member', 0, 'purchased', true, 1, $5)""",
        house.organization_id,
        house.pools["own"],
        subscription,
        ada,
        world.now,
    )
    await change(house, ada, standing="suspended")
    assert (await change(house, ada, standing="active")).state == "seated"
    assert await house.seats("own") == (1, 1, 0, 0)
    await remove(house, ada)
    assert await house.seats("own") == (0, 0, 0, 0)
    rows = await world.rows(
        """select s.status from subscription s
             join member m on m.organization_id = s.organization_id
              and m.member_id = s.payer_member_id
             join member a on a.user_id = m.user_id and a.member_id = $1
            order by s.subscription_id""",
        ada,
    )
    assert [row["status"] for row in rows] == ["ended", "active"]  # here, and on their own


async def test_a_member_may_leave_but_not_send_others_away(world):
    house = await world.organization("enterprise", seats={"enterprise": 3})
    ada, bob = await house.member("ada"), await house.member("bob")
    admin, root = await house.member("admin", role="admin"), await house.member("x", role="admin")
    async with refused(Code.FORBIDDEN):
        await remove(house, bob, actor=ada)
    assert (await remove(house, ada, actor=ada)).state == "removed"
    async with refused(Code.FORBIDDEN):
        await remove(house, root, actor=admin)
    assert (await remove(house, bob, actor=admin)).state == "removed"


async def test_c59_who_came_through_the_directory_does_not_leave_alone(world):
    house = await world.organization("enterprise", seats={"enterprise": 3})
    ada = await house.member("ada", source="scim")
    async with refused(Code.FORBIDDEN):
        await remove(house, ada, actor=ada)
    assert (await remove(house, ada)).state == "removed"


async def test_a77_suspending_frees_the_seat_and_coming_back_takes_one(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = MemberId.parse((await add(house, "ada", source="scim")).member)
    bob = await add(house, "bob", source="scim")
    assert (await change(house, ada, standing="suspended")).state == "suspended"
    assert [m.state for m in (await page(house, q="bob")).items] == ["seated"]
    assert (await change(house, ada, standing="suspended")).state == "suspended"
    assert (await change(house, ada, standing="active")).state == "awaiting_seat"
    await remove(house, MemberId.parse(bob.member))
    assert [m.state for m in (await page(house, q="ada")).items] == ["seated"]
    assert await house.events("member.s") == ["member.suspended"]


async def test_a77_who_was_added_by_hand_gets_their_seat_back_if_there_is_one(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada, bob = await house.member("ada", seat="premium"), await house.member("bob")
    await change(house, ada, standing="suspended")
    await change(house, bob, standing="suspended")
    assert (await change(house, bob, standing="active")).state == "unseated"
    assert (await change(house, ada, standing="active")).seat_type == "premium"
    await change(house, ada, standing="suspended")
    await add(house, "eve", seat_type="premium")
    async with refused(Code.INSUFFICIENT_SEATS, seat_type="premium"):
        await change(house, ada, standing="active")


async def test_a66_suspending_who_waits_ends_the_wait(world):
    house = await world.organization("enterprise", seats={"enterprise": 0})
    ada = MemberId.parse((await add(house, source="jit")).member)
    await change(house, ada, standing="suspended")
    assert await house.seats() == (0, 0, 0, 0)
    assert await house.events("seat_request") == ["seat_request.canceled"]


async def test_a8_the_primary_owner_is_not_suspended_nor_anyone_by_themselves(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    owner, admin = MemberId(int=house.owner.int), await house.member("ada", role="admin")
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await change(house, owner, standing="suspended")
    async with refused(Code.FORBIDDEN):
        await change(house, admin, actor=admin, standing="suspended")
    async with refused(Code.FORBIDDEN):
        await change(house, owner, actor=admin, name="Someone")


async def test_a1_only_owners_give_the_billing_permission(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    admin, ada = await house.member("admin", role="admin"), await house.member("ada")
    async with refused(Code.FORBIDDEN):
        await change(house, ada, actor=admin, may_bill=True)
    assert (await change(house, ada, actor=house.owner, may_bill=True)).may_bill
    assert (await change(house, ada, actor=admin, name="Ada L.")).name == "Ada L."
    assert await house.events("member.changed") == ["member.changed"] * 2


async def test_changing_what_is_so_already_changes_nothing(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada")
    before = await change(house, ada, name="Ada", email="ADA@example.com", standing="active")
    assert (before.version, await house.events()) == (1, [])
    async with refused(Code.ALREADY_EXISTS):
        await change(house, ada, email="owner@example.com")
    assert (await change(house, ada, email="new@example.com")).email == "new@example.com"


async def test_a_stale_version_is_refused(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada")
    ctx = await house.ctx()
    ctx.if_match = 7
    async with refused(Code.PRECONDITION_FAILED, version=1):
        await members.remove(ctx, RemoveMember(organization=house.id, member=ada))


@pytest.mark.race
async def test_s15_seats_freed_at_once_go_to_the_queue_in_order(world):
    house = await world.organization("enterprise", seats={"enterprise": 8})
    seated = [await house.member(f"s{n}", seat="enterprise") for n in range(8)]
    waiting = []
    for n in range(10):
        world.pass_time(seconds=1)
        waiting.append((await add(house, f"w{n}", source="jit")).member)
    await asyncio.gather(*(remove(house, member) for member in seated))
    states = {m.member: m.state for m in (await page(house, limit=200)).items}
    assert [states[m] for m in waiting] == ["seated"] * 8 + ["awaiting_seat"] * 2
