"""Who the server runs as: ourselves, or an unprivileged account when we are root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatkeeper.embedded.failure import EmbeddedFailure

UNPRIVILEGED: Final = ("postgres", "nobody")
ROOT: Final = 0


@dataclass(frozen=True)
class Account:
    """A user id and group id; `borrowed` when they are not those of this process."""

    uid: int
    gid: int
    borrowed: bool

    def identity(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program as this account."""
        if not self.borrowed:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """Whether this account passes the shell's `test` (such as `-x`) on `path`.

        Asked of the kernel by a process of that account, so mode bits, ACLs and mounts all count.
        """
        if not self.borrowed:
            return True
        command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)]
        return subprocess.run(command, check=False, cwd="/", **self.identity()).returncode == 0

    def give(self, path: Path) -> None:
        """Hand over a path that we have just created."""
        if self.borrowed:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose_account(cluster: Path) -> Account:
    """The account for `cluster`: its owner when it exists, else one that is not root.

    Raises: EmbeddedFailure when the cluster belongs to somebody we cannot become.
    """
    me = os.geteuid()
    owner = cluster.stat() if cluster.exists() else None
    if me == ROOT:
        if owner is not None and owner.st_uid != ROOT:
            return Account(owner.st_uid, owner.st_gid, borrowed=True)
        return _unprivileged()
    if owner is not None and owner.st_uid != me:
        raise EmbeddedFailure(
            f"{cluster} belongs to user {owner.st_uid}, not to you (user {me}):"
            " run as that user, or choose another SEATKEEPER_DATA_DIR."
        )
    return Account(me, os.getegid(), borrowed=False)


def _unprivileged() -> Account:
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, borrowed=True)
    raise EmbeddedFailure(
        "PostgreSQL refuses to run as root and there is no account `postgres` or `nobody`:"
        " create one, run Seatkeeper as another user, or set DATABASE_URL."
    )
