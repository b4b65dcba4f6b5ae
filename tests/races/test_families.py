"""Two hundred requests of every family at once through a pool of ten: none waits for ever."""

import asyncio
import itertools
import random
import secrets
from collections import Counter

import pytest
import pytest_asyncio

from seatkeeper.api.http import Application
from seatkeeper.api.table import TABLE
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.assemble import assemble
from seatkeeper.store.database import open_database
from tests.api.caller import Caller
from tests.api.conftest import new_organization, renamed
from tests.domain.small_catalog import SMALL
from tests.invariants.clean import assert_clean

pytestmark = pytest.mark.race
POOL, REQUESTS, SECONDS_MAX = 10, 200, 60


@pytest_asyncio.fixture
async def call(fresh_database_dsn):
    database = await open_database(fresh_database_dsn, size=POOL)
    try:
        application = Application(await assemble(database), TABLE, {})
        yield await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
    finally:
        await database.close()
    await assert_clean(fresh_database_dsn)


class Shop:
    """An organization with seats, people, invitations and a test clock."""

    def __init__(self, call, document):
        self.call, self.document = call, document
        self.pro = next(key for key in document["plans"] if key.startswith("pro"))
        self.numbers = itertools.count()
        self.members, self.invitations, self.tokens = [], [], []

    async def open(self):
        self.clock = (
            await self.call.post("/v1/test-clocks", {"name": "c", "now": "2026-01-01T00:00:00Z"})
        ).json["clock"]
        body = new_organization(
            self.document["catalog"], payment_method="sandbox_ok", clock=self.clock
        )
        made = (await self.call.post("/v1/organizations", body)).json
        self.path = f"/v1/organizations/{made['organization']}"
        self.organization = made["organization"]
        self.owner = made["primary_owner"]
        change = {
            "kind": "subscribe",
            "plan": self.pro,
            "price": "monthly",
            "seats": [{"seat_type": "basic", "quantity": 12}],
        }
        bought = await self.money("changes", {"change": change})
        assert bought.status == 201, bought
        for _ in range(8):
            self.members.append((await self.add()).json["member"])
        for _ in range(4):
            item = (await self.invite()).json["items"][0]
            self.invitations.append(item["invitation"]["invitation"])
            self.tokens.append((item["token"], item["email"]))
        return self

    async def money(self, path, body):
        key = {"Idempotency-Key": secrets.token_hex(8)}
        return await self.call.post(f"{self.path}/{path}", body, headers=key)

    async def add(self, **more):
        name = f"u{next(self.numbers)}"
        body = {"user": f"{name}-{self.organization}", "email": f"{name}@example.com"}
        return await self.call.post(f"{self.path}/members", {**body, "name": name, **more})

    async def invite(self):
        email = f"i{next(self.numbers)}@example.com"
        return await self.call.post(f"{self.path}/invitations", {"invitations": [{"email": email}]})

    def families(self, chance):
        """One request of each family, on somebody or something by chance."""
        call, path = self.call, self.path
        member = chance.choice(self.members)
        other = chance.choice(self.members)
        invitation = chance.choice(self.invitations)
        token, email = chance.choice(self.tokens)
        purchase = {"kind": "purchase_seats", "seat_type": "basic", "quantity": 1}
        seat = {"seat_type": "basic"}
        moves = [{"member": m, "seat_type": "basic"} for m in dict.fromkeys((member, other))]
        accepting = {"token": token, "user": email, "email": email, "name": "Ida"}
        asking = {"organization": self.organization, "user": member, "seat_type": "basic"}
        document = {"document": self.document}
        reads = ("", "/seats", "/members", "/invitations", "/seat-requests", "/seat-history")
        reads += ("/subscription", "/changes", "/invoices", "/payments", "/balance", "/audit")
        return [
            lambda: call.put(f"{path}/members/{member}/seat", seat),
            lambda: call.delete(f"{path}/members/{other}/seat"),
            lambda: call.post(f"{path}/seat-moves", {"moves": moves}),
            self.add,
            lambda: self.add(source="jit"),
            self.invite,
            lambda: call.post(f"{path}/invitations/{invitation}/resend", {}),
            lambda: call.post(f"{path}/invitations/{invitation}/revoke", {}),
            lambda: call.post("/v1/invitations/accept", accepting),
            lambda: call.patch(f"{path}/members/{member}", {"name": "Ada"}),
            lambda: call.put(f"{path}/members/{member}/role", {"role": "admin"}),
            lambda: self.money("changes", {"change": purchase}),
            lambda: call.post(f"{path}/quotes", {"change": purchase}),
            lambda: call.patch(path, {"name": f"Name {next(self.numbers)}"}),
            lambda: call.put("/v1/catalog", document),
            lambda: call.post("/v1/organizations", new_organization(self.document["catalog"])),
            lambda: call.post("/v1/api-keys", {"name": "k", "scopes": ["seats:read"]}),
            lambda: call.post("/v1/check", asking),
            lambda: call.post(
                f"/v1/test-clocks/{self.clock}/advance", {"to": "2026-01-01T06:00:00Z"}
            ),
            lambda: call.get(f"{path}{chance.choice(reads)}"),
            lambda: call.get("/v1/organizations"),
            lambda: call.get("/v1/plans"),
            lambda: call.get("/v1/events"),
            lambda: call.get(f"{path}/members/{member}/entitlements"),
        ]


async def test_i10_two_hundred_at_once_through_ten_connections(call):
    document = renamed({**SMALL, "default_plan": None})
    assert (await call.put("/v1/catalog", {"document": document})).status == 200
    shop = await Shop(call, document).open()
    chance = random.Random(200)
    for _ in range(3):
        requests = []
        while len(requests) < REQUESTS:
            requests += shop.families(chance)
        chance.shuffle(requests)
        async with asyncio.timeout(SECONDS_MAX):
            answers = await asyncio.gather(*(request() for request in requests[:REQUESTS]))
        statuses = Counter(answer.status for answer in answers)
        faults = [answer for answer in answers if answer.status >= 500]
        assert not faults, (statuses, faults[:3])
        assert statuses[200] + statuses[201] > REQUESTS / 3, statuses
