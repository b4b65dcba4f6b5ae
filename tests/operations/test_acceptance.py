"""Accepting an invitation: one person, one seat, once."""

import asyncio
from dataclasses import replace

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import members
from seatkeeper.operations.expiry import expire_due
from seatkeeper.operations.members import (
    AddMember,
    RemoveMember,
)
from tests.operations.people import accept, id_of, invite, listed, resend, revoke
from tests.world import KEY, refused


async def test_g11_accepting_converts_the_hold_and_takes_no_second_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    member = await accept(world, ada.token)
    assert (member.state, member.source, member.existed) == ("seated", "invitation", False)
    assert await house.seats() == (1, 1, 0, 0)
    assert [(i.state, i.member) for i in await listed(house)] == [("accepted", member.member)]
    assert sorted(await house.events()) == [
        "invitation.accepted", "invitation.created", "member.added", "seat.assigned",
        "seats.exhausted",
    ]  # fmt: skip
    async with refused(Code.STATE_CONFLICT, state="accepted"):
        await revoke(house, ada)


async def test_b047_unknown_404_and_one_answer_for_expired_revoked_and_used(world):
    house = await world.organization("enterprise", seats={"enterprise": 3})
    used, revoked, expired = await invite(house, "ada", "bob", "eve")
    await accept(world, used.token)
    await revoke(house, revoked)
    world.pass_time(days=21)
    answers = []
    for invited, name in ((used, "ada"), (revoked, "bob"), (expired, "eve")):
        async with refused(Code.INVITATION_UNAVAILABLE) as found:
            await accept(world, invited.token, name, user="someone else")
        answers.append(found[0])
    assert answers[0] == answers[1] == answers[2]
    for token in ("", "ivt_", "ivt_" + "ä" * 78, used.token[:-9] + "000000000", "x" * 82):
        async with refused(Code.NOT_FOUND):
            await accept(world, token)


