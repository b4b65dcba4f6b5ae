"""The check that the vendor's app asks, on real rows."""

import asyncio
from datetime import timedelta

import pytest

from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import access, seats
from seatkeeper.operations.access import CheckAccess, ExplainAccess, ReadEntitlements
from seatkeeper.operations.context import new_id
from tests.world import refused


async def asked(house, user, **question):
    question = question or {"feature": "web"}
    command = CheckAccess(organization=house.id, user=user, **question)
    return await access.check(await house.ctx(), command)


def by_id(member):
    return MemberId.text(member)


async def sit(house, member, seat_type):
    command = seats.AssignSeat(
        organization=house.id, member=member, seat_type=seat_type, reassign=True
    )
    return await seats.assign(await house.ctx(), command)


async def stand(house, member):
    command = seats.UnassignSeat(organization=house.id, member=member)
    return await seats.unassign(await house.ctx(), command)


async def subscription(house, **columns):
    for name, value in columns.items():
        await house.world.run(
            f"update subscription set {name} = $2 where organization_id = $1",
            house.organization_id,
            value,
        )


async def external_id(house, member):
    row = await house.world.row(
        "select external_id from user_account join member using (user_id) where member_id = $1",
        member,
    )
    return row["external_id"]


async def test_a40_a41_access_comes_and_goes_with_the_seat_at_once(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada")
    before = await asked(house, by_id(ada))
    assert (before.allowed, before.reason, before.state) == (False, "no_seat", "unseated")
    await sit(house, ada, "enterprise")
    during = await asked(house, by_id(ada))
    assert (during.allowed, during.reason, during.remedies) == (True, "seat_type", [])
    assert (during.seat_type, during.plan, during.as_of) == ("enterprise", "enterprise", world.now)
    await stand(house, ada)
    assert not (await asked(house, by_id(ada))).allowed


async def test_a43_moving_between_types_changes_the_features_at_once(world):
    house = await world.organization("chat_and_code", seats={"chat": 1, "chat_code": 1})
    ada = await house.member("ada", seat="chat")
    answer = await asked(house, by_id(ada), feature="code")
    assert [way["way"] for way in answer.remedies] == ["reassign", "ask_owner"]
    assert answer.remedies[1]["name"] == "Owner"
    await sit(house, ada, "chat_code")
    assert (await asked(house, by_id(ada), feature="code")).allowed
    assert (await asked(house, by_id(ada), seat_type="chat_code")).allowed
    assert not (await asked(house, by_id(ada), seat_type="chat")).allowed


async def test_a9_an_unseated_owner_administers_and_does_not_use_the_product(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    owner = by_id(house.owner)
    assert not (await asked(house, owner)).allowed
    assert (await asked(house, owner, permission="billing.manage")).reason == "role"
    command = ReadEntitlements(organization=house.id, member=MemberId(int=house.owner.int))
    listed = await access.entitlements(await house.ctx(), command)
    assert (listed.features, listed.seat_type, listed.state) == ([], None, "unseated")
    assert "settings.manage" in listed.permissions


async def test_a69_who_waits_for_a_seat_is_told_so_and_whom_to_ask(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    await house.member("ada", seat="enterprise")
    bob = await house.member("bob")
    await world.run(
        """insert into seat_request (organization_id, request_id, member_id, choice, state,
               reason, queued_at) values ($1, $2, $3, 'highest', 'waiting', 'jit', $4)""",
        house.organization_id,
        new_id(),
        bob,
        world.now,
    )
    await world.run(
        "update seat_pool set waiting = 1 where organization_id = $1", house.organization_id
    )
    answer = await asked(house, by_id(bob))
    assert (answer.allowed, answer.reason, answer.state) == (False, "no_seat", "awaiting_seat")
    assert answer.remedies == [{"way": "ask_owner", "owner": by_id(house.owner), "name": "Owner"}]


async def test_c56_a_custom_permission_follows_the_feature_of_the_plan(world):
    house = await world.organization("chat_and_code", seats={"chat": 1})
    ada = by_id(await house.member("ada", seat="chat"))
    assert (await asked(house, ada, permission="web:search")).reason == "seat_type"
    assert (await asked(house, ada, permission="code:run")).reason == "no_seat"
    assert not (await asked(house, ada, permission="reports:export")).allowed
    assert (await asked(house, ada, plan="chat_and_code")).allowed
    assert not (await asked(house, ada, plan="enterprise")).allowed


async def test_c56_a39_without_a_seat_there_is_no_permission_to_use_the_product(world):
    house = await world.organization("chat_and_code", seats={"chat": 1})
    ada = by_id(await house.member("ada"))
    answer = await asked(house, ada, permission="web:search")
    assert (answer.allowed, answer.reason, answer.state) == (False, "no_seat", "unseated")
    owner = by_id(house.owner)  # without a seat too, and still in charge: A9
    assert (await asked(house, owner, permission="billing.manage")).allowed
    assert not (await asked(house, owner, permission="web:search")).allowed


async def test_c57_a_cancelled_plan_gives_access_until_its_end(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = by_id(await house.member("ada", seat="enterprise"))
    end = world.now + timedelta(days=3)
    await subscription(house, status="canceling", cancel_at=end)
    assert (await asked(house, ada)).allowed
    world.pass_time(days=3)
    answer = await asked(house, ada)
    assert (answer.allowed, answer.reason) == (False, "state_conflict")
    await subscription(house, status="past_due", cancel_at=None, grace_ends_at=end)
    assert (await asked(house, ada)).reason == "past_due"


async def test_c58_every_member_has_a_seat_and_with_it_the_plan(world):
    house = await world.organization("base_and_seats", seats={"member": 5})
    ada = by_id(await house.member("ada"))
    assert (await asked(house, ada, plan="base_and_seats")).allowed
    assert (await asked(house, ada, feature="reports")).reason == "seat_type"


async def test_s13_users_are_known_by_the_vendors_id_and_only_where_they_are_members(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    other = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada", seat="enterprise")
    user = await external_id(house, ada)
    assert (await asked(house, user)).allowed
    for stranger in (user, by_id(ada)):
        answer = await asked(other, stranger)
        assert (answer.allowed, answer.reason, answer.state) == (False, "not_found", None)
    assert (await asked(house, "nobody")).reason == "not_found"
    assert (await asked(house, "mem_nonsense")).reason == "not_found"


async def test_s13_one_batch_answers_many_each_for_itself(world):
    house = await world.organization("enterprise", seats={"enterprise": 20})
    seated = [by_id(await house.member(f"s{n}", seat="enterprise")) for n in range(20)]
    unseated = [by_id(await house.member(f"u{n}")) for n in range(20)]
    mixed = [user for pair in zip(seated, unseated, strict=True) for user in (*pair, "nobody")]
    answers = await asyncio.gather(*(asked(house, user) for user in mixed))
    assert [a.reason for a in answers] == ["seat_type", "no_seat", "not_found"] * 20


async def test_s13_during_a_move_there_is_the_old_seat_or_the_new_never_none(world):
    house = await world.organization("chat_and_code", seats={"chat": 1, "chat_code": 1})
    ada = await house.member("ada", seat="chat")

    async def move():
        for seat_type in ("chat_code", "chat") * 10:
            await sit(house, ada, seat_type)

    moving = asyncio.create_task(move())
    seen = set()
    while not moving.done():
        answer = await asked(house, by_id(ada))
        assert answer.allowed
        seen.add(answer.seat_type)
    await moving
    assert seen == {"chat", "chat_code"}


async def test_s13_the_explanation_names_the_facts_up_to_the_one_that_decides(world):
    house = await world.organization("chat_and_code", seats={"chat": 1})
    ada = await house.member("ada", seat="chat")
    command = ExplainAccess(organization=house.id, member=ada, feature="code")
    told = await access.explain(await house.ctx(), command)
    assert [fact.about for fact in told.facts] == [
        "membership",
        "subscription",
        "seat",
        "seat_type",
    ]
    assert [fact.holds for fact in told.facts] == [True, True, True, False]
    assert told.answer.sentence == told.facts[-1].sentence
    stranger = MemberId(int=new_id().int)
    for run, command in (
        (access.explain, ExplainAccess(organization=house.id, member=stranger, feature="web")),
        (access.entitlements, ReadEntitlements(organization=house.id, member=stranger)),
    ):
        async with refused(Code.NOT_FOUND):
            await run(await house.ctx(), command)


@pytest.mark.parametrize("question", [{}, {"feature": "web", "plan": "enterprise"}])
async def test_s13_a_check_asks_exactly_one_thing(world, question):
    house = await world.organization("enterprise")
    command = CheckAccess(organization=OrganizationId(int=house.id.int), user="a", **question)
    async with refused(Code.INVALID_REQUEST):
        await access.check_unlogged(await house.ctx(), command)
