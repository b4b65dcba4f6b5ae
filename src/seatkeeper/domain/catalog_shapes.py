"""Shapes: what part of a document may look like. Each finds faults, fills in, tells editors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final, Protocol

KEY_PATTERN: Final = "^[a-z][a-z0-9_-]{0,63}$"
_KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, surrogates, line separators
_POINTED_LENGTH_MAX: Final = 64


class FaultCode(StrEnum):
    """What kind of fault a document has; the names are those of the API's refusals."""

    INVALID_PLAN = "invalid_plan"
    UNKNOWN_FIELD = "unknown_field"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document, and where: a JSON pointer (RFC 6901)."""

    pointer: str
    code: FaultCode
    message: str


class Absent(Enum):
    """Marks a field that is needed, or one that is simply left out when not written."""

    REQUIRED = "required"
    OMITTED = "omitted"


class Shape(Protocol):
    """What a value may look like, in three uses which cannot drift apart."""

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """What is wrong with any JSON-like value; nothing when it fits."""

    def canonical(self, value: Any) -> Any:  # noqa: ANN401  JSON, and it has been checked
        """The one way to write a value that fits."""

    def schema(self) -> dict[str, object]:
        """The same in JSON Schema 2020-12, for editors."""


def invalid(pointer: str, message: str) -> Fault:
    """A fault of content."""
    return Fault(pointer, FaultCode.INVALID_PLAN, message)


def below(pointer: str, key: str) -> str:
    """The pointer to a member of what `pointer` points to."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def is_key(value: object) -> bool:
    """Whether a value can name a plan, price, seat type or feature."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


class _Plain:
    """A value that has one way of writing it."""

    __slots__ = ()

    def canonical(self, value: Any) -> Any:  # noqa: ANN401
        return value


@dataclass(frozen=True, slots=True)
class Whole(_Plain):
    """A whole number between two bounds, both allowed."""

    low: int
    high: int

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """A number with a decimal point is no whole number, even 20.0."""
        if not isinstance(value, int) or isinstance(value, bool):
            yield invalid(pointer, "must be a whole number")
        elif not self.low <= value <= self.high:
            yield invalid(pointer, f"must be from {self.low} to {self.high}")

    def schema(self) -> dict[str, object]:
        """An integer with bounds."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Flag(_Plain):
    """True or false."""

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """Neither numbers nor words."""
        if not isinstance(value, bool):
            yield invalid(pointer, "must be true or false")

    def schema(self) -> dict[str, object]:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class OneOf(_Plain):
    """One of a few words."""

    words: tuple[str, ...]
    what: str = ""

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """The message names the words, unless `what` says it shorter."""
        if not isinstance(value, str) or value not in self.words:
            yield invalid(pointer, f"must be {self.what or 'one of ' + ', '.join(self.words)}")

    def schema(self) -> dict[str, object]:
        """An enumeration."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Text(_Plain):
    """One line for people. Units: characters."""

    length_max: int = 200

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """No control characters, not empty, no space at either end."""
        if not isinstance(value, str):
            yield invalid(pointer, "must be a text")
        elif not 1 <= len(value) <= self.length_max:
            yield invalid(pointer, f"must have from 1 to {self.length_max} characters")
        elif any(unicodedata.category(character) in _UNSEEN for character in value):
            yield invalid(pointer, "must be one line without control characters")
        elif value != value.strip():
            yield invalid(pointer, "must not begin or end with a space")

    def schema(self) -> dict[str, object]:
        """A string; editors see no difference between characters."""
        return {"type": "string", "minLength": 1, "maxLength": self.length_max}


@dataclass(frozen=True, slots=True)
class Key(_Plain):
    """A name for programs: lower-case letters, digits, _ and -, at most 64, a letter first."""

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """Keys are permanent, so their syntax is narrow."""
        if not is_key(value):
            yield invalid(pointer, f"must be a key, such as pro_2 ({KEY_PATTERN})")

    def schema(self) -> dict[str, object]:
        """A string with a pattern."""
        return {"type": "string", "pattern": KEY_PATTERN}


@dataclass(frozen=True, slots=True)
class OrNull:
    """A shape, or null for none."""

    shape: Shape

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """Null always fits."""
        if value is not None:
            yield from self.shape.faults(pointer, value)

    def canonical(self, value: Any) -> Any:  # noqa: ANN401
        """Null, or what the shape makes of it."""
        return None if value is None else self.shape.canonical(value)

    def schema(self) -> dict[str, object]:
        """Either of the two."""
        return {"anyOf": [self.shape.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `is_set` when order means nothing and nothing may stand in it twice."""

    shape: Shape
    length_max: int
    length_min: int = 0
    is_set: bool = False

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """Of the list, then of each item."""
        if not isinstance(value, list):
            yield invalid(pointer, "must be a list")
            return
        if not self.length_min <= len(value) <= self.length_max:
            yield invalid(pointer, f"must have from {self.length_min} to {self.length_max} items")
            return
        seen: set[object] = set()
        for number, item in enumerate(value):
            sound = True
            for fault in self.shape.faults(f"{pointer}/{number}", item):
                sound = False
                yield fault
            if sound and self.is_set:
                if item in seen:
                    yield invalid(f"{pointer}/{number}", "stands in the list twice")
                seen.add(item)

    def canonical(self, value: Any) -> Any:  # noqa: ANN401
        """Each item; sorted when order means nothing."""
        items = [self.shape.canonical(item) for item in value]
        return sorted(items) if self.is_set else items

    def schema(self) -> dict[str, object]:
        """An array."""
        schema: dict[str, object] = {"type": "array", "items": self.shape.schema()}
        schema["maxItems"] = self.length_max
        if self.length_min:
            schema["minItems"] = self.length_min
        if self.is_set:
            schema["uniqueItems"] = True
        return schema


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from keys to values of one shape."""

    shape: Shape
    length_max: int
    length_min: int = 0

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """Of the mapping, of each key, of each value."""
        if not isinstance(value, Mapping):
            yield invalid(pointer, "must be a mapping")
            return
        if not self.length_min <= len(value) <= self.length_max:
            yield invalid(pointer, f"must have from {self.length_min} to {self.length_max} entries")
            return
        for key, item in value.items():
            if is_key(key):
                yield from self.shape.faults(below(pointer, key), item)
            else:
                yield invalid(_named(pointer, key), f"every name here must match {KEY_PATTERN}")

    def canonical(self, value: Any) -> Any:  # noqa: ANN401
        """Each value, in the order of the keys."""
        return {key: self.shape.canonical(value[key]) for key in sorted(value)}

    def schema(self) -> dict[str, object]:
        """An object with free names."""
        schema: dict[str, object] = {
            "type": "object",
            "propertyNames": {"pattern": KEY_PATTERN},
            "additionalProperties": self.shape.schema(),
            "maxProperties": self.length_max,
        }
        if self.length_min:
            schema["minProperties"] = self.length_min
        return schema


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: its shape, a sentence for editors, and what stands for nothing."""

    shape: Shape
    note: str
    default: object = Absent.REQUIRED


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with these fields and no others; exactly one of the `either` is needed."""

    fields: Mapping[str, Field]
    either: tuple[str, ...] = ()
    required: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        needed = (k for k, part in self.fields.items() if part.default is Absent.REQUIRED)
        object.__setattr__(self, "required", frozenset(needed))

    def faults(self, pointer: str, value: object) -> Iterator[Fault]:
        """Missing fields point to the record, unknown ones to themselves."""
        if not isinstance(value, Mapping):
            yield invalid(pointer, "must be a mapping")
            return
        for key in self.fields:
            if key in self.required and key not in value:
                yield invalid(pointer, f"lacks the field {key}")
        if self.either and sum(key in value for key in self.either) != 1:
            yield invalid(pointer, f"needs exactly one of the fields {', '.join(self.either)}")
        for key, item in value.items():
            known = self.fields.get(key) if isinstance(key, str) else None
            if known is None:
                message = "there is no such field; use one of " + ", ".join(self.fields)
                yield Fault(_named(pointer, key), FaultCode.UNKNOWN_FIELD, message)
            else:
                yield from known.shape.faults(below(pointer, str(key)), item)

    def canonical(self, value: Any) -> Any:  # noqa: ANN401
        """Every field written out, also those which were left to their default."""
        whole: dict[str, Any] = {}
        for key, part in self.fields.items():
            if key in value:
                whole[key] = part.shape.canonical(value[key])
            elif part.default is not Absent.OMITTED:
                whole[key] = part.shape.canonical(part.default)
        return whole

    def schema(self) -> dict[str, object]:
        """An object with these properties."""
        properties: dict[str, object] = {}
        for key, part in self.fields.items():
            told = {} if isinstance(part.default, Absent | dict) else {"default": part.default}
            properties[key] = {"description": part.note, **part.shape.schema(), **told}
        schema: dict[str, object] = {"type": "object", "properties": properties}
        schema["additionalProperties"] = False
        if self.required:
            schema["required"] = [key for key in self.fields if key in self.required]
        if self.either:
            schema["oneOf"] = [{"required": [key]} for key in self.either]
        return schema


def _named(pointer: str, key: object) -> str:
    """The pointer to a strange name, or to its owner when the name cannot be shown."""
    if not isinstance(key, str) or len(key) > _POINTED_LENGTH_MAX:
        return pointer
    return below(pointer, key)
