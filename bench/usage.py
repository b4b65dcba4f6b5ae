"""What a service and its database use, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICK_SECONDS: Final = 1 / os.sysconf("SC_CLK_TCK")
PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Used:
    """Processor time since their start. Units: seconds."""

    service: float
    database: float

    def since(self, before: Used) -> Used:
        """What was used in between; a backend that ended meanwhile counts as nothing."""
        return Used(self.service - before.service, max(self.database - before.database, 0.0))


def used(service: int, postmaster: int) -> Used:
    """Processor time of the service, and of the server with all its backends."""
    return Used(
        _seconds(service), sum(_seconds(pid) for pid in (postmaster, *_children(postmaster)))
    )


def memory_mib(pid: int) -> float:
    """Resident memory. Units: MiB."""
    text = (PROC / str(pid) / "status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) * TICK_SECONDS if fields else 0.0


def _children(parent: int) -> list[int]:
    pids = [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[1]) == parent]


def _stat(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
