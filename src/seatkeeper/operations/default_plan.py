"""The default plan: what an organization has that has bought nothing. Source: C9."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from seatkeeper.domain.catalog_format import plan_from
from seatkeeper.domain.policies import Payer
from seatkeeper.domain.quantities import Choice, People
from seatkeeper.domain.refusals import Refusal
from seatkeeper.domain.terms import decide_subscribe
from seatkeeper.operations.context import Context
from seatkeeper.operations.effect_words import Cause, effect_of_terms
from seatkeeper.operations.effects import apply_terms, insert_subscription
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.store.database import Db
from seatkeeper.store.statements import Statements

CATALOG: Final = Statements("catalog")


async def start_default(ctx: Context, db: Db) -> None:
    """Puts a new organization on its catalog's default plan, where there is one. Source: C9."""
    found = await default_choice(ctx, db)
    if found is None:
        return
    choice, version_id = found
    if choice.plan.policies.payer is Payer.MEMBER:
        return
    own = await db.one(ORGANIZATIONS.billing, organization_id=ctx.organization_id)
    people = People(membership_limit=own["membership_limit"])
    terms = decide_subscribe(choice, people, ctx.organization.time_zone, ctx.now)
    assert not isinstance(terms, Refusal), terms
    effect = effect_of_terms(terms, version_id)
    assert effect.terms is not None
    subscription_id = await insert_subscription(ctx, db, effect.terms)
    await apply_terms(ctx, db, subscription_id, effect.terms, Cause("default", subscription_id))


async def default_choice(ctx: Context, db: Db) -> tuple[Choice, UUID] | None:
    """The catalog's default plan at its price in the organization's currency, or None."""
    row = await db.row(CATALOG.default_plan, catalog_key=ctx.organization.catalog_key)
    if row is None:
        return None
    plan = plan_from(row["document"], catalog=row["catalog_key"], version=row["version"])
    price = plan.price_in(ctx.organization.currency)
    if price is None:
        # Free in every currency it is not priced in would be a guess; there is no default then.
        return None
    return Choice(plan, price), row["plan_version_id"]
