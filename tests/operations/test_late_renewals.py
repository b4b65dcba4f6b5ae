"""Live organizations whose worker was away, and many workers at once."""

import asyncio

import pytest

from seatkeeper.domain.ids import ChangeId
from seatkeeper.domain.refusals import Code
from seatkeeper.operations import due, renewals, withdrawals
from seatkeeper.operations.asked import Cancel
from seatkeeper.operations.withdrawals import CancelChange
from tests.money_world import MoneyWorld, a_money_world, day
from tests.world import refused


@pytest.fixture
async def live(fresh_database_dsn):
    async with a_money_world(fresh_database_dsn) as made:
        yield made


async def work(live: MoneyWorld) -> dict[str, int]:
    """What the worker does when it is there."""
    return await due.do_due(live.engine, live.now, None)


async def test_t8_after_45_days_everything_happens_once_and_in_order(live):
    buyer = await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
    live.now = day(2026, 3, 18)
    assert (await work(live))["subscriptions"] == 2
    assert await work(live) == {}
    invoices = await buyer.invoices()
    assert [i.state for i in invoices] == ["paid"] * 3
    assert [i.lines[0].period_start for i in invoices] == [
        day(2026, 1, 1),
        day(2026, 2, 1),
        day(2026, 3, 1),
    ]


async def test_m18_a_late_worker_costs_nobody_their_grace(live):
    buyer = await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
    await buyer.pays_with("sandbox_declined")
    live.now = day(2026, 3, 18, 5)
    done = await work(live)
    assert done["invoices_attempted"] == 2  # one try for each, not all of them at once
    on = await buyer.subscription()
    assert (on.plan, on.status, on.grace_ends_at) == ("per_seat", "past_due", day(2026, 4, 1))
    live.now = day(2026, 3, 31, 23)
    await work(live)
    assert (await buyer.subscription()).plan == "per_seat"


async def test_m19_b085_more_than_two_periods_late_parks_and_charges_nothing(live):
    buyer = await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
    other = await live.buyer(plan="enterprise", seats={"enterprise": 20}, live=True)
    live.now = day(2026, 5, 2)
    await work(live)
    live.parked.add(buyer.organization_id)
    assert (await buyer.totals(), await other.totals()) == ([8_00], [4800_00])
    assert "organization.parked" in await buyer.events("organization.")
    live.now = day(2026, 9, 1)
    assert await work(live) == {}  # what is parked is passed over
    on = await buyer.subscription()
    assert (on.status, await buyer.seats()) == ("active", (1, 1, 0, 0))  # access stays
    await live.run(
        "update organization set parked_at = null, catch_up_until = $2 where organization_id = $1",
        buyer.organization_id,
        live.now,
    )
    live.parked.clear()
    await work(live)
    assert await buyer.totals() == [8_00] * 9


async def test_t6_a_clock_that_goes_back_renews_nothing_again(live):
    buyer = await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
    live.now = day(2026, 2, 1)
    await work(live)
    live.now = day(2026, 1, 31, 23)
    assert await work(live) == {}
    assert await buyer.totals() == [8_00, 8_00]


async def test_a_cancelled_subscription_that_is_found_late_just_ends(live):
    buyer = await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
    await buyer.change(Cancel())
    live.now = day(2026, 12, 1)
    await work(live)
    on = await buyer.subscription()
    assert on.plan == "free"
    assert await buyer.totals() == [8_00]


async def test_t9_a_reduction_whose_instant_has_come_is_not_taken_back(live):
    buyer = await live.buyer(plan="team", seats={"standard": 3}, price="monthly", live=True)
    made = await buyer.reduce(1, "standard")
    live.now = day(2026, 2, 1, 12)
    command = CancelChange(organization=buyer.id, change=ChangeId.parse(made.change))
    async with refused(Code.STATE_CONFLICT):
        await withdrawals.cancel(await buyer.ctx(), command)
    await work(live)
    assert (await buyer.last()).total_minor == 30_00


async def test_t2_t8_a_grace_that_ended_in_a_period_long_over_leaves_no_gap(live):
    buyer = await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
    await buyer.pays_with("sandbox_declined")
    live.now = day(2026, 2, 1, 1)
    await work(live)
    live.now = day(2026, 3, 5, 1)
    await work(live)
    # In arrears from 1 February, the grace of 14 days ends with the 14th; then the default plan.
    on = await buyer.subscription()
    assert (on.plan, on.period_start, on.period_end) == ("free", day(2026, 2, 15), day(2026, 3, 15))


async def test_one_that_breaks_is_parked_and_the_others_renew(live):
    buyers = [
        await live.buyer("organization", plan="per_seat", seats={"member": 1}, live=True)
        for _ in range(5)
    ]
    broken = buyers[2]
    await live.run(
        "update subscription set price_key = 'gone' where organization_id = $1",
        broken.organization_id,
    )
    live.now = day(2026, 2, 1)
    await work(live)
    live.parked.add(broken.organization_id)
    live.breaks = True
    totals = [len(await buyer.invoices()) for buyer in buyers]
    assert totals == [2, 2, 1, 2, 2]


COPIES = """
    with o as (insert into organization (organization_id, catalog_key, name, currency, time_zone,
            payment_method, created_at)
        select gen_random_uuid(), catalog_key, name, currency, time_zone, payment_method, created_at
          from organization, generate_series(1, 199) where organization_id = $1
        returning organization_id),
    b as (insert into billing_account (organization_id, invoice_prefix)
        select organization_id, organization_id from o),
    s as (insert into subscription (organization_id, subscription_id, plan_version_id, price_key,
            status, anchor_on, period_number, period_starts_at, period_ends_at, term_ends_at,
            due_at, started_at)
        select o.organization_id, o.organization_id, plan_version_id, price_key, status, anchor_on,
            period_number, period_starts_at, period_ends_at, term_ends_at, due_at, started_at
          from subscription, o where subscription.organization_id = $1),
    t as (insert into period
        select o.organization_id, o.organization_id, starts_at, ends_at, number, plan_version_id,
            kind from period, o where period.organization_id = $1),
    p as (insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank,
            capacity, purchased, billed_at, paid, level)
        select o.organization_id, o.organization_id, o.organization_id, seat_type, rank, capacity,
            purchased, billed_at, paid, level from seat_pool, o
         where seat_pool.organization_id = $1)
    insert into seat_ledger select o.organization_id, o.organization_id, entry_id, delta,
        effective_at, cause, cause_id from seat_ledger, o where seat_ledger.organization_id = $1"""


@pytest.mark.race
async def test_t1_b083_eight_workers_renew_two_hundred_subscriptions_once_each(live):
    first = await live.buyer(plan="enterprise", seats={"enterprise": 20}, live=True)
    await live.run(COPIES, first.organization_id)
    live.now = day(2027, 1, 1)
    took = await asyncio.gather(
        *(renewals.renew_due(live.engine, live.now, None, most=40) for _ in range(8))
    )
    while await renewals.renew_due(live.engine, live.now, None, most=40):
        pass
    assert sum(took) <= 200
    rows = await live.rows(
        """select (select count(*) from invoice i where i.organization_id = o.organization_id
                    and i.cause = 'period' and i.subtotal_minor = 480000) as invoices,
                  (select count(*) from period p where p.organization_id = o.organization_id
                    and p.starts_at = $1) as periods
             from organization o""",
        live.now,
    )
    assert [tuple(row) for row in rows] == [(1, 1)] * 200
    await work(live)
    assert await live.rows("select from invoice where state <> 'paid'") == []
