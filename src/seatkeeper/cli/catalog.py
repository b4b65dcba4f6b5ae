"""Commands about the catalog file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seatkeeper.catalog_file import CONTENT_BYTES_MAX, read_catalog
from seatkeeper.cli.client import client
from seatkeeper.cli.databases import settings
from seatkeeper.cli.outcomes import fault
from seatkeeper.cli.shown import confirm, json_option, show_json

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def catalog() -> None:
    """The catalog file: validate, diff, apply."""


@catalog.command()
@FILE
def validate(file: Path) -> None:
    """Check a catalog file; each fault is shown with its line and column.

    Example: seatkeeper catalog validate plans.yaml
    """
    document = _read(file)
    click.echo(f"{file}: fine, {len(document['plans'])} plans")


@catalog.command()
@FILE
@json_option
def diff(file: Path, *, wants_json: bool) -> None:
    """Show what applying a catalog file would change.

    Example: seatkeeper catalog diff plans.yaml
    """
    told = client().call("catalog.apply", document=_read(file), dry_run=True)
    _show(told, wants_json=wants_json)


@catalog.command()
@FILE
@click.option("--yes", is_flag=True, help="Apply without asking.")
@json_option
def apply(file: Path, *, yes: bool, wants_json: bool) -> None:
    """Apply a catalog file, after showing what it changes.

    Example: seatkeeper catalog apply plans.yaml --yes
    """
    caller, document = client(), _read(file)
    told = caller.call("catalog.apply", document=document, dry_run=True)
    if not told["differences"] and not told["versions"]:
        _show(told, wants_json=wants_json)
        return
    if not wants_json:
        _show(told, wants_json=False)
    confirm("Apply this?", yes=yes)
    done = caller.call("catalog.apply", document=document)
    if wants_json:
        show_json(done)
    else:
        click.echo(f"applied: {done['catalog']}")


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(CONTENT_BYTES_MAX + 1)
    except OSError as error:
        raise fault(f"{file} cannot be read: {error.strerror}.") from None
    outcome = read_catalog(content, seat_limit_max=settings().seat_limit_max)
    if isinstance(outcome, list):
        count = "1 fault" if len(outcome) == 1 else f"{len(outcome)} faults"
        for found in outcome:
            click.echo(f"{file}:{found}", err=True)
        raise fault(f"{file} has {count}.", "the fields are explained in docs/catalog.md")
    return outcome


def _show(told: dict[str, Any], *, wants_json: bool) -> None:
    if wants_json:
        show_json(told)
        return
    if not told["differences"] and not told["versions"]:
        click.echo("Nothing changes.")
    for found in told["differences"]:
        click.echo(_line(found, told["versions"]))


def _line(found: dict[str, Any], versions: dict[str, int]) -> str:
    path = found["path"]
    key = path.rpartition("/")[2]
    match found["kind"]:
        case "plan_added":
            return f"+ {path}"
        case "plan_closed":
            return f"- {path}  (its subscriptions go on)"
        case "new_version":
            return f"~ {path}  (version {versions.get(key, '?')})"
        case _:
            before, after = (_short(found[side]) for side in ("before", "after"))
            return f"    {path}: {before} -> {after}"


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
