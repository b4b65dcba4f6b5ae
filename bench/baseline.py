"""pgbench on the same server: what a bare statement would do."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from seatkeeper.embedded.binaries import SYSTEM_ROOT, find_binaries

SCRIPTS: Final = Path(__file__).with_name("baseline.sql")
POOLS: Final = 1_000


def find_pgbench() -> str | None:
    """Look beside the server's programs, on the path, then in the system; None without pgbench."""
    places = [find_binaries().folder, *sorted(SYSTEM_ROOT.glob("*/bin"), reverse=True)]
    found = (shutil.which("pgbench", path=str(place)) for place in places)
    return next((path for path in found if path), None) or shutil.which("pgbench")


def scripts() -> Mapping[str, str]:
    """Scripts by name, from `-- name: sentence` to the next."""
    parts = re.split(r"^-- ([a-z]+): .*\n", SCRIPTS.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


async def prepare(dsn: str) -> None:
    """Makes and fills the tables that the scripts use."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(scripts()["setup"])
    finally:
        await connection.close()


class Pgbench:
    """Transactions a second of a script, measured when asked."""

    def __init__(self, dsn: str, seconds: float) -> None:
        self._dsn = dsn
        self._seconds = max(round(seconds), 1)
        self._program = find_pgbench()

    def rate(self, script: str, connections: int, *, pools: int = POOLS) -> float | None:
        """Units: transactions a second; None where there is no pgbench."""
        if self._program is None:
            return None
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(scripts()[script])
            file.flush()
            options = ["-n", "-M", "prepared", "-f", file.name, "-D", f"pools={pools}"]
            size = [
                "-c",
                str(connections),
                "-j",
                str(min(connections, 2)),
                "-T",
                str(self._seconds),
            ]
            command = [self._program, *options, *size, self._dsn]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if found is None:
            raise RuntimeError(f"pgbench said: {done.stderr[-600:]}")
        return float(found[1])
