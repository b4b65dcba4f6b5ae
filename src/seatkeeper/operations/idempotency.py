"""Idempotency: the same key and request give the same bytes, and the effect happens once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.context import Context
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.sealing import NONCE_BYTES, Seal
from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements

IDEMPOTENCY: Final = Statements("idempotency")
LEASE: Final = timedelta(seconds=30)  # after it a cut-off request may be taken up by its retry
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked under a key.

    With `one_transaction` effect and answer commit together. An answer that `tells_secret` is kept
    sealed.
    """

    operation: str
    hash: bytes
    one_transaction: bool
    tells_secret: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes to the caller, and whether it is a repetition."""

    status: int
    body: bytes
    replayed: bool = False


async def once(
    ctx: Context,
    request: Request,
    work: Callable[[], Awaitable[Any]],
    encode: Callable[[Any], tuple[int, bytes]],
) -> Answer:
    """Runs `work` at most once per key and gives its kept answer afterwards.

    Work that waits for a payment between two transactions calls `ctx.keep` in the transaction of
    its effect; a call that finds the key begun but unanswered runs the work again, which finds its
    own change. Refuses: idempotency_key_reused, request_in_progress. Source: G9, I-1 to I-6.
    """
    assert ctx.idempotency_key is not None
    key = {
        "principal_id": ctx.principal.key_id,
        "key_hash": ctx.key_hash,
    }
    made: list[Answer] = []

    async def keep(db: Db, result: Any) -> None:  # noqa: ANN401  any result can be kept
        status, body = encode(result)
        made[:] = [Answer(status, body)]
        if request.tells_secret:
            nonce = ctx.engine.new_secret()[:NONCE_BYTES]
            body = _seal(ctx, request).close(status, body, nonce=nonce)
        await db.run(
            IDEMPOTENCY.keep,
            **key,
            request_hash=request.hash,
            status=status,
            body=body,
            sealed=request.tells_secret,
            now=ctx.engine.clock(),
        )

    ctx.request_hash = request.hash
    async with ctx.transaction() as db:
        wall = ctx.engine.clock()
        row = await db.one(IDEMPOTENCY.claim, **key)
        if _answered(row, request, wall):
            return _kept(ctx, request, row)
        if request.one_transaction:
            await keep(db, await work())
            return made[0]
        await db.run(IDEMPOTENCY.begin, **key, request_hash=request.hash, now=wall)
    ctx.keep = keep
    try:
        result = await work()
    except Refused:
        # Refused before anything happened: the key is free for a corrected request. Source: I-4.
        async with ctx.transaction() as db:
            await db.run(IDEMPOTENCY.forget, **key, request_hash=request.hash)
        raise
    if not made:
        async with ctx.transaction() as db:
            await keep(db, result)
    return made[0]


def _answered(row: Row, request: Request, now: datetime) -> bool:
    """Whether an answer is kept; if not, the key is this request's to work under."""
    if not row["mine"]:
        raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
    if row["request_hash"] is None:
        return False
    if row["request_hash"] != request.hash:
        raise Refused(refuse(Code.IDEMPOTENCY_KEY_REUSED))
    if row["state"] == "working":
        if now - row["created_at"] < LEASE:
            raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
        return False
    return True


def _kept(ctx: Context, request: Request, row: Row) -> Answer:
    status, body = row["status"], row["body"]
    if row["sealed"]:
        body = _seal(ctx, request).open(status, body)
    return Answer(status, body, replayed=True)


def _seal(ctx: Context, request: Request) -> Seal:
    assert ctx.idempotency_key is not None
    key, principal_id = ctx.idempotency_key, ctx.principal.key_id
    return Seal(ctx.credential, key, principal_id, request.operation, request.hash)


async def free_cut_off(engine: Engine, *, now: datetime, most: int) -> int:
    """Frees up to `most` keys whose request was cut off and is not asked again; how many.

    What the request did stays: a change is completed by itself and knows whose request it is, so a
    retry that comes later finds it, and another request under the key is still refused. Source:
    I-5, I-6, R-3.
    """
    async with engine.database.transaction() as db:
        return await db.run(IDEMPOTENCY.free, before=now - LEASE, most=most)


async def drop_old(engine: Engine, *, now: datetime, most: int) -> int:
    """Drops up to `most` answers that were kept long enough; how many. Source: I-1."""
    async with engine.database.transaction() as db:
        return await db.run(IDEMPOTENCY.drop, before=now - KEPT, most=most)
