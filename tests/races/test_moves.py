"""Moves raced: swaps against swaps, checks and buyers between them, two admins at one version."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest
import pytest_asyncio

from seatkeeper.domain.refusals import Refused
from seatkeeper.operations import access, changes, members, seats
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.context import Context, new_id
from tests.invariants.clean import assert_clean
from tests.races.rounds import a_place
from tests.world import KEY

pytestmark = pytest.mark.race


@pytest_asyncio.fixture
async def place(fresh_database_dsn):
    async with a_place(fresh_database_dsn) as made:
        yield made
    await assert_clean(fresh_database_dsn, made.money.now)


@pytest_asyncio.fixture
async def buyer(place):
    """Five standard and five premium seats, all of them taken."""
    made = await place.money.buyer(
        plan="team", price="monthly", seats={"standard": 5, "premium": 5}, live=True
    )
    made.people = {}
    for n in range(10):
        seat_type = "standard" if n % 2 else "premium"
        made.people[await made.join(f"m{n}", seat_type)] = seat_type
    return made


async def ctx_of(place, buyer, n):
    engine = place.engines[n % len(place.engines)]
    facts = await engine.organization(buyer.organization_id)
    return Context(engine, KEY, place.money.now, new_id(), facts=facts)


async def move(place, buyer, n, moves):
    command = seats.MoveSeats(
        organization=buyer.id,
        moves=[seats.SeatMove(member=member, seat_type=to) for member, to in moves],
    )
    try:
        return (await seats.move(await ctx_of(place, buyer, n), command)).moved
    except Refused as refused:
        return str(refused.refusal.code)


async def seats_now(buyer):
    rows = await buyer.world.rows(
        """select p.seat_type, p.assigned, count(a.assignment_id) as live from seat_pool p
             left join assignment a on a.organization_id = $1 and a.pool_id = p.pool_id
              and a.ended_at is null
            where p.organization_id = $1 group by p.seat_type, p.assigned order by 1""",
        buyer.organization_id,
    )
    return [tuple(row) for row in rows]


async def test_b035_opposite_swaps_never_lock_each_other_out(place, buyer):
    (ada, of_ada), (bob, of_bob), *_ = buyer.people.items()
    there, back = [(ada, of_bob), (bob, of_ada)], [(bob, of_ada), (ada, of_bob)]
    home = [(ada, of_ada), (bob, of_bob)]
    for n in range(25):
        # Each goes its own way through the same two people, and a third brings them home.
        heard = await asyncio.gather(
            move(place, buyer, n, there),
            move(place, buyer, n + 1, back),
            move(place, buyer, n + 2, home),
        )
        assert set(heard) <= {0, 2}, heard
        assert await seats_now(buyer) == [("premium", 5, 5), ("standard", 5, 5)]


async def test_s5_random_swaps_of_a_full_house_keep_every_seat(place, buyer):
    chance = random.Random(47)
    people = list(buyer.people)
    for _ in range(5):
        swaps = []
        for n in range(32):
            one, other = chance.sample(people, 2)
            to = chance.choice((("standard", "premium"), ("premium", "standard")))
            swaps.append(move(place, buyer, n, [(one, to[0]), (other, to[1])]))
        heard = await asyncio.gather(*swaps)
        # Some are too late: both people sit alike by then, and there is no free seat.
        assert set(heard) <= {0, 1, 2, "insufficient_seats"}, Counter(map(str, heard))
        assert await seats_now(buyer) == [("premium", 5, 5), ("standard", 5, 5)]


async def test_s6_b041_a_seat_taken_away_by_many_at_once_is_freed_once(place, buyer):
    for person, seat_type in list(buyer.people.items())[:4]:
        command = seats.UnassignSeat(organization=buyer.id, member=person)
        heard = await asyncio.gather(
            *[seats.unassign(await ctx_of(place, buyer, n), command) for n in range(16)]
        )
        assert len(heard) == 16
        purchased = {"standard": 5, "premium": 5}
        assert all(assigned == live <= purchased[t] for t, assigned, live in await seats_now(buyer))
        counts = {t: live for t, _, live in await seats_now(buyer)}
        assert counts[seat_type] == 4
        await move(place, buyer, 0, [(person, seat_type)])


async def test_b055_a_check_during_moves_never_sees_nobody(place, buyer):
    ada = next(iter(buyer.people))
    bob = next(m for m, seat in buyer.people.items() if seat != buyer.people[ada])
    done = asyncio.Event()
    seen = Counter()

    async def mover():
        for n in range(60):
            one, other = ("standard", "premium") if n % 2 else ("premium", "standard")
            assert not isinstance(await move(place, buyer, n, [(ada, one), (bob, other)]), str)
        done.set()

    async def checker(n):
        from seatkeeper.domain.ids import MemberId

        while not done.is_set():
            command = access.CheckAccess(
                organization=buyer.id, user=MemberId.text(ada), feature="web"
            )
            answer = await access.check(await ctx_of(place, buyer, n), command)
            seen[answer.allowed, answer.seat_type] += 1

    await asyncio.gather(mover(), *(checker(n) for n in range(4)))
    assert set(seen) == {(True, "standard"), (True, "premium")}, seen


async def test_g7_move_assign_and_purchase_for_the_same_seat(place, buyer):
    """One free premium seat, someone who moves to it, someone who is assigned it, and a buyer."""
    for n in range(10):
        await buyer.add(1, "premium")
        mover = next(m for m, seat in buyer.people.items() if seat == "standard")
        newcomer = await buyer.join(f"n{n}")

        async def assign(newcomer=newcomer, n=n):
            command = seats.AssignSeat(organization=buyer.id, member=newcomer, seat_type="premium")
            return (await seats.assign(await ctx_of(place, buyer, n), command)).seat_type

        async def buy(n=n):
            change = PurchaseSeats(seat_type="premium", quantity=1)
            command = changes.MakeChange(organization=buyer.id, change=change)
            return (await changes.make(await ctx_of(place, buyer, n + 1), command)).state

        heard = await asyncio.gather(
            move(place, buyer, n + 2, [(mover, "premium")]), assign(), buy(), return_exceptions=True
        )
        noes = [str(h.refusal.code) for h in heard if isinstance(h, Refused)]
        noes += [h for h in heard if h == "insufficient_seats"]
        assert len(noes) <= 1, heard
        assert set(noes) <= {"insufficient_seats"}, heard
        assert heard[2] == "applied", heard
        if heard[0] == 1:
            await move(place, buyer, n, [(mover, "standard")])
        free = await buyer.world.row(
            "select purchased - assigned - held as n from seat_pool"
            " where organization_id = $1 and seat_type = 'premium'",
            buyer.organization_id,
        )
        for m in range(free["n"]):
            await buyer.join(f"f{n}-{m}", "premium")


async def test_i7_b029_of_two_admins_at_one_version_one_hears_so(place, buyer):
    person = next(iter(buyer.people))
    for n in range(20):
        row = await buyer.world.row(
            "select version from member where organization_id = $1 and member_id = $2",
            buyer.organization_id,
            person,
        )

        async def rename(name, m, version=row["version"]):
            ctx = replace(await ctx_of(place, buyer, m), if_match=version)
            command = members.ChangeMember(organization=buyer.id, member=person, name=name)
            try:
                return (await members.change(ctx, command)).name
            except Refused as refused:
                return str(refused.refusal.code)

        heard = await asyncio.gather(rename(f"A{n}", n), rename(f"B{n}", n + 1))
        assert sorted(heard)[1] == "precondition_failed", heard


async def test_b029_of_two_purchases_at_one_version_one_hears_so(place, buyer):
    for n in range(8):
        row = await buyer.world.row(
            "select version from subscription where organization_id = $1", buyer.organization_id
        )

        async def buy(quantity, m, version=row["version"]):
            ctx = replace(await ctx_of(place, buyer, m), if_match=version)
            change = PurchaseSeats(seat_type="standard", quantity=quantity)
            command = changes.MakeChange(organization=buyer.id, change=change)
            try:
                return (await changes.make(ctx, command)).state
            except Refused as refused:
                return str(refused.refusal.code)

        before = await _purchased(buyer)
        heard = await asyncio.gather(buy(2, n), buy(5, n + 1))
        # The one that comes while the other pays hears that, which is as good.
        assert heard.count("applied") == 1, heard
        assert set(heard) <= {"applied", "precondition_failed", "request_in_progress"}, heard
        assert await _purchased(buyer) - before == (2 if heard[0] == "applied" else 5)


async def _purchased(buyer):
    row = await buyer.world.row(
        "select purchased from seat_pool where organization_id = $1 and seat_type = 'standard'",
        buyer.organization_id,
    )
    return row["purchased"]
