"""Where a server's files lie, and what is done when its account cannot get there."""

import errno
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatkeeper.embedded.account import Account, choose_account
from seatkeeper.embedded.failure import EmbeddedFailure

FALLBACK: Final = Path("/var/lib/seatkeeper")
SHORT_PARENTS: Final = (Path("/run"), Path("/tmp"))  # noqa: S108  # Only ever below: mkdtemp, 0700.
SHORT_PREFIX: Final = "seatkeeper-"
SOCKET_NAME: Final = ".s.PGSQL.5432"
SOCKET_BYTES_MAX: Final = 103  # Linux allows 107, macOS 103.
POINTER: Final = "elsewhere"
TRAVERSE_ONLY: Final = 0o711
PRIVATE: Final = 0o700


@dataclass(frozen=True)
class Place:
    """The folder of one server and the account that runs it."""

    folder: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """What PostgreSQL calls the data directory."""
        return self.folder / "cluster"

    @property
    def password(self) -> Path:
        """The file with the password of our role."""
        return self.folder / "password"

    @property
    def lock(self) -> Path:
        """The file that is locked while a parent or its watchdog lives."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        """What the server says; seven files, one per weekday."""
        return self.folder / "log"

    @property
    def first_words(self) -> Path:
        """What the server and the watchdog say before the log begins."""
        return self.folder / "start.log"


def settle(data_dir: Path) -> Place:
    """The place for `data_dir`, its folder created.

    When we are root and the unprivileged account cannot reach `data_dir` (a checkout below a 0700
    home), the files go below /var/lib/seatkeeper and a file `elsewhere` in `data_dir` says so.
    Raises: EmbeddedFailure when the folder cannot be made or its cluster cannot be reached.
    """
    requested = data_dir.resolve()
    try:
        account = choose_account(requested / "cluster")
        folder = _folder(requested, account)
        _make_folders(requested, account)
        if folder != requested:
            _make_folders(folder, account)
            (requested / POINTER).write_text(f"{folder}\n")
            account = choose_account(folder / "cluster")
    except OSError as error:
        raise EmbeddedFailure(
            f"The data directory {requested} cannot be used ({error.strerror}):"
            " choose another with SEATKEEPER_DATA_DIR, or set DATABASE_URL."
        ) from error
    return Place(folder, account)


def _folder(requested: Path, account: Account) -> Path:
    pointer = requested / POINTER
    if pointer.exists():
        return Path(pointer.read_text().strip())
    nearest = next(path for path in (requested, *requested.parents) if path.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is not a folder")
    if account.can("-x", nearest):
        return requested
    if (requested / "cluster").exists():
        # Never answer with an empty database where there is a full one.
        raise EmbeddedFailure(
            f"The database in {requested} belongs to user {account.uid}, who cannot get there:"
            f" let others traverse the folders above it (chmod o+x), or move it."
        )
    digest = hashlib.sha256(os.fsencode(requested)).hexdigest()[:8]
    return FALLBACK / f"{requested.name.lstrip('.') or 'data'}-{digest}"


def _make_folders(folder: Path, account: Account) -> None:
    # What existed keeps its mode and owner; what we make can be traversed by the account.
    for path in (*reversed(folder.parents), folder):
        if path.exists():
            continue
        path.mkdir(mode=PRIVATE)
        if path == folder:
            account.give(path)
        elif account.borrowed:
            path.chmod(TRAVERSE_ONLY)


def socket_folder(place: Place) -> Path:
    """A private folder for the socket: in the place, or a short one when the path is too long."""
    folder = place.folder / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_BYTES_MAX:
        if not folder.exists():
            folder.mkdir(mode=PRIVATE)
            place.account.give(folder)
        return folder
    for parent in SHORT_PARENTS:
        if os.access(parent, os.W_OK | os.X_OK):
            short = Path(tempfile.mkdtemp(prefix=SHORT_PREFIX, dir=parent))
            place.account.give(short)
            return short
    raise EmbeddedFailure(
        f"{folder} is too long for a socket (more than {SOCKET_BYTES_MAX} bytes) and neither"
        " /run nor /tmp can be written: choose a shorter SEATKEEPER_DATA_DIR."
    )
