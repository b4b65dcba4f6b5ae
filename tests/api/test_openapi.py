"""The OpenAPI document: valid, complete, and true of what the table does."""

import re

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from seatkeeper.api.openapi import openapi
from seatkeeper.api.table import TABLE
from seatkeeper.api.wire import LINKS
from seatkeeper.domain.refusals import Code
from seatkeeper.domain.scopes import Scope
from tests.api.caller import Caller

DOCUMENT = openapi(TABLE)
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
ROWS = {operation.name: operation for operation in TABLE}
IDS = sorted(ROWS)


def test_the_document_is_valid_openapi_3_1():
    faults = [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()]
    assert faults == []
    assert DOCUMENT["openapi"] == "3.1.0"


def test_x5_every_row_of_the_table_is_in_it_and_nothing_else():
    health = {"health.alive", "health.ready"}
    assert set(OPERATIONS) - health == {operation.name for operation in TABLE}


@pytest.mark.parametrize("name", IDS)
def test_an_operation_is_described_for_people(name):
    _, _, operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["tags"]
    assert "401" in operation["responses"]
    assert "503" in operation["responses"]
    assert str(ROWS[name].status) in operation["responses"]
    assert operation["x-scope"] is None or operation["x-scope"] in set(Scope)


@pytest.mark.parametrize("name", IDS)
def test_each_field_of_a_command_is_in_one_place(name):
    row, (method, path, operation) = ROWS[name], OPERATIONS[name]
    parameters = [_resolved(p) for p in operation.get("parameters", ())]
    places = {
        where: {p["name"] for p in parameters if p["in"] == where} for where in ("path", "query")
    }
    assert places["path"] == set(re.findall(r"{(\w+)}", path))
    assert all(p["required"] for p in parameters if p["in"] == "path")
    body = set()
    if "requestBody" in operation:
        schema = _schema(operation["requestBody"]["content"]["application/json"]["schema"])
        body = set(schema["properties"])
        assert schema["additionalProperties"] is False
    assert method in ("get", "delete") or not places["query"]
    assert places["path"] | places["query"] | body == set(row.command.__struct_encode_fields__)


@pytest.mark.parametrize("name", [name for name in IDS if "requestBody" in OPERATIONS[name][2]])
def test_the_example_of_a_body_has_what_is_needed(name):
    content = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]
    schema = _schema(content["schema"])
    assert set(schema.get("required", ())) <= set(content["example"])
    assert set(content["example"]) <= set(schema["properties"])


@pytest.mark.parametrize("name", IDS)
def test_headers_are_named_where_they_mean_something(name):
    row, (_, _, operation) = ROWS[name], OPERATIONS[name]
    headers = {
        p["name"]: p["required"]
        for p in map(_resolved, operation.get("parameters", ()))
        if p["in"] == "header"
    }
    assert headers.get("Idempotency-Key", False) is row.moves_money
    assert ("Seatkeeper-Actor" in headers) is row.about_organization
    if row.method != "POST":
        assert "Idempotency-Key" not in headers


def test_a_problem_names_every_code():
    problem = DOCUMENT["components"]["schemas"]["Problem"]
    assert problem["properties"]["code"]["enum"] == [str(code) for code in Code]


def test_names_of_schemas_are_plain():
    for name in DOCUMENT["components"]["schemas"]:
        assert re.fullmatch(r"[A-Za-z0-9]+", name), name


def test_an_id_tells_what_it_looks_like():
    parameter = OPERATIONS["organizations.show"][2]["parameters"][0]
    assert parameter["schema"]["pattern"] == "^org_[0-9a-v]{26}$"
    assert re.fullmatch(parameter["schema"]["pattern"], parameter["schema"]["examples"][0])


@pytest.mark.parametrize("way", sorted(LINKS))
def test_a_way_out_leads_to_an_operation(way):
    method, path = LINKS[way]
    assert method.lower() in DOCUMENT["paths"].get(path, {}), (method, path)


@pytest.mark.parametrize("name", IDS)
async def test_x5_without_a_key_and_without_the_scope_nothing_is_done(application, name):
    row = ROWS[name]
    target = re.sub(r"{\w+}", "nothing", row.path)
    nobody = await Caller(application, None)(row.method, target, {})
    assert (nobody.status, nobody.code) == (401, "unauthenticated")
    if row.scope is not None:
        others = [scope for scope in Scope if scope != row.scope]
        weak = await Caller(application, None).with_key(scopes=others)
        refused = await weak(row.method, target, {})
        assert (refused.status, refused.code) == (403, "insufficient_scope"), refused


def test_the_document_is_small_enough_to_be_read():
    assert len(msgspec.json.encode(DOCUMENT)) < 600_000


def _resolved(parameter):
    if "$ref" not in parameter:
        return parameter
    return DOCUMENT["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]


def _schema(schema):
    return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
