"""The catalog: read it, and apply a document to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from seatkeeper.domain.catalog_fields import MEMBERSHIP_LIMIT
from seatkeeper.domain.catalog_format import (
    PlanDocument,
    check_catalog,
    diff,
    normalized,
    plans_from,
)
from seatkeeper.domain.catalog_shapes import Fault, FaultCode, below
from seatkeeper.domain.refusals import Code, Json, Refusal, Refused, refuse
from seatkeeper.operations.answers import DifferenceKindText, Moment
from seatkeeper.operations.context import Context
from seatkeeper.operations.engine import CATALOG
from seatkeeper.operations.events import tell_vendor
from seatkeeper.operations.words import Command, Key, Result
from seatkeeper.store.database import Db, Row


class ReadCatalog(Command):
    """All catalogs, or the one of a key."""

    catalog: Key | None = None


class AppliedCatalog(Result):
    """A catalog as it was applied last."""

    catalog: Key
    name: str
    document: dict[str, Any]
    applied_at: Moment


class Catalogs(Result):
    """Every catalog by key; most vendors have one."""

    items: list[AppliedCatalog]


class ApplyCatalog(Command):
    """Make a document the catalog of its key; `dry_run` only tells what would change."""

    document: dict[str, Any]
    dry_run: bool = False


class CatalogDifference(Result):
    """One difference, at a JSON pointer into the document before or after."""

    kind: DifferenceKindText
    path: str
    before: Any = None
    after: Any = None


class CatalogChange(Result):
    """What applying a document changed, and the plans that have a new version by it."""

    catalog: Key
    dry_run: bool
    differences: list[CatalogDifference]
    versions: dict[str, int]


async def show(ctx: Context, command: ReadCatalog) -> Catalogs:
    """The catalogs as they were applied last. Cost: one statement."""
    _only_for_vendor(ctx)
    async with ctx.connection() as db:
        rows = await db.rows(CATALOG.documents, catalog_key=command.catalog)
    return Catalogs(
        items=[
            AppliedCatalog(
                catalog=row["catalog_key"],
                name=row["name"],
                document=row["document"],
                applied_at=row["applied_at"],
            )
            for row in rows
        ]
    )


async def apply(ctx: Context, command: ApplyCatalog) -> CatalogChange:
    """Make a document the catalog of its key; existing subscriptions keep their versions.

    A plan gets a new version only when its meaning changed; one that is missing now is no longer
    offered. Other catalogs stay as they are. Refuses: invalid_plan with every fault at its pointer.
    Source: C5, C7, design §4.
    """
    _only_for_vendor(ctx)
    document = command.document
    if faults := check_catalog(document, seat_limit_max=ctx.engine.seat_limit_max):
        raise Refused(_invalid(faults))
    key = document["catalog"]
    async with ctx.transaction() as db:
        await db.run(CATALOG.lock)
        before = await db.row(CATALOG.documents, catalog_key=key)
        latest = {
            r["plan_key"]: r for r in await db.rows(CATALOG.latest_versions, catalog_key=None)
        }
        if foreign := _foreign(latest, document):
            raise Refused(_invalid(foreign))
        differences = diff(None if before is None else before["document"], document)
        edition = _edition(key, latest, plans_from(document))
        if not command.dry_run and (before is None or before["document"] != document):
            await _keep(ctx, db, document, edition)
    return CatalogChange(
        catalog=key,
        dry_run=command.dry_run,
        differences=[
            CatalogDifference(kind=d.kind, path=d.path, before=d.before, after=d.after)
            for d in differences
        ],
        versions=edition.versions,
    )


def _only_for_vendor(ctx: Context) -> None:
    if ctx.principal.organization_id is not None:
        sentence = "A key that is bound to one organization cannot reach the whole catalog."
        raise Refused(refuse(Code.FORBIDDEN, detail=sentence))


def _invalid(faults: Iterable[Fault]) -> Refusal:
    errors: list[Json] = [
        {"pointer": f"/document{fault.pointer}", "code": fault.code, "detail": fault.message}
        for fault in faults
    ]
    first = errors[0]
    return Refusal(
        Code.INVALID_PLAN, {"errors": errors}, detail=f"{first['pointer']}: {first['detail']}."
    )


def _foreign(latest: Mapping[str, Row], document: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(
            below("/plans", key),
            FaultCode.INVALID_PLAN,
            f"the catalog {latest[key]['catalog_key']} has a plan of this key already;"
            " plan keys are unique across all catalogs",
        )
        for key in document["plans"]
        if key in latest and latest[key]["catalog_key"] != document["catalog"]
    ]


@dataclass(frozen=True, slots=True)
class _Edition:
    """What applying a document does to the plan versions."""

    changed: Mapping[str, PlanDocument]
    versions: dict[str, int]
    again: tuple[UUID, ...]
    gone: tuple[str, ...]


def _edition(
    catalog: str, latest: Mapping[str, Row], wanted: Mapping[str, PlanDocument]
) -> _Edition:
    own = {key: row for key, row in latest.items() if row["catalog_key"] == catalog}
    same = {key for key, row in own.items() if normalized(row["document"]) == wanted.get(key)}
    changed = {key: plan for key, plan in wanted.items() if key not in same}
    return _Edition(
        changed=changed,
        versions={key: own[key]["version"] + 1 if key in own else 1 for key in changed},
        again=tuple(own[key]["plan_version_id"] for key in sorted(same) if own[key]["retired_at"]),
        gone=tuple(key for key, row in own.items() if key not in wanted and not row["retired_at"]),
    )


async def _keep(ctx: Context, db: Db, document: dict[str, Any], edition: _Edition) -> None:
    key = document["catalog"]
    await db.run(
        CATALOG.apply,
        catalog_key=key,
        name=document["name"],
        default_plan=document.get("default_plan"),
        membership_limit=document.get("membership_limit", MEMBERSHIP_LIMIT),
        document=document,
        now=ctx.now,
    )
    await db.run(
        CATALOG.retire, catalog_key=key, plan_keys=[*edition.gone, *edition.changed], now=ctx.now
    )
    await db.run(CATALOG.offer_again, catalog_key=key, plan_version_ids=list(edition.again))
    await db.run(
        CATALOG.insert_versions,
        catalog_key=key,
        plan_version_ids=[ctx.new_id() for _ in edition.changed],
        plan_keys=list(edition.changed),
        versions=[edition.versions[plan] for plan in edition.changed],
        documents=list(edition.changed.values()),
        now=ctx.now,
    )
    facts = {"catalog": key, "versions": edition.versions, "retired": list(edition.gone)}
    await tell_vendor(ctx, db, "catalog.applied", ctx.principal.key_id, facts)
