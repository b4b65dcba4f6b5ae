"""Roles, and the one primary owner."""

import asyncio

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.members import Role
from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import members, roles
from seatkeeper.operations.members import RemoveMember
from seatkeeper.operations.roles import ChangeRole, TransferPrimaryOwner
from tests.world import refused


async def change(house, member, role, actor=None):
    command = ChangeRole(organization=house.id, member=member, role=Role(role))
    return await roles.change(await house.ctx(actor), command)


async def transfer(house, member, email, actor=None):
    command = TransferPrimaryOwner(organization=house.id, member=member, confirm_email=email)
    return await roles.transfer(await house.ctx(actor), command)


async def owners(house):
    rows = await house.world.rows(
        "select member_id from member where organization_id = $1 and role = 'primary_owner'"
        " and standing <> 'removed'",
        house.organization_id,
    )
    return [row["member_id"] for row in rows]


async def test_a3_only_owners_change_roles(world):
    house = await world.organization("enterprise")
    ada, admin = await house.member("ada"), await house.member("admin", role="admin")
    async with refused(Code.FORBIDDEN):
        await change(house, ada, "admin", actor=admin)
    assert (await change(house, ada, "admin", actor=house.owner)).role == "admin"
    assert (await change(house, ada, "owner")).role == "owner"
    assert (await change(house, ada, "owner")).version == 3
    assert await house.events() == ["role.changed"] * 2


async def test_g13_a_change_of_role_is_told_before_and_after(world):
    house = await world.organization("enterprise")
    ada = await house.member("ada")
    await change(house, ada, "admin", actor=house.owner)
    row = await world.row(
        "select facts, actor, request_id from event where organization_id = $1",
        house.organization_id,
    )
    assert row["facts"] == {"before": "member", "after": "admin"}
    assert row["actor"].startswith(MemberId.text(house.owner))
    assert row["request_id"] is not None


async def test_b043_the_primary_owner_is_not_demoted(world):
    house = await world.organization("enterprise")
    owner = MemberId(int=house.owner.int)
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await change(house, owner, "member")
    ada = await house.member("ada")
    async with refused(Code.STATE_CONFLICT) as found:
        await change(house, ada, "primary_owner")
    assert [remedy.way for remedy in found[0].ways_out] == ["transfer_primary_owner"]


async def test_a6_the_primary_owner_passes_the_role_on_by_typing_the_address(world):
    house = await world.organization("enterprise")
    ada = await house.member("ada", role="admin")
    async with refused(Code.INVALID_REQUEST):
        await transfer(house, ada, "adam@example.com", actor=house.owner)
    done = await transfer(house, ada, " ADA@example.com", actor=house.owner)
    assert done.role == "primary_owner"
    assert await owners(house) == [ada]
    row = await world.row("select role from member where member_id = $1", house.owner)
    assert row["role"] == "owner"
    async with refused(Code.FORBIDDEN):
        await transfer(house, ada, "ada@example.com", actor=house.owner)
    assert (await transfer(house, ada, "ada@example.com", actor=ada)).existed


async def test_a8_the_vendor_may_force_it_and_the_event_says_so(world):
    house = await world.organization("enterprise")
    ada = await house.member("ada")
    await transfer(house, ada, "ada@example.com")
    rows = await world.rows(
        "select facts from event where organization_id = $1 order by event_id",
        house.organization_id,
    )
    assert [row["facts"]["forced"] for row in rows] == [True, True]


async def test_t16_a_remaining_member_gets_the_role_of_an_admin_who_left(world):
    house = await world.organization("pro")
    ada = await house.member("ada")
    owner = MemberId(int=house.owner.int)
    await members.remove(
        await house.ctx(house.owner), RemoveMember(organization=house.id, member=owner)
    )
    assert await owners(house) == []
    assert (await transfer(house, ada, "ada@example.com")).role == "primary_owner"


async def test_t16_where_members_pay_the_old_admin_becomes_a_member(world):
    house = await world.organization("pro")
    ada = await house.member("ada")
    await transfer(house, ada, "ada@example.com", actor=house.owner)
    row = await world.row("select role from member where member_id = $1", house.owner)
    assert row["role"] == "member"
    async with refused(Code.STATE_CONFLICT):
        await change(house, MemberId(int=house.owner.int), "admin")


async def test_only_an_active_member_of_the_organization_gets_the_role(world):
    house, other = await world.organization("enterprise"), await world.organization("enterprise")
    ada = await house.member("ada")
    stranger = await other.member("eve")
    async with refused(Code.NOT_FOUND):
        await transfer(house, stranger, "eve@example.com")
    command = members.ChangeMember(organization=house.id, member=ada, standing="suspended")
    await members.change(await house.ctx(), command)
    async with refused(Code.NOT_FOUND):
        await transfer(house, ada, "ada@example.com")
    async with refused(Code.NOT_FOUND):
        await change(house, stranger, "admin")


@pytest.mark.race
async def test_a5_transfers_at_once_leave_exactly_one_primary_owner(world):
    house = await world.organization("enterprise")
    people = [await house.member(f"m{n}") for n in range(8)]

    async def one(n, member):
        try:
            await transfer(house, member, f"m{n}@example.com", actor=house.owner)
        except Refused as error:
            return error.refusal.code
        return "done"

    await asyncio.gather(*(one(n, member) for n, member in enumerate(people)))
    assert len(await owners(house)) == 1
