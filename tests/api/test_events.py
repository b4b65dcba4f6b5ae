"""Events and audit over HTTP: none missed, none twice, none of another organization."""

import re
from pathlib import Path

import asyncpg
import pytest

from seatkeeper import store
from seatkeeper.operations import events
from tests.api.caller import Caller, until
from tests.api.conftest import new_organization

STORE = Path(store.__file__).parent


async def test_g13_the_audit_says_who_did_what_by_which_way(call, organization):
    target = f"/v1/organizations/{organization['organization']}"
    renamed = await call.patch(target, {"name": "Other"})
    page = await until(call, f"{target}/audit", lambda items: len(items) == 2)
    changed, created = page["items"]
    assert (changed["kind"], created["kind"]) == ("organization.changed", "organization.created")
    assert changed["request"] == renamed.headers["x-request-id"]
    assert changed["actor"] == {"member": None, "key": call.key, "system": None}
    assert changed["channel"] == "api"
    assert changed["subject"] == organization["organization"]
    assert changed["facts"]["after"] == {"name": "Other"}
    assert created["facts"]["after"]["primary_owner"] == organization["primary_owner"]


async def test_g13_the_audit_names_the_member_in_whose_name_it_was_done(call, organization):
    target = f"/v1/organizations/{organization['organization']}"
    owner = organization["primary_owner"]
    done = await call.patch(target, {"name": "Other"}, headers={"Seatkeeper-Actor": owner})
    assert done.status == 200, done
    page = await until(call, f"{target}/audit?member={owner}", lambda items: len(items) == 1)
    assert page["items"][0]["actor"] == {"member": owner, "key": call.key, "system": None}
    limit = await call.patch(target, {"membership_limit": 9}, headers={"Seatkeeper-Actor": owner})
    assert (limit.status, limit.code) == (403, "forbidden")


async def test_i9_following_shows_each_event_once_and_in_order(call, catalog):
    body = new_organization(catalog["catalog"])
    organization = (await call.post("/v1/organizations", body)).json["organization"]
    for number in range(6):
        await call.patch(f"/v1/organizations/{organization}", {"name": f"name {number}"})
    target = f"/v1/events?organization={organization}"
    await until(call, target, lambda items: len(items) == 7)
    seen, after = [], ""
    for _ in range(4):
        page = (await call.get(f"{target}&limit=2{after}")).json
        seen += [event["event"] for event in page["items"]]
        after = f"&after={page['next']}"
        assert page["has_more"] is (len(seen) < 7)
    assert len(set(seen)) == 7
    # At the end the cursor stays, so that the next event is found behind it.
    end = (await call.get(f"{target}{after}")).json
    assert (end["items"], end["has_more"]) == ([], False)
    assert f"&after={end['next']}" == after
    await call.patch(f"/v1/organizations/{organization}", {"name": "last"})
    page = await until(call, f"{target}{after}", lambda items: len(items) == 1)
    assert page["items"][0]["facts"]["after"] == {"name": "last"}


async def test_w1_a_late_commit_is_not_skipped(call, organization, database_dsn):
    """The later transaction takes the lower id and commits last; the reader must not pass it."""
    own = organization["organization"]
    target = f"/v1/events?organization={own}"
    start = (await until(call, target, lambda items: len(items) == 1))["next"]
    early, late = [await asyncpg.connect(database_dsn) for _ in range(2)]
    insert = (
        "insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)"
        " select organization_id, $1, organization_id, now(), 'test', '{}'"
        " from organization where name = $2"
    )
    name = f"late {own}"
    await call.patch(f"/v1/organizations/{own}", {"name": name})
    start = (await until(call, f"{target}&after={start}", lambda items: len(items) == 1))["next"]
    try:
        first, second = early.transaction(), late.transaction()
        await first.start()
        await early.fetchval("select pg_current_xact_id()")
        await second.start()
        await late.execute(insert, "clock.late", name)  # A lower event id, a higher transaction.
        await early.execute(insert, "clock.early", name)
        await first.commit()
        page = (await call.get(f"{target}&after={start}")).json
        seen = [event["kind"] for event in page["items"]]
        await second.commit()
    finally:
        await early.close()
        await late.close()
    while len(seen) < 2:
        page = (await call.get(f"{target}&after={page['next']}")).json
        seen += [event["kind"] for event in page["items"]]
    assert seen == ["clock.early", "clock.late"]


async def test_b187_a_bound_key_reads_its_own_events_only(call, organization, catalog):
    await call.post("/v1/organizations", new_organization(catalog["catalog"]))
    made = await call.post(
        "/v1/api-keys",
        {
            "name": "bound",
            "scopes": ["events:read"],
            "organization": organization["organization"],
        },
    )
    bound = Caller(call.application, made.json["secret"])
    page = await until(bound, "/v1/events?limit=1000", lambda items: len(items) == 2)
    assert {event["organization"] for event in page["items"]} == {organization["organization"]}
    foreign = await bound.get("/v1/events?organization=org_" + "0" * 26)
    assert foreign.status == 404


async def test_b013_a_cursor_of_another_list_or_key_is_refused(call, organization):
    own = organization["organization"]
    page = await until(call, f"/v1/events?organization={own}", lambda items: len(items) == 1)
    cursor = page["next"]
    flipped = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    targets = [
        f"/v1/events?organization={own}&after={flipped}",
        f"/v1/events?after={cursor}",
        f"/v1/organizations/{own}/audit?after={cursor}",
        f"/v1/organizations?after={cursor}",
        f"/v1/events?after={'x' * 200}",
        "/v1/events?after=",
        "/v1/events?after=%C3%A4",
    ]
    for target in targets:
        refused = await call.get(target)
        assert (refused.status, refused.code) == (422, "invalid_request"), target


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=-1", 422),
        ("limit=abc", 422),
        ("limit=1.5", 422),
        ("limit=", 422),
        ("limit=1000000", 200),
        ("limit=" + "9" * 30, 200),
        ("limit=1&limit=2", 422),
        ("page_size=5", 422),
        ("kind=seat.*", 200),
        ("kind=*", 422),
        ("kind=seat.%25", 422),
        ("kind=';drop", 422),
        ("since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00%2B01:00", 200),
        ("since=2026-01-01T00:00:00", 422),
        ("since=2026-13-01T00:00:00Z", 422),
        ("since=yesterday", 422),
        ("since=0001-01-01T00:00:00%2B14:00", 422),
        ("until=9999-12-31T23:59:59-14:00", 422),
        ("member=mem_0", 422),
        ("member=", 422),
        ("%FF=1", 400),
        ("limit", 400),
        ("limit=%00", 422),
    ],
)
async def test_b013_what_a_list_can_be_asked(call, query, status):
    answer = await call.get(f"/v1/events?{query}")
    assert answer.status == status, answer


async def test_a_filter_of_kinds_takes_a_noun(call, organization):
    own = organization["organization"]
    await until(call, f"/v1/events?organization={own}", lambda items: len(items) == 1)
    some = (await call.get(f"/v1/events?organization={own}&kind=organization.*")).json["items"]
    assert len(some) == 1
    none = (await call.get(f"/v1/events?organization={own}&kind=organ.*")).json["items"]
    assert none == []


def test_every_event_tells_what_it_happened_to():
    told = "".join(path.read_text() for path in STORE.glob("*.sql"))
    nouns = set(re.findall(r"'([a-z_]+)\.(?:[a-z_]+'|' \|\|)", told))
    assert nouns <= set(events.SUBJECTS)
    assert {"seats", "discount", "invoice"} <= nouns
