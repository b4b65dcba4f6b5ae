"""Invitations raced against themselves: each ends once, and its seat is released or used once."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta

import pytest
import pytest_asyncio

from seatkeeper.domain.ids import InvitationId
from seatkeeper.domain.refusals import Refused
from seatkeeper.operations import invitations
from seatkeeper.operations.acceptance import AcceptInvitation
from seatkeeper.operations.context import Context, new_id
from seatkeeper.operations.expiry import expire_due
from tests.races.rounds import a_place
from tests.world import KEY

pytestmark = pytest.mark.race
ROUNDS = 5
MOMENT = timedelta(milliseconds=1)


@pytest_asyncio.fixture
async def place(fresh_database_dsn):
    async with a_place(fresh_database_dsn) as made:
        yield made


@pytest_asyncio.fixture
async def buyer(place):
    seats = {"standard": 2, "premium": 4}
    return await place.money.buyer(plan="team", price="monthly", seats=seats, live=True)


async def together(*calls):
    """Outcomes of all, started at one moment: what came back, or the code of the refusal."""
    start = asyncio.Event()

    async def one(call):
        await start.wait()
        try:
            return "yes", await call()
        except Refused as refused:
            return str(refused.refusal.code), None

    tasks = [asyncio.create_task(one(call)) for call in calls]
    await asyncio.sleep(0)
    start.set()
    return await asyncio.gather(*tasks)


class Invited:
    """One invitation to a premium seat and what can happen to it, through any of the engines."""

    def __init__(self, place, buyer, made):
        self.place, self.buyer, self.email = place, buyer, made.email
        self.token = made.token
        self.id = InvitationId.parse(made.invitation.invitation)
        self.expires_at = made.invitation.expires_at
        self.engines = itertools.cycle(place.engines)

    async def ctx(self, *, late=False):
        engine = next(self.engines)
        facts = await engine.organization(self.buyer.organization_id)
        # Its time runs out in the middle: clocks of two processes differ by a moment.
        now = self.expires_at if late else self.expires_at - MOMENT
        return Context(engine, KEY, now, new_id(), facts=facts)

    async def accept(self, user=None):
        command = AcceptInvitation(
            token=self.token, user=user or self.email, email=self.email, name="Ada"
        )
        return await invitations.accept(await self.ctx(), command)

    async def revoke(self):
        command = invitations.RevokeInvitation(organization=self.buyer.id, invitation=self.id)
        return await invitations.revoke(await self.ctx(), command)

    async def resend(self):
        command = invitations.ResendInvitation(organization=self.buyer.id, invitation=self.id)
        return await invitations.resend(await self.ctx(), command)

    async def expire(self):
        return await expire_due(next(self.engines), now=self.expires_at, clock_id=None, most=1_000)

    async def now(self):
        row = await self.buyer.world.row(
            """select i.state, count(h.hold_id) filter (where h.released_at is null) as live,
                      count(a.assignment_id) filter (where a.ended_at is null) as seats
                 from invitation i
                 left join hold h on h.organization_id = $1 and h.invitation_id = i.invitation_id
                 left join assignment a on a.organization_id = $1 and a.member_id = i.member_id
                where i.organization_id = $1 and i.invitation_id = $2 group by i.state""",
            self.buyer.organization_id,
            self.id,
        )
        return tuple(row)


async def invited(place, buyer, name):
    (made,) = (await buyer.invite(name, seat_type="premium")).items
    return Invited(place, buyer, made)


async def premium(buyer):
    row = await buyer.world.row(
        """select assigned, held from seat_pool
            where organization_id = $1 and seat_type = 'premium'""",
        buyer.organization_id,
    )
    return tuple(row)


async def test_s10_one_token_accepted_by_sixty_four_is_accepted_once(place, buyer):
    one = await invited(place, buyer, "ada")
    heard = await together(*(lambda n=n: one.accept(f"user-{n}") for n in range(64)))
    assert Counter(code for code, _ in heard) == {"yes": 1, "invitation_unavailable": 63}
    assert await premium(buyer) == (1, 0)
    assert await one.now() == ("accepted", 0, 1)


async def test_s10_the_same_person_sixty_four_times_is_one_member_on_one_seat(place, buyer):
    one = await invited(place, buyer, "ada")
    heard = await together(*(one.accept for _ in range(64)))
    assert {code for code, _ in heard} == {"yes"}
    assert len({member.member for _, member in heard}) == 1
    assert sum(not member.existed for _, member in heard) == 1
    assert await premium(buyer) == (1, 0)


# What each pair may end in, whichever comes first: state, live holds, live seats.
ENDS = {
    ("accept", "revoke"): {("accepted", 0, 1), ("revoked", 0, 0)},
    ("accept", "expire"): {("accepted", 0, 1), ("expired", 0, 0)},
    ("accept", "resend"): {("accepted", 0, 1), ("pending", 1, 0)},
    ("revoke", "expire"): {("revoked", 0, 0), ("expired", 0, 0)},
    ("revoke", "resend"): {("revoked", 0, 0), ("pending", 1, 0)},
    ("expire", "resend"): {("expired", 0, 0), ("pending", 1, 0)},
    ("revoke", "revoke"): {("revoked", 0, 0)},
    ("expire", "expire"): {("expired", 0, 0)},
    ("resend", "resend"): {("pending", 1, 0)},
    ("accept", "revoke", "expire", "resend"): {
        ("accepted", 0, 1),
        ("revoked", 0, 0),
        ("expired", 0, 0),
        ("pending", 1, 0),
    },
}
# A loser hears that it is over; the token that was replaced opens nothing any more.
NOES = {"invitation_unavailable", "state_conflict", "not_found"}


@pytest.mark.parametrize("verbs", ENDS, ids="-".join)
async def test_s10_ways_of_ending_raced_end_it_once(place, buyer, verbs):
    found = Counter()
    for n in range(ROUNDS):
        assigned, held = await premium(buyer)
        one = await invited(place, buyer, f"u{n}")
        assert await premium(buyer) == (assigned, held + 1)
        # The order in which they are started turns round.
        turned = verbs if n % 2 else verbs[::-1]
        heard = await together(*(getattr(one, verb) for verb in turned))
        end = await one.now()
        found[end] += 1
        assert end in ENDS[verbs], (end, heard)
        assert {code for code, _ in heard} <= {"yes", *NOES}, heard
        assert any(code == "yes" for code, _ in heard)
        assert await premium(buyer) == (assigned + end[2], held + end[1])
        if end[0] == "pending":
            await one.revoke()
        if end[2]:
            await _unseat(one, heard)
    assert sum(found.values()) == ROUNDS


async def _unseat(one, heard):
    from seatkeeper.domain.ids import MemberId
    from seatkeeper.operations import seats

    member = next(made.member for code, made in heard if code == "yes" and hasattr(made, "member"))
    command = seats.UnassignSeat(organization=one.buyer.id, member=MemberId.parse(member))
    await seats.unassign(await one.ctx(), command)
