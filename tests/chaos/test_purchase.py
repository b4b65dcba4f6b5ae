"""The server dies in the middle of a purchase; the client asks again with the same key."""

import asyncio
import http.client
import json
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.api.caller import Caller
from tests.api.conftest import an_application, new_organization, renamed
from tests.chaos.dying_server import POINTS
from tests.chaos.renewing import a_worker
from tests.domain.small_catalog import SMALL
from tests.invariants.clean import assert_clean

KEY = "a-purchase-of-three"
# 3 x 5.00 above the five that are included; bought at once with the first period's start.
LEASE_OVER = "update idempotency_key set created_at = created_at - interval '31 seconds'"

PATIENCE_OVER = "update change set requested_at = requested_at - interval '61 seconds'"
LEFT = """
select (select count(*) from idempotency_key where state = 'working')
     + (select count(*) from change where state = 'awaiting_payment') as count
"""


@asynccontextmanager
async def a_server(dsn, point, seconds=30):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.dying_server",
        dsn,
        point,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def post(url, secret, body, key=KEY):
    """The status and the answer, or None where the connection broke."""

    def send():
        request = urllib.request.Request(
            url,
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {secret}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer), dict(answer.headers)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.status, json.load(refused), dict(refused.headers)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError):
            return None

    return await asyncio.to_thread(send)


async def a_buyer(dsn):
    """An organization with ten seats that pays by the sandbox: its address, and a key."""
    async with an_application(dsn) as application:
        call = await Caller(application, None).with_key()
        document = renamed({**SMALL, "default_plan": None})
        assert (await call.put("/v1/catalog", {"document": document})).status == 200
        pro = next(key for key in document["plans"] if key.startswith("pro"))
        body = new_organization(document["catalog"], payment_method="sandbox_ok")
        made = await call.post("/v1/organizations", body)
        path = f"/v1/organizations/{made.json['organization']}"
        change = {
            "kind": "subscribe",
            "plan": pro,
            "price": "monthly",
            "seats": [{"seat_type": "basic", "quantity": 10}],
        }
        first = await call.post(
            f"{path}/changes", {"change": change}, headers={"Idempotency-Key": "first"}
        )
        assert first.status == 201, first
        return path, call.secret


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
async def test_b025_a_server_killed_while_money_moves_charges_once(fresh_database_dsn, point):
    path, secret = await a_buyer(fresh_database_dsn)
    body = {"change": {"kind": "purchase_seats", "seat_type": "basic", "quantity": 3}}
    async with a_server(fresh_database_dsn, point) as (process, url):
        assert await post(f"{url}{path}/changes", secret, body) is None
        assert await process.wait() == -9
    async with a_server(fresh_database_dsn, "never") as (_, url):
        first = await post(f"{url}{path}/changes", secret, body)
        if point != "after_commit":
            # The first request may still be at work, for all that the second can know.
            assert first[0] == 409, first
            assert first[1]["code"] == "request_in_progress"
            assert first[2]["retry-after"]
            await _run(fresh_database_dsn, LEASE_OVER)
            first = await post(f"{url}{path}/changes", secret, body)
        assert (first[0], first[1]["state"]) == (201, "applied"), first
        again = await post(f"{url}{path}/changes", secret, body)
        assert again[:2] == first[:2]
        assert again[2]["idempotency-replayed"] == "true"
    row = await _run(
        fresh_database_dsn,
        """select (select purchased from seat_pool where seat_type = 'basic') as seats,
                  (select count(*) from sandbox_charge) as charges,
                  (select count(*) from change where kind = 'purchase_seats') as changes,
                  (select count(*) from invoice where state = 'paid') as invoices""",
    )
    assert dict(row) == {"seats": 13, "charges": 2, "changes": 1, "invoices": 2}
    await assert_clean(fresh_database_dsn)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before_charge", "after_charge"])
async def test_i5_r3_a_purchase_cut_off_for_good_leaves_nothing_claimed(fresh_database_dsn, point):
    path, secret = await a_buyer(fresh_database_dsn)
    body = {"change": {"kind": "purchase_seats", "seat_type": "basic", "quantity": 3}}
    async with a_server(fresh_database_dsn, point) as (process, url):
        assert await post(f"{url}{path}/changes", secret, body) is None
        assert await process.wait() == -9
    assert (await _run(fresh_database_dsn, LEFT))["count"] == 2
    await _run(fresh_database_dsn, LEASE_OVER)
    await _run(fresh_database_dsn, PATIENCE_OVER)
    worker = await a_worker(fresh_database_dsn)
    try:
        async with asyncio.timeout(30):
            # Another process does it, so there is nothing to wait for but the rows.
            while (await _run(fresh_database_dsn, LEFT))["count"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        worker.kill()
        await worker.wait()
    async with a_server(fresh_database_dsn, "never") as (_, url):
        other = {"change": {**body["change"], "quantity": 4}}
        refused = await post(f"{url}{path}/changes", secret, other)
        assert (refused[0], refused[1]["code"]) == (422, "idempotency_key_reused")
        late = await post(f"{url}{path}/changes", secret, body)
        assert (late[0], late[1]["state"]) == (201, "applied"), late
        assert "idempotency-replayed" not in late[2]
    row = await _run(
        fresh_database_dsn,
        """select (select purchased from seat_pool where seat_type = 'basic') as seats,
                  (select count(*) from sandbox_charge) as charges,
                  (select count(*) from change where kind = 'purchase_seats') as changes""",
    )
    assert dict(row) == {"seats": 13, "charges": 2, "changes": 1}
    await assert_clean(fresh_database_dsn)


async def _run(dsn, sql):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchrow(sql)
    finally:
        await connection.close()
