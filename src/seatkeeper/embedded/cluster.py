"""Makes a data directory with one role and one database in it, or nothing."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from seatkeeper.embedded.binaries import Binaries
from seatkeeper.embedded.failure import EmbeddedFailure
from seatkeeper.embedded.places import Place

ROLE: Final = "seatkeeper"
ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
UNFINISHED: Final = "cluster.new-"
BUILTIN_LOCALE_SINCE: Final = 17
LAST_WORDS_CHARACTERS: Final = 600


def major_of(cluster: Path) -> int | None:
    """The major version that made `cluster`; None when there is none yet."""
    try:
        return int((cluster / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def password_of(place: Place) -> str:
    """The password of our role, chosen at the first call and kept in a 0600 file."""
    if not place.password.exists():
        fresh = place.password.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        fresh.rename(place.password)
    return place.password.read_text()


def make_cluster(place: Place, binaries: Binaries, *, durable: bool) -> None:
    """Make the cluster under another name and rename it when it is whole.

    Our role is no superuser: it owns its database, may create others, and may look and cancel.
    The superuser's password is thrown away; `postgres --single` still opens every door to root.
    """
    for unfinished in place.folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=place.folder))
    place.account.give(fresh)
    options = _initdb_options(place, fresh, binaries, durable=durable)
    _run(place, [str(binaries.initdb), *options])
    single = [str(binaries.postgres), "--single", "-D", str(fresh), "-c", "exit_on_error=on"]
    # A failing statement would otherwise be repeated in the log, password and all.
    quiet = ["-c", "log_min_error_statement=panic", "-c", f"fsync={'on' if durable else 'off'}"]
    _run(place, [*single, *quiet, "postgres"], told=_first_statements(password_of(place)))
    fresh.rename(place.cluster)
    _remember(place.folder)


def _initdb_options(place: Place, fresh: Path, binaries: Binaries, *, durable: bool) -> list[str]:
    thrown_away = place.folder / "first-password"
    thrown_away.unlink(missing_ok=True)
    thrown_away.touch(mode=0o600)
    thrown_away.write_text(secrets.token_urlsafe(32))
    place.account.give(thrown_away)
    options: list[str] = ["-D", str(fresh), "--username=postgres", f"--pwfile={thrown_away}"]
    options += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
    if binaries.major >= BUILTIN_LOCALE_SINCE:
        options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        options += ["--locale=C.UTF-8"]
    return options if durable else [*options, "--no-sync"]


def _first_statements(password: str) -> str:
    return (
        f"create role {ROLE} login createdb password '{password}';\n"
        f"grant pg_monitor, pg_signal_backend, pg_checkpoint to {ROLE};\n"
        f"create database {ROLE} owner {ROLE};\n"
    )


def _run(place: Place, command: list[str], told: str | None = None) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        input=told,
        text=True,
        **place.account.identity(),
    )
    (place.folder / "first-password").unlink(missing_ok=True)
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split())[-LAST_WORDS_CHARACTERS:]
        program = Path(command[0]).name
        raise EmbeddedFailure(f"The database could not be made; {program} said: {words}")


def _remember(folder: Path) -> None:
    # A rename is only durable once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
