"""Named SQL statements, read once from the `.sql` file beside each module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

_HEADER = re.compile(r"^-- (?P<name>[a-z][a-z0-9_]*): (?P<sentence>.+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its permanent name, its sentence, its text for the wire and its parameters."""

    name: str
    sentence: str
    sql: str
    parameters: tuple[str, ...]


class Statements:
    """The statements of one noun by name; an unknown name fails at import of the caller."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        text = files("seatkeeper.store").joinpath(f"{noun}.sql").read_text("utf-8")
        headers = list(_HEADER.finditer(text))
        self._by_name: dict[str, Statement] = {}
        for header, following in zip(headers, [*headers[1:], None], strict=True):
            body = text[header.end() : following.start() if following else len(text)]
            statement = _statement(f"{noun}.{header['name']}", header["sentence"], body)
            assert header["name"] not in self._by_name, statement.name
            self._by_name[header["name"]] = statement

    def __getattr__(self, name: str) -> Statement:
        try:
            return self._by_name[name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
        return iter(self._by_name.values())


def _statement(name: str, sentence: str, body: str) -> Statement:
    sql = "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("--"))
    parameters: list[str] = []

    def position(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            parameters.append(match[1])
        return f"${parameters.index(match[1]) + 1}"

    text = _PARAMETER.sub(position, sql).strip().rstrip(";")
    return Statement(name, sentence, f"/* {name} */ {text}", tuple(parameters))
