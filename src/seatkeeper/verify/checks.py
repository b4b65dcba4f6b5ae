"""The checks: one SQL file for each invariant, with a header that says what its rows mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_LABEL: Final = re.compile(r"-- (Columns|Cost|Parks): (.*)")
_FIRST: Final = re.compile(r"-- ([A-Z]+-?\d+): (.*)")
_NOW: Final = ":now"


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant as a statement that returns what breaks it, organization_id first.

    `invariant` is the id of the sentence in the catalogue of invariants or rules. `parks` says
    that money depends on it, so that whoever is found has their billing stopped.
    """

    name: str
    invariant: str
    sentence: str
    columns: str
    cost: str
    parks: bool
    sql: str

    @property
    def is_told_time(self) -> bool:
        """Whether the statement takes the instant as its one argument."""
        return "$1" in self.sql


def read(name: str, text: str) -> Check:
    """The check that a file holds. Raises: ValueError for a header that is not one."""
    lines = text.splitlines()
    first = _FIRST.fullmatch(lines[0]) if lines else None
    if first is None:
        message = f"{name}: the first line must be `-- ID: sentence.`"
        raise ValueError(message)
    said = {"Sentence": first[2]}
    label = "Sentence"
    for line in lines[1:]:
        if not line.startswith("--"):
            break
        if found := _LABEL.fullmatch(line):
            label = found[1]
            said[label] = found[2]
        else:
            said[label] += f" {line.removeprefix('--').strip()}"
    missing = {"Columns", "Cost", "Parks"} - set(said)
    if missing or said["Parks"] not in ("yes", "no"):
        message = f"{name}: the header lacks {', '.join(sorted(missing)) or 'yes or no at Parks'}"
        raise ValueError(message)
    return Check(
        name=name,
        invariant=first[1],
        sentence=said["Sentence"],
        columns=said["Columns"],
        cost=said["Cost"],
        parks=said["Parks"] == "yes",
        sql=text.replace(_NOW, "$1"),
    )


def _read_all() -> Mapping[str, Check]:
    folder = files("seatkeeper.verify").joinpath("checks")
    found = [
        read(file.name.removesuffix(".sql"), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    ]
    found.sort(key=lambda check: check.name)
    return MappingProxyType({check.name: check for check in found})


CHECKS: Final[Mapping[str, Check]] = _read_all()
