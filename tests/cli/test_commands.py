"""Commands against a running service: what they show, and how they end."""

import io
import json
import re

import click
import pytest
import yaml
from click.testing import CliRunner

from seatkeeper.cli import COMMANDS, group
from seatkeeper.cli.outcomes import Exit
from tests.api.conftest import renamed

NOBODY = "org_" + "0" * 26


CONTEXT = click.Context(group)


def _paths(command=group, path=()):
    yield path
    for name in command.list_commands(CONTEXT) if isinstance(command, click.Group) else ():
        yield from _paths(command.get_command(CONTEXT, name), (*path, name))


PATHS = list(_paths())


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_explains_itself(path):
    said = CliRunner().invoke(group, [*path, "--help"])
    assert said.exit_code == 0
    is_group = path in {(), *((name,) for name in COMMANDS if _is_group(name))}
    assert is_group or "Example:" in said.output, said.output


def _is_group(name):
    return isinstance(group.get_command(CONTEXT, name), click.Group)


def test_the_list_of_commands_says_what_they_say():
    assert len(PATHS) > 25
    for name, sentence in COMMANDS.items():
        command = group.get_command(CONTEXT, name)
        assert command is not None
        assert (command.help or "").startswith(re.split(r"[:.]", sentence)[0]), name


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["org"],
        ["org", "create", "x"],
        ["seats", "buy", NOBODY, "0"],
        ["seats", "buy", NOBODY, "many"],
        ["seats", "move", NOBODY, "mem_without_type"],
        ["seats", "assign", NOBODY],
        ["serve", "--port", "70000"],
        ["org", "list", "--no-such-option"],
    ],
    ids=" ".join,
)
async def test_wrong_usage_ends_with_3_and_points_to_help(seatkeeper, arguments):
    ended = await seatkeeper(*arguments)
    assert ended.code == Exit.USAGE, ended
    assert "--help" in ended.err or "Usage:" in ended.err + ended.out


async def test_a_refusal_ends_with_2_and_its_way_out(seatkeeper, buyer):
    ended = await seatkeeper("org", "show", NOBODY)
    assert ended.code == Exit.REFUSED
    assert "There is nothing here under that name. (not_found)" in ended.err
    ended = await seatkeeper("seats", "buy", buyer, "46", "--type", "basic", "--yes")
    assert ended.code == Exit.REFUSED
    assert "over_plan_limit" in ended.err
    assert "way out: choose plan" in ended.err


async def test_a_service_that_is_not_there_ends_with_4(seatkeeper, monkeypatch):
    monkeypatch.setenv("SEATKEEPER_URL", "http://127.0.0.1:9")
    ended = await seatkeeper("org", "list")
    assert ended.code == Exit.UNAVAILABLE
    assert "seatkeeper serve" in ended.err


@pytest.mark.parametrize("url", ["file:///etc/passwd", "localhost:8484", "ftp://x", "http://"])
async def test_an_address_that_is_none_ends_with_1(seatkeeper, monkeypatch, url):
    monkeypatch.setenv("SEATKEEPER_URL", url)
    ended = await seatkeeper("org", "list")
    assert ended.code == Exit.FAULT
    assert "SEATKEEPER_URL" in ended.err


@pytest.mark.parametrize("key", ["", "two words", "line\r\nInjected: yes", "ä"])
async def test_a_key_that_is_none_is_not_sent(seatkeeper, monkeypatch, key):
    monkeypatch.setenv("SEATKEEPER_API_KEY", key)
    ended = await seatkeeper("org", "list")
    assert ended.code == Exit.FAULT
    assert "API key" in ended.err


async def test_an_organization_is_made_and_shown(seatkeeper, plans):
    owner = f"ada-{plans['catalog']}@example.com"
    ended = await seatkeeper(
        *("org", "create", "A company", "--currency", "eur", "--time-zone", "Europe/Vienna"),
        *("--owner-email", owner, "--catalog", plans["catalog"], "--json"),
    )
    assert ended.code == 0, ended
    made = json.loads(ended.out)
    shown = await seatkeeper("org", "show", made["organization"])
    assert re.search(r"^name +A company$", shown.out, re.MULTILINE)
    listed = await seatkeeper("org", "list")
    assert made["organization"] in listed.out
    assert "\x1b" not in listed.out  # Colours and lines are for terminals.


