"""Seats that members pay themselves, over HTTP."""

import pytest_asyncio

from tests.api.conftest import new_organization, renamed
from tests.domain.shipped import DOCUMENTS


@pytest_asyncio.fixture
async def place(call):
    """A workspace with its owner, and the key of its Pro plan."""
    document = renamed(DOCUMENTS["workspace"])
    answer = await call.put("/v1/catalog", {"document": document})
    assert answer.status == 200, answer
    made = await call.post(
        "/v1/organizations", new_organization(document["catalog"], currency="USD")
    )
    organization, owner = made.json["organization"], made.json["primary_owner"]
    pro = next(key for key in document["plans"] if key.startswith("pro_"))
    base = f"/v1/organizations/{organization}"
    return base, f"{base}/members/{owner}/subscription", pro


def key(name):
    return {"Idempotency-Key": name}


async def test_t8_a_member_signs_up_and_the_same_key_gives_the_same_bytes(call, place):
    _, own, pro = place
    body = {"plan": pro, "payment_method": "sandbox_ok"}
    first = await call.post(own, body, headers=key("a"))
    assert (first.status, first.json["status"], first.json["pending"]) == (201, "active", False)
    again = await call.post(own, body, headers=key("a"))
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert (await call.post(own, body, headers=key("b"))).status == 200
    assert (await call.get(own)).json["plan"] == pro
    assert (await call.post(own, body)).status == 400  # money moves: a key is needed


async def test_t8_a_declined_payment_is_402_and_kept_under_its_key(call, place):
    _, own, pro = place
    body = {"plan": pro, "payment_method": "sandbox_declined"}
    first = await call.post(own, body, headers=key("c"))
    assert (first.status, first.code) == (402, "payment_declined")
    assert first.json["instance"] == first.headers["x-request-id"]
    again = await call.post(own, body, headers=key("c"))
    assert (again.status, again.headers["idempotency-replayed"]) == (402, "true")
    assert (await call.get(own)).status == 404


async def test_t8_an_invoice_to_be_paid_by_hand_is_202(call, place):
    _, own, pro = place
    answer = await call.post(own, {"plan": pro}, headers=key("d"))
    assert (answer.status, answer.json["pending"]) == (202, True)


async def test_t15_cancel_resume_and_another_payment_method(call, place):
    _, own, pro = place
    await call.post(own, {"plan": pro, "payment_method": "sandbox_ok"}, headers=key("e"))
    assert (await call.post(f"{own}/cancel")).json["status"] == "canceling"
    assert (await call.post(f"{own}/cancel", headers=key("f"))).status == 200
    assert (await call.post(f"{own}/resume", headers=key("g"))).json["status"] == "active"
    changed = await call.put(f"{own}/payment-method", {"payment_method": "sandbox_timeout"})
    assert changed.json["has_payment_method"] is True
    stale = {"If-Match": '"1"'}
    late = await call.put(f"{own}/payment-method", {"payment_method": "sandbox_ok"}, headers=stale)
    assert (late.status, late.code) == (412, "precondition_failed")
    wrong = await call.put(f"{own}/payment-method", {"payment_method": "sandbox_unknown"})
    assert (wrong.status, wrong.code) == (422, "invalid_request")


async def test_t7_accepting_pays_and_a_declined_payment_is_402(call, place):
    base, own, pro = place
    await call.post(own, {"plan": pro, "payment_method": "sandbox_ok"}, headers=key("h"))
    sent = await call.post(f"{base}/invitations", {"invitations": [{"email": "bob@example.com"}]})
    (invited,) = sent.json["items"]
    body = {
        "token": invited["token"],
        "user": f"bob-{own}",
        "email": "bob@example.com",
        "name": "Bob",
        "payment_method": "sandbox_declined",
    }
    declined = await call.post("/v1/invitations/accept", body)
    assert (declined.status, declined.code) == (402, "payment_declined")
    kept = [await call.post("/v1/invitations/accept", body, headers=key("i")) for _ in range(2)]
    assert [answer.status for answer in kept] == [402, 402]
    body["payment_method"] = "sandbox_ok"
    member = await call.post("/v1/invitations/accept", body, headers=key("j"))
    assert (member.status, member.json["state"]) == (201, "seated")
    again = await call.post("/v1/invitations/accept", body, headers=key("j"))
    assert again.body == member.body
    assert (await call.post("/v1/invitations/accept", body)).status == 200


async def test_a4_an_admin_who_may_not_buy_is_told_so_and_can_ask(call, organization):
    base = f"/v1/organizations/{organization['organization']}"
    admin = await call.post(
        f"{base}/members",
        {"user": f"x-{base}", "email": "x@example.com", "name": "X", "role": "admin"},
    )
    acting = {"Seatkeeper-Actor": admin.json["member"], **key("k")}
    body = {"change": {"kind": "purchase_seats", "quantity": 1}}
    answer = await call.post(f"{base}/changes", body, headers=acting)
    assert (answer.status, answer.code) == (403, "billing_permission_required")
    assert answer.json["remedies"][0]["way"] == "ask_owner"
    asked = await call.post(
        f"{base}/seat-requests", {"member": admin.json["member"]}, headers=acting
    )
    assert (asked.status, asked.code) == (409, "state_conflict")  # there is no plan yet
