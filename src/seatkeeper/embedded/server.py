"""A PostgreSQL server for as long as a `with` block lasts, and not a moment longer."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from seatkeeper.embedded import watchdog
from seatkeeper.embedded.binaries import Binaries, copy_of_wheel, find_binaries
from seatkeeper.embedded.cluster import ENVIRONMENT, ROLE, major_of, make_cluster, password_of
from seatkeeper.embedded.failure import EmbeddedFailure
from seatkeeper.embedded.lock import clear_remains, take_lock, write_note
from seatkeeper.embedded.places import Place, settle, socket_folder

START_SECONDS_MAX: Final = 300.0  # Recovery after a crash replays the log first.
STOP_SECONDS_MAX: Final = 60.0  # The watchdog needs half of it for its three steps.
LOOK_AGAIN_SECONDS: Final = 0.01
STATUS_LINE: Final = 7  # Of postmaster.pid; it says `ready` when connections are accepted.
LAST_WORDS_CHARACTERS: Final = 600
PORT: Final = "5432"  # Of a socket in a private folder, so it is always free.
SETTINGS: Final[Mapping[str, str]] = {
    "jit": "off",  # Our statements are short; compiling them takes longer than running them.
    "listen_addresses": "",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_timezone": "UTC",
    "log_truncate_on_rotation": "on",
    "logging_collector": "on",
    "max_connections": "100",
    "port": PORT,
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
}
FORGETFUL: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class EmbeddedPostgres:
    """A server over `data_dir`, started by `with` or `async with`; then `dsn` leads to it.

    `durable=False` forgets everything on a power cut and is for tests only. `settings` are
    PostgreSQL's own and win over ours. `binaries` names a folder with `postgres` and `initdb`.
    Raises: EmbeddedFailure, one sentence that says what to do.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._durable = durable
        self._settings = {**SETTINGS, **({} if durable else FORGETFUL), **(settings or {})}
        self._explicit = binaries
        self._dsn: str | None = None
        self._folder: Path | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._short_folder: Path | None = None
        self._lifeline: int | None = None
        self._lock: int | None = None

    @property
    def dsn(self) -> str:
        """The address for asyncpg and libpq, password included: never log it."""
        assert self._dsn is not None, "the server has not been started"
        return self._dsn

    @property
    def folder(self) -> Path:
        """Where the files really are; not `data_dir` when the server's account cannot go there."""
        assert self._folder is not None, "the server has not been started"
        return self._folder

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be cancelled; what it starts must not be left alone.
            with contextlib.suppress(EmbeddedFailure):
                await starting
                await asyncio.to_thread(self._stop)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.shield(asyncio.to_thread(self._stop))

    def _start(self) -> None:
        place = settle(self._data_dir)
        self._folder = place.folder
        self._lock = take_lock(place)
        clear_remains(place)
        socket = socket_folder(place)
        self._short_folder = None if socket.parent == place.folder else socket
        write_note(place, self._short_folder)
        binaries = self._binaries(place)
        if major_of(place.cluster) is None:
            make_cluster(place, binaries, durable=self._durable)
        self._spawn(place, self._command(place, binaries, socket))
        self._wait(place)
        # The port stands here, too, lest a client takes it from PGPORT.
        where = f"host={quote(str(socket), safe='')}&port={PORT}"
        self._dsn = f"postgresql://{ROLE}:{password_of(place)}@/{ROLE}?{where}"

    def _binaries(self, place: Place) -> Binaries:
        found = find_binaries(self._explicit, major=major_of(place.cluster))
        if place.account.can("-x", found.postgres) and place.account.can("-r", found.initdb):
            return found
        if found.from_wheel:
            return copy_of_wheel(found, place.folder)
        raise EmbeddedFailure(
            f"The account that runs PostgreSQL (user {place.account.uid}) cannot read"
            f" {found.folder}: move it, or install `apt-get install -y postgresql`."
        )

    def _command(self, place: Place, binaries: Binaries, socket: Path) -> list[str]:
        places = {
            "log_directory": str(place.log),
            "unix_socket_directories": '"' + str(socket).replace('"', '""') + '"',
        }
        command = [str(binaries.postgres), "-D", str(place.cluster)]
        for name, value in {**places, **self._settings}.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _spawn(self, place: Place, command: list[str]) -> None:
        task = {
            "cluster": str(place.cluster),
            "command": command,
            "environment": ENVIRONMENT,
            "identity": place.account.identity(),
            "parent": os.getpid(),
            "short_folder": str(self._short_folder or ""),
        }
        if not place.log.exists():
            place.log.mkdir(mode=0o700)
            place.account.give(place.log)
        assert self._lock is not None
        theirs, self._lifeline = os.pipe()
        with place.first_words.open("wb") as words:
            try:
                self._watchdog = subprocess.Popen(
                    [sys.executable, "-I", "-S", watchdog.__file__, json.dumps(task)],
                    cwd="/",
                    pass_fds=[self._lock],
                    start_new_session=True,
                    stderr=words,
                    stdin=theirs,
                    stdout=words,
                )
            finally:
                os.close(theirs)

    def _wait(self, place: Place) -> None:
        assert self._watchdog is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if is_ready(place):
                return
            if self._watchdog.poll() is not None:
                break
            time.sleep(LOOK_AGAIN_SECONDS)
        raise EmbeddedFailure(
            f"PostgreSQL did not start in {place.folder}; it said: {_last_words(place)}"
        )

    def _stop(self) -> None:
        self._dsn = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._watchdog is not None:
            self._watchdog.wait(STOP_SECONDS_MAX)
            self._watchdog = None
        if self._lock is not None:
            # Only finds something when the watchdog was killed, or never came to be.
            watchdog.stop(self.folder / "cluster", None, lambda: True)
            if self._short_folder is not None:
                watchdog.remove_sockets(self._short_folder)
            # The lock goes last: nobody may come in before the server is gone.
            os.close(self._lock)
            self._lock = None


def is_ready(place: Place) -> bool:
    """Whether the server says that it accepts connections."""
    try:
        lines = (place.cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"


def _last_words(place: Place) -> str:
    words = place.first_words.read_text(errors="replace")
    if "redirecting log output" in words:  # Only then does the log speak of this start.
        logs = sorted(place.log.glob("*.log"), key=lambda path: path.stat().st_mtime)
        words += "".join(path.read_text(errors="replace") for path in logs[-1:])
    return " ".join(words.split())[-LAST_WORDS_CHARACTERS:] or "nothing"
