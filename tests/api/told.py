"""What the OpenAPI document tells about an answer, and whether the answer is so."""

from functools import cache

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from seatkeeper.api.openapi import openapi
from seatkeeper.api.table import TABLE

DOCUMENT = openapi(TABLE)
OPERATIONS = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
}
REGISTRY = Registry().with_resource("told:", DRAFT202012.create_resource(DOCUMENT))


def check_told(name, answer):
    """Fails where an operation answers what its document does not tell."""
    responses = OPERATIONS[name]["responses"]
    assert str(answer.status) in responses, (name, answer)
    told = responses[str(answer.status)]
    if answer.status >= 400:
        assert f"`{answer.code}`" in told["description"], (name, answer)
    assert set(answer.headers) & WATCHED <= {each.lower() for each in told["headers"]}, name
    for fault in _validator(name, answer.status).iter_errors(answer.json):
        raise AssertionError((name, list(fault.path), fault.message, answer))


WATCHED = {"etag", "retry-after", "idempotency-replayed"}


@cache
def _validator(name, status):
    ((_, content),) = OPERATIONS[name]["responses"][str(status)]["content"].items()
    reference = content["schema"]["$ref"]
    return Draft202012Validator(
        {"$ref": f"told:{reference}"}, registry=REGISTRY, format_checker=FormatChecker()
    )
