"""Catalog files: YAML into a checked document, or its faults with line and column.

The YAML is read from the parser's events, in YAML 1.2's core schema: `no` and `on` are words,
not truth values, and no tag makes an object. What could grow without bound is counted instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from seatkeeper.domain.catalog_format import FAULTS_MAX, check_catalog
from seatkeeper.domain.catalog_shapes import Fault, FaultCode, below

CONTENT_BYTES_MAX: Final = 1 << 20
_DEPTH_MAX: Final = 32
_NODES_MAX: Final = 100_000
_DIGITS_MAX: Final = 30
_KEY_LENGTH_MAX: Final = 200  # it becomes part of every pointer below it

# What the parser says, in words that help: the commonest slips, told by the text of its complaint.
_SLIPS: Final = (
    ("'\\t'", "a tab cannot indent; use spaces"),
    (
        "mapping values are not allowed here",
        "a colon cannot stand here; put text that has one in quotes, or mend the indentation",
    ),
    ("cannot start any token", "no text begins with this character; put it in quotes"),
    ("could not find expected ':'", "a colon and a space must follow each key"),
    ("expected ',' or", "a comma or a closing bracket is missing before this"),
    ("unexpected end of stream", "the file ends inside a quoted text"),
)

_PLAIN: Final[tuple[tuple[re.Pattern[str], Callable[[str], object]], ...]] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(rf"[-+]?[0-9]{{1,{_DIGITS_MAX}}}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


@dataclass(frozen=True, slots=True)
class LocatedFault:
    """One fault of a file, for people and editors. Units: lines and columns count from 1."""

    line: int
    column: int
    pointer: str
    code: FaultCode
    message: str

    def __str__(self) -> str:
        place = f" ({self.pointer})" if self.pointer else ""
        return f"{self.line}:{self.column}: {self.message}{place}"


def read_catalog(
    content: bytes, *, seat_limit_max: int | None = None
) -> dict[str, Any] | list[LocatedFault]:
    """The checked document of a catalog file, or everything wrong with it.

    What is no YAML is one fault. `seat_limit_max`: as in `check_catalog`.
    Shapes: at most 100 faults, in order of line. Source: C4, C7.
    """
    try:
        root = _compose(_text(content))
    except _UnreadableError as unreadable:
        return [unreadable.fault]
    if not root.faults:
        found = check_catalog(root.node.value, seat_limit_max=seat_limit_max)
        root.faults.extend(_locate(root.node, fault) for fault in found)
    if root.faults:
        return sorted(root.faults, key=lambda fault: (fault.line, fault.column))[:FAULTS_MAX]
    document: dict[str, Any] = root.node.value
    return document


def locate(content: bytes, faults: Iterable[Fault]) -> list[LocatedFault]:
    """Where in a file that was read without a fault those stand that only a service can know."""
    root = _compose(_text(content))
    return [_locate(root.node, fault) for fault in faults]


def is_faulty(outcome: dict[str, Any] | list[LocatedFault]) -> TypeGuard[list[LocatedFault]]:
    """Whether `read_catalog` found faults instead of a document."""
    return isinstance(outcome, list)


class _UnreadableError(Exception):
    """The file cannot be read any further."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.fault = LocatedFault(line, column, "", FaultCode.INVALID_PLAN, message)


@dataclass(slots=True)
class _Node:
    """A value with the place of itself and of what is in it; `size` counts aliases in full."""

    value: Any
    line: int
    column: int
    size: int = 1
    children: dict[str, _Node] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; `key` is set between a key and its value."""

    node: _Node
    anchor: str | None
    pointer: str
    key: str | None = None
    repeated: bool = False


@dataclass(slots=True)
class _Root:
    node: _Node
    faults: list[LocatedFault]


def _text(content: bytes) -> str:
    if len(content) > CONTENT_BYTES_MAX:
        raise _UnreadableError(f"the file is larger than {CONTENT_BYTES_MAX} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise _UnreadableError("the file is not UTF-8 text", line, column) from None


def _events(text: str) -> Iterator[Event]:
    """The parser's events; its complaints in our words."""
    line, column = 1, 1
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line, column = _place(event)
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "this is not YAML"
        problem = next((said for part, said in _SLIPS if part in problem), problem)
        line, column = (mark.line + 1, mark.column + 1) if mark else (line, column)
        raise _UnreadableError(problem, line, column) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        raise _UnreadableError("a control character is not allowed", line, column) from None
    except (ValueError, OverflowError):
        # The scanner turns escapes and version numbers into integers without looking first.
        raise _UnreadableError("a number or an escape here is too large", line, column) from None


