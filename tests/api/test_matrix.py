"""Every operation against every kind of caller; one without a row in the matrix fails."""

import copy
import re
import secrets
from typing import get_type_hints
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from seatkeeper.api.table import TABLE
from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.scopes import Scope, VendorRole
from seatkeeper.operations.context import new_id
from tests.api.caller import Caller
from tests.api.conftest import an_application, new_organization, renamed
from tests.api.matrix import MATRIX, NOBODY
from tests.domain.small_catalog import SMALL

ROWS = {operation.name: operation for operation in TABLE}
NAMES = sorted(ROWS)
ROLES = {"P": "primary_owner", "O": "owner", "A": "admin", "M": "member", "B": "member"}
NO = {
    "unauthenticated",
    "forbidden",
    "insufficient_scope",
    "billing_permission_required",
    "contract_managed",
}
# How a path's parameters are filled; what there is none of gets an id that could be one.
MADE = ("organization", "member", "invitation", "request", "change", "invoice", "payment")


class Place:
    """An organization with one of everything an address can name."""

    def __init__(self, call, document):
        self.call, self.document = call, document
        self.pro = next(key for key in document["plans"] if key.startswith("pro"))
        self.actors, self.known = {}, {}

    async def furnish(self):
        call = self.call
        made = await call.post(
            "/v1/organizations",
            new_organization(self.document["catalog"], payment_method="sandbox_ok"),
        )
        self.path = f"/v1/organizations/{made.json['organization']}"
        self.known["organization"] = made.json["organization"]
        self.actors["P"] = made.json["primary_owner"]
        seats = [{"seat_type": "basic", "quantity": 30}, {"seat_type": "full", "quantity": 1}]
        change = {"kind": "subscribe", "plan": self.pro, "price": "monthly", "seats": seats}
        bought = await call.post(
            f"{self.path}/changes",
            {"change": change},
            headers={"Idempotency-Key": secrets.token_hex(8)},
        )
        self.known |= {"change": bought.json["change"], "invoice": bought.json["invoice"]}
        paid = await call.get(f"{self.path}/payments")
        self.known["payment"] = paid.json["items"][0]["payment"]
        for letter in "OAMB":
            self.actors[letter] = (await self.add(role=ROLES[letter]))["member"]
        bill = await call.patch(f"{self.path}/members/{self.actors['B']}", {"may_bill": True})
        assert bill.status == 200, bill
        await self.add(seat_type="full")
        clock = await call.post("/v1/test-clocks", {"name": "c", "now": "2026-01-01T00:00:00Z"})
        self.known["clock"] = clock.json["clock"]
        return self

    async def add(self, **more):
        made = await self.call.post(f"{self.path}/members", self.person(**more))
        assert made.status == 201, made
        return made.json

    def person(self, **more):
        mark = secrets.token_hex(6)
        return {"user": mark, "email": f"{mark}@example.com", "name": "Ada", **more}

    async def refresh(self):
        """What a call uses up, anew."""
        self.known["member"] = (await self.add())["member"]
        self.known["waiter"] = (await self.add())["member"]
        for item in (await self.call.get(f"{self.path}/seat-requests?limit=200")).json["items"]:
            await self.call.delete(f"{self.path}/seat-requests/{item['request']}")
        await self.add(source="jit", seat_type="full")
        (waiting,) = (await self.call.get(f"{self.path}/seat-requests")).json["items"]
        self.known["request"] = waiting["request"]
        granted = await self.call.put(f"{self.path}/discount", {"basis_points": 1000})
        assert granted.status == 200, granted
        # What the last call invited gives its seat back: the seats must last for all of them.
        pending = await self.call.get(f"{self.path}/invitations?state=pending&limit=200")
        for item in pending.json["items"]:
            await self.call.post(f"{self.path}/invitations/{item['invitation']}/revoke", {})
        email = f"i{secrets.token_hex(6)}@example.com"
        invited = await self.call.post(
            f"{self.path}/invitations", {"invitations": [{"email": email}]}
        )
        assert invited.status == 201, invited
        item = invited.json["items"][0]
        self.known |= {
            "invitation": item["invitation"]["invitation"],
            "token": item["token"],
            "invited": email,
            "fresh_email": f"f{secrets.token_hex(6)}@example.com",
        }
        key = await self.call.post("/v1/api-keys", {"name": "k", "scopes": ["seats:read"]})
        self.known["key"] = key.json["key"]

    def filled(self, value):
        """A body with what it stands for in place of `{name}`."""
        whole = {
            "{document}": self.document,
            "{organization_body}": new_organization(self.document["catalog"]),
            "{member_body}": self.person(),
            "{pro}": self.pro,
        }
        if isinstance(value, str):
            if value in whole:
                return copy.deepcopy(whole[value])
            return re.sub(r"{(\w+)}", lambda found: self.known[found[1]], value)
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value

    def request(self, name, **instead):
        """The call of an operation on this organization: method, address, body, headers."""
        row, known = ROWS[name], {**self.known, **instead}
        for parameter in re.findall(r"{(\w+)}", row.path):
            known.setdefault(parameter, nothing(row, parameter))
        target = re.sub(r"{(\w+)}", lambda found: known[found[1]], row.path)
        before, self.known = self.known, known
        sent = self.filled(MATRIX[name].sent)
        self.known = before
        if row.method in ("GET", "DELETE"):
            return row.method, f"{target}?{urlencode(sent)}" if sent else target, None, {}
        headers = {"Idempotency-Key": secrets.token_hex(8)} if row.moves_money else {}
        return row.method, target, sent if sent is not None else {}, headers


