"""The report: what was looked at, what was found, and whose billing was stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.periods import instant_text
from seatkeeper.verify.checks import Check


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `rows` are the first of them, `count` says how many there are."""

    check: Check
    count: int
    rows: tuple[dict[str, Any], ...]
    organizations: frozenset[UUID]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """One look at one database, all checks on the same snapshot."""

    at: datetime
    findings: tuple[Finding, ...]
    parked: tuple[UUID, ...] = field(default=())

    @property
    def violated(self) -> tuple[Finding, ...]:
        """The findings with rows."""
        return tuple(finding for finding in self.findings if finding.count)

    @property
    def is_clean(self) -> bool:
        """Whether every invariant holds."""
        return not self.violated

    @property
    def to_park(self) -> frozenset[UUID]:
        """Organizations for which an invariant is broken on which money depends."""
        found = (finding.organizations for finding in self.violated if finding.check.parks)
        return frozenset().union(*found)

    def json(self) -> str:
        """The report for programs, in one stable shape."""
        return json.dumps(
            {
                "at": instant_text(self.at),
                "clean": self.is_clean,
                "checks": [_told(finding) for finding in self.findings],
                "parked": [OrganizationId.text(parked) for parked in self.parked],
            },
            default=_text,
            indent=2,
        )

    def lines(self) -> Iterator[str]:
        """The violations for people, a line each; what a row means stands above the rows."""
        for finding in self.violated:
            check = finding.check
            yield f"{check.invariant} {check.name}: {check.sentence} ({finding.count} found)"
            yield f"  {check.columns}"
            for row in finding.rows:
                yield "  " + "  ".join(f"{name}={value}" for name, value in row.items())


def _told(finding: Finding) -> dict[str, Any]:
    check = finding.check
    return {
        "check": check.name,
        "invariant": check.invariant,
        "sentence": check.sentence,
        "columns": check.columns,
        "parks": check.parks,
        "seconds": round(finding.seconds, 3),
        "count": finding.count,
        "rows": list(finding.rows),
    }


def _text(value: object) -> str:
    return instant_text(value) if isinstance(value, datetime) else str(value)
