"""The run: all checks on one snapshot; then, if asked, the billing of who is found is parked."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg

from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements
from seatkeeper.verify.checks import CHECKS, Check
from seatkeeper.verify.report import Finding, Report

RENEWALS: Final = Statements("renewals")
ROWS_MAX: Final = 100  # of one check in the report; all are counted
BATCH: Final = 1_000
ACTOR: Final = "verify"

OnCheck = Callable[[Check], None]


async def verify(
    dsn: str,
    now: datetime,
    *,
    park: bool = False,
    only: Collection[str] | None = None,
    on_check: OnCheck | None = None,
) -> Report:
    """Derives every invariant again from raw rows; `only` names the checks to run, by default all.

    All checks see one snapshot and change nothing. With `park` the billing of organizations is
    stopped for which an invariant is broken that money depends on. Cost: each check passes once
    over the tables it speaks of, sorting at most one of them. Source: invariants 2.0.
    """
    connection = await _connect(dsn)
    try:
        # What is read is one moment, however long it takes to look at it.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            findings = []
            for check in CHECKS.values():
                if only is not None and check.name not in only:
                    continue
                if on_check is not None:
                    on_check(check)
                findings.append(await look(connection, check, now))
        report = Report(now, tuple(findings))
        if park and report.to_park:
            parked = await _park(connection, report, now)
            report = Report(now, report.findings, parked)
    finally:
        await connection.close()
    return report


async def look(connection: asyncpg.Connection[Row], check: Check, now: datetime) -> Finding:
    """What one check finds, inside the caller's transaction. Rows are counted, not kept."""
    began = perf_counter()
    rows: list[dict[str, Any]] = []
    organizations: set[UUID] = set()
    count = 0
    arguments = (now,) if check.is_told_time else ()
    async for row in connection.cursor(check.sql, *arguments, prefetch=BATCH):
        count += 1
        if len(rows) < ROWS_MAX:
            rows.append(dict(row))
        if row["organization_id"] is not None:
            organizations.add(row["organization_id"])
    return Finding(check, count, tuple(rows), frozenset(organizations), perf_counter() - began)


async def _connect(dsn: str) -> asyncpg.Connection[Row]:
    return await asyncpg.connect(
        dsn,
        server_settings={
            "application_name": "seatkeeper verify",
            "timezone": "UTC",
            # Whole tables are joined here, by hash: a loop would be chosen where the planner takes
            # a million rows for one.
            "enable_nestloop": "off",
            "work_mem": "128MB",
            "jit": "off",
        },
    )


async def _park(
    connection: asyncpg.Connection[Row], report: Report, now: datetime
) -> tuple[UUID, ...]:
    broken = sorted({f.check.invariant for f in report.violated if f.check.parks})
    organizations = sorted(report.to_park)
    await Db(connection).run(
        RENEWALS.park,
        organization_ids=organizations,
        reason=f"verify found {', '.join(broken)} broken",
        now=now,
        actor=ACTOR,
    )
    return tuple(organizations)