def nothing(row, parameter):
    """An id of the right kind that nothing has."""
    return get_type_hints(row.command)[parameter].text(new_id())


@pytest_asyncio.fixture(scope="module")
async def place(database_dsn):
    async with an_application(database_dsn) as application:
        call = await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
        document = renamed({**SMALL, "default_plan": None})
        assert (await call.put("/v1/catalog", {"document": document})).status == 200
        made = await Place(call, document).furnish()
        other = await Place(call, document).furnish()
        await other.refresh()
        made.other = other
        made.stranger = await call.with_key(
            vendor_role=VendorRole.SERVICE,
            organization=OrganizationId.parse(other.known["organization"]),
        )
        yield made


async def ask(caller, request, **headers):
    method, target, body, own = request
    return await caller(method, target, body, headers={**own, **headers})


def test_x5_the_matrix_has_a_row_for_every_operation_and_no_other():
    assert sorted(MATRIX) == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_x5_keys(place, name):
    """No key, a key without the scope, the right key, a key of another organization."""
    await place.refresh()
    row, operation = MATRIX[name], ROWS[name]
    request = place.request(name)
    nobody = await ask(Caller(place.call.application, None), request)
    assert (nobody.status, nobody.code) == (401, "unauthenticated")
    weak = await place.call.with_key(scopes=[s for s in Scope if s != operation.scope])
    refused = await ask(weak, request)
    assert (refused.status, refused.code) == (403, "insufficient_scope"), refused
    stranger = await ask(place.stranger, request)
    assert stranger.status == row.bound, stranger
    # Clocks and keys belong to the key that made them.
    right = place.call
    if "clock" not in operation.path and operation.tag != "keys":
        right = await place.call.with_key(scopes=[operation.scope], vendor_role=VendorRole.OPERATOR)
    answer = await ask(right, request)
    assert answer.status == row.status, answer


@pytest.mark.parametrize("name", NAMES)
async def test_x5_roles(place, name):
    """A key with every scope, in the name of a member of each role."""
    row = MATRIX[name]
    for letter, member in place.actors.items():
        await place.refresh()
        answer = await ask(place.call, place.request(name), **{"Seatkeeper-Actor": member})
        code = answer.json.get("code") if answer.status >= 400 else None
        if letter in row.roles:
            assert code not in NO, (letter, answer)
            assert answer.status < 500, (letter, answer)
        else:
            assert code in NO, (letter, answer)


@pytest.mark.parametrize("letter", "POAMB")
async def test_b183_a_member_of_another_organization_is_no_actor_here(place, letter):
    member = place.other.actors[letter]
    answer = await ask(place.call, place.request("seats.summary"), **{"Seatkeeper-Actor": member})
    assert (answer.status, answer.code) == (403, "forbidden")


def without_ids(answer):
    return answer.status, re.sub(rb'"instance":"[^"]*"', b"", answer.body)


@pytest.mark.parametrize("name", [name for name in NAMES if ROWS[name].about_organization])
async def test_x1_another_organization_and_none_are_answered_alike(place, name):
    await place.refresh()
    none = OrganizationId.text(new_id())
    others = await ask(place.stranger, place.request(name))
    nothings = await ask(place.stranger, place.request(name, organization=none))
    vendors = await ask(place.call, place.request(name, organization=none))
    assert others.status == 404
    assert without_ids(others) == without_ids(nothings) == without_ids(vendors)


OBJECTS = [
    (name, parameter)
    for name in NAMES
    for parameter in re.findall(r"{(\w+)}", ROWS[name].path)
    if parameter in MADE[1:]
]


@pytest.mark.parametrize(("name", "parameter"), OBJECTS, ids=str)
async def test_x1_an_object_of_another_organization_is_none(place, name, parameter):
    """Also for the vendor, whose key reaches both: the address names one organization."""
    await place.refresh()
    others = await ask(place.call, place.request(name, **{parameter: place.other.known[parameter]}))
    made_up = nothing(ROWS[name], parameter)
    nothings = await ask(place.call, place.request(name, **{parameter: made_up}))
    assert without_ids(others) == without_ids(nothings)
    assert others.status == 404, others


def test_roles_of_vendor_operations_stay_empty():
    for name, row in MATRIX.items():
        if ROWS[name].scope == Scope.CONTRACTS_WRITE:
            assert row.roles == NOBODY, name
