"""A real service on a real socket, and the command line in this process against it."""

import asyncio
import gc
import secrets

import pytest
import pytest_asyncio

from seatkeeper.api import serve
from seatkeeper.cli import group
from seatkeeper.cli.outcomes import run
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.assemble import assemble
from seatkeeper.store.database import open_database
from tests.api.caller import Caller
from tests.api.conftest import new_organization, renamed
from tests.domain.small_catalog import SMALL


class Ended:
    """How a command ended and what it said."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"{self.code}\n{self.out}\n{self.err}"


@pytest_asyncio.fixture(scope="module")
async def service(database_dsn):
    database = await open_database(database_dsn, size=5)
    bound = serve.listen("127.0.0.1", 0)
    stop, ready = asyncio.Event(), asyncio.Event()
    application = serve.application_of(await assemble(database))
    task = asyncio.create_task(serve.serve(application, bound, stop, ready.set))
    await ready.wait()
    caller = await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
    yield serve.url_of(bound), caller
    stop.set()
    await task
    bound.close()
    await database.close()
    gc.unfreeze()


@pytest.fixture
def seatkeeper(service, monkeypatch, capsys, tmp_path):
    """Runs a command as a person would, without a terminal."""
    url, caller = service
    monkeypatch.setenv("SEATKEEPER_URL", url)
    monkeypatch.setenv("SEATKEEPER_API_KEY", caller.secret)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def command(*arguments):
        code = await asyncio.to_thread(run, group, arguments)
        said = capsys.readouterr()
        return Ended(int(code), said.out, said.err)

    return command


@pytest_asyncio.fixture
async def plans(service):
    """An applied catalog without a default plan; its `pro` plan costs money."""
    _, caller = service
    document = renamed({**SMALL, "default_plan": None})
    assert (await caller.put("/v1/catalog", {"document": document})).status == 200
    return document


@pytest_asyncio.fixture
async def buyer(service, plans):
    """An organization that has bought five seats of `pro`."""
    _, caller = service
    body = new_organization(plans["catalog"], payment_method="sandbox_ok")
    organization = (await caller.post("/v1/organizations", body)).json["organization"]
    pro = next(key for key in plans["plans"] if key.startswith("pro"))
    change = {
        "kind": "subscribe",
        "plan": pro,
        "price": "monthly",
        "seats": [{"seat_type": "basic", "quantity": 5}],
    }
    made = await caller.post(
        f"/v1/organizations/{organization}/changes",
        {"change": change},
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    assert made.status == 201, made
    return organization
