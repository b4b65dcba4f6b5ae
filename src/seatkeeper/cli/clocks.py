"""Commands about test clocks."""

from __future__ import annotations

import time
from typing import Any, Final

import click

from seatkeeper.cli.client import Client, Unanswered, client
from seatkeeper.cli.outcomes import fault
from seatkeeper.cli.shown import json_option, show_fields, show_json

POLL_SECONDS: Final = 1.0
POLLS_MAX: Final = 600


@click.group()
def clock() -> None:
    """Test clocks: time that moves only when told."""


@clock.command()
@click.argument("name")
@click.option("--at", required=True, help="Where it starts, such as 2026-01-31T09:00:00Z.")
@json_option
def create(name: str, at: str, *, wants_json: bool) -> None:
    """Start a test clock.

    Example: seatkeeper clock create renewal --at 2026-01-31T09:00:00Z
    """
    _show(client().call("clocks.create", name=name, now=at), wants_json=wants_json)


@clock.command()
@click.argument("clock_id", metavar="CLOCK")
@click.argument("to")
@json_option
def advance(clock_id: str, to: str, *, wants_json: bool) -> None:
    """Move a test clock forward to an instant; what is due on the way happens.

    Example: seatkeeper clock advance clk_06f3… 2026-03-01T00:00:00Z
    """
    _show(_advanced(client(), clock_id, to), wants_json=wants_json)


@clock.command()
@click.argument("clock_id", metavar="CLOCK")
@json_option
def show(clock_id: str, *, wants_json: bool) -> None:
    """Show a test clock, and how far it is on its way.

    Example: seatkeeper clock show clk_06f3…
    """
    _show(client().call("clocks.show", clock=clock_id), wants_json=wants_json)


def _advanced(caller: Client, clock_id: str, to: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = caller.call("clocks.advance", clock=clock_id, to=to)
    except Unanswered:
        # It may be on its way there, or somewhere else: asked again, it says which.
        _until_rest(caller, clock_id)
        found = caller.call("clocks.advance", clock=clock_id, to=to)
    if found["state"] == "advancing":
        found = _until_rest(caller, clock_id)
    if found["state"] == "failed":
        raise fault(f"The clock stopped at {found['now']}. {found['failure']}")
    return found


def _until_rest(caller: Client, clock_id: str) -> dict[str, Any]:
    told = None
    for _ in range(POLLS_MAX):
        found: dict[str, Any] = caller.call("clocks.show", clock=clock_id)
        if found["state"] != "advancing":
            return found
        if found["now"] != told:
            told = found["now"]
            click.echo(f"{told}  on the way to {found['target']}", err=True)
        time.sleep(POLL_SECONDS)
    raise fault("The clock is still on its way.", f"look again: seatkeeper clock show {clock_id}")


def _show(found: dict[str, Any], *, wants_json: bool) -> None:
    if wants_json:
        show_json(found)
    else:
        show_fields(found.items())
