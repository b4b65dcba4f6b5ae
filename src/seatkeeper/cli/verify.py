"""The command that derives every invariant again from raw rows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import click

from seatkeeper.cli.databases import a_dsn, settings
from seatkeeper.cli.outcomes import Exit, Failed, unavailable
from seatkeeper.cli.shown import json_option, show_rows
from seatkeeper.operations.context import wall_clock
from seatkeeper.verify import CHECKS, Report, verify
from seatkeeper.verify.run import OnCheck


@click.command(name="verify")
@click.option(
    "--park", is_flag=True, help="Stop the billing of organizations whose money is wrong."
)
@json_option
def command(*, park: bool, wants_json: bool) -> int:
    """Derive every invariant again from the rows of the database; change nothing.

    Exits with 1 and the offending rows when one is broken. Example: seatkeeper verify --json
    """
    with _progress() as on_check:
        report = asyncio.run(_look(on_check, park=park))
    if wants_json:
        click.echo(report.json())
    else:
        _show(report)
    return Exit.DONE if report.is_clean else Exit.FAULT


async def _look(on_check: OnCheck, *, park: bool) -> Report:
    async with a_dsn(settings()) as dsn:
        try:
            return await verify(dsn, wall_clock(), park=park, on_check=on_check)
        except asyncpg.UndefinedTableError as error:
            raise Failed(
                Exit.FAULT,
                f"The tables are not those of this version: {error}.",
                "run: seatkeeper migrate",
            ) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unavailable(f"The database cannot be read: {error}.") from None


@contextmanager
def _progress() -> Iterator[OnCheck]:
    """Shows which check is running, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _check: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(CHECKS))
        yield lambda check: progress.update(task, advance=1, description=check.name)


def _show(report: Report) -> None:
    for finding in report.violated:
        check = finding.check
        click.echo(f"{check.invariant} {check.name}: {check.sentence}")
        click.echo(f"{finding.count} found; {check.columns}")
        show_rows(list(finding.rows[0]), [list(row.values()) for row in finding.rows])
        click.echo()
    if report.parked:
        click.echo(f"Organizations whose billing is now parked: {len(report.parked)}.")
    broken = len(report.violated)
    word = "every invariant holds" if not broken else f"{broken} invariants are broken"
    click.echo(f"{len(report.findings)} checks on one snapshot: {word}.")
