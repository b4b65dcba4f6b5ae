"""The command that plays one year of three vendors: through a service there is, or its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import uvloop

from seatkeeper.cli.client import Client, client
from seatkeeper.cli.databases import Server, a_dsn, an_engine, settings
from seatkeeper.cli.logs import set_up_logs
from seatkeeper.cli.outcomes import Exit, Failed, fault, unavailable
from seatkeeper.cli.shown import voice
from seatkeeper.cli.welcome import apply_catalogs, demo_key, shipped_catalogs
from seatkeeper.embedded import EmbeddedFailure, EmbeddedPostgres
from seatkeeper.operations.context import wall_clock
from seatkeeper.operations.engine import Engine
from seatkeeper.settings import Secret, Settings

HOST: Final = "127.0.0.1"


@click.command()
@click.option(
    "--keep", is_flag=True, help="On the database that `serve` uses, to look at afterwards."
)
def demo(*, keep: bool) -> None:
    """Play one year of three vendors on test clocks, and check each figure.

    With SEATKEEPER_API_KEY through the service that runs; otherwise through one of its own, on a
    database that is gone afterwards, and then every invariant is verified too.

    Example: seatkeeper demo
    """
    if os.environ.get("SEATKEEPER_API_KEY"):
        if keep:
            raise click.UsageError("A service that runs keeps everything; leave --keep out.")
        _play_there(client())
        return
    set_up_logs()
    uvloop.run(_play_here(keep=keep))


def _play_there(caller: Client) -> None:
    from seatkeeper.demo import play

    _check_catalogs(caller)
    apply_catalogs(caller)
    with voice() as say:
        say(f"Through the service at {caller.url}, which keeps what is played.")
        play(caller, say)
        say("To verify every invariant, on the machine of the service: seatkeeper verify")


def _check_catalogs(caller: Client) -> None:
    """A catalog that a vendor has made their own is not overwritten by a demo."""
    applied = {item["catalog"]: item["document"] for item in caller.call("catalog.show")["items"]}
    for document in shipped_catalogs():
        key = document["catalog"]
        if key in applied and applied[key] != document:
            raise fault(
                f"The service has a catalog {key} of its own, which the demo would change.",
                "without SEATKEEPER_API_KEY the demo plays on a database of its own",
            )


async def _play_here(*, keep: bool) -> None:
    given = settings()
    async with _database(given, keep=keep) as (dsn, where):
        on_it = replace(given, database_url=Secret(dsn))
        async with an_engine(on_it) as engine, _served(engine) as caller:
            await asyncio.to_thread(_tell, caller, where)
        await _verify(dsn)


@asynccontextmanager
async def _database(given: Settings, *, keep: bool) -> AsyncIterator[tuple[str, str]]:
    """The address of the database, and where that is in words."""
    if keep:
        named = "DATABASE_URL" if given.database_url else str(given.data_dir)
        async with a_dsn(given, Server.MADE) as dsn:
            yield dsn, f"on the database of {named}, which keeps what is played"
        return
    folder = Path(tempfile.gettempdir()) / f"seatkeeper-demo-{os.getpid()}"
    places = [folder]
    try:
        async with EmbeddedPostgres(folder, durable=False) as server:
            places.append(server.folder)
            yield server.dsn, f"on a database of its own in {folder}, which is gone afterwards"
    except EmbeddedFailure as failure:
        raise unavailable(str(failure)) from None
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


@asynccontextmanager
async def _served(engine: Engine) -> AsyncIterator[Client]:
    """The service on a free port, and a key for it."""
    from seatkeeper.api.serve import application_of, listen, serve, url_of

    stop, started = asyncio.Event(), asyncio.Event()
    with contextlib.closing(listen(HOST, 0)) as bound:
        served = asyncio.create_task(serve(application_of(engine), bound, stop, started.set))
        try:
            await started.wait()
            yield Client(url_of(bound), await demo_key(engine))
        finally:
            stop.set()
            await served


def _tell(caller: Client, where: str) -> None:
    from seatkeeper.demo import play

    with voice() as say:
        say(f"Through a service at {caller.url}, {where}.")
        apply_catalogs(caller)
        play(caller, say)


async def _verify(dsn: str) -> None:
    from seatkeeper.verify import verify

    report = await verify(dsn, wall_clock())
    for line in report.lines():
        click.echo(line, err=True)
    if not report.is_clean:
        raise Failed(Exit.FAULT, "Verify found broken invariants; they are listed above.")
    click.echo(f"Verify: all {len(report.findings)} invariants hold, derived again from the rows.")
