"""Resuming: what was refused for want of seats is done once after they were bought."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import msgspec

from seatkeeper.domain.refusals import Refused
from seatkeeper.operations.context import Context
from seatkeeper.operations.resume import read
from seatkeeper.store.database import Unavailable

# Action names are permanent: they travel in tokens. Imported late, because these verbs sell seats.
ACTIONS: Final = {
    "invitations.create": ("invitations", "create", "CreateInvitations"),
    "invitations.resend": ("invitations", "resend", "ResendInvitation"),
    "members.add": ("members", "add", "AddMember"),
    "seats.assign": ("seats", "assign", "AssignSeat"),
    "seats.move": ("seats", "move", "MoveSeats"),
}

__all__ = ["perform", "read"]


async def perform(ctx: Context, token: str) -> dict[str, Any]:
    """Does the action of a token; its result, or the refusal it met: the seats stay bought."""
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
    return {"action": resumed.action, "done": True, "result": msgspec.to_builtins(result)}
