"""Idempotency: the same key and request give the same bytes, and the effect happens once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.context import Context
from seatkeeper.store.database import Db
from seatkeeper.store.statements import Statements

IDEMPOTENCY: Final = Statements("idempotency")
LEASE: Final = timedelta(seconds=30)  # after it a cut-off request may be taken up by its retry


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes to the caller, and whether it is a repetition."""

    status: int
    body: bytes
    replayed: bool = False


async def once(
    ctx: Context,
    request_hash: bytes,
    work: Callable[[], Awaitable[Any]],
    encode: Callable[[Any], tuple[int, bytes]],
    *,
    one_transaction: bool,
) -> Answer:
    """Runs `work` at most once per key and gives its kept answer afterwards.

    With `one_transaction` effect and answer commit together. Otherwise the work, which waits for
    a payment between two transactions, calls `ctx.keep` in the transaction of its effect; a call
    that finds the key begun but unanswered runs the work again, which finds its own change.
    Refuses: idempotency_key_reused, request_in_progress. Source: G9, I-1 to I-6.
    """
    assert ctx.idempotency_key is not None
    key = {"principal_id": ctx.principal.key_id, "key": ctx.idempotency_key}
    made: list[Answer] = []

    async def keep(db: Db, result: Any) -> None:  # noqa: ANN401  any result can be kept
        status, body = encode(result)
        made[:] = [Answer(status, body)]
        await db.run(
            IDEMPOTENCY.keep,
            **key,
            request_hash=request_hash,
            status=status,
            body=body,
            now=ctx.engine.clock(),
        )

    async with ctx.transaction() as db:
        wall = ctx.engine.clock()
        if (kept := await _claimed(db, key, request_hash, wall)) is not None:
            return kept
        if one_transaction:
            await keep(db, await work())
            return made[0]
        await db.run(IDEMPOTENCY.begin, **key, request_hash=request_hash, now=wall)
    ctx.keep = keep
    try:
        result = await work()
    except Refused:
        # Refused before anything happened: the key is free for a corrected request. Source: I-4.
        async with ctx.transaction() as db:
            await db.run(IDEMPOTENCY.forget, **key)
        raise
    if not made:
        async with ctx.transaction() as db:
            await keep(db, result)
    return made[0]


async def _claimed(
    db: Db, key: dict[str, object], request_hash: bytes, now: datetime
) -> Answer | None:
    row = await db.one(IDEMPOTENCY.claim, **key)
    if not row["mine"]:
        raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
    if row["request_hash"] is None:
        return None
    if row["request_hash"] != request_hash:
        raise Refused(refuse(Code.IDEMPOTENCY_KEY_REUSED))
    if row["state"] == "working":
        if now - row["created_at"] < LEASE:
            raise Refused(refuse(Code.REQUEST_IN_PROGRESS))
        return None
    return Answer(row["status"], row["body"], replayed=True)
