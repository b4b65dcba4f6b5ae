"""The edge: whatever is sent gets a problem document with a code, and nothing fails."""

import asyncio
import json
import time
from typing import Any

import pytest

from seatkeeper.api import http as edge
from seatkeeper.api.table import TABLE
from seatkeeper.api.wire import BODY_BYTES_MAX, STATUS
from seatkeeper.domain.refusals import SENTENCES, Code
from seatkeeper.store.database import Unavailable
from tests.api.conftest import new_organization

KEYS = "/v1/api-keys"


def is_problem(answer):
    problem = answer.json
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] in set(Code)
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["status"] == answer.status
    assert problem["instance"] == answer.headers["x-request-id"]
    assert problem["detail"]
    return True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"a":1,', 400),
        (b"", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"5", 422),
        (b"true", 422),
        (b"{", 400),
        (b"}", 400),
        (b"{}{}", 400),
        (b"{'name': 1}", 400),
        (b'{"name": NaN}', 400),
        (b'{"name": Infinity}', 400),
        (b'{"name": "x",}', 400),
        (b'{"name": "x" "y"}', 400),
        (b'{"name": 01}', 400),
        (b'{"name": +1}', 400),
        (b'{"name": .5}', 400),
        (b'{"name": 1.}', 400),
        (b'{"name": 0x10}', 400),
        (b'{name: "x"}', 400),
        (b'{"name": "\xff\xfe"}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": "\\x41"}', 400),
        (b'{"name": "line\nbreak"}', 400),
        (b'\xef\xbb\xbf{"name": "bom"}', 400),
        ('{"name": "x"}'.encode("utf-16"), 400),
        (b'{"name": "x"} trailing', 400),
        (b"/* */ {}", 400),
        (b"\x00", 400),
        (b'{"name": "\\u0000", "scopes": ["seats:read"]}', 422),
        (b'{"na\\u0000me": "x", "scopes": ["seats:read"]}', 422),
        (b'{"name": {"a": ["\\u0000"]}, "scopes": ["seats:read"]}', 422),
        (b"[" * 10_000, 400),
        (b"[" * 10_000 + b"]" * 10_000, 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"name":' + b"[" * 900 + b"]" * 900 + b"}", 422),
        (b"[" + b"1," * 400_000 + b"1]", 422),
        (b'{"name": 1' + b"0" * 5_000 + b"}", 422),
        (b'{"name": 1e309}', 422),
    ],
    ids=range(40),
)
async def test_b001_b005_a_body_that_is_no_command(call, body, status):
    began = time.perf_counter()
    answer = await call.post(KEYS, body=body)
    assert answer.status == status, answer
    assert is_problem(answer)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("value", [b"true", b"1.5", b'"5"', b"-0", b"-1", b"1e400", b"null", b"[]"])
