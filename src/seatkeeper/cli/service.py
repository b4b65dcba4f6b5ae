"""Commands that run the service, or a part of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

import click
import uvloop

from seatkeeper.cli.databases import Server, a_dsn, an_engine, migrated, settings
from seatkeeper.cli.logs import set_up_logs
from seatkeeper.cli.outcomes import Failed, unavailable
from seatkeeper.operations.engine import Engine

LOG: Final = logging.getLogger("seatkeeper")
WORKER_SECONDS_MAX: Final = 30


@click.command()
@click.option("--host", help="Address to listen on; else SEATKEEPER_HOST, else 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; else SEATKEEPER_PORT, else 8484; 0: any."
)
@click.option("--demo", is_flag=True, help="With catalogs, organizations and people in it.")
@click.option("--no-worker", is_flag=True, help="Leave what falls due to `seatkeeper worker`.")
def serve(host: str | None, port: int | None, *, demo: bool, no_worker: bool) -> None:
    """Run the service, on PostgreSQL of DATABASE_URL or on an embedded one.

    Example: seatkeeper serve --demo
    """
    _run(_serve((host, port), demo=demo, works=not no_worker))


@click.command()
def worker() -> None:
    """Run the worker alone: renewals, expiries and all else that falls due.

    Example: DATABASE_URL=postgresql://… seatkeeper worker
    """
    _run(_work())


@click.command()
def migrate() -> None:
    """Bring the database up to date; `serve` does it by itself.

    Example: DATABASE_URL=postgresql://… seatkeeper migrate
    """

    async def work() -> bool:
        async with a_dsn(settings(), Server.MADE) as dsn:
            return await migrated(dsn)

    done = asyncio.run(work())
    click.echo("The tables were made." if done else "The tables are there already.")


@click.command()
def openapi() -> None:
    """Print the OpenAPI document of this version.

    Example: seatkeeper openapi > openapi.json
    """
    from seatkeeper.api.openapi import openapi as made
    from seatkeeper.api.table import TABLE

    click.echo(json.dumps(made(TABLE), indent=2, ensure_ascii=False))


def _run(work: Coroutine[Any, Any, None]) -> None:
    set_up_logs()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(work)


@contextlib.contextmanager
def _until_signal(stop: asyncio.Event) -> Any:  # noqa: ANN401  a context
    """Sets `stop` at the first SIGINT or SIGTERM; the second one ends the program at once."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def asked() -> None:
        LOG.info("stopping")
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, asked)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _working(engine: Engine, *, works: bool) -> AsyncIterator[None]:
    """A worker beside what is done inside, which finishes its round at the end."""
    if not works:
        yield
        return
    from seatkeeper.jobs.worker import run

    stop = asyncio.Event()
    task = asyncio.create_task(run(engine, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait((task,), timeout=WORKER_SECONDS_MAX)
        task.cancel()


async def _work() -> None:
    from seatkeeper.jobs.worker import run

    stop = asyncio.Event()
    async with an_engine(settings()) as engine:
        with _until_signal(stop):
            LOG.info("the worker works")
            await run(engine, stop)


async def _serve(where: tuple[str | None, int | None], *, demo: bool, works: bool) -> None:
    from seatkeeper.api.serve import application_of, listen, serve, url_of

    given = settings()
    host = where[0] or given.host
    port = given.port if where[1] is None else where[1]
    try:
        bound = listen(host, port)
    except OSError as error:
        raise unavailable(
            f"The address {host}:{port} cannot be used: {error.strerror or error}.",
            "choose another with --port or SEATKEEPER_PORT",
        ) from None
    stop, started = asyncio.Event(), asyncio.Event()
    with contextlib.closing(bound):
        async with an_engine(given, Server.OWN) as engine:
            with _until_signal(stop):
                async with _working(engine, works=works):
                    application = application_of(engine)
                    served = asyncio.create_task(serve(application, bound, stop, started.set))
                    moments = (started, stop)
                    told = asyncio.create_task(_tell(engine, url_of(bound), moments, demo=demo))
                    told.add_done_callback(lambda task: _check(task, stop))
                    await served
                    await asyncio.wait((told,), timeout=WORKER_SECONDS_MAX)
                    told.cancel()
    if told.done() and not told.cancelled():
        told.result()


async def _tell(
    engine: Engine, url: str, moments: tuple[asyncio.Event, asyncio.Event], *, demo: bool
) -> None:
    """Says where the service is; with a demo, once that has been played through it."""
    from seatkeeper.cli.client import Client
    from seatkeeper.cli.welcome import demo_key, play, welcome

    started, stop = moments
    await started.wait()
    if demo:
        caller = Client(url, await demo_key(engine))
        try:
            click.echo(await asyncio.to_thread(play, caller))
        except Failed:
            if not stop.is_set():
                raise
            click.echo("The demo was cut short; what was played stays.")
    else:
        click.echo(await welcome(engine, url))


def _check(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    if not task.cancelled() and task.exception() is not None:
        stop.set()
