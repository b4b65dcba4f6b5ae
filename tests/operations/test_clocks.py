"""Test clocks: forward only, everything due on the way at its own instant, in every zone."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from seatkeeper.domain.ids import ClockId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import clocks, invitations, walks
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.clocks import AdvanceClock, CreateClock, ReadClock, ReadClocks
from seatkeeper.operations.context import Principal
from seatkeeper.store.database import Unavailable
from tests.money_world import day
from tests.world import refused

pytestmark = pytest.mark.usefixtures("verified")

OTHER = Principal(UUID(int=3), "another key", "service", frozenset())


async def clock_of(money):
    return ClockId(int=money.clock_id.int)


async def ask(money, to):
    command = AdvanceClock(clock=money.own_clock, to=to)
    return await clocks.advance(await money.vendor(), command)


async def show(money):
    return await clocks.show(await money.vendor(), ReadClock(clock=money.own_clock))


async def walked(money):
    """What goes on behind the answers comes to its end."""
    while money.engine.tasks:
        await asyncio.wait(money.engine.tasks, timeout=10)


async def leave(money, to):
    """An advance whose walker died before its first step."""
    async with money.engine.database.transaction() as db:
        row = await db.one(walks.CLOCKS.one, clock_id=money.clock_id, key_id=None)
        return await walks.take(db, row, to, money.engine.clock())


class Gate(asyncio.Event):
    """Where a walker waits until it is set."""

    def __init__(self):
        super().__init__()
        self.reached = asyncio.Event()


@contextmanager
def held(monkeypatch, at=None):
    """Walkers wait at an instant, or at the first, before they do anything there."""
    gate, do_due = Gate(), walks.do_due

    async def waiting(engine, now, clock_id):
        if at is None or now == at:
            gate.reached.set()
            await gate.wait()
        return await do_due(engine, now, clock_id)

    monkeypatch.setattr(walks, "do_due", waiting)
    yield gate
    monkeypatch.undo()


async def test_design_5_a_clock_never_goes_back(money):
    await money.buyer()
    clock = await clock_of(money)
    await money.advance(day(2026, 3, 1))
    async with refused(Code.INVALID_REQUEST):
        await clocks.advance(await money.vendor(), AdvanceClock(clock=clock, to=day(2026, 2, 28)))
    shown = await clocks.show(await money.vendor(), ReadClock(clock=clock))
    assert (shown.now, shown.state) == (day(2026, 3, 1), "ready")
    assert await money.advance(day(2026, 3, 1)) == {}


async def test_design_5_fifteen_years_at_most(money):
    await money.buyer()
    clock = await clock_of(money)
    too_far = money.now + timedelta(days=15 * 366, seconds=1)
    async with refused(Code.INVALID_REQUEST):
        await clocks.advance(await money.vendor(), AdvanceClock(clock=clock, to=too_far))
    await money.advance(money.now + timedelta(days=15 * 365))


async def test_x1_another_keys_clock_is_not_there(money):
    await money.buyer()
    clock = await clock_of(money)
    for act in (
        clocks.show(await money.vendor(OTHER), ReadClock(clock=clock)),
        clocks.advance(await money.vendor(OTHER), AdvanceClock(clock=clock, to=day(2027, 1, 1))),
    ):
        async with refused(Code.NOT_FOUND):
            await act
    page = await clocks.list_all(await money.vendor(OTHER), ReadClocks())
    assert page.items == []


async def test_an_instant_needs_its_offset(money):
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  the point of the test
    async with refused(Code.INVALID_REQUEST):
        await clocks.create(await money.vendor(), CreateClock(name="c", now=naive))


async def test_r3_two_advances_at_once_are_one(money, monkeypatch):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    monkeypatch.setattr(clocks, "ANSWER_SECONDS", 0.01)
    with held(monkeypatch) as gate:
        first = await ask(money, day(2026, 4, 1))
        assert (first.state, first.pending, first.target) == ("advancing", True, day(2026, 4, 1))
        again = await ask(money, day(2026, 4, 1))
        assert (again.state, again.pending) == ("advancing", True)
        for other in (day(2026, 3, 1), day(2026, 5, 1)):
            async with refused(Code.REQUEST_IN_PROGRESS):
                await ask(money, other)
        gate.set()
        await walked(money)
    shown = await show(money)
    assert (shown.state, shown.now, shown.target) == ("ready", day(2026, 4, 1), None)
    assert shown.done == {"subscriptions": 3, "invoices_attempted": 3}
    assert await buyer.totals() == [8_00] * 4


async def test_design_5_a_poll_shows_how_far_it_is_and_what_was_done(money, monkeypatch):
    await money.buyer("organization", plan="per_seat", seats={"member": 1})
    monkeypatch.setattr(clocks, "ANSWER_SECONDS", 0.01)
    with held(monkeypatch, at=day(2026, 3, 1)) as gate:
        await ask(money, day(2026, 6, 1))
        await gate.reached.wait()
        shown = await show(money)
        assert (shown.state, shown.now) == ("advancing", day(2026, 3, 1))
        assert shown.target == day(2026, 6, 1)
        assert shown.done == {"subscriptions": 1, "invoices_attempted": 1}  # of February
        gate.set()
        await walked(money)
    assert (await show(money)).done == {"subscriptions": 5, "invoices_attempted": 5}
    assert await money.advance(day(2026, 6, 2)) == {}
    assert (await show(money)).done == {}


async def test_r3_an_advance_that_was_left_is_taken_further_but_not_back(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await leave(money, day(2026, 4, 1))
    async with refused(Code.REQUEST_IN_PROGRESS):
        await ask(money, day(2026, 5, 1))  # its walker may still be there
    money.pass_time(seconds=31)
    async with refused(Code.REQUEST_IN_PROGRESS):
        await ask(money, day(2026, 3, 1))
    moved = await ask(money, day(2026, 5, 1))
    assert (moved.state, moved.now, moved.pending) == ("ready", day(2026, 5, 1), False)
    assert await buyer.totals() == [8_00] * 5


async def test_r3_the_worker_ends_an_advance_that_was_left(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await leave(money, day(2026, 4, 1))
    assert not await walks.resume_abandoned(money.engine)
    money.pass_time(seconds=31)
    assert await walks.resume_abandoned(money.engine)
    assert not await walks.resume_abandoned(money.engine)
    assert (await show(money)).state == "ready"
    assert await buyer.totals() == [8_00] * 4
    money.now = day(2026, 4, 1)


async def test_r3_a_walker_that_comes_back_writes_nothing(money, monkeypatch):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    monkeypatch.setattr(clocks, "ANSWER_SECONDS", 0.01)
    with held(monkeypatch, at=day(2026, 2, 1)) as gate:
        await ask(money, day(2026, 4, 1))
        await gate.reached.wait()
        (old,) = money.engine.tasks
        monkeypatch.undo()  # only the old walker waits
        money.pass_time(seconds=31)
        assert await walks.resume_abandoned(money.engine)
        gate.set()
        await asyncio.wait_for(old, 5)
    shown = await show(money)
    assert (shown.state, shown.now) == ("ready", day(2026, 4, 1))
    assert shown.done == {"subscriptions": 3, "invoices_attempted": 3}
    assert await buyer.totals() == [8_00] * 4
    money.now = day(2026, 4, 1)


async def test_r3_nobody_takes_a_clock_while_something_of_its_walker_is_open(money):
    await money.buyer("organization", plan="per_seat", seats={"member": 1})
    walk = await leave(money, day(2026, 4, 1))
    money.pass_time(seconds=31)
    async with money.engine.database.behind(walk.fence).transaction():
        assert not await walks.resume_abandoned(money.engine)
    assert await walks.resume_abandoned(money.engine)
    with pytest.raises(walks.Superseded):
        async with money.engine.database.behind(walk.fence).transaction():
            pytest.fail("an old walker came in")
    money.now = day(2026, 4, 1)


async def test_r3_who_is_stopped_lets_go_at_once(money, monkeypatch):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    monkeypatch.setattr(clocks, "ANSWER_SECONDS", 0.01)
    with held(monkeypatch, at=day(2026, 2, 1)) as gate:
        await ask(money, day(2026, 4, 1))
        await gate.reached.wait()
        await money.engine.rest()
    assert not money.engine.tasks
    assert (await show(money)).state == "advancing"
    # No time has passed, and it can be taken.
    assert await walks.resume_abandoned(money.engine)
    assert await buyer.totals() == [8_00] * 4
    money.now = day(2026, 4, 1)


async def test_r3_the_lease_is_renewed_while_one_instant_takes_long(money, monkeypatch):
    await money.buyer("organization", plan="per_seat", seats={"member": 1})
    monkeypatch.setattr(clocks, "ANSWER_SECONDS", 0.01)
    monkeypatch.setattr(walks, "BEAT_SECONDS", 0.01)
    with held(monkeypatch) as gate:
        await ask(money, day(2026, 2, 1))
        await gate.reached.wait()
        money.pass_time(seconds=29)
        await asyncio.sleep(0.2)
        money.pass_time(seconds=29)
        assert not await walks.resume_abandoned(money.engine)
        gate.set()
        await walked(money)
    money.now = day(2026, 2, 1)


async def test_a_failed_advance_says_why_and_can_be_tried_again(money, monkeypatch):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})

    async def bug(*_given):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(walks, "do_due", bug)
        failed = await ask(money, day(2026, 3, 1))
    assert (failed.state, failed.pending, failed.target) == ("failed", False, None)
    assert "ZeroDivisionError" in str(failed.failure)
    assert not await walks.resume_abandoned(money.engine)
    await money.advance(day(2026, 3, 1))
    assert (await show(money)).failure is None
    assert await buyer.totals() == [8_00] * 3


async def test_r7_a_fault_of_the_database_leaves_the_advance_to_the_worker(money, monkeypatch):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})

    async def fault(*_given):
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(walks, "do_due", fault)
        moved = await ask(money, day(2026, 3, 1))
    assert (moved.state, moved.pending) == ("advancing", True)
    assert not await walks.resume_abandoned(money.engine)
    money.pass_time(seconds=5)
    assert await walks.resume_abandoned(money.engine)
    assert await buyer.totals() == [8_00] * 3
    money.now = day(2026, 3, 1)


async def test_one_process_walks_so_many_clocks_and_no_more(money, monkeypatch):
    await money.buyer("organization", plan="per_seat", seats={"member": 1})
    monkeypatch.setattr(walks, "WALKS_MAX", 0)
    with pytest.raises(Unavailable):
        await ask(money, day(2026, 3, 1))
    assert (await show(money)).state == "ready"


async def test_g3_monthly_from_the_31st_over_a_year(money):
    money.now = day(2027, 1, 31, 9)
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await money.advance(day(2028, 3, 31))
    starts = [i.lines[0].period_start.strftime("%m-%d") for i in await buyer.invoices()]
    assert starts == [
        "01-31",
        "02-28",
        "03-31",
        "04-30",
        "05-31",
        "06-30",
        "07-31",
        "08-31",
        "09-30",
        "10-31",
        "11-30",
        "12-31",
        "01-31",
        "02-29",
        "03-31",
    ]


async def test_g3_b087_yearly_from_the_29th_of_february(money):
    money.now = day(2028, 2, 29, 9)
    buyer = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await money.advance(day(2032, 3, 1))
    starts = [i.lines[0].period_start.date().isoformat() for i in await buyer.invoices()]
    assert starts == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


@pytest.mark.parametrize(
    ("zone", "bounds"),
    [
        # Local midnights of the first of each month, winter and summer time
        ("Europe/Berlin", ["02-28T23", "03-31T22", "04-30T22"]),
        ("America/New_York", ["03-01T05", "04-01T04", "05-01T04"]),
        ("Australia/Lord_Howe", ["02-28T13", "03-31T13", "04-30T13"]),
        # Midnight does not exist there on the day summer time begins
        ("America/Santiago", ["03-01T03", "04-01T03", "05-01T04"]),
    ],
)
async def test_g2_t4_periods_end_at_local_midnight_through_the_change_of_clocks(
    money, zone, bounds
):
    money.now = day(2026, 2, 1, 12)
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1}, zone=zone)
    found = []
    for _ in bounds:
        end = (await buyer.subscription()).period_end
        found.append(end.astimezone(UTC).strftime("%m-%dT%H"))
        await money.advance(end)
    assert found == bounds
    assert len(await buyer.invoices()) == 1 + len(bounds)


async def test_t8_everything_happens_at_its_own_instant_and_in_order(money):
    policies = {"invitations": {"lives_days": 21}}
    catalog, plan = await money.variant("organization", "per_seat", policies=policies)
    buyer = await money.buyer(catalog, plan=plan, seats={"member": 2})
    await buyer.invite("p1")
    await money.advance(day(2026, 3, 1))
    rows = await money.rows(
        """select kind, occurred_at from event where organization_id = $1
              and kind in ('invitation.expired', 'subscription.renewed', 'invoice.paid')
            order by event_id""",
        buyer.organization_id,
    )
    assert [(row["kind"], row["occurred_at"]) for row in rows[1:]] == [
        ("invitation.expired", day(2026, 1, 22, 9)),
        ("subscription.renewed", day(2026, 2, 1)),
        ("invoice.paid", day(2026, 2, 1)),
        ("subscription.renewed", day(2026, 3, 1)),
        ("invoice.paid", day(2026, 3, 1)),
    ]
    assert await buyer.totals() == [16_00, 8_00, 8_00]


async def test_t10_three_years_of_months_cost_what_a_closed_formula_says(money):
    buyer = await money.buyer("organization", plan="base_and_seats", seats={"member": 3})
    await buyer.crowd(2)
    await money.advance(day(2029, 1, 1))
    assert await buyer.totals() == [35_00] * 37


async def test_an_organization_begins_at_its_clocks_time(money):
    await money.buyer()
    await money.advance(day(2030, 6, 1))
    buyer = await money.buyer("organization")
    assert (await buyer.subscription()).period_start == day(2030, 6, 1)
    page = await invitations.list_all(
        await buyer.ctx(), invitations.ListInvitations(organization=buyer.id)
    )
    assert page.items == []


async def test_what_cannot_be_done_now_does_not_stop_the_clock(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await buyer.pays_with(None)
    await buyer.add(1)  # awaits a transfer that never comes
    other = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await money.advance(day(2026, 4, 1))
    assert len(await other.invoices()) == 4


async def test_b065_neither_a_renewal_nor_the_clock_waits_for_who_does_not_confirm(money):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    await money.advance(day(2026, 1, 31, 23))
    await buyer.ask(PurchaseSeats(quantity=1), payment_method="sandbox_action_required")
    await money.advance(day(2026, 2, 10))
    rows = await money.rows(
        "select occurred_at from event where organization_id = $1 and kind = $2",
        buyer.organization_id,
        "subscription.renewed",
    )
    assert [row["occurred_at"] for row in rows] == [day(2026, 2, 1)]
    assert (await buyer.last()).lines[0].period_start == day(2026, 2, 1)
    assert await buyer.totals() == [8_00, 8_00]
