"""What a caller gets: a server that is private, remembers, and explains itself."""

import asyncio
import os
import re
import stat
from pathlib import Path

import asyncpg
import pytest

from seatkeeper.embedded import EmbeddedFailure, EmbeddedPostgres, version
from tests.embedded.processes import left_running


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_server_has_the_version_of_its_binaries(used_dir, binaries):
    async with EmbeddedPostgres(used_dir, durable=False, binaries=binaries) as server:
        said = await value(server.dsn, "show server_version")
    assert str(said).startswith(version(binaries))


async def test_rows_and_password_outlive_the_server(data_dir, binaries):
    async with EmbeddedPostgres(data_dir, durable=False, binaries=binaries) as server:
        first = server.dsn
        await value(first, "create table kept as select 42 as answer")
    assert left_running(data_dir) == []
    async with EmbeddedPostgres(data_dir, durable=False, binaries=binaries) as server:
        assert server.dsn == first
        assert await value(server.dsn, "select answer from kept") == 42


async def test_it_also_works_without_a_loop(used_dir, any_binaries):
    def start() -> str:
        with EmbeddedPostgres(used_dir, durable=False, binaries=any_binaries) as server:
            return server.dsn

    assert (await asyncio.to_thread(start)).startswith("postgresql://seatkeeper:")


async def test_only_the_owner_gets_in(used_dir, binaries):
    async with EmbeddedPostgres(used_dir, durable=False, binaries=binaries) as server:
        assert await value(server.dsn, "show listen_addresses") == ""
        assert await value(server.dsn, "show data_checksums") == "on"
        for folder in ("", "cluster", "socket", "log"):
            assert mode(server.folder / folder) == 0o700, folder
        assert mode(server.folder / "password") == 0o600
        assert mode(server.folder / "socket" / ".s.PGSQL.5432") == 0o700
        with pytest.raises(asyncpg.InvalidPasswordError):
            await value(re.sub(r":[^:@]+@", ":wrong@", server.dsn), "select 1")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await value(server.dsn.replace("//seatkeeper:", "//postgres:"), "select 1")
        assert not list(server.folder.glob("first-password*"))


async def test_no_password_is_written_down_twice(used_dir, binaries):
    async with EmbeddedPostgres(used_dir, durable=False, binaries=binaries) as server:
        password = (server.folder / "password").read_text()
        texts = [*server.folder.glob("log/*"), *server.folder.glob("*.log"), server.folder / "lock"]
        assert texts
        for path in texts:
            assert password not in path.read_text()
        assert not [line for line in left_running(used_dir) if password in line]


async def test_our_role_owns_its_database_and_is_no_superuser(used_dir, binaries):
    async with EmbeddedPostgres(used_dir, durable=False, binaries=binaries) as server:
        rights = "select rolsuper::text || rolcreatedb from pg_roles where rolname = current_user"
        assert await value(server.dsn, rights) == "falsetrue"
        await value(server.dsn, "create extension btree_gist")
        await value(server.dsn, "create database another")


@pytest.mark.parametrize(("durable", "shown"), [(True, "on"), (False, "off")])
async def test_only_durable_servers_wait_for_the_disk(used_dir, any_binaries, durable, shown):
    async with EmbeddedPostgres(used_dir, durable=durable, binaries=any_binaries) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await value(server.dsn, f"show {name}") == shown


async def test_settings_of_the_caller_win(used_dir, any_binaries):
    settings = {"max_connections": "7", "application_name": "with space"}
    async with EmbeddedPostgres(
        used_dir, durable=False, settings=settings, binaries=any_binaries
    ) as server:
        assert await value(server.dsn, "show max_connections") == "7"
    settings = {"max_connections": "many"}
    with pytest.raises(EmbeddedFailure, match=r"did not start .*max_connections.*many"):
        EmbeddedPostgres(used_dir, settings=settings, binaries=any_binaries).__enter__()


async def test_the_environment_of_the_caller_does_not_leak_in(used_dir, any_binaries, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    async with EmbeddedPostgres(used_dir, durable=False, binaries=any_binaries) as server:
        assert await value(server.dsn, "show timezone") == "UTC"


async def test_a_second_parent_is_told_who_is_first(used_dir, any_binaries):
    async with EmbeddedPostgres(used_dir, durable=False, binaries=any_binaries) as server:
        with pytest.raises(EmbeddedFailure, match=f"in use by process {os.getpid()}: stop"):
            EmbeddedPostgres(used_dir, binaries=any_binaries).__enter__()
        assert await value(server.dsn, "select 1") == 1


async def test_a_canceled_start_leaves_nothing(data_dir, any_binaries):
    starting = asyncio.create_task(
        EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries).__aenter__()
    )
    await asyncio.sleep(0.2)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert left_running(data_dir) == []
    async with EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries) as server:
        assert await value(server.dsn, "select 1") == 1


async def test_a_cluster_that_was_never_finished_is_made_again(data_dir, any_binaries):
    half = data_dir / "cluster.new-dead"
    (half / "base").mkdir(parents=True)
    async with EmbeddedPostgres(data_dir, durable=False, binaries=any_binaries) as server:
        assert await value(server.dsn, "select 1") == 1
    assert not half.exists()
