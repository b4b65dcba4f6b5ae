"""The application over a database that the tests of one worker share."""

import contextlib
import secrets

import pytest_asyncio

from seatkeeper.api.http import Application
from seatkeeper.api.table import TABLE
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.assemble import assemble
from seatkeeper.store.database import open_database
from tests.api.caller import Caller
from tests.domain.small_catalog import SMALL


@contextlib.asynccontextmanager
async def an_application(dsn):
    database = await open_database(dsn, size=5)
    try:
        yield Application(await assemble(database), TABLE, {})
    finally:
        await database.close()


@pytest_asyncio.fixture(scope="session")
async def application(database_dsn):
    async with an_application(database_dsn) as application:
        yield application


@pytest_asyncio.fixture
async def call(application):
    """A caller with every scope, as an operator."""
    return await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)


@pytest_asyncio.fixture
async def fresh_call(fresh_database_dsn):
    """The same on a database of its own."""
    async with an_application(fresh_database_dsn) as application:
        yield await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)


def renamed(document=SMALL):
    """A catalog whose keys nobody else has."""
    mark = secrets.token_hex(4)
    plans = {f"{key}_{mark}": {**plan} for key, plan in document["plans"].items()}
    for plan in plans.values():
        if plan.get("transition_to"):
            plan["transition_to"] += f"_{mark}"
    default = document.get("default_plan")
    return {
        **document,
        "catalog": f"{document['catalog']}_{mark}",
        "default_plan": default and f"{default}_{mark}",
        "plans": plans,
    }


@pytest_asyncio.fixture
async def catalog(call):
    """The document of an applied catalog without a default plan."""
    document = renamed({**SMALL, "default_plan": None})
    answer = await call.put("/v1/catalog", {"document": document})
    assert answer.status == 200, answer
    return document


@pytest_asyncio.fixture
async def organization(call, catalog):
    """A new organization on that catalog."""
    answer = await call.post("/v1/organizations", new_organization(catalog["catalog"]))
    assert answer.status == 201, answer
    return answer.json


def new_organization(catalog=None, **more):
    mark = secrets.token_hex(6)
    owner = {"user": f"user-{mark}", "email": f"ada-{mark}@example.com", "name": "Ada"}
    body = {
        "name": "Ada's Engines",
        "currency": "EUR",
        "time_zone": "Europe/Vienna",
        "primary_owner": owner,
        **more,
    }
    return body if catalog is None else {**body, "catalog": catalog}