def _compose(text: str) -> _Root:
    """The one document of a file, built without recursion."""
    composer = _Composer()
    documents = 0
    for event in _events(text):
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _at(event, "the file must hold one document only")
        elif isinstance(event, NodeEvent):
            composer.begin(event)
        elif isinstance(event, CollectionEndEvent):
            composer.end()
    if composer.root is None:
        raise _UnreadableError("the file is empty")
    return _Root(composer.root, composer.faults)


def _place(event: Event) -> tuple[int, int]:
    assert event.start_mark is not None
    return event.start_mark.line + 1, event.start_mark.column + 1


def _at(event: Event, message: str) -> _UnreadableError:
    return _UnreadableError(message, *_place(event))


class _Composer:
    """Puts events together; keeps the count of everything that could grow."""

    def __init__(self) -> None:
        self.root: _Node | None = None
        self.faults: list[LocatedFault] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Node] = {}
        self._size = 0

    def begin(self, event: NodeEvent) -> None:
        """A scalar, an alias, or the start of a collection."""
        holder = self._open[-1] if self._open else None
        if holder is not None and holder.key is None and isinstance(holder.node.value, dict):
            self._name(holder, event)
            return
        node = self._node(event)
        self._count(node.size, event)
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(self._open) == _DEPTH_MAX:
                raise _at(event, f"this is nested more than {_DEPTH_MAX} levels deep")
            self._open.append(_Open(node, event.anchor, self._pointer()))
        else:
            self._put(node, event.anchor if isinstance(event, ScalarEvent) else None)

    def end(self) -> None:
        """The end of the innermost collection."""
        closed = self._open.pop()
        self._put(closed.node, closed.anchor)

    def _node(self, event: NodeEvent) -> _Node:
        if isinstance(event, AliasEvent):
            aliased = self._anchors.get(str(event.anchor))
            if aliased is None:
                raise _at(event, "this alias has no complete value before it")
            return aliased
        if getattr(event, "tag", None) is not None:
            raise _at(event, "tags are not allowed")
        if isinstance(event, ScalarEvent):
            return _Node(_scalar(event), *_place(event))
        return _Node({} if isinstance(event, MappingStartEvent) else [], *_place(event))

    def _name(self, holder: _Open, event: NodeEvent) -> None:
        """The key of the next entry of a mapping."""
        self._count(1, event)
        if not isinstance(event, ScalarEvent):
            raise _at(event, "a key must be one word")
        if event.anchor is not None or event.tag is not None:
            raise _at(event, "a key cannot have an anchor or a tag")
        key: str = event.value
        if len(key) > _KEY_LENGTH_MAX:
            raise _at(event, f"a key has at most {_KEY_LENGTH_MAX} characters")
        line, column = _place(event)
        holder.repeated = key in holder.node.keys
        if holder.repeated:
            first = holder.node.keys[key][0]
            message = f"this key stands here already, in line {first}"
            pointer = below(holder.pointer, key)
            fault = LocatedFault(line, column, pointer, FaultCode.INVALID_PLAN, message)
            self.faults.append(fault)
        else:
            holder.node.keys[key] = (line, column)
        holder.key = key

    def _put(self, node: _Node, anchor: str | None) -> None:
        """A complete value into what is open around it."""
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        holder = self._open[-1]
        holder.node.size += node.size
        if holder.key is None:
            holder.node.children[str(len(holder.node.value))] = node
            holder.node.value.append(node.value)
            return
        if not holder.repeated:
            holder.node.children[holder.key] = node
            holder.node.value[holder.key] = node.value
        holder.key = None

    def _pointer(self) -> str:
        if not self._open:
            return ""
        holder = self._open[-1]
        key = str(len(holder.node.value)) if holder.key is None else holder.key
        return below(holder.pointer, key)

    def _count(self, size: int, event: Event) -> None:
        self._size += size
        if self._size > _NODES_MAX:
            raise _at(event, f"the file holds more than {_NODES_MAX} values, aliases written out")


def _scalar(event: ScalarEvent) -> object:
    text: str = event.value
    if event.implicit[0]:  # plain, not quoted
        for pattern, made in _PLAIN:
            if pattern.fullmatch(text):
                return made(text)
    return text


def _locate(root: _Node, fault: Fault) -> LocatedFault:
    """A fault at the value it points to; at the name of an unknown field or of a collection.

    What is missing is told at what should hold it.
    """
    node, line, column = root, root.line, root.column
    for part in fault.pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        following = node.children.get(key)
        if following is None:
            return LocatedFault(line, column, fault.pointer, fault.code, fault.message)
        line, column = node.keys.get(key, (following.line, following.column))
        node = following
    if fault.code is FaultCode.INVALID_PLAN and not node.children:
        line, column = node.line, node.column
    return LocatedFault(line, column, fault.pointer, fault.code, fault.message)
