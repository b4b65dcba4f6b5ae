"""`python -m bench`: measures and prints one table."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.baseline import Pgbench, prepare
from bench.cases import CASES, CONNECTIONS, QUICK, Case, Houses, Sizes, some
from bench.load import Load, Measured, send
from bench.place import Place, a_place
from bench.renewal import RENEWAL, renewals
from bench.usage import memory_mib, used

SECONDS: Final = 3.0
RUNS: Final = 3
WARM_SECONDS: Final = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: a case at so many connections. `rate` and `pgbench` count operations a second."""

    case: str
    connections: int
    rate: float
    p50_ms: float
    p99_ms: float
    service_us: float
    database_us: float
    memory_mib: float
    pgbench: float | None
    failures: int = 0
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Against pgbench on the same statement; None where it did not run."""
        return self.rate / self.pgbench if self.pgbench else None


async def measure(
    place: Place, houses: Houses, case: Case, options: argparse.Namespace, say: Say
) -> Iterator[Figure]:
    """The median run at each number of connections, with pgbench just before it."""
    pgbench = Pgbench(place.dsn, options.seconds)
    figures: list[Figure] = []
    for connections in CONNECTIONS:
        say(f"{case.name}, {connections} connections")
        runs = [_run(place, houses, case, connections, options) for _ in range(options.runs)]
        found = [await run for run in runs]
        bare = pgbench.rate(case.script, connections, pools=case.pools)
        middle = sorted(found, key=lambda figure: figure.rate)[len(found) // 2]
        per_second = None if bare is None else bare * case.each
        figures.append(Figure(**{**asdict(middle), "pgbench": per_second}))
    return iter(figures)


async def _run(
    place: Place, houses: Houses, case: Case, connections: int, options: argparse.Namespace
) -> Figure:
    if case.before:
        await place.connection.execute(case.before)
        await place.connection.execute("vacuum analyze assignment, seat_pool")
    requests = some(case, houses)
    warm = Load(place.port, connections, WARM_SECONDS, requests[: len(requests) // 10])
    await asyncio.to_thread(send, warm)
    load = Load(place.port, connections, options.seconds, requests[len(requests) // 10 :])
    before = used(place.service, place.postmaster)
    measured = await asyncio.to_thread(send, load)
    spent = used(place.service, place.postmaster).since(before)
    count = max(measured.answers, 1) * case.each
    return Figure(
        case=case.name,
        connections=connections,
        rate=measured.rate * case.each,
        p50_ms=measured.p50 * 1e3,
        p99_ms=measured.p99 * 1e3,
        service_us=spent.service / count * 1e6,
        database_us=spent.database / count * 1e6,
        memory_mib=memory_mib(place.service),
        pgbench=None,
        failures=measured.failures,
        note=_note(measured),
    )


def _note(measured: Measured) -> str:
    refused = {code: n for code, n in measured.statuses.items() if not code.startswith("2")}
    if sum(refused.values()) * 2 > measured.answers:
        return "not available"
    return " ".join(f"{n}x{code}" for code, n in refused.items())


HEAD: Final = (
    ("case", 22),
    ("conn", 4),
    ("ops/s", 9),
    ("p50 ms", 8),
    ("p99 ms", 8),
    ("api us", 7),
    ("db us", 7),
    ("MiB", 5),
    ("pgbench", 9),
    ("ratio", 6),
)


def line(figure: Figure | None = None) -> str:
    """One line of the table; without a figure its head."""
    if figure is None:
        cells = [name for name, _ in HEAD]
    else:
        times = [f"{figure.p50_ms:.2f}", f"{figure.p99_ms:.2f}"]
        spent = [f"{figure.service_us:.1f}", f"{figure.database_us:.1f}"]
        bare = "-" if figure.pgbench is None else f"{figure.pgbench:,.0f}"
        ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f}"
        ratio = f"{ratio} {figure.note}".strip()
        cells = [figure.case, str(figure.connections), f"{figure.rate:,.0f}", *times, *spent]
        cells += [f"{figure.memory_mib:.0f}", bare, ratio]
    widths = [width for _, width in HEAD]
    return "  ".join(
        [cells[0].ljust(widths[0])]
        + [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    )


@contextmanager
def progress() -> Iterator[Say]:
    """Says what is being measured, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _words: None
        return
    from rich.console import Console  # noqa: PLC0415  only where someone sees it

    console = Console(stderr=True)
    with console.status("starting") as status:
        yield status.update


async def _main(options: argparse.Namespace) -> list[Figure]:
    wanted = [c for c in CASES if c.name.startswith(options.only or "")]
    figures: list[Figure] = []
    began = time.monotonic()
    with progress() as say:
        async with a_place() as place:
            say("filling the database")
            houses = await Houses.made(place, QUICK if options.quick else Sizes())
            await prepare(place.dsn)
            sys.stdout.write(line() + "\n")
            for case in wanted:
                for figure in await measure(place, houses, case, options, say):
                    figures.append(figure)
                    sys.stdout.write(line(figure) + "\n")
                    sys.stdout.flush()
            if RENEWAL.startswith(options.only or ""):
                say(RENEWAL)
                count = 5_000 if options.quick else 100_000
                rates = await renewals(place, count, options.runs)
                bare = Pgbench(place.dsn, options.seconds).rate("renew", 1)
                figures.append(
                    Figure(
                        RENEWAL,
                        1,
                        statistics.median(rates.a_second),
                        0.0,
                        0.0,
                        rates.service_us,
                        rates.database_us,
                        rates.memory_mib,
                        None if bare is None else bare * 1_000,
                        note=rates.note,
                    )
                )
                sys.stdout.write(line(figures[-1]) + "\n")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s, {sum(f.failures for f in figures)} 5xx\n")
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each; the median counts")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a run")
    parser.add_argument("--only", help="cases whose name begins like this")
    parser.add_argument("--quick", action="store_true", help="one short run of each on less data")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.seconds = 1, min(options.seconds, 1.0)
    return options


if __name__ == "__main__":
    chosen = _options()
    made = asyncio.run(_main(chosen))
    if chosen.json is not None:
        told = [{**asdict(figure), "ratio": figure.ratio} for figure in made]
        chosen.json.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    sys.exit(1 if any(figure.failures for figure in made) else 0)
