"""The command line: it asks the service, or works beside it, and says how it went."""

from __future__ import annotations

from typing import Final

import click

COMMANDS: Final = {
    "serve": "Run the service.",
    "demo": "Play one year of three vendors on test clocks, and check each figure.",
    "worker": "Run the worker alone: all that falls due.",
    "migrate": "Bring the database up to date.",
    "openapi": "Print the OpenAPI document.",
    "api-key": "API keys: create, list, revoke.",
    "catalog": "The catalog file: validate, diff, apply.",
    "org": "Organizations: list, create, show.",
    "seats": "Seats: show, assign, move, buy.",
    "invoice": "Invoices: list, show.",
    "clock": "Test clocks: create, advance.",
    "verify": "Derive every invariant again from the rows of the database.",
}


def _load(name: str) -> click.Command:
    """A command or group, loaded when it is asked for, so that `--help` is there at once."""
    match name:
        case "api-key":
            from seatkeeper.cli.keys import api_key

            return api_key
        case "catalog":
            from seatkeeper.cli.catalog import catalog

            return catalog
        case "org":
            from seatkeeper.cli.organizations import org

            return org
        case "seats":
            from seatkeeper.cli.seats import seats

            return seats
        case "invoice":
            from seatkeeper.cli.invoices import invoice

            return invoice
        case "clock":
            from seatkeeper.cli.clocks import clock

            return clock
        case "verify":
            from seatkeeper.cli.verify import command as verify

            return verify
        case "demo":
            from seatkeeper.cli.demo import demo

            return demo
        case _:
            from seatkeeper.cli import service

            command: click.Command = getattr(service, name)
            return command


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sentences stand here already; nothing has to be loaded for them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: seatkeeper serve --demo",
)
@click.version_option(package_name="seatkeeper", prog_name="seatkeeper")
def group() -> None:
    """Seatkeeper: bookkeeping for seats.

    Commands that call the service take its address from SEATKEEPER_URL and an API key from
    SEATKEEPER_API_KEY. Exit codes: 0 done, 1 fault, 2 refused, 3 wrong usage, 4 not available.
    """
