"""Organizations over HTTP: creating, reading, changing, and who may."""

import pytest

from seatkeeper.domain.scopes import Scope
from tests.api.caller import until
from tests.api.conftest import new_organization, renamed


async def test_a1_an_organization_begins_with_its_primary_owner(call, catalog):
    body = new_organization(catalog["catalog"], currency="eur", payment_method="sandbox_ok")
    body["primary_owner"]["email"] = f"  {body['primary_owner']['email'].upper()} "
    made = await call.post("/v1/organizations", body)
    assert made.status == 201
    assert made.json["currency"] == "EUR"
    assert made.json["has_payment_method"]
    assert made.json["primary_owner"].startswith("mem_")
    assert made.headers["etag"] == '"1"'
    again = await call.get(f"/v1/organizations/{made.json['organization']}")
    assert again.json == made.json


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("currency", "XXX", "/currency"),
        ("currency", "EURO", "/currency"),
        ("currency", 5, "/currency"),
        ("time_zone", "Mars/Olympus", "/time_zone"),
        ("time_zone", "../../etc/passwd", "/time_zone"),
        ("name", "", "/name"),
        ("name", "x" * 201, "/name"),
        ("name", "two\nlines", "/name"),
        ("name", "ends with a break\n", "/name"),
        ("catalog", "nowhere", "/catalog"),
        ("payment_method", "sandbox_unheard_of", "/payment_method"),
        ("payment_method", "manual_ok", "/payment_method"),
        ("payment_method", "stripe_ok", "/payment_method"),
        ("payment_method", "", "/payment_method"),
        ("clock", 7, "/clock"),
        ("clock", "clk_00000000000000000000000000x", "/clock"),
        ("primary_owner", None, "/primary_owner"),
        ("primary_owner", {"user": "u", "name": "n"}, "/primary_owner/email"),
        ("primary_owner", {"user": "u", "name": "n", "email": "no"}, "/primary_owner/email"),
        ("primary_owner", {"user": "u", "name": "n", "email": "a@b"}, "/primary_owner/email"),
    ],
)
async def test_b009_a_field_that_is_wrong_is_named(call, catalog, field, value, pointer):
    body = new_organization(catalog["catalog"]) | {field: value}
    refused = await call.post("/v1/organizations", body)
    assert refused.status == 422, refused
    assert refused.json["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("field", ["is_admin", "tenant_id", "price_minor", "created_at", "version"])
async def test_b009_an_unknown_field_is_refused_with_its_pointer(call, catalog, field):
    refused = await call.post(
        "/v1/organizations", new_organization(catalog["catalog"], **{field: 1})
    )
    assert (refused.status, refused.code) == (422, "unknown_field")
    assert refused.json["errors"][0]["pointer"] == f"/{field}"
    body = new_organization(catalog["catalog"])
    body["primary_owner"][field] = 1
    refused = await call.post("/v1/organizations", body)
    assert refused.json["errors"][0]["pointer"] == f"/primary_owner/{field}"


async def test_the_catalog_can_be_left_out_only_where_there_is_one(fresh_call):
    refused = await fresh_call.post("/v1/organizations", new_organization())
    assert refused.status == 422
    assert "apply a catalog first" in refused.json["detail"]
    await fresh_call.put("/v1/catalog", {"document": _one("first")})
    made = await fresh_call.post("/v1/organizations", new_organization())
    assert made.json["catalog"] == "first"
    await fresh_call.put("/v1/catalog", {"document": _one("second")})
    refused = await fresh_call.post("/v1/organizations", new_organization())
    assert refused.json["errors"][0]["pointer"] == "/catalog"


async def test_another_keys_clock_is_not_found(call, catalog):
    body = new_organization(catalog["catalog"], clock="clk_" + "0" * 26)
    assert (await call.post("/v1/organizations", body)).status == 404


async def test_i9_pages_show_each_organization_once(call, catalog):
    made = [
        (await call.post("/v1/organizations", new_organization(catalog["catalog"]))).json
        for _ in range(3)
    ]
    seen, after = [], ""
    while True:
        page = (await call.get(f"/v1/organizations?limit=2{after}")).json
        seen += [item["organization"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert {item["organization"] for item in made} <= set(seen)


async def test_a_changed_name_is_in_the_audit_with_before_and_after(call, organization):
    target = f"/v1/organizations/{organization['organization']}"
    changed = await call.patch(target, {"name": "Babbage & Co", "payment_method": "sandbox_ok"})
    assert changed.status == 200, changed
    assert (changed.json["name"], changed.json["version"]) == ("Babbage & Co", 2)
    audit = await until(call, f"{target}/audit?kind=organization.changed", bool)
    assert audit["items"][0]["facts"] == {
        "before": {"name": "Ada's Engines", "payment_method": "manual"},
        "after": {"name": "Babbage & Co", "payment_method": "sandbox"},
    }
    # The same again changes nothing and says so.
    again = await call.patch(target, {"name": "Babbage & Co", "payment_method": "sandbox_ok"})
    assert again.json["version"] == 2
    manual = await call.patch(target, {"payment_method": None})
    assert manual.json["has_payment_method"] is False


async def test_i7_a_stale_if_match_is_refused(call, organization):
    target = f"/v1/organizations/{organization['organization']}"
    for tag in ('"2"', '"0"', "abc", 'W/"7"', "-1", '"9999999999999"'):
        stale = await call.patch(target, {"name": "x"}, headers={"If-Match": tag})
        assert (stale.status, stale.code) == (412, "precondition_failed"), tag
    fresh = await call.patch(target, {"name": "x"}, headers={"If-Match": '"1"'})
    assert fresh.status == 200
    assert fresh.headers["etag"] == '"2"'
    assert (await call.patch(target, {"name": "y"}, headers={"If-Match": "*"})).status == 200


async def test_x1_another_organization_and_none_at_all_look_the_same(call, organization):
    other = await call.with_key(organization=None, scopes=list(Scope))
    bound = await call.post(
        "/v1/api-keys",
        {
            "name": "bound",
            "scopes": ["organizations:read"],
            "organization": organization["organization"],
        },
    )
    caller = type(call)(call.application, bound.json["secret"])
    own = await caller.get(f"/v1/organizations/{organization['organization']}")
    assert own.status == 200
    foreign = (
        await other.post("/v1/organizations", new_organization(organization["catalog"]))
    ).json["organization"]
    seen = await caller.get(f"/v1/organizations/{foreign}")
    nothing = await caller.get("/v1/organizations/org_" + "0" * 26)
    assert seen.status == nothing.status == 404
    assert _without_instance(seen) == _without_instance(nothing)
    assert _without_instance(await caller.get("/v1/organizations/rubbish")) == _without_instance(
        seen
    )
    # Lists show only what is its own, too (B187).
    listed = (await caller.get("/v1/organizations")).json["items"]
    assert [item["organization"] for item in listed] == [organization["organization"]]


async def test_a_bound_key_creates_no_organization(call, organization):
    bound = await call.post(
        "/v1/api-keys",
        {
            "name": "bound",
            "scopes": ["organizations:write"],
            "organization": organization["organization"],
        },
    )
    caller = type(call)(call.application, bound.json["secret"])
    refused = await caller.post("/v1/organizations", new_organization(organization["catalog"]))
    assert (refused.status, refused.code) == (403, "forbidden")


async def test_g9_the_same_key_creates_one_organization(call, catalog):
    body = new_organization(catalog["catalog"])
    first = await call.post("/v1/organizations", body, headers={"Idempotency-Key": "once"})
    again = await call.post("/v1/organizations", body, headers={"Idempotency-Key": "once"})
    assert first.body == again.body
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_two_organizations_can_have_the_same_owner(call, catalog):
    one = new_organization(catalog["catalog"])
    two = new_organization(catalog["catalog"], primary_owner=one["primary_owner"])
    assert (await call.post("/v1/organizations", one)).status == 201
    assert (await call.post("/v1/organizations", two)).status == 201


def _without_instance(answer):
    return {**answer.json, "instance": ""}


def _one(key):
    plan = {"name": "Free", "capacity": "unlimited", "seat_types": {"member": {"name": "Member"}}}
    return {"catalog": key, "name": key, "plans": {f"{key}_free": plan}}


async def test_c9_an_organization_begins_on_the_default_plan(call):
    organization = await _on_default_plan(call)
    seats = await call.get(f"/v1/organizations/{organization}/seats")
    assert [(item["seat_type"], item["purchased"]) for item in seats.json["items"]] == [
        ("member", 5)
    ]


@pytest.mark.parametrize(
    ("limit", "seats", "over"), [(9, 9, False), (1, 1, False), (0, 1_000_000, False)]
)
async def test_c10_the_membership_limit_can_be_set_for_one_organization(call, limit, seats, over):
    organization = await _on_default_plan(call)
    target = f"/v1/organizations/{organization}"
    changed = await call.patch(target, {"membership_limit": limit})
    assert (changed.status, changed.json["membership_limit"]) == (200, limit)
    pool = (await call.get(f"{target}/seats")).json["items"][0]
    assert (pool["purchased"], pool["over_limit"]) == (seats, over)
    back = await call.patch(target, {"membership_limit": None})
    assert back.json["membership_limit"] is None
    assert (await call.get(f"{target}/seats")).json["items"][0]["purchased"] == 5


async def test_c11_on_a_plan_based_on_seats_the_limit_cannot_be_set_by_hand(call):
    organization = await _on_default_plan(call)
    target = f"/v1/organizations/{organization}"
    plans = (await call.get(f"/v1/plans?organization={organization}")).json["items"]
    pro = next(plan["plan"] for plan in plans if plan["plan"].startswith("pro"))
    bought = await call.post(
        f"{target}/changes",
        {
            "change": {
                "kind": "subscribe",
                "plan": pro,
                "seats": [{"seat_type": "basic", "quantity": 5}],
            }
        },
        headers={"Idempotency-Key": f"buy-{organization}"},
    )
    assert bought.status == 201, bought
    refused = await call.patch(target, {"membership_limit": 9, "name": "Not renamed"})
    assert (refused.status, refused.code) == (409, "limit_managed_by_plan")
    assert (await call.get(target)).json["name"] != "Not renamed"


async def _on_default_plan(call):
    document = renamed()
    await call.put("/v1/catalog", {"document": document})
    body = new_organization(document["catalog"], payment_method="sandbox_ok")
    made = await call.post("/v1/organizations", body)
    assert made.status == 201, made
    return made.json["organization"]
