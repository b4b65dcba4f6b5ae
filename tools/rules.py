"""docs/rules.md: each rule with the tests that carry it, from the names of the tests.

`make rules` writes the page and prints the same as JSON:
{"A1": {"tests": ["tests/operations/test_x.py::test_a1_…"], "waits_for": null}, …}.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOUSE: Final = Path(__file__).parents[1]
INDEX: Final = HOUSE / "docs" / "rules_index.toml"
PAGE: Final = HOUSE / "docs" / "rules.md"
IDS: Final = re.compile(r"test_((?:[actg]\d+_)+)")
ROW: Final = re.compile(r"\| ([ACTG]\d+) \| [^|]* \| (.*) \|")
FAMILIES: Final = {
    "A": "Enterprise plans",
    "C": "Organization plans",
    "T": "Workspace plans",
    "G": "For all",
}
HEAD: Final = """# Rules and their tests

Made by `make rules` from the names of the tests; do not edit. A rule that has lost its test makes
`tests/test_rules.py` fail. *Waits for* names the part of the product that brings the rest of it.
"""


@dataclass(frozen=True)
class Rule:
    """A rule by its id, with a short title of ours."""

    id: str
    title: str
    waits_for: str | None


def index() -> Mapping[str, Rule]:
    """Every rule there is, in order."""
    families = tomllib.loads(INDEX.read_text("utf-8"))
    return {
        f"{letter}{number}": Rule(f"{letter}{number}", told["title"], told.get("waits_for"))
        for letter, rules in families.items()
        for number, told in rules.items()
    }


def ids_of(name: str) -> list[str]:
    """The rules that a test carries: test_a42_a43_moves carries A42 and A43."""
    found = IDS.match(name)
    return [] if found is None else found[1].upper().strip("_").split("_")


def found_in(path: str, tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """The tests of a file that carry rules, as pytest names them."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name):
                yield from found_in(path, node, f"{prefix}{name}::")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if ids_of(name):
                yield f"{path}::{prefix}{name}", ids_of(name)
            case _:
                pass


def carried() -> Mapping[str, list[str]]:
    """For each id that any test names, known or not, the tests that carry it."""
    found: dict[str, list[str]] = {}
    for path in sorted((HOUSE / "tests").rglob("test_*.py")):
        relative = str(path.relative_to(HOUSE))
        for test, ids in found_in(relative, ast.parse(path.read_text("utf-8"))):
            for each in ids:
                found.setdefault(each, []).append(test)
    return found


def covered(page: str) -> Mapping[str, list[str]]:
    """The rules that a page says have tests, with them."""
    rows = (ROW.fullmatch(line) for line in page.splitlines())
    found = {row[1]: re.findall(r"`([^`]+)`", row[2]) for row in rows if row is not None}
    return {rule: tests for rule, tests in found.items() if tests}


def page(rules: Mapping[str, Rule], tests: Mapping[str, list[str]]) -> str:
    """The page: every rule, its tests, and the ids that have none yet."""
    with_tests = [rule for rule in rules if tests.get(rule)]
    open_ones = [rule for rule in rules if not tests.get(rule)]
    waiting = [rule for rule in open_ones if rules[rule].waits_for is not None]
    missing = [rule for rule in open_ones if rules[rule].waits_for is None]
    counts = (
        f"{len(with_tests)} of {len(rules)} rules have tests; {len(waiting)} wait for a later part"
    )
    names = ", ".join(missing) or "–"
    lines = [HEAD, f"{counts} of the product; {len(missing)} have none yet: {names}."]
    for letter, title in FAMILIES.items():
        lines += ["", f"## {title}", "", "| | Rule | Tests | Waits for |", "|---|---|---|---|"]
        lines += [_row(rule, tests) for rule in rules.values() if rule.id[0] == letter]
    return "\n".join(lines) + "\n"


def _row(rule: Rule, tests: Mapping[str, list[str]]) -> str:
    named = "<br>".join(f"`{test}`" for test in tests.get(rule.id, ()))
    return f"| {rule.id} | {rule.title} | {named} | {rule.waits_for or ''} |"


def as_json(rules: Mapping[str, Rule], tests: Mapping[str, list[str]]) -> str:
    """The same for programs."""
    told = {
        rule.id: {"tests": tests.get(rule.id, []), "waits_for": rule.waits_for}
        for rule in rules.values()
    }
    return json.dumps(told, indent=2)


def main() -> None:
    """Writes the page and prints the JSON."""
    rules, tests = index(), carried()
    PAGE.write_text(page(rules, tests), "utf-8")
    sys.stdout.write(f"{as_json(rules, tests)}\n")


if __name__ == "__main__":
    main()
