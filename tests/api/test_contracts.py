"""Contracts over HTTP: who may, which status, and what needs an idempotency key."""

import secrets

import pytest_asyncio

from seatkeeper.api.http import Application
from seatkeeper.api.table import TABLE
from seatkeeper.api.table_contracts import CONTRACTS
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.assemble import assemble
from seatkeeper.store.database import open_database
from tests.api.caller import Caller
from tests.api.conftest import new_organization
from tests.domain.shipped import DOCUMENTS


@pytest_asyncio.fixture
async def service(database_dsn):
    database = await open_database(database_dsn, size=5)
    table = (*TABLE, *(row for row in CONTRACTS if row not in TABLE))
    try:
        yield Application(await assemble(database), table, {})
    finally:
        await database.close()


@pytest_asyncio.fixture
async def account_manager(service):
    return await Caller(service, None).with_key(vendor_role=VendorRole.ACCOUNT_MANAGER)


@pytest_asyncio.fixture
async def buyer(service):
    """The vendor's service, the organization, its business plan."""
    operator = await Caller(service, None).with_key(vendor_role=VendorRole.OPERATOR)
    mark = secrets.token_hex(4)
    shelf = {f"yearly_{mark}": DOCUMENTS["workspace"]["plans"]["business_yearly"]}
    document = {"catalog": f"workspace_{mark}", "name": "Workspace", "plans": shelf}
    assert (await operator.put("/v1/catalog", {"document": document})).status == 200
    body = new_organization(f"workspace_{mark}", currency="USD")
    made = await operator.post("/v1/organizations", body)
    assert made.status == 201, made
    call = await Caller(service, None).with_key()
    return call, made.json, f"yearly_{mark}"


def key():
    return {"idempotency-key": secrets.token_hex(8)}


async def test_t29_t34_from_the_contract_to_an_amendment_over_http(account_manager, buyer):
    call, organization, plan = buyer
    place = f"/v1/organizations/{organization['organization']}"
    body = {
        "plan": plan,
        "account_manager": "Grace Hopper",
        "seats": [{"seat_type": "member", "quantity": 10}],
        "prices": {"seats": [{"seat_type": "member", "unit_minor": 90_000}]},
    }
    assert (await call.put(f"{place}/contract", body)).code == "forbidden"
    made = await account_manager.put(f"{place}/contract", body)
    assert (made.status, made.json["kind"]) == (200, "annual_upfront"), made
    assert (await account_manager.put(f"{place}/contract", body)).json == made.json
    assert (await call.get(f"{place}/contract")).json == made.json
    asked = await call.post(f"{place}/amendments", {"seats": [{"change": 2}]})
    assert asked.status == 201
    one = f"{place}/amendments/{asked.json['amendment']}"
    assert (await call.get(one)).json == asked.json
    assert (await call.get(f"{place}/amendments")).json["items"] == [asked.json]
    mine = {"prices": {"seats": [{"seat_type": "member", "unit_minor": 1}]}}
    assert (await call.post(one, mine)).status == 405
    assert (await call.post(f"{place}/amendments", mine)).code == "unknown_field"
    offered = await account_manager.post(f"{one}/quote", {})
    assert (offered.status, offered.json["state"]) == (200, "quoted"), offered
    assert (await call.post(f"{one}/accept", {})).status == 400  # money moves: a key is needed
    headers = key()
    done = await call.post(f"{one}/accept", {}, headers=headers)
    assert (done.status, done.json["state"]) == (200, "applied"), done
    again = await call.post(f"{one}/accept", {}, headers=headers)
    assert (again.body, again.headers["idempotency-replayed"]) == (done.body, "true")
    assert (await call.post(f"{one}/decline", {})).status == 409
    coming = await call.get(f"{place}/upcoming")
    assert (coming.status, coming.json["kind"]) == (200, "unsigned")
    signed = await account_manager.post(f"{place}/contract/sign", {}, headers=key())
    assert signed.json["next_terms"]["plan"] == plan
    coming = await call.get(f"{place}/upcoming")
    assert coming.json["total_minor"] == 12 * 90_000


async def test_m10_b075_credit_notes_over_http(account_manager, buyer):
    call, organization, plan = buyer
    place = f"/v1/organizations/{organization['organization']}"
    seats = [{"seat_type": "member", "quantity": 10}]
    body = {"plan": plan, "account_manager": "Grace", "seats": seats}
    assert (await account_manager.put(f"{place}/contract", body)).status == 200
    [invoice] = (await call.get(f"{place}/invoices")).json["items"]
    notes = f"{place}/invoices/{invoice['invoice']}/credit-notes"
    asked = {"amount_minor": 960_001, "reason": "as agreed"}
    assert (await account_manager.post(notes, asked)).status == 400
    assert (await account_manager.post(notes, asked, headers=key())).status == 422
    asked["amount_minor"] = 1_000
    assert (await call.post(notes, asked, headers=key())).status == 403
    other = {**asked, "currency": "EUR"}
    assert (await account_manager.post(notes, other, headers=key())).code == "currency_mismatch"
    made = await account_manager.post(notes, asked, headers=key())
    assert made.status == 201
    assert (await call.get(f"{place}/credit-notes")).json["items"] == [made.json]
    assert (await call.get(f"{place}/balance")).json["balance_minor"] == 1_000


async def test_a4_an_actor_without_the_billing_permission_neither_sees_nor_signs(
    account_manager, buyer
):
    call, organization, plan = buyer
    place = f"/v1/organizations/{organization['organization']}"
    body = {"plan": plan, "account_manager": "Grace"}
    assert (await account_manager.put(f"{place}/contract", body)).status == 200
    member = await call.post(
        f"{place}/members", {"user": "u1", "email": "u1@example.com", "name": "U"}
    )
    acting = {"seatkeeper-actor": member.json["member"]}
    for path in ("contract", "amendments", "upcoming", "credit-notes"):
        answer = await call.get(f"{place}/{path}", headers=acting)
        assert answer.code == "billing_permission_required", path
    asked = await call.post(f"{place}/amendments", {"note": "more"}, headers=acting)
    assert asked.status == 403
    owner = {"seatkeeper-actor": organization["primary_owner"]}
    refused = await account_manager.put(f"{place}/contract", body, headers=owner)
    assert (refused.status, refused.code) == (409, "contract_managed")
    assert (await account_manager.post(f"{place}/unpark", {"reason": "x"})).status == 403
