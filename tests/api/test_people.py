"""Members, roles, invitations and seat requests over HTTP: statuses, tags, headers and actors."""

import pytest_asyncio

from seatkeeper.api.http import Application
from seatkeeper.api.table import TABLE
from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.scopes import VendorRole
from tests.api.caller import Caller
from tests.world import a_world


@pytest_asyncio.fixture
async def world(database_dsn):
    async with a_world(database_dsn) as made:
        yield made


@pytest_asyncio.fixture
async def caller(world):
    application = Application(world.engine, TABLE, {})
    return await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)


def at(house, *rest):
    return "/".join(["/v1/organizations", OrganizationId.text(house.organization_id), *rest])


def person(name, **fields):
    return {"user": name, "email": f"{name}@example.com", "name": name, **fields}


async def test_a_member_is_created_read_changed_and_removed(world, caller):
    house = await world.organization("enterprise", seats={"enterprise": 1})
    made = await caller.post(at(house, "members"), person("ada", seat="automatic"))
    assert (made.status, made.json["state"], made.headers["etag"]) == (201, "seated", '"1"')
    again = await caller.post(at(house, "members"), person("ada", seat="automatic"))
    assert (again.status, again.json["existed"]) == (200, True)
    place = at(house, "members", made.json["member"])
    stale = await caller.patch(place, {"name": "Ada"}, headers={"If-Match": '"7"'})
    assert (stale.status, stale.code) == (412, "precondition_failed")
    changed = await caller.patch(place, {"name": "Ada"}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert (await caller.put(f"{place}/role", {"role": "admin"})).json["role"] == "admin"
    assert (await caller.put(f"{place}/role", {"role": "king"})).status == 422
    assert (await caller.delete(place)).json["state"] == "removed"
    assert (await caller.delete(place)).status == 404
    assert (await caller.get(place)).json["state"] == "removed"
    listed = await caller.get(at(house, "members") + "?role=primary_owner&limit=5")
    assert [m["name"] for m in listed.json["items"]] == ["Owner"]


async def test_a_member_who_waits_is_created_all_the_same(world, caller):
    house = await world.organization("enterprise", seats={"enterprise": 0})
    made = await caller.post(at(house, "members"), person("bob", source="scim"))
    assert (made.status, made.json["state"]) == (201, "awaiting_seat")
    (place,) = (await caller.get(at(house, "seat-requests"))).json["items"]
    assert place["member"] == made.json["member"]
    gone = await caller.delete(at(house, "seat-requests", place["request"]))
    assert gone.json == {"request": place["request"], "member": made.json["member"]}
    assert (await caller.delete(at(house, "seat-requests", place["request"]))).status == 404


async def test_an_invitation_is_sent_and_accepted_once(world, caller):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    asked = {"invitations": [{"email": "ada@example.com"}, {"email": "bob@example.com"}]}
    key = {"Idempotency-Key": f"invite-{house.organization_id}"}
    sent = await caller.post(at(house, "invitations"), asked, headers=key)
    again = await caller.post(at(house, "invitations"), asked, headers=key)
    assert (sent.status, again.status, again.body) == (201, 201, sent.body)
    twice = await caller.post(at(house, "invitations"), asked)
    assert (twice.status, twice.code) == (409, "already_exists")
    ada, bob = sent.json["items"]
    full = await caller.post(at(house, "invitations"), {"invitations": [{"email": "e@a.example"}]})
    assert (full.status, full.code, full.json["needed"]) == (409, "insufficient_seats", 1)
    revoked = await caller.post(
        at(house, "invitations", bob["invitation"]["invitation"], "revoke"), {}
    )
    assert (revoked.status, revoked.json["state"]) == (200, "revoked")
    body = person("ada", token=ada["token"])
    keyed = {"Idempotency-Key": f"accept-{house.organization_id}"}
    accepted = await caller.post("/v1/invitations/accept", body, headers=keyed)
    assert (accepted.status, accepted.json["state"]) == (201, "seated")
    assert (await caller.post("/v1/invitations/accept", body)).status == 200
    for wrong, status in (
        (person("bob", token=bob["token"]), 410),
        (person("eve", token=ada["token"]), 403),
        (person("eve", token="ivt_unknown"), 404),
        (person("eve"), 422),
    ):
        assert (await caller.post("/v1/invitations/accept", wrong)).status == status
    shown = await caller.get(at(house, "invitations") + "?state=accepted")
    assert [i["email"] for i in shown.json["items"]] == ["ada@example.com"]


async def test_the_smaller_of_scope_and_role_counts(world, caller):
    house = await world.organization("enterprise", seats={"enterprise": 2})
    ada, admin = await house.member("ada"), await house.member("admin", role="admin")
    as_ada = {"Seatkeeper-Actor": MemberId.text(ada)}
    as_admin = {"Seatkeeper-Actor": MemberId.text(admin)}
    invite = {"invitations": [{"email": "bob@example.com"}]}
    assert (await caller.post(at(house, "invitations"), invite, headers=as_ada)).status == 403
    assert (await caller.post(at(house, "invitations"), invite, headers=as_admin)).status == 201
    owner = at(house, "members", MemberId.text(house.owner))
    assert (await caller.delete(owner, headers=as_admin)).status == 403
    assert (await caller.delete(owner)).code == "primary_owner_required"
    transfer = {"member": MemberId.text(admin), "confirm_email": "admin@example.com"}
    place = at(house, "primary-owner")
    assert (await caller.put(place, transfer, headers=as_admin)).status == 403
    as_owner = {"Seatkeeper-Actor": MemberId.text(house.owner)}
    done = await caller.put(place, transfer, headers=as_owner)
    assert (done.status, done.json["role"]) == (200, "primary_owner")


async def test_a2_admins_move_and_free_seats_and_members_do_not(world, caller):
    house = await world.organization("standard_and_premium", seats={"standard": 2, "premium": 1})
    ada = MemberId.text(await house.member("ada", role="admin"))
    bob = MemberId.text(await house.member("bob"))
    seat = at(house, "members", bob, "seat")
    for actor, status in ((bob, 403), (ada, 200)):
        acting = {"Seatkeeper-Actor": actor}
        put = await caller.put(seat, {"seat_type": "standard"}, headers=acting)
        moved = await caller.put(seat, {"seat_type": "premium", "reassign": True}, headers=acting)
        freed = await caller.delete(seat, headers=acting)
        assert (put.status, moved.status, freed.status) == (status, status, status)
