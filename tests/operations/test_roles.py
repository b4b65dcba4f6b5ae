"""Roles, and the one primary owner."""

import asyncio

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.members import Role
from seatkeeper.domain.refusals import Code, Refused, Way
from seatkeeper.operations import invitations, members, roles
from seatkeeper.operations.invitations import CreateInvitations, Invite, ResendInvitation
from seatkeeper.operations.members import RemoveMember
from seatkeeper.operations.roles import ChangeRole, TransferPrimaryOwner
from tests.money_world import ACCOUNT_MANAGER
from tests.operations.people import accept, add, id_of, invite, resend
from tests.world import refused


async def change(house, member, role, actor=None):
    command = ChangeRole(organization=house.id, member=member, role=Role(role))
    return await roles.change(await house.ctx(actor), command)


async def transfer(house, member, email, actor=None):
    command = TransferPrimaryOwner(organization=house.id, member=member, confirm_email=email)
    return await roles.transfer(await house.ctx(actor), command)


async def as_account_manager(house):
    ctx = await house.ctx()
    ctx.principal = ACCOUNT_MANAGER
    return ctx


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


async def test_t35_on_business_only_the_account_manager_makes_admins(world):
    house = await world.organization("business", seats={"member": 5})
    ada = await house.member("ada", seat="member")
    for actor in (house.owner, None):  # the workspace's creator, and the vendor's own service
        async with refused(Code.CONTRACT_MANAGED) as found:
            await change(house, ada, "admin", actor=actor)
        assert [remedy.way for remedy in found[0].ways_out] == [Way.CONTACT_ACCOUNT_MANAGER]
    assert await house.events() == []
    command = ChangeRole(organization=house.id, member=ada, role=Role.ADMIN)
    assert (await roles.change(await as_account_manager(house), command)).role == "admin"
    assert await house.seats() == (5, 1, 0, 0)  # an admin is not one seat more
    assert await house.events() == ["role.changed"]
    # Owners may take the role back, but not give it again.
    assert (await change(house, ada, "member", actor=house.owner)).role == "member"
    async with refused(Code.CONTRACT_MANAGED):
        await change(house, ada, "owner", actor=house.owner)


async def test_t35_the_account_manager_in_a_members_name_is_that_member(world):
    house = await world.organization("business", seats={"member": 5})
    ada = await house.member("ada")
    ctx = await house.ctx(house.owner)
    ctx.principal = ACCOUNT_MANAGER
    async with refused(Code.CONTRACT_MANAGED):
        await roles.change(ctx, ChangeRole(organization=house.id, member=ada, role=Role.ADMIN))


async def test_t35_nobody_becomes_an_admin_by_invitation_or_entry_either(world):
    house = await world.organization("business", seats={"member": 5})
    async with refused(Code.CONTRACT_MANAGED):
        await invite(house, "ada", role="admin", actor=house.owner)
    async with refused(Code.CONTRACT_MANAGED):
        await add(house, "ada", role="owner", actor=house.owner)
    assert await house.seats() == (5, 0, 0, 0)
    made = CreateInvitations(
        organization=house.id, invitations=[Invite(email="ada@example.com", role=Role.ADMIN)]
    )
    [sent] = (await invitations.create(await as_account_manager(house), made)).items
    assert await house.seats() == (5, 0, 1, 0)  # from the seats there are
    token = (await resend(house, sent, actor=house.owner)).token
    assert (await accept(world, token)).role == "admin"
    assert await house.seats() == (5, 1, 0, 0)


async def test_t35_an_expired_invitation_of_an_admin_is_the_account_managers_again(world):
    house = await world.organization("business", seats={"member": 5})
    made = CreateInvitations(
        organization=house.id, invitations=[Invite(email="ada@example.com", role=Role.ADMIN)]
    )
    [sent] = (await invitations.create(await as_account_manager(house), made)).items
    world.pass_time(days=15)
    await invite(house, "bob")  # which notes that ada's has expired
    async with refused(Code.CONTRACT_MANAGED):
        await resend(house, sent, actor=house.owner)
    command = ResendInvitation(organization=house.id, invitation=id_of(sent))
    assert (await invitations.resend(await as_account_manager(house), command)).token


async def test_t35_the_primary_role_goes_only_to_who_is_an_admin_already(world):
    house = await world.organization("business", seats={"member": 5})
    ada, bob = await house.member("ada"), await house.member("bob", role="admin")
    async with refused(Code.CONTRACT_MANAGED):
        await transfer(house, ada, "ada@example.com", actor=house.owner)
    assert await owners(house) == [house.owner]
    await transfer(house, bob, "bob@example.com", actor=house.owner)
    assert await owners(house) == [bob]


async def test_t35_who_creates_the_workspace_is_its_admin(world):
    house = await world.organization("business", seats={"member": 5}, owner=False)
    assert (await add(house, "ada", role="primary_owner")).role == "primary_owner"
