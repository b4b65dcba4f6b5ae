"""Two transactions in a fixed order: the second has looked before the first commits.

A statement that waits for a lock goes on with the row as it then is, but its constraints are first
checked on the row as it was: a full pool in which a seat came free must still give it away.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from seatkeeper.domain.ids import InvitationId
from seatkeeper.operations import changes, invitations, members, seats
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.context import Context, new_id
from tests.invariants.clean import assert_clean
from tests.races.rounds import a_place
from tests.world import KEY

pytestmark = pytest.mark.race
SECONDS_MAX = 10


@pytest_asyncio.fixture
async def place(fresh_database_dsn):
    async with a_place(fresh_database_dsn, engines=2) as made:
        yield made
    await assert_clean(fresh_database_dsn, made.money.now)


@pytest_asyncio.fixture
async def full(place):
    """Three standard seats: two with members, one held by an invitation; and someone without."""
    buyer = await place.money.buyer(
        plan="team", price="monthly", seats={"standard": 3, "premium": 1}, live=True, method=None
    )
    for invoice in await buyer.invoices("open"):
        await buyer.record(invoice.invoice)
    buyer.ada, buyer.bob = [await buyer.join(name, "standard") for name in ("ada", "bob")]
    (sent,) = (await buyer.invite("ida", seat_type="standard")).items
    buyer.sent = InvitationId.parse(sent.invitation.invitation)
    buyer.newcomer = await buyer.join("eve")
    return buyer


async def ctx_of(place, buyer, n):
    engine = place.engines[n]
    facts = await engine.organization(buyer.organization_id)
    return Context(engine, KEY, place.money.now, new_id(), facts=facts)


@asynccontextmanager
async def before(place, buyer, *calls):
    """Inside, a transaction has done these and has not committed; the second one waits for it."""
    ctx = await ctx_of(place, buyer, 0)
    async with ctx.transaction():
        for call in calls:
            await call(ctx)
        yield
        async with asyncio.timeout(SECONDS_MAX):
            while not (  # noqa: ASYNC110  the server has no event to wait for
                await place.money.row(
                    """select exists (select 1 from pg_stat_activity
                        where datname = current_database() and wait_event_type = 'Lock') as waits"""
                )
            )["waits"]:
                await asyncio.sleep(0.01)


def unassign(buyer):
    command = seats.UnassignSeat(organization=buyer.id, member=buyer.ada)
    return lambda ctx: seats.unassign(ctx, command)


def remove(buyer):
    command = members.RemoveMember(organization=buyer.id, member=buyer.bob)
    return lambda ctx: members.remove(ctx, command)


def revoke(buyer):
    command = invitations.RevokeInvitation(organization=buyer.id, invitation=buyer.sent)
    return lambda ctx: invitations.revoke(ctx, command)


def accept_elsewhere(buyer):
    """The held seat becomes free because its bearer is seated in another pool at once."""
    command = members.AddMember(
        organization=buyer.id,
        user=f"ida-{buyer.organization_id}",
        email="ida@example.com",
        name="Ida",
        seat_type="premium",
    )
    return lambda ctx: members.add(ctx, command)


@pytest.mark.parametrize("comes_free", [unassign, remove, revoke, accept_elsewhere])
async def test_s3_a_seat_that_comes_free_meanwhile_is_given_away(place, full, comes_free):
    command = seats.AssignSeat(organization=full.id, member=full.newcomer, seat_type="standard")
    async with before(place, full, comes_free(full)):
        waits = asyncio.create_task(seats.assign(await ctx_of(place, full, 1), command))
    assert (await waits).seat_type == "standard"


async def test_s3_a_seat_that_is_bought_meanwhile_is_given_away(place):
    # On terms the seats come with the invoice, so that buying is one transaction.
    policies = {"collect": "invoice"}
    catalog, plan = await place.money.variant("enterprise", "team", policies=policies)
    buyer = await place.money.buyer(
        catalog, plan=plan, price="monthly", seats={"standard": 1, "premium": 1}, live=True
    )
    await buyer.join("ada", "standard")
    newcomer = await buyer.join("eve")
    change = PurchaseSeats(seat_type="standard", quantity=1)
    buy = changes.MakeChange(organization=buyer.id, change=change)
    command = seats.AssignSeat(organization=buyer.id, member=newcomer, seat_type="standard")
    async with before(place, buyer, lambda ctx: changes.make(ctx, buy)):
        waits = asyncio.create_task(seats.assign(await ctx_of(place, buyer, 1), command))
    assert (await waits).seat_type == "standard"


async def test_s6_b041_a_seat_that_is_taken_away_twice_is_freed_once(place, full):
    command = seats.UnassignSeat(organization=full.id, member=full.ada)
    async with before(place, full, unassign(full)):
        waits = asyncio.create_task(seats.unassign(await ctx_of(place, full, 1), command))
    await waits
    counts = await seats.summary(
        await ctx_of(place, full, 0), seats.ReadSeats(organization=full.id)
    )
    found = {c.seat_type: (c.assigned, c.held, c.available) for c in counts.items}
    assert found["standard"] == (1, 1, 1)


async def test_s6_a_seat_is_given_back_while_more_were_bought_and_taken(place):
    policies = {"collect": "invoice"}
    catalog, plan = await place.money.variant("enterprise", "team", policies=policies)
    buyer = await place.money.buyer(
        catalog, plan=plan, price="monthly", seats={"standard": 1, "premium": 1}, live=True
    )
    ada = await buyer.join("ada", "standard")
    people = [await buyer.join(name) for name in ("bob", "eve")]
    change = PurchaseSeats(seat_type="standard", quantity=2)
    buy = changes.MakeChange(organization=buyer.id, change=change)

    async def fill(ctx):
        for person in people:
            command = seats.AssignSeat(organization=buyer.id, member=person, seat_type="standard")
            await seats.assign(ctx, command)

    command = seats.UnassignSeat(organization=buyer.id, member=ada)
    async with before(place, buyer, lambda ctx: changes.make(ctx, buy), fill):
        waits = asyncio.create_task(seats.unassign(await ctx_of(place, buyer, 1), command))
    await waits
    counts = await seats.summary(
        await ctx_of(place, buyer, 0), seats.ReadSeats(organization=buyer.id)
    )
    found = {c.seat_type: (c.purchased, c.assigned, c.available) for c in counts.items}
    assert found["standard"] == (3, 2, 1)


async def test_g7_a_seat_that_is_taken_meanwhile_is_not_given_twice(place, full):
    await seats.unassign(
        await ctx_of(place, full, 0), seats.UnassignSeat(organization=full.id, member=full.ada)
    )
    take = seats.AssignSeat(organization=full.id, member=full.ada, seat_type="standard")
    other = seats.AssignSeat(organization=full.id, member=full.newcomer, seat_type="standard")
    async with before(place, full, lambda ctx: seats.assign(ctx, take)):
        waits = asyncio.create_task(seats.assign(await ctx_of(place, full, 1), other))
    with pytest.raises(Exception, match="insufficient_seats"):
        await waits