async def test_b049_another_address_may_not_accept(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    async with refused(Code.FORBIDDEN):
        await accept(world, ada.token, "bob")
    assert await house.seats() == (1, 0, 1, 0)
    assert (await accept(world, ada.token, email=" ADA@Example.com")).state == "seated"


async def test_b053_a_key_of_another_organization_does_not_find_the_token(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    other = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    bound = replace(KEY, organization_id=other.organization_id)
    async with refused(Code.NOT_FOUND):
        await accept(world, ada.token, principal=bound)
    # A token that names the other organization is that organization's affair, and unknown there.
    foreign = ada.token[:4] + (await invite(other, "ada"))[0].token[4:30] + ada.token[30:]
    async with refused(Code.NOT_FOUND):
        await accept(world, foreign)


async def test_c46_while_over_the_limit_nobody_accepts_and_nothing_is_lost(world):
    house = await world.organization("per_seat", seats={"member": 3})
    ada, bob = await invite(house, "ada", "bob")
    await house.buy("member", -2)
    async with refused(Code.OVER_LIMIT, needed=3):
        await accept(world, ada.token)
    assert [i.state for i in await listed(house)] == ["pending", "pending"]
    await revoke(house, bob)
    await house.buy("member", 1)
    assert (await accept(world, ada.token)).state == "seated"


async def test_a61_accepting_brings_a_removed_member_back(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    first = await accept(world, ada.token)
    member = MemberId.parse(first.member)
    await members.remove(await house.ctx(), RemoveMember(organization=house.id, member=member))
    (again,) = await invite(house, "ada", role="admin")
    back = await accept(world, again.token)
    assert (back.member, back.role, back.state) == (first.member, "admin", "seated")


async def test_s11_a_member_with_a_seat_who_accepts_gives_the_held_one_back(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    (ada,) = await invite(house, "work")
    add = AddMember(
        organization=house.id,
        user="ada",
        email="home@example.com",
        name="Ada",
        seat="automatic",
    )
    member = await members.add(await house.ctx(), add)
    wait = AddMember(
        organization=house.id, user="bob", email="b@example.com", name="Bob", source="jit"
    )
    assert (await members.add(await house.ctx(), wait)).state == "awaiting_seat"
    accepted = await accept(world, ada.token, "ada", email="work@example.com")
    assert (accepted.member, accepted.existed) == (member.member, True)
    assert await house.seats() == (2, 2, 0, 0)
    assert (await members.add(await house.ctx(), wait)).state == "seated"


async def test_a_waiting_member_who_accepts_waits_no_longer(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "work")
    wait = AddMember(
        organization=house.id, user="ada", email="home@example.com", name="Ada", source="jit"
    )
    assert (await members.add(await house.ctx(), wait)).state == "awaiting_seat"
    assert (await accept(world, ada.token, email="work@example.com")).state == "seated"
    assert await house.seats() == (1, 1, 0, 0)


async def test_a_suspended_member_is_not_brought_back_by_an_invitation(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    (ada,) = await invite(house, "work")
    add = AddMember(organization=house.id, user="ada", email="home@example.com", name="Ada")
    member = MemberId.parse((await members.add(await house.ctx(), add)).member)
    change = members.ChangeMember(organization=house.id, member=member, standing="suspended")
    await members.change(await house.ctx(), change)
    async with refused(Code.STATE_CONFLICT, state="suspended"):
        await accept(world, ada.token, email="work@example.com")


async def test_an_invitation_that_lost_its_hold_takes_a_free_seat_or_none(world):
    house = await world.organization("per_seat", seats={"member": 2})
    (ada,) = await invite(house, "ada")
    await world.run(
        """with h as (update hold set released_at = held_at, outcome = 'released'
               where invitation_id = $1) update seat_pool set held = 0, purchased = 1
               where organization_id = $2""",
        id_of(ada),
        house.organization_id,
    )
    async with refused(Code.INSUFFICIENT_SEATS, needed=1):
        await accept(world, ada.token)
    await house.buy("member", 1)
    assert (await accept(world, ada.token)).state == "seated"


async def test_without_a_plan_an_invitation_holds_nothing(world):
    house = await world.organization(None)
    (ada,) = await invite(house, "ada")
    assert ada.invitation.held_seat_type is None
    assert (await accept(world, ada.token)).state == "unseated"


async def test_t7_t9_an_invitation_holds_nothing_where_members_pay_for_themselves(world):
    house = await world.organization("pro")
    (ada,) = await invite(house, "ada", actor=house.owner)
    assert ada.invitation.held_seat_type is None
    async with refused(Code.PAYMENT_DECLINED):
        await accept(world, ada.token, payment_method="sandbox_declined")
    assert [i.state for i in await listed(house)] == ["pending"]
    member = await accept(world, ada.token, payment_method="sandbox_ok")
    assert (member.state, member.seat_type) == ("seated", "member")


async def test_t16_without_an_admin_invitations_rest(world):
    house = await world.organization("pro")
    (ada,) = await invite(house, "ada")
    await house.member("bob")
    owner = MemberId(int=house.owner.int)
    await members.remove(
        await house.ctx(house.owner), RemoveMember(organization=house.id, member=owner)
    )
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await invite(house, "eve")
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await resend(house, ada)
    async with refused(Code.PRIMARY_OWNER_REQUIRED):
        await accept(world, ada.token, payment_method="sandbox_ok")


@pytest.mark.race
async def test_g11_sixty_four_accepts_at_once_are_one(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    answers = await asyncio.gather(*(accept(world, ada.token) for _ in range(64)))
    assert sum(not answer.existed for answer in answers) == 1
    assert len({answer.member for answer in answers}) == 1
    assert await house.seats() == (1, 1, 0, 0)
    assert (await house.events()).count("invitation.accepted") == 1


@pytest.mark.race
async def test_s10_accept_revoke_resend_and_expiry_at_once_settle_the_seat_once(world):
    house = await world.organization("enterprise", seats={"enterprise": 40})
    invited = await invite(house, *(f"user{n}" for n in range(20)))
    world.pass_time(days=20, hours=23, minutes=59)

    async def tried(story):
        try:
            await story
        except Refused as error:
            return error.refusal.code
        return "done"

    late = world.now.replace() + (invited[0].invitation.expires_at - world.now)
    stories = [
        story
        for n, one in enumerate(invited)
        for story in (
            tried(accept(world, one.token, f"user{n}")),
            tried(revoke(house, one)),
            tried(resend(house, one)),
        )
    ]
    await asyncio.gather(
        *stories, *(expire_due(world.engine, now=late, clock_id=None, most=7) for _ in range(4))
    )
    purchased, assigned, held, _ = await house.seats()
    states = [i.state for i in await listed(house, limit=100)]
    assert purchased == 40
    assert (assigned, held) == (states.count("accepted"), states.count("pending"))
    events = await house.events("invitation")
    assert events.count("invitation.accepted") == states.count("accepted")