async def test_seats_are_shown_assigned_moved_and_unassigned(seatkeeper, buyer, service):
    _, caller = service
    shown = await caller.get(f"/v1/organizations/{buyer}")
    owner = shown.json["primary_owner"]
    assigned = await seatkeeper("seats", "assign", buyer, owner, "basic")
    assert (assigned.code, assigned.out) == (0, f"{owner}: basic (has it now)\n")
    again = await seatkeeper("seats", "assign", buyer, owner, "basic")
    assert "holds it already" in again.out
    table = await seatkeeper("seats", "show", buyer)
    header, row = table.out.splitlines()[:2]
    assert header.split()[:4] == ["seat_type", "purchased", "assigned", "held"]
    assert row.split()[:4] == ["basic", "5", "1", "0"]
    moved = await seatkeeper("seats", "move", buyer, f"{owner}=")
    assert moved.out == "1 moved\n"
    gone = await seatkeeper("seats", "unassign", buyer, owner)
    assert (gone.code, gone.out) == (0, f"{owner}: no seat\n")


async def test_the_price_is_shown_before_anything_is_bought(seatkeeper, buyer):
    refused = await seatkeeper("seats", "buy", buyer, "2", "--type", "basic")
    assert refused.code == Exit.USAGE
    assert "Due now:" in refused.err
    assert "add --yes" in refused.err
    assert _purchased(await seatkeeper("seats", "show", buyer, "--json")) == 5
    bought = await seatkeeper("seats", "buy", buyer, "2", "--type", "basic", "--yes")
    assert bought.code == 0, bought
    assert re.search(r"Due now: [\d.]+ EUR; takes effect at once", bought.err)
    assert _purchased(await seatkeeper("seats", "show", buyer, "--json")) == 7


async def test_invoices_are_listed_and_explained(seatkeeper, buyer):
    listed = json.loads((await seatkeeper("invoice", "list", buyer, "--json")).out)
    # 20.00 for the plan; five basic seats are included.
    assert [item["total_minor"] for item in listed] == [2000]
    shown = await seatkeeper("invoice", "show", buyer, listed[0]["invoice"])
    assert re.search(r"^total +20\.00 EUR$", shown.out, re.MULTILINE)
    assert re.search(r" 20\.00 EUR +0\.00 EUR ", (await seatkeeper("invoice", "list", buyer)).out)


async def test_a_clock_is_made_and_advanced(seatkeeper):
    made = await seatkeeper("clock", "create", "tests", "--at", "2026-01-31T09:00:00Z", "--json")
    clock = json.loads(made.out)["clock"]
    moved = await seatkeeper("clock", "advance", clock, "2026-02-28T09:00:00Z")
    assert moved.code == 0, moved
    assert "2026-02-28T09:00:00Z" in moved.out
    back = await seatkeeper("clock", "advance", clock, "2026-01-01T00:00:00Z")
    assert back.code == Exit.REFUSED


async def test_a_catalog_is_validated_with_line_and_column(seatkeeper, tmp_path):
    file = tmp_path / "plans.yaml"
    file.write_text("catalog: shop\nname: Shop\nplans:\n  pro:\n    name: Pro\n    limit: 0\n")
    ended = await seatkeeper("catalog", "validate", str(file))
    assert ended.code == Exit.FAULT
    assert f"{file}:6:12: " in ended.err
    missing = await seatkeeper("catalog", "validate", str(tmp_path / "nowhere.yaml"))
    assert (missing.code, "cannot be read" in missing.err) == (Exit.FAULT, True)


async def test_c4_the_cap_of_the_instance_is_told_with_line_and_column(
    seatkeeper, tmp_path, monkeypatch
):
    file = tmp_path / "plans.yaml"
    file.write_text(
        "catalog: shop\nname: Shop\nplans:\n  free:\n    name: Free\n    capacity: plan_limit\n"
        "    limit: 21\n    seat_types: {member: {name: Member}}\n"
    )
    assert "fine, 1 plans" in (await seatkeeper("catalog", "validate", str(file))).out
    monkeypatch.setenv("SEATKEEPER_SEAT_LIMIT_MAX", "20")
    ended = await seatkeeper("catalog", "validate", str(file))
    assert ended.code == Exit.FAULT
    assert f"{file}:7:12: must have a limit of at most 20 seats" in ended.err


