"""One parent per data directory, and what an earlier one may have left."""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Final

from seatkeeper.embedded import watchdog
from seatkeeper.embedded.failure import EmbeddedFailure
from seatkeeper.embedded.places import Place

WAIT_SECONDS: Final = 40.0  # Longer than a watchdog needs for all three of its steps.
LOOK_AGAIN_SECONDS: Final = 0.05


def take_lock(place: Place) -> int:
    """The descriptor of the lock, held; the watchdog inherits it, so it outlives a killed parent.

    Raises: EmbeddedFailure at once when another parent lives, or when its watchdog never ends.
    """
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = read_note(place).get("owner")
            if lives(owner) or time.monotonic() > deadline:
                os.close(descriptor)
                raise EmbeddedFailure(
                    f"The data directory {place.folder} is in use by process {owner}:"
                    " stop that one first, or choose another SEATKEEPER_DATA_DIR."
                ) from None
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return descriptor


def write_note(place: Place, short_folder: Path | None) -> None:
    """Leave word of who holds the lock and of the socket's folder when it lies elsewhere."""
    note = {"owner": os.getpid(), "short_folder": short_folder and str(short_folder)}
    place.lock.write_text(json.dumps(note))


def clear_remains(place: Place) -> None:
    """Stop the orphans of an earlier run and remove what it could not; call with the lock held."""
    watchdog.stop(
        place.cluster, _postmaster(place), lambda: not watchdog.processes_of(place.cluster)
    )
    if left := watchdog.processes_of(place.cluster):
        raise EmbeddedFailure(
            f"An earlier server (process {left[0]}) still works in {place.cluster} and does not"
            " end: stop it by hand."
        )
    # Nothing works in the cluster, so a process of that number is a stranger.
    (place.cluster / "postmaster.pid").unlink(missing_ok=True)
    if earlier := read_note(place).get("short_folder"):
        watchdog.remove_sockets(Path(str(earlier)))


def read_note(place: Place) -> dict[str, object]:
    """What the holder of the lock has left word of; empty when there is none."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(place.lock.read_text()))
    return {}


def _postmaster(place: Place) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((place.cluster / "postmaster.pid").read_text().split()[0])
        if pid in watchdog.processes_of(place.cluster):
            return pid
    return None


def lives(pid: object) -> bool:
    """Whether there is a process of that number."""
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
