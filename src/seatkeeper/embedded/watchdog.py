"""Keeps a PostgreSQL server no longer than its parent; a program of its own.

It runs in its own session and starts the server as its child. Its standard input is a pipe whose
other end only the parent holds, so the parent's end, however it comes, is an end of file here.
Then the server is stopped: fast, then immediately, then by force. Should the watchdog itself be
killed, the kernel sends the server a fast shutdown.

Boundaries: standard library only, because it starts isolated, before and after everything else.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

SHUTDOWN: Final = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
RESTARTS_MAX: Final = 10
STEADY_SECONDS: Final = 60.0
PAUSE_SECONDS_MAX: Final = 10.0
LOOK_AGAIN_SECONDS: Final = 0.02
REAP_SECONDS_MAX: Final = 5.0
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36


def main(task: dict[str, Any]) -> int:
    """Run the server until the parent ends; the exit status of the server when it ended first."""
    _control_process(PR_SET_CHILD_SUBREAPER, 1)
    ends = _ends(task["parent"])
    cluster = Path(task["cluster"])
    status = 0
    restarts = 0
    while True:
        began = time.monotonic()
        server = _start(task)
        if _parent_ended_first(ends, server):
            stop(cluster, server.pid, _ended(server))
            break
        status = server.returncode
        stop(cluster, None, lambda: True)
        restarts = 1 if time.monotonic() - began > STEADY_SECONDS else restarts + 1
        # Only a server that was killed is started again: one that gave up would do so again.
        if status >= 0 or restarts > RESTARTS_MAX:
            break
        if _ended_within(ends, min(0.1 * 2**restarts, PAUSE_SECONDS_MAX)):
            break
    _reap()
    if task["short_folder"]:
        remove_sockets(Path(task["short_folder"]))
    return abs(status)


def _ends(parent: int) -> list[int]:
    # The pipe tells of the parent's end unless a child that it forked still holds the other side;
    # the process descriptor knows better, where there is one.
    ends = [sys.stdin.fileno()]
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            ends.append(os.pidfd_open(parent))
    wake, awake = os.pipe()
    os.set_blocking(awake, False)
    signal.set_wakeup_fd(awake, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return [*ends, wake]


def _parent_ended_first(ends: list[int], server: "subprocess.Popen[bytes]") -> bool:
    *parent, wake = ends
    while True:
        ready, _, _ = select.select(ends, [], [])
        if any(end in ready for end in parent):
            return True
        numbers = os.read(wake, 64)
        if server.poll() is not None:
            return False
        if any(number != signal.SIGCHLD for number in numbers):
            return True


def _ended(server: "subprocess.Popen[bytes]") -> Callable[[], bool]:
    return lambda: server.poll() is not None


def _ended_within(ends: list[int], seconds: float) -> bool:
    ready, _, _ = select.select(ends[:-1], [], [], seconds)
    return bool(ready)


def _start(task: dict[str, Any]) -> "subprocess.Popen[bytes]":
    me = os.getpid()

    def die_with_me() -> None:
        _control_process(PR_SET_PDEATHSIG, int(signal.SIGINT))
        if os.getppid() != me:
            os._exit(1)

    return subprocess.Popen(
        task["command"],
        cwd="/",
        env=task["environment"],
        preexec_fn=die_with_me,  # noqa: PLW1509  # One thread here, so nothing can be held.
        stdin=subprocess.DEVNULL,
        **task["identity"],
    )


def _control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _reap() -> None:
    # The server's logger ends after it. We inherit it, lest a first process that is no init
    # (common in containers) keeps it as a zombie.
    deadline = time.monotonic() + REAP_SECONDS_MAX
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(LOOK_AGAIN_SECONDS)


def stop(cluster: Path, postmaster: int | None, gone: Callable[[], bool]) -> None:
    """End the server of `cluster` and everything it started: fast, immediate, by force."""
    for number, seconds in SHUTDOWN:
        by_force = number == signal.SIGKILL
        if postmaster is not None and not gone():
            _send(postmaster, number)
        elif by_force or postmaster is None:
            for pid in processes_of(cluster):
                _send(pid, signal.SIGKILL if by_force else signal.SIGQUIT)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if gone() and not processes_of(cluster):
                return
            time.sleep(LOOK_AGAIN_SECONDS)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def remove_sockets(folder: Path) -> None:
    """Remove a folder that we made for a socket; anything else in it keeps it alive."""
    with contextlib.suppress(OSError):
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def processes_of(cluster: Path) -> list[int]:
    """The PostgreSQL processes that work in `cluster`; each of them has it as its folder."""
    if not Path("/proc/self/cwd").exists():
        return _postmaster_without_proc(cluster)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # Somebody's shell may stand in that folder, too.
            ours = (entry / "cwd").readlink() == cluster
            if ours and (entry / "comm").read_text().strip() == "postgres":
                found.append(int(entry.name))
    return found


def _postmaster_without_proc(cluster: Path) -> list[int]:
    try:
        pid = int((cluster / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return []
    command = ["/bin/ps", "-p", str(pid), "-o", "command="]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    return [pid] if str(cluster) in said.stdout else []


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
