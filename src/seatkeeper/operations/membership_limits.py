"""The membership limit: pools that are as large as it follow when it changes."""

from __future__ import annotations

from seatkeeper.domain.choices import limit_for
from seatkeeper.domain.policies import Capacity
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.context import Context
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.operations.standing import plan_in_force
from seatkeeper.store.database import Db


async def follow(ctx: Context, db: Db, limit: int | None) -> None:
    """Gives the organization's pools the size of its new limit, also when more people are in it.

    Whoever waits is served where the limit was raised. Refuses: limit_managed_by_plan where the
    plan is based on seats. Source: C10, C11, C44, S-15.
    """
    plan = await plan_in_force(ctx, db)
    if plan is None:
        return
    if plan.capacity is not Capacity.MEMBERSHIP_LIMIT:
        raise Refused(refuse(Code.LIMIT_MANAGED_BY_PLAN, plan=plan.key))
    most = limit_for(plan, limit)
    size = QUANTITY_MAX if most is None else most
    rows = await db.rows(ORGANIZATIONS.limited_pools, organization_id=ctx.organization_id)
    changed = [row for row in rows if row["purchased"] != size]
    for row in changed:
        await db.run(
            ORGANIZATIONS.resize_pool,
            organization_id=ctx.organization_id,
            pool_id=row["pool_id"],
            size=size,
            delta=size - row["purchased"],
            entry_id=ctx.new_id(),
            now=ctx.now,
        )
    if any(row["purchased"] < size for row in changed):
        await serve_waiting(ctx, db)
