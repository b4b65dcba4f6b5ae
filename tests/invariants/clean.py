"""What other suites end with: every invariant of a database holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from seatkeeper.verify import CHECKS, Finding, verify


async def assert_clean(
    dsn: str,
    now: datetime | None = None,
    *,
    organizations: Collection[UUID] | None = None,
    without: Collection[str] = (),
) -> None:
    """Fails with the offending rows when an invariant is broken.

    In a database that suites share, `organizations` names those to answer for. `without` names
    checks that cannot hold for rows which a suite wrote by hand, such as seats without events.
    """
    unknown = set(without) - set(CHECKS)
    assert not unknown, f"there are no such checks: {unknown}"
    report = await verify(
        dsn, now or datetime.now(UTC), only=[name for name in CHECKS if name not in without]
    )
    broken = [found for found in report.violated if _concerns(found, organizations)]
    assert not broken, "\n" + "\n".join(report.lines())


def _concerns(found: Finding, organizations: Collection[UUID] | None) -> bool:
    return organizations is None or bool(found.organizations & set(organizations))
