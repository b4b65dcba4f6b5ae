"""The run itself: one snapshot, a report for people and programs, and whose billing is parked."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import asyncpg
import pytest
from click.testing import CliRunner

from seatkeeper.cli import verify as cli
from seatkeeper.verify import CHECKS, verify
from seatkeeper.verify.checks import read
from tests.invariants.clean import assert_clean
from tests.invariants.conftest import Played

NOW = datetime(2028, 3, 1, 12, tzinfo=UTC)
SOUND = "-- S-1: Sentence.\n-- Columns: one.\n-- two.\n-- Cost: little.\n-- Parks: no\nselect 1"


async def run(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def organization(dsn: str, *, balance: int) -> None:
    await run(
        dsn,
        f"""insert into catalog values ('c', 'c', null, 5, '{{}}', '2028-01-01 00:00+00');
            insert into organization (organization_id, catalog_key, name, currency, time_zone,
                created_at) values ('00000000-0000-0000-0000-000000000009', 'c', 'n', 'USD', 'UTC',
                '2028-01-01 00:00+00');
            insert into billing_account (organization_id, invoice_prefix, balance_minor)
            values ('00000000-0000-0000-0000-000000000009', 'x', {balance})""",
    )


def test_every_check_says_what_it_looks_for_and_what_it_costs():
    for check in CHECKS.values():
        assert check.sentence.endswith("."), check.name
        assert check.columns.endswith("."), check.name
        assert check.cost.endswith("."), check.name
        assert not check.sql.rstrip().endswith(";"), check.name


def test_the_header_of_a_check_is_read():
    check = read("x", SOUND)
    assert (check.invariant, check.sentence, check.columns) == ("S-1", "Sentence.", "one. two.")
    assert (check.parks, check.is_told_time) == (False, False)
    assert read("x", f"{SOUND} where :now > 1").is_told_time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select 1",
        "-- no id\nselect 1",
        SOUND.replace("-- Cost: little.\n", ""),
        SOUND.replace("Parks: no", "Parks: perhaps"),
    ],
)
def test_a_check_without_its_header_is_none(text: str):
    with pytest.raises(ValueError, match="x: "):
        read("x", text)


async def test_an_empty_database_is_clean(fresh_database_dsn: str):
    report = await verify(fresh_database_dsn, NOW)
    assert report.is_clean
    assert len(report.findings) == len(CHECKS)


async def test_what_is_wrong_is_reported_for_people_and_programs(fresh_database_dsn: str):
    await organization(fresh_database_dsn, balance=5)
    seen = []
    report = await verify(fresh_database_dsn, NOW, on_check=lambda check: seen.append(check.name))
    assert seen == list(CHECKS)
    assert [finding.check.name for finding in report.violated] == ["balance_is_entries"]
    assert any("balance_minor=5" in line for line in report.lines())
    told = json.loads(report.json())
    wrong = [check for check in told["checks"] if check["count"]]
    assert not told["clean"]
    assert wrong[0]["rows"][0]["balance_minor"] == 5
    with pytest.raises(AssertionError, match="balance_minor=5"):
        await assert_clean(fresh_database_dsn, NOW)
    await assert_clean(fresh_database_dsn, NOW, without=["balance_is_entries"])
    await assert_clean(fresh_database_dsn, NOW, organizations=[UUID(int=8)])
    with pytest.raises(AssertionError, match="balance_minor=5"):
        await assert_clean(fresh_database_dsn, NOW, organizations=[UUID(int=9)])


async def test_whoever_has_wrong_money_is_parked_once(fresh_database_dsn: str):
    await organization(fresh_database_dsn, balance=5)
    unparked = await verify(fresh_database_dsn, NOW)
    assert unparked.parked == ()
    parked = await verify(fresh_database_dsn, NOW, park=True)
    assert len(parked.parked) == 1
    await verify(fresh_database_dsn, NOW, park=True)
    connection = await asyncpg.connect(fresh_database_dsn)
    rows = await connection.fetch("select parked_at, parked_reason from organization")
    told = await connection.fetchval("select count(*) from event where kind like '%.parked'")
    await connection.close()
    assert [tuple(row) for row in rows] == [(NOW, "verify found M-10 broken")]
    assert told == 1


async def test_wrong_seats_alone_park_nobody(fresh_database_dsn: str):
    await organization(fresh_database_dsn, balance=0)
    await run(
        fresh_database_dsn,
        """insert into event (organization_id, kind, subject_id, occurred_at, actor)
           values ('00000000-0000-0000-0000-000000000007', 'x.y',
               '00000000-0000-0000-0000-000000000007', '2028-01-01 00:00+00', 'x')""",
    )
    report = await verify(fresh_database_dsn, NOW, park=True)
    assert [finding.check.name for finding in report.violated] == ["events_belong"]
    assert report.parked == ()


def test_the_command_exits_with_1_and_the_offending_rows(
    played: Played, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATABASE_URL", played.dsn)
    runner = CliRunner()
    good = runner.invoke(cli.command, [], standalone_mode=False)
    assert good.return_value == 0, good.output
    assert "every invariant holds" in good.output
    as_json = runner.invoke(cli.command, ["--json"], standalone_mode=False)
    assert json.loads(as_json.output)["clean"]


async def test_the_command_shows_what_is_broken(
    fresh_database_dsn: str, monkeypatch: pytest.MonkeyPatch
):
    await organization(fresh_database_dsn, balance=5)
    monkeypatch.setenv("DATABASE_URL", fresh_database_dsn)
    asked = partial(CliRunner().invoke, cli.command, ["--park"], standalone_mode=False)
    # A loop of its own, as on the command line.
    bad = await asyncio.to_thread(asked)
    assert bad.return_value == 1, bad.output
    for word in ("balance_is_entries", "balance_minor", "now parked: 1"):
        assert word in bad.output
