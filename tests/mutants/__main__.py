"""`python -m tests.mutants`: puts one bug after another into a copy of the code.

Each copy is tried with the one test that must fail; a bug that survives, or whose place in the code
is gone, fails the run. Without a bug all these tests pass, which is tried first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from seatkeeper.embedded import EmbeddedPostgres
from tests.mutants.bugs import BUGS, Bug
from tests.server import GIVEN

HOUSE = Path(__file__).parents[2]
FAILED = 1  # pytest's word for: tests ran, some failed


def main(wanted: str) -> int:
    """Tries those bugs whose names contain `wanted`."""
    bugs = [bug for bug in BUGS if wanted in bug.name]
    with tempfile.TemporaryDirectory(prefix="seatkeeper-mutants-") as folder:
        if os.environ.get(GIVEN):
            return _try_all(bugs, Path(folder))
        settings = {"max_connections": "200", "max_wal_size": "4GB"}
        with EmbeddedPostgres(Path(folder) / "data", durable=False, settings=settings) as server:
            os.environ[GIVEN] = server.dsn
            return _try_all(bugs, Path(folder))


def _try_all(bugs: list[Bug], folder: Path) -> int:
    tests = sorted({bug.test for bug in bugs})
    if (code := _run(HOUSE / "src", *tests)[0]) != 0:
        print(f"without a bug the tests must pass: pytest ended with {code}")
        return 1
    survivors = []
    for bug in bugs:
        began = time.perf_counter()
        code, noticed = _run(_with(bug, folder), bug.test)
        word = "killed" if code == FAILED else "SURVIVED"
        print(f"{word:8} {time.perf_counter() - began:4.0f} s  {bug.name}  [{noticed}]", flush=True)
        if code != FAILED:
            survivors.append(bug.name)
    print(f"{len(bugs) - len(survivors)} of {len(bugs)} killed")
    return int(bool(survivors))


def _with(bug: Bug, folder: Path) -> Path:
    """A copy of the code with the bug in it."""
    place = folder / "code"
    shutil.rmtree(place, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HOUSE / "src" / "seatkeeper", place / "seatkeeper", ignore=ignore)
    for name, text, wrong in bug.edits:
        file = place / "seatkeeper" / name
        whole = file.read_text("utf-8")
        assert text in whole, f"{bug.name}: the place is gone from {name}: {text[:60]!r}"
        file.write_text(whole.replace(text, wrong), "utf-8")
    return place


def _run(code: Path, *tests: str) -> tuple[int, str]:
    """How pytest ends on that code, and the first test that failed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", *tests],
        cwd=HOUSE,
        env={**os.environ, "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [x for x in done.stdout.splitlines() if x.startswith(("FAILED", "ERROR"))]
    return done.returncode, lines[0].split(" - ")[0].rpartition("::")[2] if lines else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", default="")
    sys.exit(main(parser.parse_args().only))
