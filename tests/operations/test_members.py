"""Members: how they come in and what seat they get."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations import members, resume, seating
from seatkeeper.operations.members import (
    AddMember,
    ReadMember,
)
from tests.operations.people import add, change, invite, listed, page, remove
from tests.world import pointer_of, refused


async def test_a39_a_member_added_on_an_explicit_plan_has_no_seat(world):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    ada = await add(house)
    assert (ada.state, ada.seat_type, ada.existed) == ("unseated", None, False)
    assert await house.seats() == (2, 0, 0, 0)
    assert await house.events() == ["member.added"]


async def test_a40_a_seat_that_is_asked_for_is_given(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await add(house, seat_type="standard")
    bob = await add(house, "bob", seat="automatic")
    assert (ada.seat_type, bob.seat_type) == ("standard", "premium")
    async with refused(Code.INSUFFICIENT_SEATS, seat_type="standard", needed=1):
        await add(house, "eve", seat="automatic")
    assert len((await page(house)).items) == 3  # the owner, ada and bob; eve was not kept


async def test_g8_the_refusal_for_want_of_a_seat_can_be_resumed(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    await add(house, "ada", seat="automatic")
    async with refused(Code.INSUFFICIENT_SEATS, needed=1) as found:
        await add(house, "bob", seat="automatic")
    token = str(found[0].facts["resume"])
    resumed = resume.read(await house.ctx(), token)
    await house.buy("enterprise", 1)
    assert resumed.action == "members.add"
    bob = await members.add(await house.ctx(), resumed.command(AddMember))
    assert bob.state == "seated"


async def test_g8_a_resume_token_is_good_for_one_organization_and_one_actor_for_a_day(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    other = await world.organization("enterprise", seats={"enterprise": 1})
    command = ReadMember(organization=house.id, member=MemberId(int=house.owner.int))
    token = resume.token(await house.ctx(), "members.show", command)
    assert resume.read(await house.ctx(), token).command(ReadMember) == command
    for ctx in (await other.ctx(), await house.ctx(house.owner)):
        async with refused(Code.INVALID_REQUEST):
            resume.read(ctx, token)
    for broken in ("", "ä", token[:-3], "AAAA" + token[4:]):
        async with refused(Code.INVALID_REQUEST):
            resume.read(await house.ctx(), broken)
    world.pass_time(hours=25)
    async with refused(Code.INVALID_REQUEST):
        resume.read(await house.ctx(), token)


async def test_c58_every_member_takes_a_seat_on_plans_that_want_it_so(world):
    house = await world.organization("per_seat", seats={"member": 2})
    assert (await add(house)).state == "seated"
    assert await house.seats() == (2, 2, 0, 0)


async def test_c31_an_added_member_is_refused_when_every_seat_is_taken(world):
    house = await world.organization("per_seat", seats={"member": 1})
    async with refused(Code.INSUFFICIENT_SEATS, needed=1, seats_quantity=2):
        await add(house)
    limited = await world.organization("limit_only", seats={"member": 1})
    async with refused(Code.OVER_PLAN_LIMIT, limit=1, count=1):
        await add(limited)
    async with refused(Code.STATE_CONFLICT):
        await add(house, seat="none")


async def test_c44_no_one_is_added_while_over_the_limit(world):
    house = await world.organization("per_seat", seats={"member": 3})
    await add(house, "ada")
    await add(house, "bob")
    await house.buy("member", -2)
    for source in ("api", "link"):
        async with refused(Code.OVER_LIMIT, needed=3):
            await add(house, "eve", source=source)


async def test_a66_who_is_provisioned_into_a_full_pool_waits(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await add(house, "ada", source="jit")
    bob = await add(house, "bob", source="scim")
    assert (ada.state, bob.state) == ("seated", "awaiting_seat")
    assert await house.seats() == (1, 1, 0, 1)
    assert await house.events("member.") == ["member.added"] * 2 + ["member.awaiting_seat"]


async def test_a67_a_freed_seat_goes_to_who_waits_longest(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await add(house, "ada", source="jit")
    bob = await add(house, "bob", source="jit")
    world.pass_time(minutes=1)
    eve = await add(house, "eve", source="jit")
    await remove(house, MemberId.parse(ada.member))
    states = {m.member: m.state for m in (await page(house)).items}
    assert (states[bob.member], states[eve.member]) == ("seated", "awaiting_seat")
    assert await house.seats() == (1, 1, 0, 1)


async def test_a72_a_wanted_type_that_is_full_is_waited_for_and_not_replaced(world):
    house = await world.organization("team", seats={"standard": 5, "premium": 1})
    await add(house, "ada", source="scim", seat_type="premium")
    bob = await add(house, "bob", source="scim", seat_type="premium")
    assert bob.state == "awaiting_seat"
    assert await house.seats("standard") == (5, 0, 0, 0)
    async with refused(Code.SEAT_TYPE_NOT_OWNED, seat_type="gold"):
        await add(house, "eve", source="scim", seat_type="gold")


async def test_a70_the_highest_type_first_and_a57_the_lowest_by_link(world):
    house = await world.organization("team", seats={"standard": 2, "premium": 1})
    types = [(await add(house, name, source="jit")).seat_type for name in ("ada", "bob")]
    assert types == ["premium", "standard"]
    other = await world.organization("team", seats={"standard": 2, "premium": 1})
    assert (await add(other, "eve", source="link")).seat_type == "standard"


@pytest.fixture
def shop(monkeypatch):
    """Stands for `operations/arrivals`: buys as told, or refuses."""
    asked = []

    async def buy_for_arrival(ctx, db, seat_type, quantity):
        asked.append((seat_type, quantity))
        await db.connection.execute(
            "update seat_pool set purchased = purchased + $1 where organization_id = $2"
            " and seat_type = $3",
            quantity,
            ctx.organization_id,
            seat_type,
        )
        if stub.refusal is not None:
            raise Refused(stub.refusal)
        return True

    stub = SimpleNamespace(asked=asked, refusal=None)
    monkeypatch.setattr(seating, "buy_for_arrival", buy_for_arrival)
    return stub


async def test_a58_a_link_into_a_full_pool_buys_the_seat(world, shop):
    house = await world.organization("team", seats={"standard": 1})
    await add(house, "ada", source="link")
    bob = await add(house, "bob", source="link")
    assert (bob.state, bob.seat_type, shop.asked) == ("seated", "standard", [("standard", 1)])
    assert await house.seats("standard") == (2, 2, 0, 0)


async def test_a58_where_nothing_can_be_bought_the_link_is_refused(world, shop):
    house = await world.organization("team", seats={"standard": 1})
    await add(house, "ada", source="link")
    shop.refusal = refuse(Code.PAYMENT_DECLINED)
    async with refused(Code.PAYMENT_DECLINED):
        await add(house, "bob", source="link")
    assert await house.seats("standard") == (1, 1, 0, 0)


async def test_a66_where_nothing_can_be_bought_a_provisioned_member_waits(world, shop):
    house = await world.organization("team", seats={"standard": 1})
    plan_id = (
        await world.row(
            "select plan_version_id from subscription where organization_id = $1",
            house.organization_id,
        )
    )["plan_version_id"]
    policies = replace(house.plan.policies, full_provisioned=house.plan.policies.full_self_joined)
    world.engine.plans[plan_id] = replace(house.plan, policies=policies)
    await add(house, "ada", source="jit")
    shop.refusal = refuse(Code.PAYMENT_DECLINED)
    assert (await add(house, "bob", source="jit")).state == "awaiting_seat"
    assert await house.seats("standard") == (1, 1, 0, 1)


async def test_a61_a_removed_member_comes_back_with_their_history(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await add(house, seat="automatic")
    await remove(house, MemberId.parse(ada.member))
    back = await add(house, email="ada@new.example", role="admin")
    assert back.member == ada.member
    assert (back.state, back.role, back.removed_at) == ("unseated", "admin", None)
    assert back.version > ada.version


async def test_the_same_user_twice_succeeds_and_other_content_is_named(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await add(house)
    again = await add(house)
    assert (again.member, again.existed) == (ada.member, True)
    async with refused(Code.ALREADY_EXISTS, member=ada.member, differs=["name", "role"]):
        await add(house, "countess", role="admin", user="ada", email="ada@example.com")
    assert (await add(house, source="jit", role="admin")).existed
    async with refused(Code.ALREADY_EXISTS, email="ada@example.com", member=ada.member):
        await add(house, "other", email="ADA@example.com")


async def test_s11_who_was_invited_and_is_provisioned_counts_once(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    await invite(house, "ada")
    ada = await add(house, source="jit")
    assert (ada.state, ada.seat_type) == ("seated", "enterprise")
    assert await house.seats() == (1, 1, 0, 0)
    assert [i.state for i in await listed(house)] == ["accepted"]


async def test_s11_an_invitation_to_another_seat_gives_its_seat_back(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    await invite(house, "ada", seat_type="premium")
    bob = await add(house, "bob", source="scim", seat_type="premium")
    assert bob.state == "awaiting_seat"
    ada = await add(house, "ada", seat_type="standard")
    assert ada.seat_type == "standard"
    assert [m.state for m in (await page(house, q="bob")).items] == ["seated"]


async def test_a3_only_owners_add_admins_and_only_the_vendor_provisions(world):
    house = await world.organization("enterprise", seats={"enterprise": 5})
    admin = await house.member("admin", role="admin")
    assert (await add(house, "ada", actor=admin)).role == "member"
    for wanted in ({"role": "admin"}, {"role": "primary_owner"}, {"source": "jit"}):
        async with refused(Code.FORBIDDEN):
            await add(house, "bob", actor=admin, **wanted)
    assert (await add(house, "bob", actor=house.owner, role="admin")).role == "admin"


async def test_a5_the_vendor_brings_the_first_primary_owner_and_no_second(world):
    house = await world.organization("enterprise", seats={"enterprise": 5}, owner=False)
    assert (await add(house, role="primary_owner")).role == "primary_owner"
    async with refused(Code.STATE_CONFLICT):
        await add(house, "bob", role="primary_owner")


async def test_t1_nobody_joins_a_plan_for_one(world):
    house = await world.organization("starter")
    async with refused(Code.OVER_PLAN_LIMIT, limit=1, needed=1):
        await add(house)


async def test_t8_where_members_pay_the_seat_comes_with_the_payment(world):
    house = await world.organization("pro")
    assert (await add(house)).state == "unseated"
    async with refused(Code.STATE_CONFLICT):
        await add(house, "bob", role="admin")


async def test_without_a_plan_there_are_members_and_no_seats(world):
    house = await world.organization(None)
    assert (await add(house)).state == "unseated"
    assert (await add(house, "bob", source="jit")).state == "unseated"
    async with refused(Code.SEAT_TYPE_NOT_OWNED, seat_type="enterprise"):
        await add(house, "eve", seat_type="enterprise")


async def test_an_address_that_is_none_is_refused_at_its_place(world):
    house = await world.organization("enterprise", seats={"enterprise": 5})
    async with refused(Code.INVALID_REQUEST) as found:
        await add(house, email="no address")
    assert pointer_of(found[0]) == "/email"


async def test_g12_addresses_are_compared_in_one_spelling(world):
    house = await world.organization("enterprise", seats={"enterprise": 5})
    assert (await add(house, email=" Ada@BÜCHER.example. ")).email == ("ada@xn--bcher-kva.example")


async def test_members_come_in_pages_and_by_filter(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    for name in ("ada", "bob", "eve"):
        await add(house, name, source="jit", role="admin" if name == "eve" else "member")
    removed = await add(house, "zoe")
    await remove(house, MemberId.parse(removed.member))
    first = await page(house, limit=3)
    second = await page(house, limit=3, after=first.next)
    assert [m.email.partition("@")[0] for m in [*first.items, *second.items]] == [
        "owner", "ada", "bob", "eve",
    ]  # fmt: skip
    assert second.next is None
    for wanted, names in (
        ({"state": "awaiting_seat"}, ["Bob", "Eve"]),
        ({"state": "seated"}, ["Ada"]),
        ({"state": "removed"}, ["Zoe"]),
        ({"role": "admin"}, ["Eve"]),
        ({"seat_type": "enterprise"}, ["Ada"]),
        ({"q": "BO"}, ["Bob"]),
        ({"q": "%"}, []),
    ):
        assert [m.name for m in (await page(house, **wanted)).items] == names
    async with refused(Code.INVALID_REQUEST):
        await page(house, after="made-up")


async def test_x1_a_member_of_another_organization_is_not_found(world):
    house, other = await world.organization("pro"), await world.organization("pro")
    member = MemberId(int=other.owner.int)
    ask = ReadMember(organization=house.id, member=member)
    async with refused(Code.NOT_FOUND):
        await members.show(await house.ctx(), ask)
    for verb in (change, remove):
        async with refused(Code.NOT_FOUND):
            await verb(house, member)
    own = MemberId(int=house.owner.int)
    found = await members.show(await house.ctx(), ReadMember(organization=house.id, member=own))
    assert found.role == "primary_owner"


@pytest.mark.race
async def test_s3_many_newcomers_and_few_seats_give_exactly_as_many_seats(world):
    house = await world.organization("per_seat", seats={"member": 11})

    async def one(n):
        try:
            return (await add(house, f"user{n}")).state
        except Refused as error:
            return error.refusal.code

    answers = await asyncio.gather(*(one(n) for n in range(40)))
    assert answers.count("seated") == 10
    assert answers.count(Code.INSUFFICIENT_SEATS) == 30
    assert await house.seats() == (11, 11, 0, 0)


@pytest.mark.race
async def test_the_same_user_added_at_once_is_one_member(world):
    house = await world.organization("per_seat", seats={"member": 11})
    answers = await asyncio.gather(*(add(house) for _ in range(16)))
    assert len({answer.member for answer in answers}) == 1
    assert sum(not answer.existed for answer in answers) == 1
    assert await house.seats() == (11, 2, 0, 0)


async def test_a78_who_was_removed_here_only_comes_back_with_the_next_sign_in(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await add(house, "ada", source="jit")
    await remove(house, MemberId.parse(ada.member))
    assert (await house.seats("enterprise"))[1] == 0
    again = await add(house, "ada", source="jit")
    assert (again.member, again.state) == (ada.member, "seated")
    assert (await house.seats("enterprise"))[1] == 1
