"""However the parent ends, nothing of the server outlives it, and the next start just works."""

import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from seatkeeper.embedded import EmbeddedPostgres
from tests.embedded.processes import (
    a_parent,
    is_ready,
    kill,
    left_running,
    postmaster,
    wait_until,
    wait_until_alone,
    watchdogs,
)

CHILD_SECONDS = 3
FORK_A_CHILD = f"""
if os.fork() == 0:
    os.close(1)  # Else the reader of our output would wait for this child, too.
    import time
    time.sleep({CHILD_SECONDS})
    os._exit(0)
"""


async def answers(used_dir: Path, binaries: Path) -> None:
    async with EmbeddedPostgres(used_dir, durable=False, binaries=binaries) as server:
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("select 1") == 1
        await connection.close()


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGABRT, signal.SIGHUP]
)
async def test_no_signal_to_the_parent_leaves_anything(used_dir, binaries, number, capfd):
    with a_parent(used_dir, binaries) as (parent, dsn):
        idle = await asyncpg.connect(dsn)  # An open session must not hold the server up.
        parent.send_signal(number)
        parent.wait()
        wait_until_alone(used_dir)
        idle.terminate()
    capfd.readouterr()  # The traceback of KeyboardInterrupt.
    assert not (used_dir / "cluster" / "postmaster.pid").exists()
    await answers(used_dir, binaries)


async def test_a_next_parent_may_come_at_once(used_dir, binaries):
    with a_parent(used_dir, binaries) as (parent, _):
        kill(parent.pid)
        parent.wait()
        await answers(used_dir, binaries)


async def test_a_child_the_parent_forked_does_not_keep_the_server(used_dir, any_binaries):
    with a_parent(used_dir, any_binaries, first=FORK_A_CHILD) as (parent, _):
        kill(parent.pid)
        parent.wait()
        began = time.monotonic()
        wait_until(lambda: not (used_dir / "cluster" / "postmaster.pid").exists())
        assert time.monotonic() - began < CHILD_SECONDS
    wait_until_alone(used_dir)


async def test_a_parent_killed_while_the_cluster_is_made(data_dir, any_binaries):
    with a_parent_that_has_just_begun(data_dir, any_binaries) as parent:
        wait_until(lambda: list(data_dir.glob("cluster.new-*")))
        kill(parent.pid)
    await answers(data_dir, any_binaries)
    wait_until_alone(data_dir)


async def test_a_killed_watchdog_takes_the_server_along(used_dir, binaries):
    with a_parent(used_dir, binaries):
        (watchdog,) = watchdogs(used_dir)
        kill(watchdog)
        wait_until(lambda: not (used_dir / "cluster" / "postmaster.pid").exists())
    wait_until_alone(used_dir)
    await answers(used_dir, binaries)


async def test_a_killed_server_comes_back_under_the_same_parent(used_dir, binaries):
    with a_parent(used_dir, binaries) as (_, dsn):
        before = postmaster(used_dir)
        kill(before)
        wait_until(lambda: is_ready(used_dir, other_than=before))
        connection = await asyncpg.connect(dsn)
        await connection.close()
    wait_until_alone(used_dir)


async def test_orphans_of_a_run_of_which_all_was_killed_are_stopped(used_dir, binaries):
    with a_parent(used_dir, binaries) as (parent, dsn):
        connection = await asyncpg.connect(dsn)
        server = postmaster(used_dir)
        (watchdog,) = watchdogs(used_dir)
        # A stopped server cannot obey the shutdown that the kernel sends it for its dead watchdog.
        os.kill(server, signal.SIGSTOP)
        kill(parent.pid)
        kill(watchdog)
        parent.wait()
        assert left_running(used_dir)
        os.kill(server, signal.SIGCONT)
        await answers(used_dir, binaries)
        connection.terminate()
    wait_until_alone(used_dir)


async def test_a_number_reused_by_a_stranger_does_not_keep_us_out(used_dir, any_binaries):
    await answers(used_dir, any_binaries)
    (used_dir / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{used_dir}/cluster\n")
    (used_dir / "lock").write_text(f'{{"owner": {os.getpid()}}}')
    await answers(used_dir, any_binaries)


def a_parent_that_has_just_begun(data_dir: Path, binaries: Path):
    import subprocess
    import sys

    from tests.embedded.processes import PARENT, SOURCE

    command = [sys.executable, "-c", PARENT, str(data_dir), str(binaries), ""]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
