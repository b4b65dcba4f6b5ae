"""The whole OpenAPI document against a real server, with what fits it and what does not.

`make fuzz` sets SEATKEEPER_FUZZ to more examples for each operation.
"""

import asyncio
import os
import re
import secrets
import sys

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from seatkeeper.api.openapi import openapi
from seatkeeper.api.table import TABLE
from seatkeeper.domain.scopes import VendorRole
from tests.api.caller import Caller
from tests.api.conftest import an_application, renamed
from tests.api.test_matrix import Place
from tests.domain.small_catalog import SMALL

EXAMPLES = int(os.environ.get("SEATKEEPER_FUZZ", "6"))
load_all_checks()
WANTED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
    ]
)
(REJECTION,) = CHECKS.get_by_names(["negative_data_rejection"])
IDENTIFIER = re.compile(r"^[a-z]{2,4}_[0-9a-v]{26}$")

SCHEMA = schemathesis.openapi.from_dict(openapi(TABLE))
SCHEMA.config.generation.update(
    modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
    max_examples=EXAMPLES,
    with_security_parameters=False,
)


# An address that is too long is told apart from one that is wrong.
REJECTED = [str(code) for code in (400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 414, 415, 422)]
SCHEMA.config.checks.negative_data_rejection.expected_statuses = REJECTED


@pytest_asyncio.fixture(scope="module")
async def service(database_dsn):
    """A server in a process of its own, a session with a key, and ids that are somebody's."""
    async with an_application(database_dsn) as application:
        call = await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
        document = renamed({**SMALL, "default_plan": None})
        assert (await call.put("/v1/catalog", {"document": document})).status == 200
        place = await Place(call, document).furnish()
        await place.refresh()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.dying_server",
        database_dsn,
        "never",
        stdout=asyncio.subprocess.PIPE,
    )
    url = (await process.stdout.readline()).decode().strip()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {call.secret}"
    yield url, session, place.known
    session.close()
    process.kill()
    await process.wait()


@pytest.mark.slow
@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 50,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_i10_every_operation_answers_as_the_document_says(case, service):
    url, session, known = service
    # Ids that could be somebody's become somebody's, so that more than 404 is met.
    for name, value in dict(case.path_parameters or {}).items():
        if isinstance(value, str) and IDENTIFIER.match(value) and name in known:
            case.path_parameters[name] = known[name]
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = secrets.token_hex(8)
    case.headers.pop("Authorization", None)
    checks = [check for check in WANTED if check is not REJECTION or _is_wrong(case)]
    case.call_and_validate(base_url=url, session=session, checks=checks)


def _is_wrong(case):
    """Whether more than a header is wrong: headers that nobody knows are everybody's right."""
    components = case.meta.components if case.meta is not None else {}
    return any(
        info.mode is GenerationMode.NEGATIVE
        for location, info in components.items()
        if str(location.value) in ("path", "query", "body")
    )
