"""Refusals over HTTP: words that people understand, and addresses that programs can call."""

import pytest


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        (
            {"kind": "nix"},
            "/change/kind",
            (
                "'nix' is none of cancel, change_plan, convert_seats, purchase_seats,"
                " reduce_seats, resume, subscribe"
            ),
        ),
        (
            {"kind": "purchase_seats", "quantity": "5"},
            "/change/quantity",
            "expected a whole number, got a text",
        ),
        ({"kind": "subscribe"}, "/change/plan", "is required"),
        ({"kind": "cancel", "now": 1}, "/change/now", "does not exist here"),
    ],
)
async def test_a_fault_is_told_in_words_and_with_what_may_stand_there(
    call, organization, change, pointer, detail
):
    target = f"/v1/organizations/{organization['organization']}/quotes"
    answer = await call.post(target, {"change": change})
    assert answer.status == 422
    assert [(e["pointer"], e["detail"]) for e in answer.json["errors"]] == [(pointer, detail)]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-02-01", "expected an instant such as 2026-02-01T00:00:00Z"),
        ("2026-02-01T00:00:00", "needs its offset from UTC, or Z."),
        ("1969-12-31T23:59:59Z", "must be in the years 1970 to 2999."),
        ("9999-06-01T00:00:00Z", "must be in the years 1970 to 2999."),
    ],
)
async def test_a_clock_is_set_to_an_instant_that_has_a_future(call, at, words):
    answer = await call.post("/v1/test-clocks", {"name": "x", "now": at})
    assert (answer.status, answer.json["errors"][0]["detail"]) == (422, words)


async def test_g19_a_way_out_is_an_address_that_can_be_called(call, organization):
    base = f"/v1/organizations/{organization['organization']}"
    answer = await call.put(
        f"{base}/members/{organization['primary_owner']}/role", {"role": "member"}
    )
    assert answer.code == "primary_owner_required"
    ways = [(way["way"], way["method"], way["path"]) for way in answer.json["remedies"]]
    assert ways == [("transfer_primary_owner", "PUT", f"{base}/primary-owner")]
