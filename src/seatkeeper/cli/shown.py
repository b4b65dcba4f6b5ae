"""What commands show: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from seatkeeper.domain.money import MINOR_DIGITS, Money

LINE_COLUMNS: Final = ("kind", "seat_type", "quantity", "unit", "part", "full", "amount")


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option of every command that shows something."""
    return click.option(
        "--json", "wants_json", is_flag=True, help="Show the answer of the service as JSON."
    )(function)


def show_json(value: object) -> None:
    """JSON, as the service answered it."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show(value: object, sentence: str, *, as_json: bool) -> None:
    """The answer as JSON for programs, or as a sentence for people."""
    if as_json:
        show_json(value)
    else:
        click.echo(sentence)


def show_rows(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, err: bool = False
) -> None:
    """A table: drawn on a terminal, otherwise columns that are wide enough.

    With `err` it goes to people only, also where the answer goes to a program.
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    if (sys.stderr if err else sys.stdout).isatty():
        _draw(columns, texts, err=err)
        return
    widths = [
        max([len(column), *(len(row[place]) for row in texts)])
        for place, column in enumerate(columns)
    ]
    for row in [list(columns), *texts]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip(), err=err)


def show_fields(fields: Iterable[tuple[str, object]]) -> None:
    """One thing, a line for each field."""
    pairs = [(name, _text(value)) for name, value in fields]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{name.ljust(width)}  {value}")


def money(minor: int, currency: str) -> str:
    """An amount for people."""
    return str(Money(minor, currency)) if currency in MINOR_DIGITS else f"{minor} {currency}"


def line_cells(line: Mapping[str, Any], currency: str) -> list[object]:
    """A line of a quote or an invoice with its arithmetic.

    Added seats say from how many to how many: the bill goes by the level that is reached.
    """
    before, quantity, unit = line["quantity_before"], line["quantity"], line["unit_minor"]
    return [
        line["kind"],
        line["seat_type"],
        f"{before} to {quantity}" if before else quantity,
        None if unit is None else money(unit, currency),
        f"{line['part']}/{line['of_parts']}",
        money(line["full_minor"], currency),
        money(line["amount_minor"], currency),
    ]


def confirm(question: str, *, yes: bool) -> None:
    """Goes on when the person agrees, or has with --yes; without a terminal only with --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on; add --yes to go ahead.")
    click.confirm(question, abort=True)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # A name may hold what would move the cursor of a terminal.
    return "".join(c if c.isprintable() else " " for c in str(value))


def _draw(columns: Sequence[str], texts: Sequence[Sequence[str]], *, err: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))
    Console(stderr=err).print(table)


@contextmanager
def voice() -> Iterator[Callable[[str], None]]:
    """Says lines: with colours and what is being told now on a terminal, else as they are."""
    if not sys.stdout.isatty():
        yield click.echo
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    with console.status("Starting") as status:

        def say(line: str) -> None:
            is_title = bool(line) and not line.startswith((" ", "=", "-"))
            if is_title:
                status.update(line)
            style = "bold" if is_title else "yellow" if line.lstrip().startswith("|") else ""
            console.print(Text(line, style=style), soft_wrap=True)

        yield say