async def test_b003_a_quantity_is_a_positive_whole_number(call, organization, value):
    """A catalog's limit stands for every quantity: the same numbers, the same reader."""
    target = f"/v1/organizations/{organization['organization']}/quotes"
    body = b'{"change": {"kind": "purchase_seats", "quantity": %s}}' % value
    answer = await call.post(target, body=body)
    assert answer.status in (400, 422, 404, 409), answer
    if answer.status == 422:
        assert is_problem(answer)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/problem+json",
        "json",
        "",
    ],
)
async def test_b007_only_json_is_taken(call, kind):
    answer = await call.post(KEYS, body=b'{"name":"x"}', headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    missing = await call.post(KEYS, body=b"{}", headers={"Content-Type": None})
    assert missing.status == 415


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
async def test_b007_json_is_json_in_any_spelling(call, kind):
    answer = await call.post(
        KEYS, {"name": "x", "scopes": ["seats:read"]}, headers={"Content-Type": kind}
    )
    assert answer.status == 201


async def test_b005_a_body_of_more_than_a_mebibyte_is_too_large(call):
    large = b'{"name": "' + b"x" * BODY_BYTES_MAX + b'"}'
    for answer in (
        await call.post(KEYS, body=large),
        await call.post(KEYS, body=b"{}", headers={"Content-Length": str(50 * 2**20)}),
        await call.post(KEYS, chunks=[b"x" * 65_536] * 40, body=b""),
    ):
        assert (answer.status, answer.code) == (413, "content_too_large")


async def test_b005_a_body_in_pieces_is_put_together(call):
    text = json.dumps({"name": "in pieces", "scopes": ["seats:read"]}).encode()
    answer = await call.post(KEYS, chunks=[text[:7], b"", text[7:20], text[20:]], body=b"")
    assert answer.status == 201


async def test_b015_a_body_that_never_ends_is_given_up(call, monkeypatch):
    monkeypatch.setattr(edge, "BODY_SECONDS_MAX", 0.05)
    scope = _scope(call)
    sent: list[int] = []

    async def receive():
        if not sent:
            sent.append(1)
            return {"type": "http.request", "body": b"{", "more_body": True}
        return await asyncio.sleep(60, {"type": "http.disconnect"})

    answers: list[dict[str, Any]] = []
    await call.application(scope, receive, _keep(answers))
    assert answers[0]["status"] == 400


async def test_b015_a_connection_that_ends_early_is_no_request(call):
    for first in ({"type": "http.disconnect"}, {"type": "http.request", "more_body": True}):
        messages = [first, {"type": "http.disconnect"}]

        async def receive(messages=messages):
            return messages.pop(0)

        answers: list[dict[str, Any]] = []
        await call.application(_scope(call), receive, _keep(answers))
        assert answers[0]["status"] == 400


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"Accept": "text/html"}, 406),
        ({"Accept": "image/png, text/*"}, 406),
        ({"Accept": "text/html, */*;q=0.1"}, 200),
        ({"Accept": "application/json"}, 200),
        ({"Accept": "application/*"}, 200),
        ({"X-Padding": "x" * 17_000}, 431),
        ({"Host": "evil.example"}, 200),
        ({"X-Forwarded-Host": "evil.example"}, 200),
        ({"X-Forwarded-For": "127.0.0.1"}, 200),
        ({"X-HTTP-Method-Override": "DELETE"}, 200),
        ({"Seatkeeper-Actor": "mem_x"}, 403),
        ({"If-Match": "\u20ac".encode()}, 200),
    ],
)
async def test_b011_headers_do_what_they_may_and_no_more(call, header, status):
    answer = await call.get("/v1/organizations", headers=header)
    assert answer.status == status, answer
    assert "evil.example" not in answer.body.decode()


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/", 404),
        ("GET", "//v1/organizations", 404),
        ("GET", "/v1/organizations/", 404),
        ("GET", "/v1/organizations/../catalog", 404),
        ("GET", "/v1/organizations/org_0/seats", 404),
        ("GET", "/v1/organizations/org_" + "0" * 26 + "/seats", 404),
        ("GET", "/v1/organizations/ORG_" + "0" * 26, 404),
        ("GET", "/v1/organizations/mem_" + "0" * 26, 404),
        ("GET", "/v1/organizations/org_" + "v" * 26, 404),
        ("GET", "/v1/organizations/\u00e4", 404),
        ("GET", "/v1/organizations/a\x00b", 404),
        ("GET", "/v1/organizations?" + "x" * 3_000, 414),
        ("GET", "/v1/organizations?" + "&".join(f"a{n}=1" for n in range(60)), 400),
        ("PUT", "/v1/organizations", 405),
        ("TRACE", "/v1/organizations", 405),
        ("BREW", "/v1/organizations", 405),
        ("OPTIONS", "/v1/organizations", 405),
        ("POST", "/healthz", 404),
    ],
)
async def test_every_address_and_method_has_an_answer(call, method, target, status):
    answer = await call(method, target)
    assert answer.status == status, answer
    assert is_problem(answer)
    if status == 405:
        assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "two words", "tab\tbed", "bell\x07", b"\xff", "line\r\nbreak", " "]
)
async def test_b017_an_idempotency_key_is_visible_ascii(call, catalog, key):
    body = new_organization(catalog["catalog"])
    answer = await call.post("/v1/organizations", body, headers={"Idempotency-Key": key})
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_b019_b021_a_key_belongs_to_one_request(call, catalog):
    body = new_organization(catalog["catalog"])
    headers = {"Idempotency-Key": "one-request"}
    assert (await call.post("/v1/organizations", body, headers=headers)).status == 201
    other = await call.post("/v1/organizations", {**body, "name": "Other"}, headers=headers)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_b021_a_key_belongs_to_one_route(call, organization):
    base = f"/v1/organizations/{organization['organization']}"
    headers = {"Idempotency-Key": "one-route"}
    bob = {"user": "bob", "email": "bob@example.com", "name": "Bob"}
    assert (await call.post(f"{base}/members", bob, headers=headers)).status == 201
    moves = {"moves": [{"member": "mem_" + "0" * 26, "seat_type": None}]}
    other = await call.post(f"{base}/seat-moves", moves, headers=headers)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_i3_another_organizations_equal_key_is_another_key(call, catalog, organization):
    other = await call.post("/v1/organizations", new_organization(catalog["catalog"]))
    headers = {"Idempotency-Key": "the-same-for-both"}
    for place in (organization, other.json):
        bob = {"user": "bob-i3", "email": "bob@example.com", "name": "Bob"}
        answer = await call.post(
            f"/v1/organizations/{place['organization']}/members", bob, headers=headers
        )
        assert answer.status == 201, answer
        assert "idempotency-replayed" not in answer.headers


