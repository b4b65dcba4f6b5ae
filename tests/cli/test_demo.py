"""`seatkeeper demo`: it tells a year with the right figures, verifies it, and leaves nothing."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from seatkeeper.cli import demo
from seatkeeper.cli.client import Client
from seatkeeper.cli.outcomes import Exit, Failed
from seatkeeper.demo.story import Story, at

PROGRAM = (sys.executable, "-m", "seatkeeper.main")
SECONDS_MAX = 180
NOBODY = Client("http://127.0.0.1:9", "")

TOLD = [
    # Enterprise: 240.00 a seat and year.
    "Olivia asks for 19 seats",
    "[below_minimum_seats]",
    "She buys 50 for a year 12,000.00 USD",
    "5 seats more, for 306 days of 365 1,006.03 USD",
    "20 seats for a new team, for 200 days of 365 2,630.14 USD",
    "[reduction_not_allowed_mid_term]",
    "a member now, awaiting a seat",
    "Olivia buys 7, for 93 days of 365 428.05 USD",
    "82 seats become 55 for another year 13,200.00 USD",
    "20 moves, one request 0.00 USD",
    "All 28 people sit on single seats, 30 of them for the year 7,200.00 USD",
    # Organizations: 20.00 and 5.00 a seat, and so on.
    "20.00 + 5.00 a seat 25.00 35.00 40.00 70.00 80.00",
    "25.00 with 1, then 10.00 25.00 45.00 55.00 115.00 135.00",
    "8.00 a seat 8.00 24.00 32.00 80.00 96.00",
    "5.00 a seat, 10 at most 5.00 15.00 20.00 50.00 over limit",
    "Three members and two invitations: five seats 45.00 USD",
    "so Gil's invitation goes out 3.39 USD",
    "five members and Gil's invitation 50.00 USD",
    "[over_limit]",
    "Mar 2026 5 5 45.00 – 12 272.07 8 8 40.00",
    # Workspaces: 99.00 for each member, or a contract.
    "[plan_tier_mismatch]",
    "April is billed for twelve 960.00 USD",
    "Two seats more, at once, for 275 days of 365 1,446.58 USD",
    "The next year, for twelve 11,520.00 USD",
    "all as expected.",
    "invariants hold, derived again from the rows.",
]


async def _start(*arguments, **environment):
    ours = ("SEATKEEPER_", "DATABASE_URL")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**clean, **environment},
    )


async def _until(process, word):
    said = ""
    async with asyncio.timeout(SECONDS_MAX):
        while line := (await process.stdout.readline()).decode():
            said += line
            if word in line:
                return said
    raise AssertionError(said + (await process.stderr.read()).decode())


@pytest.mark.slow
async def test_a_year_of_three_vendors_is_told_with_its_figures(fresh_database_dsn):
    process = await _start("demo", "--keep", DATABASE_URL=fresh_database_dsn)
    async with asyncio.timeout(SECONDS_MAX):
        out, err = await process.communicate()
    assert process.returncode == 0, out.decode() + err.decode()
    lines = out.decode().splitlines()
    plain = [" ".join(line.split()) for line in lines]
    assert [each for each in TOLD if not any(each in line for line in plain)] == []
    assert max(map(len, lines)) <= 100 or max(lines, key=len).startswith("Through")
    # Who starts the service on it finds the demo there; it is not played again.
    process = await _start("serve", "--demo", "--port", "0", DATABASE_URL=fresh_database_dsn)
    said = await _until(process, "seatkeeper org create")
    assert "Seatkeeper answers at http://127.0.0.1:" in said
    assert "export SEATKEEPER_API_KEY=sk_" in said
    assert "Larkspur" not in said
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(SECONDS_MAX):
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.slow
async def test_interrupted_on_a_database_of_its_own_it_leaves_nothing():
    process = await _start("demo")
    said = await _until(process, "01 Mar 2026")
    folder = Path(tempfile.gettempdir()) / f"seatkeeper-demo-{process.pid}"
    assert str(folder) in said
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(SECONDS_MAX):
        _, err = await process.communicate()
    assert process.returncode == Exit.FAULT
    assert err.decode().strip() == "seatkeeper: Stopped; nothing more was done."
    assert not folder.exists()


async def test_a_catalog_of_the_vendors_own_is_left_alone(seatkeeper, plans, monkeypatch):
    monkeypatch.setattr(demo, "shipped_catalogs", lambda: [{**plans, "name": "Ours"}])
    ended = await seatkeeper("demo")
    assert ended.code == Exit.FAULT
    assert f"a catalog {plans['catalog']} of its own" in ended.err


async def test_a_running_service_keeps_anyway(seatkeeper):
    assert (await seatkeeper("demo", "--keep")).code == Exit.USAGE


def test_the_story_stops_at_a_wrong_figure():
    story = Story(NOBODY, print)
    story.expect("a figure", 1_006_03, 1_006_03)
    with pytest.raises(Failed, match="5 seats should be 100603, the service says 100602"):
        story.costs("5 seats", 1_006_02, 1_006_03)
    assert story.figures == 1


def test_the_story_stops_where_nothing_is_refused():
    story = Story(NOBODY, print)
    with pytest.raises(Failed, match="should be 'below_minimum_seats', the service says 'done'"):
        story.refused("below_minimum_seats", "19 seats", lambda: None)


def test_a_day_is_named_once_and_amounts_are_aligned():
    said: list[str] = []
    story = Story(NOBODY, said.append)
    story.tell("First", 12_000_00)
    story.tell("Second", 3_39)
    story.now = at(2, 1)
    story.tell("A sentence that goes on and on, so that it needs another line for what it says")
    assert said[0] == f"  01 Jan 2026  {'First':<70}  12,000.00 USD"
    assert said[1] == f"               {'Second':<70}       3.39 USD"
    assert said[2].startswith("  01 Feb 2026  A sentence")
    assert said[3].startswith("               ")


def test_on_a_terminal_titles_and_refusals_stand_out(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with demo.voice() as say:
        say("A title")
        say("                 | no [over_limit]")
    said = capsys.readouterr().out
    assert "\x1b[1mA title" in said
    assert "\x1b[33m" in said
