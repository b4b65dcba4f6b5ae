"""Catalogs over HTTP: applying documents, versions, and which plans can be chosen."""

import asyncio
import copy

import pytest

from seatkeeper.domain.scopes import Scope
from tests.api.conftest import new_organization, renamed
from tests.domain.small_catalog import GONE, SMALL, edited


async def _apply(call, document, *, dry_run=False):
    return await call.put("/v1/catalog", {"document": document, "dry_run": dry_run})


async def test_a_catalog_is_applied_and_read_back_as_it_was_written(call):
    document = renamed()
    made = await _apply(call, document)
    assert made.status == 200, made
    assert {d["kind"] for d in made.json["differences"]} == {"plan_added"}
    assert set(made.json["versions"].values()) == {1}
    read = (await call.get(f"/v1/catalog?catalog={document['catalog']}")).json["items"]
    assert [item["document"] for item in read] == [document]


async def test_c5_only_a_changed_plan_gets_a_new_version(call):
    document = renamed()
    await _apply(call, document)
    same = await _apply(call, document)
    assert (same.json["differences"], same.json["versions"]) == ([], {})
    spelled = copy.deepcopy(document)
    plan = next(key for key in document["plans"] if key.startswith("pro"))
    spelled["plans"][plan]["rank"] = 0  # The default, written out: the same meaning.
    assert (await _apply(call, spelled)).json["versions"] == {}
    spelled["plans"][plan]["rank"] = 7
    changed = await _apply(call, spelled)
    assert changed.json["versions"] == {plan: 2}
    assert [d["path"] for d in changed.json["differences"]] == [
        f"/plans/{plan}",
        f"/plans/{plan}/rank",
    ]
    assert changed.json["differences"][1]["before"] == 0
    assert changed.json["differences"][1]["after"] == 7


async def test_a_dry_run_tells_and_changes_nothing(call):
    document = renamed()
    told = await _apply(call, document, dry_run=True)
    assert told.json["dry_run"] is True
    assert len(told.json["versions"]) == len(document["plans"])
    assert (await call.get(f"/v1/catalog?catalog={document['catalog']}")).json["items"] == []


async def test_a_plan_that_is_taken_out_is_no_longer_offered_and_can_come_back(call):
    document = renamed({**SMALL, "default_plan": None})
    await _apply(call, document)
    free = next(key for key in document["plans"] if key.startswith("free"))
    without = copy.deepcopy(document)
    del without["plans"][free]
    closed = await _apply(call, without)
    assert closed.json["differences"] == [
        {"kind": "plan_closed", "path": f"/plans/{free}", "before": None, "after": None}
    ]
    assert free not in await _offered(call)
    back = await _apply(call, document)
    # It has not changed, so it is the version that it was.
    assert back.json["versions"] == {}
    assert free in await _offered(call)


async def test_plan_keys_belong_to_one_catalog(call):
    document = renamed()
    await _apply(call, document)
    stolen = {**document, "catalog": document["catalog"] + "_too"}
    refused = await _apply(call, stolen)
    assert (refused.status, refused.code) == (422, "invalid_plan")
    assert len(refused.json["errors"]) == len(document["plans"])
    assert refused.json["errors"][0]["pointer"].startswith("/document/plans/")


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("plans/pro/limit", 0, "/plans/pro/limit"),
        ("plans/pro/prices/monthly/base_minor", -1, "/plans/pro/prices/monthly/base_minor"),
        ("plans/pro/prices/monthly/base_minor", 1.5, "/plans/pro/prices/monthly/base_minor"),
        ("plans/pro/prices/monthly/currency", "XXX", "/plans/pro/prices/monthly/currency"),
        ("plans/pro/price_minor", 5, "/plans/pro/price_minor"),
        ("plans/pro/seat_types", {}, "/plans/pro/seat_types"),
        ("plans", {}, "/plans"),
        ("plans", None, "/plans"),
        ("default_plan", "pro", "/default_plan"),
        ("catalog", "No Key", "/catalog"),
        ("name", GONE, ""),
    ],
)
async def test_c7_every_fault_is_told_at_its_pointer(call, path, value, pointer):
    refused = await _apply(call, edited(path, value), dry_run=True)
    assert (refused.status, refused.code) == (422, "invalid_plan"), refused
    pointers = [error["pointer"] for error in refused.json["errors"]]
    assert any(found.startswith(f"/document{pointer}") for found in pointers), pointers
    assert all(error["detail"] for error in refused.json["errors"])


@pytest.mark.parametrize("document", [None, [], "catalog", 7, True])
async def test_c7_what_is_no_document_is_refused(call, document):
    refused = await call.put("/v1/catalog", {"document": document})
    assert refused.status == 422
    assert refused.json["errors"][0]["pointer"] == "/document"


