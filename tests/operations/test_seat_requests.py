"""The queue for seats."""

from seatkeeper.domain.ids import MemberId, SeatRequestId
from seatkeeper.domain.policies import TypeChoice
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import seat_requests, seats
from seatkeeper.operations.queue import SERVED_MAX, Wish, enqueue, serve_waiting
from seatkeeper.operations.seat_requests import CancelSeatRequest, ListSeatRequests
from seatkeeper.operations.seating import lock_room
from seatkeeper.operations.seats import AssignSeat, MoveSeats, SeatMove, UnassignSeat
from tests.operations.people import add, page
from tests.world import refused


async def waiting(house, **fields):
    command = ListSeatRequests(organization=house.id, **fields)
    return await seat_requests.list_all(await house.ctx(), command)


async def wait(house, member, seat_type=None):
    ctx = await house.ctx()
    async with ctx.transaction() as db:
        await lock_room(ctx, db)
        await enqueue(ctx, db, Wish(member, seat_type, TypeChoice.HIGHEST))


async def serve(house):
    ctx = await house.ctx()
    async with ctx.transaction() as db:
        await lock_room(ctx, db)
        return await serve_waiting(ctx, db)


async def seat_of(house, member):
    return {m.member: m.seat_type for m in (await page(house, limit=200)).items}[
        MemberId.text(member)
    ]


async def test_a66_who_waits_is_listed_with_the_reason(world):
    house = await world.organization("team", seats={"standard": 0, "premium": 0})
    await add(house, "ada", source="jit")
    await add(house, "bob", source="scim", seat_type="premium")
    first = await waiting(house, limit=1)
    rest = await waiting(house, limit=1, after=first.next)
    assert [(r.name, r.seat_type, r.reason) for r in [*first.items, *rest.items]] == [
        ("Ada", None, "pool_full"),
        ("Bob", "premium", "pool_full"),
    ]
    assert rest.next is None


async def test_a_place_in_the_queue_can_be_given_up_once(world):
    house = await world.organization("enterprise", seats={"enterprise": 0})
    ada = await add(house, source="jit")
    (place,) = (await waiting(house)).items
    request = SeatRequestId.parse(place.request)
    command = CancelSeatRequest(organization=house.id, request=request)
    assert (await seat_requests.cancel(await house.ctx(), command)).member == ada.member
    assert await house.seats() == (0, 0, 0, 0)
    async with refused(Code.NOT_FOUND):
        await seat_requests.cancel(await house.ctx(), command)
    assert [m.state for m in (await page(house, q="ada")).items] == ["unseated"]


async def test_a67_an_unassigned_seat_goes_to_who_waits(world):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    ada = await house.member("ada", seat="enterprise")
    bob = await add(house, "bob", source="jit")
    await seats.unassign(await house.ctx(), UnassignSeat(organization=house.id, member=ada))
    assert await seat_of(house, MemberId.parse(bob.member)) == "enterprise"


async def test_a67_bought_seats_go_to_who_waits_in_order(world):
    house = await world.organization("enterprise", seats={"enterprise": 0})
    people = []
    for n in range(5):
        world.pass_time(seconds=1)
        people.append((await add(house, f"w{n}", source="jit")).member)
    await house.buy("enterprise", 3)
    assert await serve(house) == 3
    assert [r.member for r in (await waiting(house)).items] == people[3:]


async def test_who_waits_for_a_full_type_does_not_hold_up_the_others(world):
    house = await world.organization("team", seats={"standard": 0, "premium": 0})
    await add(house, "ada", source="scim", seat_type="premium")
    bob = await add(house, "bob", source="jit")
    await house.buy("standard", 1)
    await serve(house)
    assert await seat_of(house, MemberId.parse(bob.member)) == "standard"
    assert await house.seats("premium") == (0, 0, 0, 1)


async def test_more_than_one_batch_who_wait_for_a_full_type_hold_nobody_up(world):
    house = await world.organization("team", seats={"standard": 0, "premium": 0})
    await world.run(
        """with u as (insert into user_account select gen_random_uuid(), $1::text || n, $2
               from generate_series(1, $3::integer) n returning user_id, external_id),
           m as (insert into member (organization_id, member_id, user_id, email, name, role,
               standing, source, joined_at)
               select $4, gen_random_uuid(), user_id, external_id, 'N', 'member', 'active', 'scim',
               $2 from u returning member_id),
           r as (insert into seat_request select $4, gen_random_uuid(), member_id, 'premium',
               'highest', 'waiting', 'pool_full', $2 from m)
           update seat_pool set waiting = $3 where organization_id = $4 and seat_type = 'premium'
        """,
        house.organization_id.hex,
        world.now,
        SERVED_MAX + 1,
        house.organization_id,
    )
    world.pass_time(seconds=1)
    bob = await add(house, "bob", source="jit")
    await house.buy("standard", 1)
    assert await serve(house) == 1
    assert await seat_of_one(house, bob.member) == "standard"


async def seat_of_one(house, member):
    from seatkeeper.operations.members import ReadMember, show

    command = ReadMember(organization=house.id, member=MemberId.parse(member))
    return (await show(await house.ctx(), command)).seat_type


async def test_a72_who_waits_for_a_better_seat_keeps_the_one_they_have_until_it_is_theirs(world):
    house = await world.organization("team", seats={"standard": 1, "premium": 1})
    ada = await house.member("ada", seat="premium")
    bob = await house.member("bob", seat="standard")
    await wait(house, bob, "premium")
    assert await seat_of(house, bob) == "standard"
    await seats.unassign(await house.ctx(), UnassignSeat(organization=house.id, member=ada))
    assert await seat_of(house, bob) == "premium"
    assert await house.seats("standard") == (1, 0, 0, 0)
    assert (await house.events("seat."))[-1] == "seat.reassigned"


async def test_a_seat_by_hand_ends_the_wait_for_it_and_not_for_another(world):
    house = await world.organization("team", seats={"standard": 2, "premium": 1})
    ada = await house.member("ada", seat="premium")
    bob = await house.member("bob")
    await wait(house, bob, "premium")
    await seats.assign(
        await house.ctx(), AssignSeat(organization=house.id, member=bob, seat_type="standard")
    )
    assert [r.member for r in (await waiting(house)).items] == [MemberId.text(bob)]
    swap = [SeatMove(member=ada, seat_type="standard"), SeatMove(member=bob, seat_type="premium")]
    await seats.move(await house.ctx(), MoveSeats(organization=house.id, moves=swap))
    assert (await waiting(house)).items == []
    assert await house.seats("premium") == (1, 1, 0, 0)


async def test_a_member_waits_once(world):
    house = await world.organization("enterprise", seats={"enterprise": 0})
    ada = MemberId.parse((await add(house, source="jit")).member)
    async with refused(Code.STATE_CONFLICT):
        await wait(house, ada)
