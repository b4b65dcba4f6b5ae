"""Commands about the catalog file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from seatkeeper.catalog_file import (
    CONTENT_BYTES_MAX,
    LocatedFault,
    is_faulty,
    locate,
    read_catalog,
)
from seatkeeper.cli.client import Client, client
from seatkeeper.cli.databases import settings
from seatkeeper.cli.outcomes import Failed, fault
from seatkeeper.cli.shown import confirm, json_option, show_json
from seatkeeper.domain.catalog_shapes import Fault, FaultCode

STDIN: Final = Path("-")
FILE = click.argument("file", type=click.Path(path_type=Path))
_DOCUMENT: Final = "/document"


@click.group()
def catalog() -> None:
    """The catalog file: validate, diff, apply."""


@catalog.command()
@FILE
@json_option
def validate(file: Path, *, wants_json: bool) -> None:
    """Check a catalog file, or `-` for what comes in; each fault with its line and column.

    Example: seatkeeper catalog validate plans.yaml
    """
    content = _content(file)
    outcome = read_catalog(content, seat_limit_max=settings().seat_limit_max)
    faults = outcome if is_faulty(outcome) else []
    if wants_json:
        show_json({"faults": [asdict(found) for found in faults]})
        if faults:
            raise _counted(file, faults)
    document = _checked(file, outcome)
    if not wants_json:
        click.echo(f"{file}: fine, {len(document['plans'])} plans")


@catalog.command()
@FILE
@json_option
def diff(file: Path, *, wants_json: bool) -> None:
    """Show what applying a catalog file would change.

    Example: seatkeeper catalog diff plans.yaml
    """
    content, document = _read(file)
    told = _apply(client(), (file, content), document, dry_run=True)
    _show(told, wants_json=wants_json)


@catalog.command()
@FILE
@click.option("--yes", is_flag=True, help="Apply without asking.")
@json_option
def apply(file: Path, *, yes: bool, wants_json: bool) -> None:
    """Apply a catalog file, after showing what it changes.

    Example: seatkeeper catalog apply plans.yaml --yes
    """
    caller = client()
    content, document = _read(file)
    told = _apply(caller, (file, content), document, dry_run=True)
    if not told["differences"] and not told["versions"]:
        _show(told, wants_json=wants_json)
        return
    if not wants_json:
        _show(told, wants_json=False)
    confirm("Apply this?", yes=yes)
    done = _apply(caller, (file, content), document, dry_run=False)
    if wants_json:
        show_json(done)
    else:
        click.echo(f"applied: {done['catalog']}")


def _content(file: Path) -> bytes:
    try:
        if file == STDIN:
            return sys.stdin.buffer.read(CONTENT_BYTES_MAX + 1)
        with file.open("rb") as opened:
            return opened.read(CONTENT_BYTES_MAX + 1)
    except OSError as error:
        raise fault(f"{file} cannot be read: {error.strerror}.") from None


def _read(file: Path) -> tuple[bytes, dict[str, Any]]:
    content = _content(file)
    return content, _checked(file, read_catalog(content, seat_limit_max=settings().seat_limit_max))


def _checked(file: Path, outcome: dict[str, Any] | list[LocatedFault]) -> dict[str, Any]:
    if is_faulty(outcome):
        raise _told(file, outcome)
    assert isinstance(outcome, dict)
    return outcome


def _told(file: Path, faults: Sequence[LocatedFault]) -> Failed:
    for found in faults:
        click.echo(f"{file}:{found}", err=True)
    return _counted(file, faults)


def _counted(file: Path, faults: Sequence[LocatedFault]) -> Failed:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return fault(f"{file} has {count}.", "the fields are explained in docs/catalog.md")


def _apply(
    caller: Client, source: tuple[Path, bytes], document: dict[str, Any], *, dry_run: bool
) -> dict[str, Any]:
    """What the service answers; the faults that only it can know with their places in the file."""
    file, content = source
    try:
        told: dict[str, Any] = caller.call("catalog.apply", document=document, dry_run=dry_run)
    except Failed as refused:
        errors = refused.problem.get("errors", ())
        if refused.problem.get("code") != "invalid_plan" or not errors:
            raise
        faults = [
            Fault(e["pointer"].removeprefix(_DOCUMENT), FaultCode(e["code"]), e["detail"])
            for e in errors
        ]
        raise _told(file, locate(content, faults)) from None
    return told


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
