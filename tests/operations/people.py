"""The verbs of the scenarios about people, as short as the scenarios want them."""

from seatkeeper.domain.ids import InvitationId
from seatkeeper.domain.members import Role
from seatkeeper.operations import invitations, members
from seatkeeper.operations.acceptance import AcceptInvitation
from seatkeeper.operations.context import Context, new_id
from seatkeeper.operations.expiry import expire_due
from seatkeeper.operations.invitations import (
    CreateInvitations,
    Invite,
    ListInvitations,
    ResendInvitation,
    RevokeInvitation,
)
from seatkeeper.operations.members import AddMember, ChangeMember, ListMembers, RemoveMember
from tests.world import KEY


async def add(house, name="ada", actor=None, **fields):
    given = {"user": name, "email": f"{name}@example.com", "name": name.capitalize(), **fields}
    given["role"] = Role(given.get("role", "member"))
    return await members.add(await house.ctx(actor), AddMember(organization=house.id, **given))


async def change(house, member, actor=None, **fields):
    command = ChangeMember(organization=house.id, member=member, **fields)
    return await members.change(await house.ctx(actor), command)


async def remove(house, member, actor=None):
    command = RemoveMember(organization=house.id, member=member)
    return await members.remove(await house.ctx(actor), command)


async def page(house, **fields):
    return await members.list_all(await house.ctx(), ListMembers(organization=house.id, **fields))


async def invite(house, *names, actor=None, partial=False, **fields):
    fields["role"] = Role(fields.get("role", "member"))
    given = [Invite(email=f"{name}@example.com", **fields) for name in names]
    command = CreateInvitations(organization=house.id, invitations=given, partial=partial)
    return (await invitations.create(await house.ctx(actor), command)).items


async def listed(house, **fields):
    command = ListInvitations(organization=house.id, **fields)
    return (await invitations.list_all(await house.ctx(), command)).items


def id_of(invited):
    return InvitationId.parse(invited.invitation.invitation)


async def revoke(house, invited, actor=None):
    command = RevokeInvitation(organization=house.id, invitation=id_of(invited))
    return await invitations.revoke(await house.ctx(actor), command)


async def resend(house, invited, actor=None):
    command = ResendInvitation(organization=house.id, invitation=id_of(invited))
    return await invitations.resend(await house.ctx(actor), command)


async def accept(world, token, name="ada", principal=KEY, **fields):
    ctx = Context(world.engine, principal, world.now, new_id())
    given = {"user": name, "email": f"{name}@example.com", "name": name.capitalize(), **fields}
    return await invitations.accept(ctx, AcceptInvitation(token=token, **given))


async def expire(world, *, clock_id=None, most=1000):
    return await expire_due(world.engine, now=world.now, clock_id=clock_id, most=most)
