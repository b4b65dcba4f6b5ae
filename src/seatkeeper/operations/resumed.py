"""Resuming: what was refused for want of seats is done once after they were bought."""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import msgspec

from seatkeeper.domain.refusals import Refused, refuse_field
from seatkeeper.operations.context import Context
from seatkeeper.operations.resume import read
from seatkeeper.store.database import Db, Unavailable
from seatkeeper.store.statements import Statements

CHANGES: Final = Statements("changes")

# Action names are permanent: they travel in tokens. Imported late, because these verbs sell seats.
ACTIONS: Final = {
    "invitations.create": ("invitations", "create", "CreateInvitations"),
    "invitations.resend": ("invitations", "resend", "ResendInvitation"),
    "members.add": ("members", "add", "AddMember"),
    "seats.assign": ("seats", "assign", "AssignSeat"),
    "seats.move": ("seats", "move", "MoveSeats"),
}

__all__ = ["check", "perform", "read"]


async def check(ctx: Context, db: Db, token: str) -> None:
    """Goes on with a token whose action is still to be done; asked before anything is charged.

    Refuses: invalid_request for one made up, another's, too old, or used. Source: C28, G8, I-3.
    """
    read(ctx, token)
    row = await db.one(CHANGES.is_resumed, organization_id=ctx.organization_id, token=_hash(token))
    if row["found"]:
        raise Refused(refuse_field("/resume", "was used: what was refused has been done."))


async def perform(ctx: Context, token: str, change_id: UUID) -> dict[str, Any]:
    """Does the action of a token after the change that bought its seats, and notes that it did.

    Its result, or the refusal it met: then the seats stay bought, and the token is good for
    another try.
    """
    resumed = read(ctx, token)
    module, verb, command = ACTIONS[resumed.action]
    found = import_module(f"seatkeeper.operations.{module}")
    try:
        result = await getattr(found, verb)(ctx, resumed.command(getattr(found, command)))
    except Refused as refused:
        refusal = refused.refusal
        return {
            "action": resumed.action,
            "done": False,
            "code": refusal.code,
            "detail": refusal.sentence,
        }
    except Unavailable:
        return {"action": resumed.action, "done": False, "code": "unavailable"}
    async with ctx.transaction() as db:
        await db.run(
            CHANGES.resumed,
            organization_id=ctx.organization_id,
            change_id=change_id,
            token=_hash(token),
        )
    return {"action": resumed.action, "done": True, "result": msgspec.to_builtins(result)}


def _hash(token: str) -> str:
    # The token tells whom someone invited; its hash is enough to know it again.
    return sha256(token.encode()).hexdigest()
