"""The server dies while it advances a test clock; somebody else takes the clock to its target."""

import asyncio
import random
import signal

import asyncpg
import pytest

from seatkeeper.domain.ids import ClockId
from seatkeeper.domain.scopes import VendorRole
from tests.api.caller import Caller
from tests.api.conftest import an_application
from tests.chaos.renewing import BUSY, a_worker
from tests.chaos.test_purchase import a_server, post
from tests.invariants.clean import assert_clean
from tests.money_world import a_money_world, day

BUYERS = 5
SECONDS_MAX = 180
TARGET = day(2028, 1, 1)
RENEWALS = 24  # The first of each month of two years, from February 2026 on.
OPEN = """
select exists (select 1 from pg_stat_activity where datname = current_database()
                  and application_name = 'seatkeeper' and xact_start is not null)
"""
LEASE_OVER = "update test_clock set lease_until = lease_until - interval '31 seconds'"


async def a_clock(dsn):
    """A clock with organizations on it that pay by the month, and a key that may advance it."""
    async with a_money_world(dsn) as money:
        for _ in range(BUYERS):
            await money.buyer("organization", plan="per_seat", seats={"member": 1})
        clock = ClockId.text(money.clock_id)
    async with an_application(dsn) as application:
        caller = await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
    return f"/v1/test-clocks/{clock}/advance", caller.secret


async def killed_on_the_way(dsn, path, secret, chance):
    """A server that was killed in a transaction, somewhere in the second half of the first year."""
    body = {"to": TARGET.isoformat()}
    async with a_server(dsn, "never", SECONDS_MAX) as (process, url):
        asked = asyncio.create_task(post(f"{url}{path}", secret, body))
        await until(dsn, f"select now_at > '2026-{chance.randrange(6, 12):02}-01' from test_clock")
        await until(dsn, BUSY)
        process.kill()
        await process.wait()
        answer = await asked
        assert answer is None or answer[0] == 202
    row = await run(dsn, "select state, now_at, target_at, done from test_clock")
    assert (row["state"], row["target_at"]) == ("advancing", TARGET)
    assert row["now_at"] < TARGET
    assert "subscriptions" in row["done"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_r3_t1_a_worker_ends_what_a_killed_server_began(fresh_database_dsn, seed):
    path, secret = await a_clock(fresh_database_dsn)
    await killed_on_the_way(fresh_database_dsn, path, secret, random.Random(seed))
    await run(fresh_database_dsn, LEASE_OVER)
    workers = [await a_worker(fresh_database_dsn) for _ in range(2)]
    try:
        await until(fresh_database_dsn, "select state = 'ready' from test_clock")
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()
    await assert_renewed_once(fresh_database_dsn)


@pytest.mark.slow
async def test_r3_t1_the_same_advance_again_ends_what_a_killed_server_began(fresh_database_dsn):
    path, secret = await a_clock(fresh_database_dsn)
    await killed_on_the_way(fresh_database_dsn, path, secret, random.Random(3))
    body = {"to": TARGET.isoformat()}
    async with a_server(fresh_database_dsn, "never", SECONDS_MAX) as (_, url):
        early = await post(f"{url}{path}", secret, body, "while-the-lease-runs")
        assert (early[0], early[1]["state"]) == (202, "advancing")
        await run(fresh_database_dsn, LEASE_OVER)
        taken = await post(f"{url}{path}", secret, body, "when-it-has-run-out")
        assert taken[0] in (200, 202), taken
        await until(fresh_database_dsn, "select state = 'ready' from test_clock")
    await assert_renewed_once(fresh_database_dsn)


@pytest.mark.slow
async def test_r3_a_server_that_only_slept_writes_nothing_beside_its_successor(fresh_database_dsn):
    path, secret = await a_clock(fresh_database_dsn)
    body = {"to": TARGET.isoformat()}
    async with a_server(fresh_database_dsn, "never", SECONDS_MAX) as (process, url):
        asked = asyncio.create_task(post(f"{url}{path}", secret, body))
        await until(fresh_database_dsn, "select now_at > '2026-03-01' from test_clock")
        await asleep(fresh_database_dsn, process)
        await run(fresh_database_dsn, LEASE_OVER)
        worker = await a_worker(fresh_database_dsn)
        try:
            await until(fresh_database_dsn, "select epoch = 2 from test_clock")
            # Both walk now, for all that the first one knows.
            process.send_signal(signal.SIGCONT)
            await until(fresh_database_dsn, "select state = 'ready' from test_clock")
        finally:
            worker.kill()
            await worker.wait()
        answer = await asked
        assert answer is not None
        assert answer[1]["state"] in ("advancing", "ready")
        free = await post(f"{url}{path}", secret, body, "it-still-serves")
        assert (free[0], free[1]["state"]) == (200, "ready")
    await assert_renewed_once(fresh_database_dsn)


@pytest.mark.slow
async def test_r3_a_worker_that_is_told_to_stop_lets_go_at_once(fresh_database_dsn):
    await a_clock(fresh_database_dsn)
    # An advance that was left, taken up by a worker, which is then stopped as by an operator.
    await run(
        fresh_database_dsn,
        f"""update test_clock set state = 'advancing', target_at = '{TARGET.isoformat()}',
                   lease_until = '2026-01-01 00:00+00'""",
    )
    worker = await a_worker(fresh_database_dsn)
    await until(fresh_database_dsn, "select now_at > '2026-03-01' from test_clock")
    worker.terminate()
    assert await asyncio.wait_for(worker.wait(), 20) == 0
    free = "select state = 'advancing' and lease_until <= clock_timestamp() from test_clock"
    assert (await run(fresh_database_dsn, free))[0]
    other = await a_worker(fresh_database_dsn)
    try:
        await until(fresh_database_dsn, "select state = 'ready' from test_clock")
    finally:
        other.kill()
        await other.wait()
    await assert_renewed_once(fresh_database_dsn)


async def asleep(dsn, process):
    """Stops a process between two of its transactions; in one it would be waited for."""
    for _ in range(200):
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.05)
        if not (await run(dsn, OPEN))[0]:
            return
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.01)
    pytest.fail("it never left its transaction")


async def assert_renewed_once(dsn):
    row = await run(
        dsn,
        """select (select now_at from test_clock) as now_at,
                  (select count(*) from period) as periods,
                  (select count(*) from invoice where cause = 'period') as invoices,
                  (select count(distinct (subscription_id, issued_at)) from invoice
                    where cause = 'period') as once,
                  (select count(*) from event where kind = 'subscription.renewed') as told,
                  (select count(*) from sandbox_charge where outcome = 'succeeded') as charges""",
    )
    renewals = BUYERS * RENEWALS
    assert dict(row) == {
        "now_at": TARGET,
        "periods": BUYERS + renewals,
        "invoices": renewals,
        "once": renewals,
        "told": renewals,
        "charges": BUYERS + renewals,
    }
    await assert_clean(dsn)


async def until(dsn, question):
    """Another process does it, so there is nothing to wait for but the rows."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(SECONDS_MAX):
            while not await connection.fetchval(question):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
    finally:
        await connection.close()


async def run(dsn, sql):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchrow(sql)
    finally:
        await connection.close()