async def test_c7_all_faults_come_at_once(call):
    document = edited("plans/pro/limit", 0, edited("plans/free/capacity", "much"))
    refused = await _apply(call, document)
    assert len(refused.json["errors"]) >= 2


async def test_a_bound_key_does_not_see_the_catalog(call, organization):
    made = await call.post(
        "/v1/api-keys",
        {
            "name": "bound",
            "scopes": ["catalog:read", "catalog:write"],
            "organization": organization["organization"],
        },
    )
    bound = type(call)(call.application, made.json["secret"])
    assert (await bound.get("/v1/catalog")).code == "forbidden"
    assert (await _apply(bound, renamed())).code == "forbidden"
    assert (await bound.get(f"/v1/plans?organization={organization['organization']}")).status == 200


async def test_two_who_apply_at_once_make_one_version(call):
    document = renamed()
    answers = await asyncio.gather(*(_apply(call, document) for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4
    assert sorted(len(answer.json["versions"]) for answer in answers) == [0, 0, 0, 3]


async def test_a_catalog_that_was_applied_is_an_event(call):
    document = renamed()
    await _apply(call, document)
    reader = await call.with_key(scopes=[Scope.EVENTS_READ])
    for _ in range(400):
        page = await reader.get("/v1/events?kind=catalog.applied&limit=1000")
        found = [e for e in page.json["items"] if e["facts"]["catalog"] == document["catalog"]]
        if found:
            assert found[0]["organization"] is None
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the event has not come")


async def test_a13_closed_and_hidden_plans_are_not_in_the_list(call):
    document = renamed({**SMALL, "default_plan": None})
    hidden = next(key for key in document["plans"] if key.startswith("free"))
    document["plans"][hidden]["hidden"] = True
    await _apply(call, document)
    organization = await _organization(call, document)
    shown = [plan["plan"].partition("_")[0] for plan in await _plans(call, organization)]
    assert shown == ["pro"]


async def test_c16_a_plan_that_is_too_small_says_why(call):
    document = renamed({**SMALL, "default_plan": None})
    await _apply(call, document)
    organization = await _organization(call, document)
    pro = next(p for p in await _plans(call, organization, 51) if p["plan"].startswith("pro"))
    assert pro["may_choose"] is False
    assert pro["why_not"]["code"] == "over_plan_limit"
    assert pro["why_not"]["facts"] == {"limit": 50, "count": 0, "needed": 1}
    pro = next(p for p in await _plans(call, organization, 50) if p["plan"].startswith("pro"))
    assert (pro["may_choose"], pro["why_not"]) == (True, None)


async def test_a_plan_without_a_price_in_the_currency_says_so(call):
    yen = {"monthly": {"currency": "JPY", "per": "month", "seats": {"seat": {"unit_minor": 500}}}}
    solo = {"name": "Solo", "seat_types": {"seat": {"name": "Seat"}}, "prices": yen}
    plans = {**SMALL["plans"], "solo": solo}
    document = renamed({**SMALL, "default_plan": None, "plans": plans})
    await _apply(call, document)
    organization = await _organization(call, document, currency="JPY")
    plans = {p["plan"].partition("_")[0]: p for p in await _plans(call, organization)}
    assert plans["pro"]["why_not"]["code"] == "currency_mismatch"
    assert plans["pro"]["prices"] == []
    assert plans["free"]["may_choose"] is True


async def test_a_plan_tells_what_it_costs(call):
    document = renamed({**SMALL, "default_plan": None})
    await _apply(call, document)
    organization = await _organization(call, document)
    pro = next(p for p in await _plans(call, organization) if p["plan"].startswith("pro"))
    monthly = pro["prices"][0]
    assert (monthly["currency"], monthly["base_minor"], monthly["per"]) == ("EUR", 2000, "month")
    basic = next(seat for seat in monthly["seats"] if seat["seat_type"] == "basic")
    assert basic["tiers"] == [
        {"up_to": 5, "unit_minor": 0, "flat_minor": 0},
        {"up_to": None, "unit_minor": 500, "flat_minor": 0},
    ]


async def _organization(call, document, **more):
    body = new_organization(document["catalog"], **more)
    return (await call.post("/v1/organizations", body)).json["organization"]


async def _plans(call, organization, min_seats=0):
    answer = await call.get(f"/v1/plans?organization={organization}&min_seats={min_seats}")
    assert answer.status == 200, answer
    return answer.json["items"]


async def _offered(call):
    return [plan["plan"] for plan in (await call.get("/v1/plans")).json["items"]]
