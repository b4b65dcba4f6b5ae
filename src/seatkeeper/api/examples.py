"""Examples for the OpenAPI document, made from schemas and a few familiar values."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

FAMILIAR: Final[Json] = {
    "currency": "EUR",
    "time_zone": "Europe/Vienna",
    "email": "ada@example.com",
    "emails": ["ada@example.com"],
    "user": "user-1815",
    "name": "Ada Lovelace",
    "seat_type": "member",
    "plan": "growth",
    "price": "monthly",
    "scopes": ["seats:read", "seats:assign"],
    "quantity": 5,
    "document": {"catalog": "shop", "name": "Our plans", "plans": {}},
}


def example_of(schema: Json, schemas: Json) -> Any:  # noqa: ANN401  any JSON
    """An instance of a schema, with what is required and, failing that, its first field."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example_of(schema[choice][0], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, schemas)
    if kind == "array":
        return [example_of(schema["items"], schemas)] if schema.get("minItems", 1) else []
    if kind == "integer":
        return schema.get("default", max(schema.get("minimum", 1), 1))
    if kind == "boolean":
        return schema.get("default", False)
    return _text(schema)


def _object(schema: Json, schemas: Json) -> Json:
    properties: Json = schema.get("properties", {})
    wanted = schema.get("required") or list(properties)[:1]
    return {
        name: FAMILIAR[name] if name in FAMILIAR else example_of(properties[name], schemas)
        for name in wanted
    }


def _text(schema: Json) -> str:
    if schema.get("format") == "date-time":
        return "2026-01-31T09:00:00Z"
    if schema.get("format") == "date":
        return "2026-01-31"
    return "example"
