"""Real servers of every PostgreSQL on this machine, in short folders that anybody may traverse."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper.embedded import EmbeddedFailure, find_binaries
from seatkeeper.embedded.binaries import MAJORS, Binaries
from tests.embedded.processes import left_running


def installed() -> list[Binaries]:
    """One set of programs for each major version that is here."""
    found = []
    for major in MAJORS:
        try:
            found.append(find_binaries(major=major))
        except EmbeddedFailure:
            continue
    return found


@pytest.fixture(scope="session", params=installed(), ids=lambda found: f"pg{found.version}")
def binaries(request: pytest.FixtureRequest) -> Path:
    found: Binaries = request.param
    return found.folder


@pytest.fixture(scope="session")
def any_binaries() -> Path:
    """For what does not depend on the version of the server."""
    return find_binaries().folder


@contextlib.contextmanager
def a_base() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    folder.chmod(0o755)
    try:
        yield folder
        assert left_running(folder) == []
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that exists; afterwards nothing may work below it."""
    with a_base() as folder:
        yield folder


@pytest.fixture
def data_dir(base: Path) -> Path:
    """A folder that does not exist yet, not even its parent."""
    return base / "home" / "seats"


@pytest.fixture(scope="session")
def used_base() -> Iterator[Path]:
    with a_base() as folder:
        yield folder


@pytest.fixture
def used_dir(used_base: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The data directory that earlier tests of this version used; making one takes a second."""
    version = "binaries" if "binaries" in request.fixturenames else "any_binaries"
    folder = used_base / str(find_binaries(request.getfixturevalue(version)).major)
    yield folder
    assert left_running(folder) == []
