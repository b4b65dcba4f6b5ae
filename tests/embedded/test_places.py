"""Where the files go, whose they are, and what is never touched."""

import json
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from seatkeeper.embedded import (
    EmbeddedFailure,
    EmbeddedPostgres,
    account,
    find_binaries,
    places,
)
from seatkeeper.embedded.account import choose_account
from seatkeeper.embedded.binaries import copy_of_wheel
from tests.embedded.processes import SOURCE, a_parent, kill, wait_until_alone

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def look(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


def test_folders_that_existed_keep_mode_and_owner(base, any_binaries):
    data_dir = base / "mine"
    data_dir.mkdir(mode=0o755)
    (data_dir / "notes.txt").write_text("mine")
    before = [look(path) for path in (base, data_dir, data_dir / "notes.txt")]
    with EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries) as server:
        assert server.folder == data_dir
    assert before == [look(path) for path in (base, data_dir, data_dir / "notes.txt")]


def test_a_link_is_followed_once(base, any_binaries):
    (base / "real").mkdir()
    (base / "link").symlink_to(base / "real")
    with EmbeddedPostgres(base / "link", durable=False, binaries=any_binaries) as server:
        assert server.folder == base / "real"


def test_awkward_characters_in_the_path(base, any_binaries):
    data_dir = base / "it's, a place & 100 % ü"
    with EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries) as server:
        assert (server.folder / "socket" / ".s.PGSQL.5432").is_socket()


def test_a_path_too_long_for_a_socket_gets_a_short_one(base, binaries):
    data_dir = base / ("x" * 100) / "seats"
    with EmbeddedPostgres(data_dir, durable=False, binaries=binaries):
        short = short_folder(data_dir)
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
        assert short.parent in places.SHORT_PARENTS
    assert not short.exists()


def test_a_short_folder_is_removed_also_after_a_kill(base, any_binaries):
    data_dir = base / ("x" * 100) / "seats"
    with a_parent(data_dir, any_binaries) as (parent, _):
        short = short_folder(data_dir)
        assert short.exists()
        kill(parent.pid)
        parent.wait()
        wait_until_alone(data_dir)
    assert not short.exists()


def test_a_start_that_fails_leaves_no_short_folder(base, any_binaries):
    data_dir = base / ("x" * 100) / "seats"
    settings = {"max_connections": "many"}
    with pytest.raises(EmbeddedFailure, match="did not start"):
        EmbeddedPostgres(
            data_dir, durable=False, settings=settings, binaries=any_binaries
        ).__enter__()
    assert not short_folder(data_dir).exists()


def short_folder(data_dir: Path) -> Path:
    return Path(json.loads((data_dir / "lock").read_text())["short_folder"])


def test_a_folder_that_cannot_be_made_is_a_sentence(base, any_binaries):
    (base / "file").write_text("")
    before = set(places.FALLBACK.glob("*"))
    with pytest.raises(EmbeddedFailure, match=r"cannot be used .*file is not a folder.*choose"):
        EmbeddedPostgres(base / "file" / "seats", binaries=any_binaries).__enter__()
    assert set(places.FALLBACK.glob("*")) == before


@as_root
def test_below_a_private_home_the_files_go_elsewhere_and_are_found_again(
    base, any_binaries, monkeypatch
):
    monkeypatch.setattr(places, "FALLBACK", base / "fallback")
    home = base / "home"
    home.mkdir(mode=0o700)
    with EmbeddedPostgres(home / ".seatkeeper", durable=False, binaries=any_binaries) as server:
        dsn, folder = server.dsn, server.folder
    assert folder.parent == base / "fallback"
    assert (home / ".seatkeeper" / "elsewhere").read_text().strip() == str(folder)
    assert look(home)[0] == 0o700
    home.chmod(0o755)  # Reachable now, yet the database stays where it is.
    with EmbeddedPostgres(home / ".seatkeeper", durable=False, binaries=any_binaries) as server:
        assert server.dsn == dsn


@as_root
def test_a_database_that_became_unreachable_is_never_replaced_by_an_empty_one(base, any_binaries):
    data_dir = base / "home" / "seats"
    with EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries):
        pass
    (base / "home").chmod(0o700)
    with pytest.raises(EmbeddedFailure, match="cannot get there"):
        EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries).__enter__()


@as_root
def test_without_an_unprivileged_account_there_is_a_sentence(monkeypatch, base):
    monkeypatch.setattr(account, "UNPRIVILEGED", ("no-such-account",))
    with pytest.raises(EmbeddedFailure, match="refuses to run as root"):
        choose_account(base)


@as_root
def test_a_binary_the_account_cannot_reach_is_a_sentence(base):
    folder = base / "private" / "bin"
    folder.mkdir(parents=True)
    program = folder / "postgres"
    program.write_text("#!/bin/sh\necho postgres 16.1\n")
    program.chmod(0o755)
    (base / "private").chmod(0o700)
    with pytest.raises(EmbeddedFailure, match="cannot read"):
        EmbeddedPostgres(base / "seats", binaries=folder).__enter__()


def test_the_owner_of_a_cluster_runs_it(base, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(EmbeddedFailure, match="belongs to user"):
        choose_account(base)
    monkeypatch.setattr(os, "geteuid", lambda: base.stat().st_uid)
    assert choose_account(base).borrowed == (base.stat().st_uid == 0)


@as_root
def test_an_ordinary_user_needs_nobody_else(base, binaries):
    """The whole story again without root, by a Python that such a user may run."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    assert python is not None
    found = find_binaries(binaries)
    if found.from_wheel:  # A checkout below a private home would hide it from nobody.
        binaries = copy_of_wheel(found, base).folder
    nobody = pwd.getpwnam("nobody")
    room = base / "src" / "seatkeeper"
    shutil.copytree(SOURCE / "seatkeeper" / "embedded", room / "embedded")
    (room / "__init__.py").touch()
    (base / "nobody").mkdir()
    os.chown(base / "nobody", nobody.pw_uid, nobody.pw_gid)
    story = (
        "import sys, pathlib; from seatkeeper.embedded import EmbeddedPostgres as E\n"
        "for _ in range(2):\n"
        "    with E(pathlib.Path(sys.argv[1]), durable=False, binaries=pathlib.Path(sys.argv[2]))"
        " as server: print(server.folder.stat().st_uid)\n"
    )
    said = subprocess.run(
        [python, "-c", story, str(base / "nobody" / "seats"), str(binaries)],
        capture_output=True,
        check=False,
        cwd="/",
        env={"PYTHONPATH": str(base / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
    )
    assert said.stdout.split() == [str(nobody.pw_uid)] * 2, said.stderr
