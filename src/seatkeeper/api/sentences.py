"""Sentences: what is wrong with a field, in words for people instead of Python's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import inspect

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": "an instant such as 2026-02-01T00:00:00Z",
    "date": "a day such as 2026-02-01",
}
_TYPE: Final = re.compile(r"`([a-z]+)( \| null)?`")
_DATETIME: Final = "Invalid RFC3339 encoded datetime"
_DATE: Final = "Invalid RFC3339 encoded date"
_STRANGE: Final = re.compile(r"Invalid (?:enum )?value ('.*'|-?\d+)", re.DOTALL)


def sentence_of(what: str, command: type[msgspec.Struct], path: Sequence[str]) -> str:
    """The library's complaint about the value at `path` of a command, for people."""
    if what == _DATETIME:
        return f"expected {_KINDS['datetime']}"
    if what == _DATE:
        return f"expected {_KINDS['date']}"
    if strange := _STRANGE.fullmatch(what):
        allowed = sorted(set(_allowed((inspect.type_info(command),), path)))
        return f"{strange[1]} is none of {', '.join(allowed)}" if allowed else what
    words = _TYPE.sub(lambda found: _KINDS.get(found[1], found[1]), what)
    return words[:1].lower() + words[1:]


def _allowed(kinds: Iterable[inspect.Type], path: Sequence[str]) -> Iterator[str]:
    """The values that may stand at a path: of an enumeration, or the tags of alternatives."""
    for kind in kinds:
        if isinstance(kind, inspect.UnionType):
            yield from _allowed(kind.types, path)
        elif isinstance(kind, inspect.Metadata):
            yield from _allowed((kind.type,), path)
        elif not path:
            yield from _values(kind)
        elif isinstance(kind, inspect.ListType):
            yield from _allowed((kind.item_type,), path[1:])
        elif isinstance(kind, inspect.StructType):
            if path == [kind.tag_field]:
                yield str(kind.tag)
            inner = (field.type for field in kind.fields if field.encode_name == path[0])
            yield from _allowed(inner, path[1:])


def _values(kind: Any) -> Iterator[str]:  # noqa: ANN401  any of the library's kinds
    if isinstance(kind, inspect.EnumType):
        yield from (str(member.value) for member in kind.cls)
    elif isinstance(kind, inspect.LiteralType):
        yield from (str(value) for value in kind.values)
