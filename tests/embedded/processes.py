"""Parents in processes of their own, to be killed; and a look at what outlives them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
SECONDS_MAX = 20.0
PARENT = """
import os, sys
from pathlib import Path
from seatkeeper.embedded import EmbeddedPostgres
data_dir, binaries, first = sys.argv[1:]
with EmbeddedPostgres(Path(data_dir), durable=False, binaries=Path(binaries)) as server:
    exec(first)
    print(server.dsn, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def a_parent(
    data_dir: Path, binaries: Path, *, first: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds a server until its input ends, and the server's address."""
    command = [sys.executable, "-c", PARENT, str(data_dir), str(binaries), first]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    parent = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        try:
            assert parent.stdout is not None
            yield parent, parent.stdout.readline().strip()
        finally:
            parent.kill()


def left_running(below: Path) -> list[str]:
    """Processes that work below a folder or name it, with their state; zombies count."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(below) in command or (entry / "cwd").readlink().is_relative_to(below):
                found.append(f"{entry.name} {command}")
    return found


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_until_alone(below: Path) -> None:
    wait_until(lambda: not left_running(below))


def watchdogs(below: Path) -> list[int]:
    return [int(line.split()[0]) for line in left_running(below) if "watchdog.py" in line]


def postmaster(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().split()[0])


def is_ready(folder: Path, *, other_than: int) -> bool:
    try:
        text = (folder / "cluster" / "postmaster.pid").read_text()
    except FileNotFoundError:
        return False
    return "ready" in text and not text.startswith(f"{other_than}\n")


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
