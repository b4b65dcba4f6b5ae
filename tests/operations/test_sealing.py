"""Answers that tell a secret: given again to their own request, unreadable to everybody else."""

from dataclasses import replace

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from seatkeeper.api.http import Application
from seatkeeper.api.table import TABLE
from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.context import new_id
from seatkeeper.operations.sealing import Seal
from tests.api.caller import Caller

KEY = "9b1f6c0e-5d0c-4a5c-9b0e-7a4d1c2e3f40"
PEOPLE = {"invitations": [{"email": "ada@example.com"}, {"email": "bob@example.com"}]}


@pytest.fixture
async def call(money):
    application = Application(money.engine, TABLE, {})
    return await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)


@pytest.fixture
async def buyer(money):
    return await money.buyer(plan="enterprise", seats={"enterprise": 20})


async def post(call, buyer, what, body, key=KEY):
    path = f"/v1/organizations/{OrganizationId.text(buyer.organization_id)}/{what}"
    return await call.post(path, body, headers={"Idempotency-Key": key})


async def lines(dsn):
    """Every row of every table, as a dump would show it."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "select format('%I', tablename) as name from pg_tables where schemaname = 'public'"
        )
        for table in tables:
            for row in await connection.fetch(f"select t::text as line from {table['name']} t"):
                yield row["line"]
    finally:
        await connection.close()


async def assert_nowhere(dsn, *canaries):
    forms = [form for text in canaries for form in (text, text.encode().hex())]
    seen = 0
    async for line in lines(dsn):
        seen += 1
        assert not [form for form in forms if form in line], line
    assert seen


@pytest.mark.usefixtures("verified")
async def test_i1_x6_invitations_are_told_again_and_their_tokens_stand_nowhere(
    call, buyer, database_dsn
):
    first = await post(call, buyer, "invitations", PEOPLE)
    again = await post(call, buyer, "invitations", PEOPLE)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    tokens = [item["token"] for item in first.json["items"]]
    assert len(tokens) == 2
    assert await buyer.seats() == (20, 0, 2, 0)
    await assert_nowhere(database_dsn, KEY, *tokens)


@pytest.mark.usefixtures("verified")
async def test_i1_x6_a_lost_answer_to_a_resend_does_not_make_a_third_token(
    call, buyer, database_dsn
):
    made = (await post(call, buyer, "invitations", PEOPLE)).json["items"][0]
    where = f"invitations/{made['invitation']['invitation']}/resend"
    first = await post(call, buyer, where, {}, f"resend-{KEY}")
    again = await post(call, buyer, where, {}, f"resend-{KEY}")
    assert (again.status, again.body) == (200, first.body)
    assert first.json["token"] != made["token"]
    await assert_nowhere(database_dsn, first.json["token"])
    who = {"user": f"ada-{new_id()}", "email": "ada@example.com", "name": "Ada"}
    accept = {"token": again.json["token"], **who}
    answer = await call.post("/v1/invitations/accept", accept)
    assert answer.status == 201, answer


@pytest.mark.usefixtures("verified")
async def test_g8_x6_what_goes_on_after_a_purchase_is_sealed_too(money, call, database_dsn):
    buyer = await money.buyer("organization", plan="per_seat", seats={"member": 1})
    people = {"invitations": [{"email": "ada@example.com"}]}
    refusal = await post(call, buyer, "invitations", people)
    change = {"kind": "purchase_seats", "quantity": 1}
    body = {"change": change, "resume": refusal.json["resume"]}
    first = await post(call, buyer, "changes", body, f"buy-{KEY}")
    again = await post(call, buyer, "changes", body, f"buy-{KEY}")
    assert (first.status, again.body) == (201, first.body)
    token = first.json["resumed"]["result"]["items"][0]["token"]
    await assert_nowhere(database_dsn, token, f"buy-{KEY}")
    assert await buyer.seats() == (2, 1, 1, 0)


@pytest.mark.usefixtures("verified")
async def test_i2_i3_a_sealed_answer_is_for_the_same_body_and_the_same_principal(call, buyer):
    first = await post(call, buyer, "invitations", PEOPLE)
    other = {"invitations": [{"email": "eve@example.com"}]}
    assert (await post(call, buyer, "invitations", other)).code == "idempotency_key_reused"
    someone = await call.with_key(vendor_role=VendorRole.OPERATOR)
    answer = await post(someone, buyer, "invitations", PEOPLE)
    assert (answer.status, answer.code) == (409, "already_exists")
    assert (await post(call, buyer, "invitations", PEOPLE)).body == first.body


@pytest.mark.usefixtures("verified")
async def test_i1_x6_a_key_that_is_easily_guessed_opens_nothing_without_the_bearer(
    call, buyer, database_dsn
):
    first = await post(call, buyer, "invitations", PEOPLE, "1")
    assert (await post(call, buyer, "invitations", PEOPLE, "1")).body == first.body
    await assert_nowhere(database_dsn, first.json["items"][0]["token"], call.secret)


def test_x6_a_seal_opens_for_its_own_request_only():
    principal = new_id()
    seal = Seal(b"sk_1", KEY, principal, "invitations.create", b"hash")
    kept = seal.close(201, b"the token", nonce=bytes(12))
    assert b"token" not in kept
    assert seal.open(201, kept) == b"the token"
    others = [
        replace(seal, credential=b"sk_2"),
        replace(seal, idempotency_key=f"{KEY}x"),
        replace(seal, principal_id=new_id()),
        replace(seal, operation="invitations.resend"),
        replace(seal, request_hash=b"another"),
    ]
    for other in others:
        with pytest.raises(InvalidTag):
            other.open(201, kept)
    with pytest.raises(InvalidTag):
        seal.open(200, kept)


def test_x6_a_seal_of_another_nonce_is_another_text():
    seal = Seal(b"sk_1", KEY, new_id(), "invitations.create", b"hash")
    assert KEY not in repr(seal)
    assert seal.close(201, b"a", nonce=bytes(12)) != seal.close(201, b"a", nonce=b"1" * 12)
