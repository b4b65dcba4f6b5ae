"""The inside of inviting: tokens, holds for a whole batch, and what becomes of overdue ones."""

from __future__ import annotations

from base64 import b32hexdecode, b32hexencode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from seatkeeper.domain.invitations import decide_all_holds, decide_holds, holds_seat, lifetime
from seatkeeper.domain.members import Role
from seatkeeper.domain.refusals import Code, Refusal, Refused, refuse
from seatkeeper.domain.seats import SeatPool
from seatkeeper.operations.context import Context
from seatkeeper.operations.queue import serve_waiting
from seatkeeper.operations.seating import Room, lock_room, look_again
from seatkeeper.store.database import Db, Row
from seatkeeper.store.invitations import INVITATIONS

PREFIX: Final = "ivt_"
EXPIRED_MAX: Final = 500
_ID_LETTERS: Final = 26
_SECRET_LETTERS: Final = 52


@dataclass(frozen=True, slots=True)
class Invitee:
    """Someone to be invited, by a normalized address."""

    email: str
    role: Role
    seat_type: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation that was made, and the token that is shown once."""

    invitation_id: UUID
    token: str


def new_token(ctx: Context) -> str:
    """A fresh token: the organization, so that it is found there, and 256 random bits."""
    return PREFIX + _letters(ctx.organization_id.bytes) + _letters(ctx.engine.new_secret())


def token_hash(token: str) -> bytes:
    """What the database keeps of a token."""
    return sha256(token.encode()).digest()


def organization_of(token: str) -> UUID | None:
    """The organization a token names; None for what is no token."""
    letters = token.removeprefix(PREFIX)
    if not token.startswith(PREFIX) or len(letters) != _ID_LETTERS + _SECRET_LETTERS:
        return None
    try:
        return UUID(bytes=b32hexdecode(f"{letters[:_ID_LETTERS].upper()}======"))
    except ValueError:
        return None


async def expire_overdue(ctx: Context, db: Db, most: int = EXPIRED_MAX) -> int:
    """Notes which invitations are past their time and frees their seats; how many.

    The caller holds the pools' locks. Source: A53, C53, S-10, S-15.
    """
    rows = await db.rows(
        INVITATIONS.lock_due, organization_id=ctx.organization_id, now=ctx.now, most=most
    )
    if rows:
        await close(ctx, db, [row["invitation_id"] for row in rows], "expired")
        await serve_waiting(ctx, db)
    return len(rows)


async def close(ctx: Context, db: Db, invitation_ids: Sequence[UUID], state: str) -> None:
    """Ends pending invitations and releases their holds, each exactly once. Source: S-10."""
    await db.run(
        INVITATIONS.close,
        organization_id=ctx.organization_id,
        invitation_ids=invitation_ids,
        state=state,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )


async def lock_fresh_room(ctx: Context, db: Db) -> Room:
    """The locked pools, after what is overdue has left its seats."""
    room = await lock_room(ctx, db)
    return await look_again(ctx, db, room) if await expire_overdue(ctx, db) else room


def holds_for(
    room: Room, invitees: Sequence[Invitee], *, partial: bool
) -> Sequence[SeatPool | Refusal | None]:
    """The pool that holds each one's seat; None where the plan holds none.

    Refuses: for all together unless `partial`. Source: A50, A51, A55, T9.
    """
    plan = room.plan
    wanted = [invitee.seat_type for invitee in invitees]
    if plan is None or not holds_seat(plan):
        unheld = [_unheld(room, seat_type) for seat_type in wanted]
        if not partial and (refused := next((one for one in unheld if one), None)):
            raise Refused(refused)
        return unheld
    choice = plan.policies.type_self_joined
    entry = plan.entry_type.key
    if partial:
        return decide_holds(room.shared, wanted, choice, entry)
    outcomes = decide_all_holds(room.shared, wanted, choice, entry)
    if isinstance(outcomes, Refusal):
        raise Refused(outcomes)
    return outcomes


def _unheld(room: Room, seat_type: str | None) -> Refusal | None:
    known = room.plan is not None and seat_type in room.plan.seat_types
    if seat_type is None or known:
        return None
    return refuse(Code.SEAT_TYPE_NOT_OWNED, seat_type=seat_type)


async def insert(
    ctx: Context, db: Db, room: Room, invitees: Sequence[tuple[Invitee, SeatPool | None]]
) -> Sequence[Sent]:
    """Makes the invitations with their holds. Cost: one statement whatever the size."""
    sent = [Sent(ctx.new_id(), new_token(ctx)) for _ in invitees]
    await db.run(
        INVITATIONS.create,
        organization_id=ctx.organization_id,
        invitation_ids=[one.invitation_id for one in sent],
        emails=[invitee.email for invitee, _ in invitees],
        roles=[invitee.role for invitee, _ in invitees],
        seat_types=[invitee.seat_type for invitee, _ in invitees],
        token_hashes=[token_hash(one.token) for one in sent],
        pool_ids=[None if pool is None else pool.pool_id for _, pool in invitees],
        hold_ids=[ctx.new_id() for _ in invitees],
        expires_at=ctx.now + lifetime(room.plan),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    return sent


async def renew(ctx: Context, db: Db, room: Room, row: Row) -> str:
    """Sends a locked invitation again: another token, another life, and its seat. Source: A53."""
    pool = None
    if row["pool_id"] is None:
        invitee = Invitee(row["email"], Role(row["role"]), row["seat_type"])
        pool = holds_for(room, [invitee], partial=False)[0]
    if isinstance(pool, Refusal):
        raise Refused(pool)
    token = new_token(ctx)
    await db.run(
        INVITATIONS.renew,
        organization_id=ctx.organization_id,
        invitation_id=row["invitation_id"],
        token_hash=token_hash(token),
        pool_id=None if pool is None else pool.pool_id,
        hold_id=ctx.new_id(),
        expires_at=ctx.now + lifetime(room.plan),
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
    )
    return token


def _letters(raw: bytes) -> str:
    return b32hexencode(raw).decode().lower().rstrip("=")