async def test_i3_another_members_answer_is_not_replayed(call, organization):
    base = f"/v1/organizations/{organization['organization']}"
    people = [
        {"user": f"{name}-i3", "email": f"{name}@example.com", "name": name, "role": role}
        for name, role in (("Ann", "admin"), ("Bob", "member"))
    ]
    ann, bob = [(await call.post(f"{base}/members", who)).json["member"] for who in people]
    sent = {"user": "eve-i3", "email": "eve@example.com", "name": "Eve"}
    headers = {"Idempotency-Key": "over-one-api-key", "Seatkeeper-Actor": ann}
    assert (await call.post(f"{base}/members", sent, headers=headers)).status == 201
    mine = await call.post(f"{base}/members", sent, headers={**headers, "Seatkeeper-Actor": bob})
    assert (mine.status, mine.code) == (403, "forbidden")


async def test_i1_the_same_json_spelled_otherwise_is_the_same_request(call, catalog):
    body = new_organization(catalog["catalog"])
    headers = {"Idempotency-Key": "spelled-otherwise"}
    first = await call.post("/v1/organizations", body, headers=headers)
    spelled = json.dumps(dict(reversed(body.items())), indent=3).encode()
    again = await call.post("/v1/organizations", body=spelled, headers=headers)
    assert again.status == 201
    assert again.body == first.body


async def test_b023_another_keys_idempotency_key_is_not_seen(call, catalog):
    body = new_organization(catalog["catalog"])
    headers = {"Idempotency-Key": "the-same-of-two"}
    first = await call.post("/v1/organizations", body, headers=headers)
    other = await call.with_key()
    body["primary_owner"]["email"] = "other@example.com"
    second = await other.post("/v1/organizations", body, headers=headers)
    assert (first.status, second.status) == (201, 201)
    assert first.json["organization"] != second.json["organization"]
    assert "idempotency-replayed" not in second.headers


async def test_i4_a_refused_request_does_not_use_up_its_key(call, catalog):
    headers = {"Idempotency-Key": "refused-first"}
    body = new_organization(catalog["catalog"])
    refused = await call.post("/v1/organizations", {**body, "currency": "XXX"}, headers=headers)
    assert refused.status == 422
    assert (await call.post("/v1/organizations", body, headers=headers)).status == 201


async def test_i2_ten_at_once_under_one_key_have_one_effect(call, catalog):
    body = new_organization(catalog["catalog"], name="ten at once")
    headers = {"Idempotency-Key": "ten-at-once"}
    answers = await asyncio.gather(
        *(call.post("/v1/organizations", body, headers=headers) for _ in range(10))
    )
    assert {answer.status for answer in answers} <= {201, 409}
    made = {answer.json["organization"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    busy = [answer for answer in answers if answer.status == 409]
    assert all(answer.code == "request_in_progress" for answer in busy)
    assert all(answer.headers["retry-after"] for answer in busy)


async def test_b029_of_two_changes_on_one_reading_one_wins(call, organization):
    target = f"/v1/organizations/{organization['organization']}"
    answers = await asyncio.gather(
        *(call.patch(target, {"name": f"name {n}"}, headers={"If-Match": '"1"'}) for n in range(2))
    )
    assert sorted(answer.status for answer in answers) == [200, 412]
    won = next(answer for answer in answers if answer.status == 200)
    assert (await call.get(target)).json["name"] == won.json["name"]


async def test_i7_what_has_no_versions_matches_none(call, organization):
    target = f"/v1/organizations/{organization['organization']}/members"
    seat = f"{target}/{organization['primary_owner']}/seat"
    answer = await call.delete(seat, headers={"If-Match": '"1"'})
    assert (answer.status, answer.code) == (412, "precondition_failed")
    assert (await call.delete(seat, headers={"If-Match": "*"})).status == 200


@pytest.mark.parametrize("tag", [b"\xb2", b'"\xb2"', b"", b'"', b'W/"\xff"', b"9" * 400])
async def test_b011_a_tag_that_was_never_given_out_matches_nothing(call, organization, tag):
    target = f"/v1/organizations/{organization['organization']}"
    answer = await call.patch(target, {"name": "x"}, headers={"If-Match": tag})
    assert (answer.status, answer.code) == (412, "precondition_failed")


class Broken:
    """A database that does not answer."""

    def connection(self):
        raise Unavailable("the tests broke it")

    transaction = connection


async def test_b211_a_database_that_does_not_answer_is_a_503(call, monkeypatch):
    assert (await call.get("/v1/organizations")).status == 200  # The key is remembered now.
    monkeypatch.setattr(call.application._engine, "database", Broken())
    answer = await call.get("/v1/organizations")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "the tests" not in answer.body.decode()


def test_every_code_has_a_status_and_a_sentence():
    assert set(STATUS) == set(Code) == set(SENTENCES)
    assert len({operation.name for operation in TABLE}) == len(TABLE)


def _scope(call):
    return {
        "type": "http",
        "method": "POST",
        "path": KEYS,
        "raw_path": KEYS.encode(),
        "query_string": b"",
        "headers": [
            (b"authorization", f"Bearer {call.secret}".encode()),
            (b"content-type", b"application/json"),
        ],
    }


def _keep(answers):
    async def send(message):
        answers.append(message)

    return send