async def test_a_catalog_is_applied_after_its_difference_is_shown(seatkeeper, tmp_path):
    document = renamed()
    file = tmp_path / "plans.yaml"
    file.write_text(yaml.safe_dump(document))
    assert "fine, 3 plans" in (await seatkeeper("catalog", "validate", str(file))).out
    asked = await seatkeeper("catalog", "apply", str(file))
    assert asked.code == Exit.USAGE
    assert asked.out.count("+ /plans/") == 3
    applied = await seatkeeper("catalog", "apply", str(file), "--yes")
    assert f"applied: {document['catalog']}" in applied.out
    assert (await seatkeeper("catalog", "diff", str(file))).out == "Nothing changes.\n"
    pro = next(key for key in document["plans"] if key.startswith("pro"))
    document["plans"][pro]["rank"] = 9
    file.write_text(yaml.safe_dump(document))
    changed = (await seatkeeper("catalog", "diff", str(file))).out.splitlines()
    assert changed == [f"~ /plans/{pro}  (version 2)", f"    /plans/{pro}/rank: 0 -> 9"]


async def test_a_plan_key_of_another_catalog_is_told_with_line_and_column(
    seatkeeper, plans, tmp_path
):
    taken = next(key for key in plans["plans"] if key.startswith("pro"))
    file = tmp_path / "plans.yaml"
    file.write_text(
        f"catalog: shop\nname: Shop\nplans:\n  {taken}:\n    name: Free\n"
        "    capacity: unlimited\n    seat_types: {member: {name: Member}}\n"
    )
    assert (await seatkeeper("catalog", "validate", str(file))).code == 0
    for command in (["diff"], ["apply", "--yes"]):
        ended = await seatkeeper("catalog", *command, str(file))
        assert ended.code == Exit.FAULT
        told = f"the catalog {plans['catalog']} has a plan of this key already"
        assert f"{file}:4:3: {told}" in ended.err
        assert f"(/plans/{taken})" in ended.err
    monitor = await seatkeeper("catalog", "diff", str(file), "--json")
    assert (monitor.code, monitor.out) == (Exit.FAULT, "")


async def test_a_catalog_is_validated_from_a_pipe_and_for_programs(seatkeeper, monkeypatch):
    def piped(text):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    piped("catalog: shop\nname: Shop\nplans:\n  pro:\n    name: Pro: the best\n")
    ended = await seatkeeper("catalog", "validate", "-")
    assert ended.code == Exit.FAULT
    assert "-:5:14: a colon cannot stand here; put text that has one in quotes" in ended.err
    piped("catalog: shop\nname: Shop\nplans:\n  pro:\n    name: Pro\n    limit: 0\n")
    ended = await seatkeeper("catalog", "validate", "-", "--json")
    assert ended.code == Exit.FAULT
    found = json.loads(ended.out)["faults"]
    assert [(one["line"], one["column"], one["pointer"], one["code"]) for one in found] == [
        (4, 3, "/plans/pro", "invalid_plan"),
        (6, 12, "/plans/pro/limit", "invalid_plan"),
    ]
    piped(
        "catalog: shop\nname: Shop\nplans: {free: {name: Free, capacity: unlimited,\n"
        "  seat_types: {member: {name: Member}}}}\n"
    )
    ended = await seatkeeper("catalog", "validate", "-", "--json")
    assert (ended.code, json.loads(ended.out)) == (0, {"faults": []})


async def test_names_cannot_move_the_cursor(seatkeeper, service, plans):
    _, caller = service
    from tests.api.conftest import new_organization

    body = new_organization(plans["catalog"], name="evil \u202e\u009b31m name")
    made = (await caller.post("/v1/organizations", body)).json["organization"]
    shown = await seatkeeper("org", "show", made)
    assert "\u202e" not in shown.out
    assert "\u009b" not in shown.out


def _purchased(ended):
    items = json.loads(ended.out)["items"]
    return sum(item["purchased"] for item in items if item["seat_type"] == "basic")
