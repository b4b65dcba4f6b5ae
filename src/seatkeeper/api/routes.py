"""Routing: from method and path to the row of the table, one dictionary look-up a segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from seatkeeper.api.operation import Operation


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    parameter: tuple[str, _Node] | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Routes:
    """All routes of a table. A word wins over a parameter in the same place."""

    def __init__(self, table: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in table:
            node = self._root
            for segment in operation.path.strip("/").split("/"):
                node = _step(node, segment)
            assert operation.method not in node.operations, operation.path
            node.operations[operation.method] = operation

    def find(self, path: str) -> tuple[Mapping[str, Operation], dict[str, str]]:
        """The operations at a path by method (empty: no such path) and the path's parameters."""
        node = self._root
        parameters: dict[str, str] = {}
        for segment in path[1:].split("/"):
            word = node.words.get(segment)
            if word is not None:
                node = word
            elif node.parameter is not None and segment:
                name, node = node.parameter
                parameters[name] = segment
            else:
                return {}, parameters
        return node.operations, parameters


def _step(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.words.setdefault(segment, _Node())
    name = segment.strip("{}")
    if node.parameter is None:
        node.parameter = (name, _Node())
    assert node.parameter[0] == name, segment
    return node.parameter[1]
