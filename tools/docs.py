"""Pages that are made from code: states of things, refusals with their ways out, the checks.

`make docs` writes them; a test fails when one of them says something else than the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from seatkeeper.api.wire import STATUS
from seatkeeper.domain import amendments, contracts, invitations, members, subscriptions
from seatkeeper.domain.refusals import SENTENCES, USUAL_WAYS, Code
from seatkeeper.verify import CHECKS, Check

DOCS: Final = Path(__file__).parents[1] / "docs"
MADE: Final = "Made by `make docs` from the code; do not edit.\n"
STATES: Final[Mapping[str, Mapping[Any, frozenset[Any]]]] = {
    "Subscription": subscriptions.TRANSITIONS,
    "Member": members.TRANSITIONS,
    "Invitation": invitations.TRANSITIONS,
    "Contract": contracts.CONTRACT_TRANSITIONS,
    "Amendment": amendments.AMENDMENT_TRANSITIONS,
}


def states() -> str:
    """A diagram for each table of states in the domain."""
    parts = [f"# States\n\n{MADE}"]
    parts += [f"## {name}\n\n{_diagram(table)}" for name, table in STATES.items()]
    return "\n".join(parts)


def _diagram(table: Mapping[StrEnum, frozenset[StrEnum]]) -> str:
    entered = set().union(*table.values())
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state}" for state in table if state not in entered]
    for state, following in table.items():
        lines += [f"    {state} --> {after}" for after in table if after in following]
        if not following:
            lines.append(f"    {state} --> [*]")
    return "\n".join([*lines, "```", ""])


def refusals() -> str:
    """Every code in order of precedence, with its status, its sentence and what always helps."""
    lines = [
        "# Refusals",
        "",
        MADE,
        "When several apply, the first is said. A decision can name ways out of its own, with what",
        "they take; these are the ones that always help.",
        "",
        "| Code | Status | Sentence | Ways out |",
        "|---|---|---|---|",
    ]
    for code in Code:
        ways = ", ".join(f"`{way}`" for way in USUAL_WAYS.get(code, ()))
        lines.append(f"| `{code}` | {STATUS[code]} | {SENTENCES[code]} | {ways} |")
    return "\n".join(lines) + "\n"


def checks() -> str:
    """Every check of `seatkeeper verify`."""
    lines = [
        "# What `seatkeeper verify` derives again",
        "",
        MADE,
        "All checks look at one snapshot and change nothing. With `--park`, the billing of whoever",
        "is found by one that says so is stopped until someone has looked: access stays.",
        "",
        "| | Check | Sentence | Cost | Parks |",
        "|---|---|---|---|---|",
    ]
    for check in sorted(CHECKS.values(), key=_place):
        parks = "yes" if check.parks else ""
        lines.append(
            f"| {check.invariant} | `{check.name}` | {check.sentence} | {check.cost} | {parks} |"
        )
    return "\n".join(lines) + "\n"


def _place(check: Check) -> tuple[str, int, str]:
    letter = check.invariant.rstrip("0123456789").rstrip("-")
    return letter, int(check.invariant.removeprefix(letter).lstrip("-")), check.name


PAGES: Final = {"states.md": states, "refusals.md": refusals, "checks.md": checks}


def main() -> None:
    """Writes every page."""
    for name, made in PAGES.items():
        (DOCS / name).write_text(made(), "utf-8")


if __name__ == "__main__":
    main()
