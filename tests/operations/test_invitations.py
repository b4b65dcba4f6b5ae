"""Invitations: the seats they hold, and how they are sent again, taken back and expire."""

import asyncio

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import invitations, members, resume
from seatkeeper.operations.invitations import (
    CreateInvitations,
    Invite,
    ListInvitations,
    ReadInvitation,
    ResendInvitation,
    RevokeInvitation,
)
from seatkeeper.operations.members import (
    AddMember,
    RemoveMember,
)
from tests.operations.people import accept, expire, id_of, invite, listed, resend, revoke
from tests.world import pointer_of, refused


async def test_a50_pending_invitation_holds_a_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    (ada,) = await invite(house, "ada")
    assert (ada.invitation.state, ada.invitation.held_seat_type) == ("pending", "enterprise")
    assert await house.seats() == (2, 0, 1, 0)
    assert await house.events("invitation") == ["invitation.created"]
    assert ada.token.startswith("ivt_")


async def test_x6_the_token_is_kept_only_as_a_hash(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    (ada,) = await invite(house, "ada")
    dump = await world.rows(
        "select i::text as text from invitation i where organization_id = $1"
        " union all select e::text from event e where organization_id = $1",
        house.organization_id,
    )
    assert not any(ada.token[30:] in row["text"] for row in dump)


async def test_a51_a_full_type_refuses_the_invitation_and_says_how_to_go_on(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    await invite(house, "ada")
    async with refused(Code.INSUFFICIENT_SEATS, needed=1, seat_type="enterprise") as found:
        await invite(house, "bob")
    ways = [remedy.way for remedy in found[0].ways_out]
    assert ways == ["buy_seats", "free_seat", "revoke_invitation"]
    assert [i.email for i in await listed(house)] == ["ada@example.com"]


async def test_a52_an_invitation_carries_address_role_and_seat_type(world):
    house = await world.organization("team", seats={"standard": 3, "premium": 3})
    (ada,) = await invite(house, "Ada", role="admin", seat_type="premium")
    shown = ada.invitation
    assert (shown.email, shown.role, shown.seat_type) == ("ada@example.com", "admin", "premium")
    (bob,) = await invite(house, "bob")
    assert (bob.invitation.seat_type, bob.invitation.held_seat_type) == (None, "standard")
    async with refused(Code.SEAT_TYPE_NOT_OWNED, seat_type="gold"):
        await invite(house, "eve", seat_type="gold")


@pytest.mark.parametrize(
    ("plan", "seat_type", "days"),
    [
        ("enterprise", "enterprise", 21),
        ("per_seat", "member", 30),
        ("business", "member", 14),
        ("pro", "none", 14),
    ],
)
async def test_a53_c53_t9_each_plan_has_its_own_lifetime(world, plan, seat_type, days):
    house = await world.organization(plan, seats={seat_type: 5})
    (ada,) = await invite(house, "ada")
    assert (ada.invitation.expires_at - world.now).days == days


async def test_a53_expiry_releases_the_seat_and_resending_takes_it_again(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    world.pass_time(days=21)
    assert [i.state for i in await listed(house)] == ["expired"]
    assert [i.state for i in await listed(house, state="expired")] == ["expired"]
    assert await listed(house, state="pending") == []
    await expire(world)
    await expire(world)
    assert await house.seats() == (1, 0, 0, 0)
    again = await resend(house, ada)
    assert again.invitation.state == "pending"
    assert await house.seats() == (1, 0, 1, 0)
    assert await house.events("invitation") == [
        "invitation.created", "invitation.expired", "invitation.resent",
    ]  # fmt: skip


async def test_a53_resending_an_expired_one_is_refused_when_its_seat_is_gone(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    world.pass_time(days=21)
    await invite(house, "bob")  # overdue invitations give their seats up to a new one
    async with refused(Code.INSUFFICIENT_SEATS, needed=1) as found:
        await resend(house, ada)
    resumed = resume.read(await house.ctx(), str(found[0].facts["resume"]))
    assert resumed.action == "invitations.resend"
    assert resumed.command(ResendInvitation).invitation == id_of(ada)


async def test_resending_kills_the_old_token_and_keeps_the_one_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    world.pass_time(days=20)
    again = await resend(house, ada)
    assert again.token != ada.token
    assert again.invitation.expires_at > ada.invitation.expires_at
    assert await house.seats() == (1, 0, 1, 0)
    async with refused(Code.NOT_FOUND):
        await accept(world, ada.token)
    assert (await accept(world, again.token)).state == "seated"


async def test_a54_revoking_frees_the_seat_once(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    assert (await revoke(house, ada)).state == "revoked"
    assert (await revoke(house, ada)).state == "revoked"
    assert await house.seats() == (1, 0, 0, 0)
    assert await house.events("invitation") == ["invitation.created", "invitation.revoked"]
    async with refused(Code.STATE_CONFLICT, state="revoked"):
        await resend(house, ada)


async def test_s15_a_revoked_seat_goes_to_who_waits(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    (ada,) = await invite(house, "ada")
    command = AddMember(
        organization=house.id, user="bob", email="bob@example.com", name="Bob", source="jit"
    )
    assert (await members.add(await house.ctx(), command)).state == "awaiting_seat"
    await revoke(house, ada)
    assert (await members.add(await house.ctx(), command)).state == "seated"


async def test_a55_a_batch_is_invited_whole_or_not_at_all(world):
    house = await world.organization("team", seats={"standard": 2, "premium": 1})
    names = [f"user{n}" for n in range(5)]
    async with refused(Code.INSUFFICIENT_SEATS, needed=2, seat_type="standard") as found:
        await invite(house, *names)
    assert "short" not in found[0].facts
    assert await listed(house) == []
    resumed = resume.read(await house.ctx(), str(found[0].facts["resume"]))
    await house.buy("standard", 2)
    done = await invitations.create(await house.ctx(), resumed.command(CreateInvitations))
    assert len({item.token for item in done.items}) == 5
    assert await house.seats("standard") == (4, 0, 4, 0)
    assert await house.seats("premium") == (1, 0, 1, 0)


async def test_a55_one_refusal_speaks_for_a_shortage_of_several_types(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    given = [
        Invite(email=f"{kind}{n}@example.com", seat_type=kind)
        for kind, count in (("standard", 3), ("premium", 2))
        for n in range(count)
    ]
    command = CreateInvitations(organization=house.id, invitations=given)
    async with refused(Code.INSUFFICIENT_SEATS, needed=3, short={"premium": 1, "standard": 2}):
        await invitations.create(await house.ctx(), command)


async def test_a55_partial_takes_what_fits_and_names_the_rest(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    await invite(house, "ada")
    items = await invite(house, "ada", "bob", "eve", partial=True)
    assert [item.code for item in items] == ["already_exists", None, "insufficient_seats"]
    assert [item.invitation is not None for item in items] == [False, True, False]
    assert items[2].detail == "The organization is short of 1 seat."
    assert await house.seats() == (2, 0, 2, 0)


async def test_a55_five_hundred_at_once(world):
    house = await world.organization("per_seat", seats={"member": 501})
    items = await invite(house, *(f"user{n}" for n in range(500)))
    assert len({item.token for item in items}) == 500
    assert [item.email for item in items][:2] == ["user0@example.com", "user1@example.com"]
    assert await house.seats() == (501, 1, 500, 0)


async def test_a56_g12_an_address_is_invited_once_however_it_is_written(world):
    house = await world.organization("enterprise", seats={"enterprise": 9})
    await invite(house, "ada")
    async with refused(Code.ALREADY_EXISTS, emails=["ada@example.com", "owner@example.com"]):
        await invite(house, "ADA", "owner", "bob")
    async with refused(Code.ALREADY_EXISTS, emails=["eve@example.com"]):
        await invite(house, "eve", "Eve")
    await invite(house, "ada+work")
    assert await house.seats() == (9, 0, 2, 0)


async def test_an_address_that_is_none_is_refused_at_its_place(world):
    house = await world.organization("enterprise", seats={"enterprise": 9})
    async with refused(Code.INVALID_REQUEST) as found:
        await invite(house, "ada", "not an")
    assert pointer_of(found[0]) == "/invitations/1/email"


async def test_a3_admins_invite_members_and_only_owners_more(world):
    house = await world.organization("enterprise", seats={"enterprise": 9})
    admin = await house.member("admin", role="admin")
    (ada,) = await invite(house, "ada", actor=admin)
    (bob,) = await invite(house, "bob", actor=house.owner, role="admin")
    async with refused(Code.FORBIDDEN):
        await invite(house, "eve", actor=admin, role="admin")
    for verb in (revoke, resend):
        async with refused(Code.FORBIDDEN):
            await verb(house, bob, actor=admin)
    assert (await revoke(house, ada, actor=admin)).state == "revoked"


async def test_a63_the_first_primary_owner_can_be_invited_by_the_vendor(world):
    house = await world.organization("enterprise", seats={"enterprise": 9}, owner=False)
    (ada,) = await invite(house, "ada", role="primary_owner")
    assert (await accept(world, ada.token)).role == "primary_owner"
    async with refused(Code.STATE_CONFLICT):
        await invite(house, "bob", role="primary_owner")


async def test_c47_full_stays_blocked_until_someone_is_removed_or_revoked(world):
    house = await world.organization("limit_only", seats={"member": 3})
    ada, bob = await invite(house, "ada", "bob")
    async with refused(Code.OVER_PLAN_LIMIT, limit=3, count=3, needed=1):
        await invite(house, "eve")
    await revoke(house, ada)
    (eve,) = await invite(house, "eve")
    member = await accept(world, bob.token, "bob")
    async with refused(Code.OVER_PLAN_LIMIT):
        await invite(house, "zoe")
    await members.remove(
        await house.ctx(),
        RemoveMember(organization=house.id, member=MemberId.parse(member.member)),
    )
    await invite(house, "zoe")
    assert eve.token is not None


async def test_c44_no_invitation_while_over_the_limit(world):
    house = await world.organization("per_seat", seats={"member": 3})
    await invite(house, "ada", "bob")
    await house.buy("member", -1)
    async with refused(Code.OVER_LIMIT, needed=2):
        await invite(house, "eve")


async def test_c27_the_refusal_says_the_total_that_is_needed(world):
    house = await world.organization("per_seat", seats={"member": 2})
    async with refused(Code.INSUFFICIENT_SEATS, needed=3, seats_quantity=5):
        await invite(house, "a", "b", "c", "d")


async def test_t14_one_at_a_time_where_members_pay_and_many_under_a_contract(world):
    house = await world.organization("pro")
    async with refused(Code.QUANTITY_OUT_OF_RANGE, maximum=1):
        await invite(house, "ada", "bob")
    business = await world.organization("business", seats={"member": 5})
    assert len(await invite(business, "ada", "bob")) == 2


async def test_t6_a_workspace_has_one_admin(world):
    house = await world.organization("pro")
    async with refused(Code.STATE_CONFLICT):
        await invite(house, "ada", role="admin")


async def test_t1_nobody_is_invited_to_a_plan_for_one(world):
    house = await world.organization("starter")
    async with refused(Code.OVER_PLAN_LIMIT, limit=1, count=1, needed=1):
        await invite(house, "ada")


async def test_resending_what_someone_else_was_invited_to_meanwhile(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    (ada,) = await invite(house, "ada")
    world.pass_time(days=21)
    await invite(house, "ada")
    async with refused(Code.ALREADY_EXISTS, emails=["ada@example.com"]):
        await resend(house, ada)


async def test_x1_an_invitation_of_another_organization_is_not_found(world):
    house, other = [
        await world.organization("enterprise", seats={"enterprise": 2}) for _ in range(2)
    ]
    (ada,) = await invite(other, "ada")
    command = ReadInvitation(organization=house.id, invitation=id_of(ada))
    async with refused(Code.NOT_FOUND):
        await invitations.show(await house.ctx(), command)
    for verb in (revoke, resend):
        async with refused(Code.NOT_FOUND):
            await verb(house, ada)
    shown = await invitations.show(
        await other.ctx(), ReadInvitation(organization=other.id, invitation=id_of(ada))
    )
    assert shown.email == "ada@example.com"


async def test_invitations_come_in_pages_newest_first(world):
    house = await world.organization("enterprise", seats={"enterprise": 5})
    for name in ("a", "b", "c"):
        await invite(house, name)
    ctx = await house.ctx()
    first = await invitations.list_all(ctx, ListInvitations(organization=house.id, limit=2))
    rest = await invitations.list_all(
        ctx, ListInvitations(organization=house.id, limit=2, after=first.next)
    )
    assert [i.email[0] for i in [*first.items, *rest.items]] == ["c", "b", "a"]


async def test_a_stale_version_is_refused(world):
    house = await world.organization("enterprise", seats={"enterprise": 5})
    (ada,) = await invite(house, "ada")
    ctx = await house.ctx()
    ctx.if_match = 9
    async with refused(Code.PRECONDITION_FAILED, version=1):
        await invitations.revoke(
            ctx, RevokeInvitation(organization=house.id, invitation=id_of(ada))
        )


async def test_expiry_is_bounded_and_keeps_to_its_clock(world):
    clock_id, other = await world.clock(), await world.clock()
    house = await world.organization("enterprise", seats={"enterprise": 5}, clock_id=clock_id)
    slower = await world.organization("enterprise", seats={"enterprise": 5}, clock_id=other)
    await invite(house, "a", "b", "c")
    (eve,) = await invite(slower, "eve")
    world.pass_time(days=21)
    assert await expire(world, clock_id=clock_id, most=2) == 2
    assert await house.seats() == (5, 0, 1, 0)
    assert await expire(world, clock_id=clock_id, most=2) == 1
    assert await expire(world, clock_id=clock_id, most=2) == 0
    assert await slower.seats() == (5, 0, 1, 0)
    # That clock stands where it was, so this invitation still lives.
    assert (await accept(world, eve.token, "eve")).state == "seated"


@pytest.mark.slow
async def test_expiry_goes_on_where_one_organization_is_busy(world):
    clock_id = await world.clock()
    busy, free = [
        await world.organization("enterprise", seats={"enterprise": 1}, clock_id=clock_id)
        for _ in range(2)
    ]
    for house in (busy, free):
        await invite(house, "ada")
    world.pass_time(days=21)
    async with (await busy.ctx()).transaction() as db:
        await db.connection.execute(
            "select 1 from organization where organization_id = $1 for update",
            busy.organization_id,
        )
        assert await expire(world, clock_id=clock_id) == 1
    assert await expire(world, clock_id=clock_id) == 1


async def test_expiry_serves_the_queue_and_says_who_did_it(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    await invite(house, "ada")
    wait = AddMember(
        organization=house.id, user="bob", email="bob@example.com", name="Bob", source="jit"
    )
    await members.add(await house.ctx(), wait)
    world.pass_time(days=21)
    await expire(world)
    assert (await members.add(await house.ctx(), wait)).state == "seated"


@pytest.mark.race
async def test_s3_invitations_at_once_hold_exactly_what_is_free(world):
    house = await world.organization("enterprise", seats={"enterprise": 10})

    async def one(n):
        try:
            return len(await invite(house, f"a{n}", f"b{n}", f"c{n}"))
        except Refused as error:
            return error.refusal.code

    answers = await asyncio.gather(*(one(n) for n in range(12)))
    assert answers.count(3) == 3
    assert answers.count(Code.INSUFFICIENT_SEATS) == 9
    assert await house.seats() == (10, 0, 9, 0)
