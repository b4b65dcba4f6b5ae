"""The authorization matrix of members who pay their own seat: their invoices, and nobody else's."""

import re
import secrets

import pytest
import pytest_asyncio

from seatkeeper.api.table import TABLE
from seatkeeper.domain.ids import InvoiceId, PaymentId
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.context import new_id
from tests.api.caller import Caller
from tests.api.conftest import an_application, new_organization, renamed
from tests.api.matrix import MATRIX
from tests.domain.shipped import DOCUMENTS

# Whatever names an invoice or a payment.
ROWS = {op.name: op for op in TABLE if re.search("{(invoice|payment)}", op.path)}
NO = {"forbidden", "billing_permission_required", "contract_managed"}
OWN = sorted(name for name, row in MATRIX.items() if row.payer)


def key():
    return {"Idempotency-Key": secrets.token_hex(8)}


class Workspace:
    """A workspace in which the owner and two plain members pay for themselves."""

    def __init__(self, call):
        self.call, self.members = call, {}

    async def furnish(self):
        document = renamed(DOCUMENTS["workspace"])
        assert (await self.call.put("/v1/catalog", {"document": document})).status == 200
        self.plan = next(name for name in document["plans"] if name.startswith("pro_"))
        made = await self.call.post(
            "/v1/organizations", new_organization(document["catalog"], currency="USD")
        )
        self.path = f"/v1/organizations/{made.json['organization']}"
        self.members["owner"] = made.json["primary_owner"]
        body = {"plan": self.plan, "payment_method": "sandbox_ok"}
        own = f"{self.path}/members/{self.members['owner']}/subscription"
        assert (await self.call.post(own, body, headers=key())).status == 201
        for name in ("ada", "bob"):
            await self.join(name)
        return self

    async def join(self, name):
        email = f"{name}-{secrets.token_hex(4)}@example.com"
        sent = await self.call.post(f"{self.path}/invitations", {"invitations": [{"email": email}]})
        body = {"token": sent.json["items"][0]["token"], "user": email, "email": email}
        body |= {"name": name, "payment_method": "sandbox_ok"}
        came = await self.call.post("/v1/invitations/accept", body, headers=key())
        assert came.status == 201, came
        self.members[name] = came.json["member"]

    async def own(self, name):
        """The invoice and the payment of the seat that someone pays."""
        show = f"{self.path}/members/{self.members[name]}/subscription"
        subscription = (await self.call.get(show)).json["subscription"]
        items = (await self.call.get(f"{self.path}/invoices")).json["items"]
        (invoice,) = [i["invoice"] for i in items if i["subscription"] == subscription]
        items = (await self.call.get(f"{self.path}/payments")).json["items"]
        (payment,) = [p["payment"] for p in items if p["invoice"] == invoice]
        return {"invoice": invoice, "payment": payment}

    async def ask(self, name, actor, known):
        row = ROWS[name]
        target = re.sub(r"{(\w+)}", lambda m: known[m[1]], row.path.partition("}")[2])
        body = None if row.method == "GET" else MATRIX[name].sent
        headers = {"Seatkeeper-Actor": self.members[actor], **(key() if row.moves_money else {})}
        return await self.call(row.method, f"{self.path}{target}", body, headers=headers)


@pytest_asyncio.fixture(scope="module")
async def place(database_dsn):
    async with an_application(database_dsn) as application:
        call = await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
        yield await Workspace(call).furnish()


def test_x5_the_table_lets_payers_do_what_the_matrix_says():
    assert sorted(op.name for op in TABLE if op.payer_may) == OWN
    assert set(OWN) <= set(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_t8_a_member_handles_what_they_pay_themselves(place, name):
    answer = await place.ask(name, "ada", await place.own("ada"))
    assert (answer.status == 200) is (name in OWN), answer
    assert name in OWN or answer.code in NO, answer


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_t18_another_members_invoice_is_as_good_as_none(place, name):
    others = await place.ask(name, "ada", await place.own("bob"))
    owners = await place.ask(name, "ada", await place.own("owner"))
    none = {"invoice": InvoiceId.text(new_id()), "payment": PaymentId.text(new_id())}
    nothings = await place.ask(name, "ada", none)
    assert (others.status, others.code) == (nothings.status, nothings.code)
    assert (owners.status, owners.code) == (nothings.status, nothings.code)
    assert others.code in NO
    if name in OWN:
        assert others.code == "billing_permission_required"


async def test_t8_a_member_confirms_the_payment_of_their_own_seat(place):
    made = await place.call.post(
        f"{place.path}/members",
        {"user": secrets.token_hex(4), "email": f"{secrets.token_hex(4)}@x.com", "name": "Cy"},
    )
    place.members["cy"] = cy = made.json["member"]
    acting = {"Seatkeeper-Actor": cy, **key()}
    own = f"{place.path}/members/{cy}/subscription"
    body = {"plan": place.plan, "payment_method": "sandbox_action_required"}
    asked = await place.call.post(own, body, headers=acting)
    assert (asked.status, asked.code) == (402, "payment_action_required")
    confirm = f"{place.path}/payments/{asked.json['payment']}/confirm"
    stranger = {"Seatkeeper-Actor": place.members["ada"], **key()}
    assert (await place.call.post(confirm, {}, headers=stranger)).status == 403
    done = await place.call.post(confirm, {}, headers={**acting, **key()})
    assert (done.status, done.json["state"]) == (200, "succeeded")
    assert (await place.call.get(own)).json["status"] == "active"


async def test_t8_a_member_pays_an_invoice_that_went_out_to_them(place):
    made = await place.call.post(
        f"{place.path}/members",
        {"user": secrets.token_hex(4), "email": f"{secrets.token_hex(4)}@x.com", "name": "Di"},
    )
    place.members["di"] = di = made.json["member"]
    own = f"{place.path}/members/{di}/subscription"
    acting = {"Seatkeeper-Actor": di, **key()}
    assert (await place.call.post(own, {"plan": place.plan}, headers=acting)).status == 202
    show = await place.call.get(own, headers={"Seatkeeper-Actor": di})
    invoice = show.json["open_invoice"]
    assert invoice == (await place.own("di"))["invoice"]
    pay = f"{place.path}/invoices/{invoice}/pay"
    paid = await place.call.post(
        pay, {"payment_method": "sandbox_ok"}, headers={"Seatkeeper-Actor": di, **key()}
    )
    assert (paid.status, paid.json["state"]) == (200, "paid")
    assert (await place.call.get(own)).json["open_invoice"] is None
