"""The schemas of the OpenAPI document: each under a telling name, and in words for its readers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from seatkeeper.api.operation import Operation
from seatkeeper.domain.ids import Id

Json = dict[str, Any]

REF: Final = "#/components/schemas/{name}"
# What stands behind these words in our docstrings is for whoever reads the source.
LABEL: Final = re.compile(r"\s*\b(Shapes|Refuses|Raises|Cost|Source):")
_UNION: Final = "AskedChange"
_NAMES: Final = {
    "DiscountView": "Discount",
    "Effective": "EffectiveDay",
    "Fact": "ExplainedFact",
    "Kind": "ContractKind",
    "SubscriptionView": "Subscription",
}


class Components:
    """The schemas of all commands and results by the struct they describe."""

    def __init__(self, table: Iterable[Operation]) -> None:
        kinds = list(dict.fromkeys(k for o in table for k in (o.command, o.result)))
        found, schemas = msgspec.json.schema_components(
            kinds, schema_hook=_identifier, ref_template=REF
        )
        self._by_kind = dict(zip(kinds, found, strict=True))
        self.schemas: Json = {}
        self._commands: Json = {}
        for name, schema in schemas.items():
            told = {key: self._tidy(value, key) for key, value in schema.items()}
            self.schemas[_named(name)] = {**told, "title": _named(name)}
        self._commands = dict(self.schemas)

    def ref(self, kind: Any) -> Json:  # noqa: ANN401  structs and their generic forms
        """The reference to a result."""
        return {"$ref": _renamed(self._by_kind[kind]["$ref"])}

    def command(self, operation: Operation) -> Json:
        """The full schema of a command."""
        schema: Json = self._commands[_name_in(self._by_kind[operation.command]["$ref"])]
        return schema

    def body(self, command: Json, properties: Json, required: list[str]) -> Json:
        """The schema of what of a command is sent in the body, as a component; its reference."""
        schema = {
            "title": command["title"],
            "description": command.get("description", ""),
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        if required:
            schema["required"] = required
        self.schemas[command["title"]] = schema
        return {"$ref": REF.format(name=command["title"])}

    def _tidy(self, value: Any, key: str = "") -> Any:  # noqa: ANN401  any JSON
        """The schema with shared parts under their names, without what only Python needs."""
        if isinstance(value, list):
            return [self._tidy(item) for item in value]
        if isinstance(value, str):
            return _text(key, value)
        if not isinstance(value, dict):
            return value
        tidy = {inner_key: self._tidy(inner, inner_key) for inner_key, inner in value.items()}
        if isinstance(tidy.get("enum"), list) and isinstance(tidy.get("title"), str):
            return self._shared(tidy["title"], tidy)
        if "mapping" in (tidy.get("discriminator") or ()):
            # A value is exactly one of these, which its discriminator says.
            tidy["oneOf"] = tidy.pop("anyOf")
            return self._shared(_UNION, {"title": _UNION, **tidy})
        return tidy

    def _shared(self, name: str, schema: Json) -> Json:
        known = self.schemas.setdefault(name, schema)
        for part in ("enum", "oneOf"):
            same = [sorted(map(str, each.get(part, ()))) for each in (known, schema)]
            assert same[0] == same[1], name
        return {"$ref": REF.format(name=name)}


def _identifier(kind: type[Any]) -> Json:
    assert issubclass(kind, Id), kind
    return {
        "type": "string",
        "pattern": f"^{kind.prefix}_[0-9a-v]{{26}}$",
        "description": inspect.getdoc(kind),
        "examples": [f"{kind.prefix}_06f3c8m2v1h5pb4sb30pvqmq6s"],
    }


def _text(key: str, value: str) -> str:
    if key == "pattern":
        return value.removesuffix(r"(?!\n)")
    if key == "description":
        return LABEL.split(value)[0].strip()
    return _renamed(value) if value.startswith("#/") else value


def _renamed(ref: str) -> str:
    return REF.format(name=_name_in(ref))


def _name_in(ref: str) -> str:
    return _named(ref.rpartition("/")[2])


def _named(name: str) -> str:
    page = re.fullmatch(r"Page_(\w+)_", name)
    return f"PageOf{_named(page[1])}" if page else _NAMES.get(name, name)
