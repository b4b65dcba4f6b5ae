"""`seatkeeper serve` as a process: it stands, says where, and ends when it is told."""

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.request

import pytest

from seatkeeper.cli.outcomes import Exit

PROGRAM = (sys.executable, "-m", "seatkeeper.main")
SECONDS_MAX = 30


async def _start(*arguments, **environment):
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**_clean(), **environment},
    )


def _clean():
    ours = ("SEATKEEPER_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


async def _run(*arguments, **environment):
    process = await _start(*arguments, **environment)
    async with asyncio.timeout(SECONDS_MAX):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


async def _said(process, word):
    """The line that has the word."""
    async with asyncio.timeout(SECONDS_MAX):
        while line := (await process.stdout.readline()).decode():
            if word in line:
                return line
    raise AssertionError((await process.stderr.read()).decode())


async def _get(url):
    def get():
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status

    return await asyncio.to_thread(get)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_service_cleanly(fresh_database_dsn, number):
    process = await _start("serve", "--port", "0", DATABASE_URL=fresh_database_dsn)
    url = (await _said(process, "answers at")).split()[3]
    assert "api-key create" in await _said(process, "no API key yet")
    assert await _get(f"{url}/readyz") == 200
    assert await _get(url) == 200  # The root leads to the pages.
    process.send_signal(number)
    async with asyncio.timeout(SECONDS_MAX):
        _, err = await process.communicate()
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in err.decode().splitlines()]
    assert [line["event"] for line in lines] == ["stopping"]


async def test_the_embedded_database_lives_and_ends_with_the_service(tmp_path):
    place = {"SEATKEEPER_DATA_DIR": str(tmp_path / "data")}
    process = await _start("serve", "--port", "0", **place)
    url = (await _said(process, "answers at")).split()[3]
    # A command beside it works on its database; a second service is told who is there.
    code, secret, err = await _run("api-key", "create", "tests", **place)
    assert code == 0, err
    assert secret.startswith("sk_")
    code, out, _ = await _run(
        "org", "list", "--json", SEATKEEPER_URL=url, SEATKEEPER_API_KEY=secret.strip()
    )
    assert (code, json.loads(out)) == (0, [])
    code, _, err = await _run("serve", "--port", "0", **place)
    assert code == Exit.UNAVAILABLE
    assert f"in use by process {process.pid}" in err
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(SECONDS_MAX):
        _, err = await process.communicate()
    assert process.returncode == 0, err
    # Alone, a command starts the database for itself.
    code, listed, err = await _run("api-key", "list", "--json", **place)
    assert code == 0, err
    assert [key["name"] for key in json.loads(listed)] == ["tests"]
    key = json.loads(listed)[0]["key"]
    assert (await _run("api-key", "revoke", key, **place))[:2] == (0, f"{key}: revoked\n")
    code, _, err = await _run("api-key", "revoke", "key_nothing", **place)
    assert code == Exit.USAGE


async def test_an_address_that_is_taken_is_told(fresh_database_dsn):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = await _run("serve", "--port", str(port), DATABASE_URL=fresh_database_dsn)
    assert code == Exit.UNAVAILABLE
    assert f"127.0.0.1:{port} cannot be used" in err
    assert "--port" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"SEATKEEPER_PORT": "http"}, Exit.FAULT, "SEATKEEPER_PORT"),
        ({"DATABASE_URL": "mysql://x"}, Exit.FAULT, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u@127.0.0.1:9/x"}, Exit.UNAVAILABLE, "DATABASE_URL"),
        ({"SEATKEEPER_DATA_DIR": "/dev/null/x"}, Exit.UNAVAILABLE, "SEATKEEPER_DATA_DIR"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "migrate", "worker"])
async def test_what_cannot_be_used_is_one_sentence(command, environment, code, words):
    port = str(a_free_port())
    ended, _, err = await _run(command, **{"SEATKEEPER_PORT": port} | environment)
    assert ended == code, err
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command", [("verify",), ("worker",), ("api-key", "list"), ("api-key", "create", "x")]
)
async def test_a_command_in_the_wrong_folder_makes_no_empty_database(command, tmp_path):
    place = tmp_path / "data"
    code, out, err = await _run(*command, SEATKEEPER_DATA_DIR=str(place))
    assert (code, out) == (Exit.UNAVAILABLE, "")
    assert f"There is no database in {place}" in err
    assert not place.exists()


async def test_a_reader_that_has_enough_is_no_fault():
    process = await _start("openapi")
    process.stdout._transport.close()
    async with asyncio.timeout(SECONDS_MAX):
        await process.wait()
    assert (process.returncode, await process.stderr.read()) == (Exit.DONE, b"")


async def test_migrate_says_whether_there_was_anything_to_do(empty_database_dsn):
    place = {"DATABASE_URL": empty_database_dsn}
    assert (await _run("migrate", **place))[:2] == (0, "The tables were made.\n")
    assert (await _run("migrate", **place))[:2] == (0, "The tables are there already.\n")


async def test_a_worker_ends_when_it_is_told(fresh_database_dsn):
    process = await _start("worker", DATABASE_URL=fresh_database_dsn)
    async with asyncio.timeout(SECONDS_MAX):
        line = await process.stderr.readline()
        assert json.loads(line)["event"] == "the worker works"
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_the_openapi_document_is_printed():
    code, out, _ = await _run("openapi")
    assert (code, json.loads(out)["openapi"]) == (0, "3.1.0")
