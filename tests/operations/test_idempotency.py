"""Idempotency over HTTP: the same bytes again, the effect once, and no key burnt for nothing."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest

from seatkeeper.api.http import Application
from seatkeeper.api.table import TABLE
from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations import changes, dunning, idempotency
from seatkeeper.operations.context import new_id
from tests.api.caller import Caller
from tests.money_world import day

pytestmark = pytest.mark.usefixtures("verified")

BUY = {"change": {"kind": "purchase_seats", "quantity": 5}}


class Crash(Exception):
    """The process dies here."""


@pytest.fixture
async def call(money):
    application = Application(money.engine, TABLE, {})
    return await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)


@pytest.fixture
async def buyer(money):
    return await money.buyer(plan="enterprise", seats={"enterprise": 20})


def place(buyer, what="changes"):
    return f"/v1/organizations/{OrganizationId.text(buyer.organization_id)}/{what}"


async def post(call, buyer, body, key, what="changes", **headers):
    return await call.post(place(buyer, what), body, headers={"Idempotency-Key": key, **headers})


async def test_i1_g9_the_same_request_gives_the_same_bytes_and_one_effect(call, buyer):
    first = await post(call, buyer, BUY, "k1")
    again = await post(call, buyer, BUY, "k1")
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_i1_the_order_of_fields_does_not_make_another_request(call, buyer):
    first = await post(call, buyer, BUY, "k1")
    other = {"change": {"quantity": 5, "kind": "purchase_seats"}}
    assert (await post(call, buyer, other, "k1")).body == first.body


async def test_b019_i2_another_body_under_the_key_is_refused(call, buyer):
    await post(call, buyer, BUY, "k1")
    other = {"change": {"kind": "purchase_seats", "quantity": 6}}
    answer = await post(call, buyer, other, "k1")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_b021_another_address_under_the_key_is_refused(call, buyer):
    await post(call, buyer, BUY, "k1")
    answer = await post(call, buyer, BUY, "k1", "quotes")
    assert answer.code == "idempotency_key_reused"


async def test_i3_another_organizations_equal_key_buys_there(money, call, buyer):
    other = await money.buyer(plan="enterprise", seats={"enterprise": 20})
    await post(call, buyer, BUY, "k1")
    answer = await post(call, other, BUY, "k1")
    assert (answer.status, answer.headers.get("idempotency-replayed")) == (201, None)
    assert await other.seats() == (25, 0, 0, 0)


async def test_b023_another_principals_key_is_its_own(call, buyer):
    other = await call.with_key(vendor_role=VendorRole.OPERATOR)
    await post(call, buyer, BUY, "k1")
    answer = await post(other, buyer, BUY, "k1")
    assert answer.status == 201
    assert "idempotency-replayed" not in answer.headers
    assert await buyer.seats() == (30, 0, 0, 0)


@pytest.mark.parametrize("key", [None, "", "x" * 256, "a b", "ä"])
async def test_b017_money_does_not_move_without_a_sound_key(call, buyer, key):
    headers = {} if key is None else {"Idempotency-Key": key.encode()}
    answer = await call.post(place(buyer), BUY, headers=headers)
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_a_declined_payment_is_kept_and_told_again(call, buyer):
    body = {**BUY, "payment_method": "sandbox_declined"}
    first = await post(call, buyer, body, "k1")
    again = await post(call, buyer, body, "k1")
    assert (first.status, first.code) == (402, "payment_declined")
    assert (again.status, again.body) == (402, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/problem+json"


async def test_b065_what_needs_the_payer_is_kept_and_confirmed_once(call, buyer):
    body = {**BUY, "payment_method": "sandbox_action_required"}
    first = await post(call, buyer, body, "k1")
    again = await post(call, buyer, body, "k1")
    assert (first.status, first.body) == (402, again.body)
    payment = first.json["payment"]
    for _ in range(2):
        answer = await post(call, buyer, {}, "k2", f"payments/{payment}/confirm")
        assert (answer.status, answer.json["state"]) == (200, "succeeded")
    assert await buyer.seats() == (25, 0, 0, 0)
    assert (await post(call, buyer, body, "k1")).body == first.body


async def test_i4_a_refusal_leaves_the_key_free(call, buyer):
    too_few = {"change": {"kind": "reduce_seats", "target": 5}}
    answer = await post(call, buyer, too_few, "k1")
    assert (answer.status, answer.code) == (422, "below_minimum_seats")
    assert (await post(call, buyer, BUY, "k1")).status == 201


async def test_i2_two_at_once_one_works_and_one_waits(call, buyer):
    answers = await asyncio.gather(*(post(call, buyer, BUY, "k1") for _ in range(6)))
    assert await buyer.seats() == (25, 0, 0, 0)
    made = {answer.body for answer in answers if answer.status == 201}
    assert len(made) == 1
    for answer in answers:
        if answer.status != 201:
            assert (answer.status, answer.code) == (409, "request_in_progress")
            assert answer.headers["retry-after"] == "1"


async def test_i5_b025_a_request_that_was_cut_off_is_taken_up_by_its_retry(
    money, call, buyer, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(changes, "settle", _crash)
        assert (await post(call, buyer, BUY, "k1")).status == 500
    assert (await post(call, buyer, BUY, "k1")).code == "request_in_progress"
    money.pass_time(seconds=31)
    first = await post(call, buyer, BUY, "k1")
    assert first.status == 201
    again = await post(call, buyer, BUY, "k1")
    assert (again.body, again.headers["idempotency-replayed"]) == (first.body, "true")
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_i5_r3_a_request_nobody_asks_again_leaves_its_key_after_the_lease(
    money, call, buyer, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(changes, "settle", _crash)
        await post(call, buyer, BUY, "k1")
    assert await free(money) == 0  # it may still be at work
    money.pass_time(seconds=31)
    assert await free(money) == 1
    assert await begun(money, call) == []
    # Completed by the worker, and found by a retry that comes late.
    money.pass_time(minutes=2)
    await dunning.complete_unpaid(money.engine, money.now, money.clock_id)
    assert await buyer.seats() == (25, 0, 0, 0)
    other = {"change": {"kind": "purchase_seats", "quantity": 6}}
    answer = await post(call, buyer, other, "k1")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    answer = await post(call, buyer, BUY, "k1")
    assert (answer.status, answer.json["state"]) == (201, "applied")
    assert await buyer.seats() == (25, 0, 0, 0)
    assert (await post(call, buyer, BUY, "k1")).body == answer.body


async def test_i1_answers_live_thirty_days_and_what_was_bought_longer(money, call, buyer):
    first = await post(call, buyer, BUY, "k1")
    money.pass_time(days=30)
    await drop(money)
    assert (await post(call, buyer, BUY, "k1")).body == first.body
    money.pass_time(seconds=1)
    await drop(money)
    assert await begun(money, call) == []
    other = {"change": {"kind": "purchase_seats", "quantity": 6}}
    assert (await post(call, buyer, other, "k1")).code == "idempotency_key_reused"
    again = await post(call, buyer, BUY, "k1")
    assert (again.status, again.json["change"]) == (201, first.json["change"])
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_i5_keys_are_freed_in_batches_and_not_while_someone_is_at_them(money, call):
    principal = UUID(int=new_id().int)
    for n in range(5):
        await money.run(
            """insert into idempotency_key (principal_id, key_hash, request_hash, state, created_at)
               values ($1, $2, 'x', 'working', $3)""",
            principal,
            bytes([n]),
            money.now - timedelta(days=400),
        )
    async with money.engine.database.transaction() as db:
        await db.connection.execute(
            "select 1 from idempotency_key where principal_id = $1 and key_hash = $2 for update",
            principal,
            bytes([0]),
        )
        assert await idempotency.free_cut_off(money.engine, now=money.now, most=3) == 3
        assert await idempotency.free_cut_off(money.engine, now=money.now, most=3) == 1
    assert await idempotency.free_cut_off(money.engine, now=money.now, most=3) == 1


async def test_i5_what_the_worker_declined_is_a_402_for_the_retry(money, call, buyer, monkeypatch):
    body = {**BUY, "payment_method": "sandbox_declined"}
    with monkeypatch.context() as patch:
        patch.setattr(changes, "settle", _crash)
        await post(call, buyer, body, "k1")
    money.pass_time(minutes=2)
    await dunning.complete_unpaid(money.engine, money.now, money.clock_id)
    for _ in range(2):
        answer = await post(call, buyer, body, "k1")
        assert (answer.status, answer.code) == (402, "payment_declined")


async def test_the_manual_rail_answers_202_and_says_so_again(call, buyer):
    await buyer.pays_with(None)
    first = await post(call, buyer, BUY, "k1")
    again = await post(call, buyer, BUY, "k1")
    assert (first.status, first.json["pending"]) == (202, True)
    assert (again.status, again.body) == (202, first.body)


async def test_the_answer_to_a_payment_is_the_invoice_also_when_seats_waited_for_it(call, buyer):
    await buyer.pays_with(None)
    made = (await post(call, buyer, BUY, "k1")).json
    body = {"payment_method": "sandbox_ok"}
    first = await post(call, buyer, body, "k2", f"invoices/{made['invoice']}/pay")
    again = await post(call, buyer, body, "k2", f"invoices/{made['invoice']}/pay")
    assert (first.status, first.json["state"]) == (200, "paid")
    assert first.body == again.body
    assert await buyer.seats() == (25, 0, 0, 0)


async def test_a_void_invoice_cannot_be_paid_and_that_is_not_kept(call, buyer):
    await buyer.pays_with(None)
    made = (await post(call, buyer, BUY, "k1")).json
    invoice = f"invoices/{made['invoice']}"
    voided = await post(call, buyer, {"reason": "a mistake"}, "k2", f"{invoice}/void")
    assert voided.json["state"] == "void"
    body = {"payment_method": "sandbox_ok"}
    for _ in range(2):
        answer = await post(call, buyer, body, "k3", f"{invoice}/pay")
        assert (answer.status, answer.code) == (409, "state_conflict")
        assert "idempotency-replayed" not in answer.headers


async def test_g8_c28_the_answer_tells_what_was_done_afterwards_and_again(money, call):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    people = {"invitations": [{"email": "ada@example.com"}]}
    refusal = await call.post(place(buyer, "invitations"), people)
    assert (refusal.status, refusal.code) == (409, "insufficient_seats")
    body = {
        "change": {"kind": "purchase_seats", "quantity": 1},
        "resume": refusal.json["resume"],
    }
    first = await post(call, buyer, body, "k1")
    again = await post(call, buyer, body, "k1")
    assert (first.status, first.json["resumed"]["done"]) == (201, True)
    assert again.body == first.body
    assert await buyer.seats() == (2, 1, 1, 0)


async def test_i7_if_match_takes_the_version_that_was_read(money, call, buyer):
    tag = (await call.get(place(buyer, "subscription"))).headers["etag"]
    answer = await post(call, buyer, BUY, "k1", **{"If-Match": tag})
    assert answer.status == 201
    answer = await post(call, buyer, BUY, "k2", **{"If-Match": tag})
    assert (answer.status, answer.code) == (412, "precondition_failed")
    assert await buyer.seats() == (25, 0, 0, 0)
    fresh = (await call.get(place(buyer, "subscription"))).headers["etag"]
    assert fresh != tag


async def test_a_clocks_advance_over_http(money, call):
    body = {"name": "c", "now": "2026-01-01T00:00:00Z"}
    clock = (await call.post("/v1/test-clocks", body)).json["clock"]
    to = {"to": "2026-02-01T00:00:00Z"}
    answer = await call.post(f"/v1/test-clocks/{clock}/advance", to)
    assert (answer.status, answer.json["now"]) == (200, "2026-02-01T00:00:00Z")
    back = await call.post(f"/v1/test-clocks/{clock}/advance", {"to": "2026-01-31T00:00:00Z"})
    assert (back.status, back.code) == (422, "invalid_request")
    other = await call.with_key()
    assert (await other.post(f"/v1/test-clocks/{clock}/advance", to)).status == 404
    assert money.now == day(2026, 1, 1, 9)


async def test_a_money_question_without_the_billing_right(money, call, buyer):
    admin = await buyer.member("admin", role="admin")
    headers = {"Seatkeeper-Actor": str(type(admin).text(admin))}
    answer = await post(call, buyer, BUY, "k1", **headers)
    assert (answer.status, answer.code) == (403, "billing_permission_required")


async def free(money):
    return await idempotency.free_cut_off(money.engine, now=money.now, most=500)


async def drop(money):
    return await idempotency.drop_old(money.engine, now=money.now, most=500)


async def begun(money, call):
    """What stands under the caller's keys."""
    digest = sha256(call.secret.encode()).digest()
    rows = await money.rows(
        """select state from idempotency_key join api_key on key_id = principal_id
            where hash = $1""",
        digest,
    )
    return [row["state"] for row in rows]


async def _crash(*_args, **_more):
    raise Crash
