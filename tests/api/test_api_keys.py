"""API keys over HTTP: what one can make, what it can reach, and when it ends."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from seatkeeper.api import auth
from seatkeeper.domain.scopes import Scope, VendorRole
from tests.api.caller import Caller


async def _make(call, **body):
    return await call.post("/v1/api-keys", {"name": "test", "scopes": ["seats:read"], **body})


async def test_x6_the_secret_is_shown_once_and_only_its_hash_is_kept(call, database_dsn):
    made = await _make(call)
    assert made.status == 201
    secret = made.json["secret"]
    assert secret.startswith("sk_")
    assert len(secret) == 3 + 52  # 256 bits at 5 bits a character
    listed = await call.get("/v1/api-keys?limit=200")
    assert secret not in listed.body.decode()
    assert made.json["key"] in [item["key"] for item in listed.json["items"]]
    connection = await asyncpg.connect(database_dsn)
    try:
        for table in ("api_key", "event", "idempotency_key"):
            rows = await connection.fetch(f"select t::text as line from {table} t")
            assert not [row for row in rows if secret in row["line"]], table
    finally:
        await connection.close()


async def test_x6_i1_a_key_is_told_again_to_who_asks_under_the_same_idempotency_key(call):
    headers = {"Idempotency-Key": "8c5a0e6f-make-a-key"}
    body = {"name": "twice", "scopes": ["seats:read"]}
    made = await call.post("/v1/api-keys", body, headers=headers)
    again = await call.post("/v1/api-keys", body, headers=headers)
    assert (made.status, again.status, again.body) == (201, 201, made.body)
    assert again.headers["idempotency-replayed"] == "true"
    listed = await call.get("/v1/api-keys?limit=200")
    assert [item["name"] for item in listed.json["items"]].count("twice") == 1


async def test_a_key_cannot_make_one_that_can_do_more(call):
    weak = await call.with_key(scopes=[Scope.KEYS_WRITE, Scope.SEATS_READ])
    assert (await _make(weak, scopes=["seats:read"])).status == 201
    refused = await _make(weak, scopes=["seats:read", "billing:write"])
    assert (refused.status, refused.code) == (403, "insufficient_scope")
    assert refused.json["scope"] == "billing:write"
    for role in ("account_manager", "operator"):
        refused = await _make(weak, vendor_role=role)
        assert (refused.status, refused.code) == (403, "forbidden"), role
    higher = await call.with_key(
        scopes=[Scope.KEYS_WRITE, Scope.SEATS_READ], vendor_role=VendorRole.ACCOUNT_MANAGER
    )
    assert (await _make(higher, vendor_role="account_manager")).status == 201
    assert (await _make(higher, vendor_role="operator")).status == 403


async def test_a_bound_key_makes_and_sees_keys_of_its_organization_only(call, organization):
    own = organization["organization"]
    made = await _make(call, scopes=["keys:write", "seats:read"], organization=own)
    bound = Caller(call.application, made.json["secret"])
    child = await _make(bound)
    assert child.json["organization"] == own
    foreign = await _make(bound, organization="org_" + "0" * 26)
    assert (foreign.status, foreign.code) == (404, "not_found")
    listed = (await bound.get("/v1/api-keys")).json["items"]
    assert {item["key"] for item in listed} == {made.json["key"], child.json["key"]}
    other = await _make(call)
    assert (await bound.delete(f"/v1/api-keys/{other.json['key']}")).status == 404
    assert (await bound.delete(f"/v1/api-keys/{child.json['key']}")).status == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["seats:everything"]}, "/scopes/0"),
        ({"scopes": "seats:read"}, "/scopes"),
        ({"vendor_role": "root"}, "/vendor_role"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"name": ""}, "/name"),
        ({"secret": "mine"}, "/secret"),
    ],
)
async def test_a_key_that_cannot_be_made_says_which_field(call, body, pointer):
    refused = await _make(call, **body)
    assert refused.status == 422, refused
    assert refused.json["errors"][0]["pointer"] == pointer


async def test_b185_a_revoked_key_is_refused_within_two_seconds(call):
    other = await call.with_key(scopes=[Scope.ORGANIZATIONS_READ])
    assert (await other.get("/v1/organizations")).status == 200
    revoked = await call.delete(f"/v1/api-keys/{other.key}")
    assert revoked.json["revoked_at"] is not None
    engine = call.application._engine
    start, clock = engine.clock(), call.application._keys._clock
    call.application._keys._clock = lambda: start + timedelta(seconds=auth.REMEMBER_SECONDS)
    try:
        refused = await other.get("/v1/organizations")
    finally:
        call.application._keys._clock = clock
    assert (refused.status, refused.code) == (401, "unauthenticated")
    again = await call.delete(f"/v1/api-keys/{other.key}")
    assert again.json == revoked.json


async def test_b185_an_expired_key_is_refused(call):
    other = await call.with_key(
        scopes=[Scope.ORGANIZATIONS_READ], expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    clock = call.application._keys._clock
    call.application._keys._clock = lambda: clock() + timedelta(hours=1)
    try:
        assert (await other.get("/v1/organizations")).status == 401
    finally:
        call.application._keys._clock = clock


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic sk_x",
        "Bearer pk_publishable",
        "Bearer sk_",
        "Bearer sk_" + "0" * 52,
        "Bearer sk_" + "x" * 5000,
        b"Bearer sk_\xff\xfe",
        "sk_" + "0" * 52,
    ],
)
async def test_b185_what_is_no_key_is_refused_with_a_challenge(application, header):
    caller = Caller(application, None)
    headers = {} if header is None else {"Authorization": header}
    refused = await caller.get("/v1/organizations", headers=headers)
    assert (refused.status, refused.code) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_b185_a_key_that_reads_does_not_write(call, organization):
    reader = await call.with_key(scopes=[Scope.ORGANIZATIONS_READ])
    target = f"/v1/organizations/{organization['organization']}"
    assert (await reader.get(target)).status == 200
    refused = await reader.patch(target, {"name": "mine"})
    assert (refused.status, refused.code) == (403, "insufficient_scope")
    assert refused.json["scope"] == "organizations:write"


@pytest.mark.parametrize("name", ["X-Tenant-Id", "X-Organization", "X-Forwarded-Host"])
async def test_b183_a_header_never_switches_the_organization(call, organization, name):
    own = organization["organization"]
    made = await _make(call, scopes=["organizations:read"], organization=own)
    bound = Caller(call.application, made.json["secret"])
    listed = await bound.get("/v1/organizations", headers={name: "org_" + "0" * 26})
    assert [item["organization"] for item in listed.json["items"]] == [own]


async def test_b183_a_query_never_switches_the_organization(call, organization):
    made = await _make(
        call, scopes=["organizations:read"], organization=organization["organization"]
    )
    bound = Caller(call.application, made.json["secret"])
    refused = await bound.get("/v1/organizations?organization=org_" + "0" * 26)
    assert (refused.status, refused.code) == (422, "unknown_field")
