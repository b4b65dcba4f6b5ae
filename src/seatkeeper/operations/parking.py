"""Parking: an operator looks at what was stopped, and lets the billing run again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from seatkeeper.domain.ids import OrganizationId
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.operations.context import Context
from seatkeeper.operations.contract_terms import tell
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.organizations import Organization, ReadOrganization, show
from seatkeeper.operations.payment_words import Reference
from seatkeeper.operations.words import Command, Instant
from seatkeeper.store.contracts import CONTRACTS

AHEAD_MAX: Final = timedelta(days=366)


class Unpark(Command):
    """Let the billing run again; periods up to `catch_up_until` (now) may be billed late."""

    organization: OrganizationId
    reason: Reference
    catch_up_until: Instant | None = None


async def unpark(ctx: Context, command: Unpark) -> Organization:
    """Let a parked organization's billing run again, on an operator's word.

    Twice succeeds. Refuses: forbidden, invalid_request (more than a year ahead). Source: M-19.
    """
    if ctx.principal.vendor_role != VendorRole.OPERATOR or ctx.actor is not None:
        raise Refused(refuse(Code.FORBIDDEN, detail="This takes the key of an operator."))
    until = command.catch_up_until or ctx.now
    if until > ctx.now + AHEAD_MAX:
        raise Refused(refuse(Code.INVALID_REQUEST, detail="At most a year ahead."))
    async with ctx.transaction() as db:
        row = await db.one(ORGANIZATIONS.lock, organization_id=ctx.organization_id)
        await db.run(CONTRACTS.unpark, organization_id=ctx.organization_id, catch_up_until=until)
        facts = {
            "reason": command.reason,
            "catch_up_until": instant_text(until),
            "parked_reason": row["parked_reason"],
        }
        await tell(ctx, db, "organization.unparked", ctx.organization_id, facts)
        return await show(ctx, ReadOrganization(organization=command.organization))
