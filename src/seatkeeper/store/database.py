"""The connection pool, transactions, and the one place where faults of the database get a name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.store.statements import Statement

Row = asyncpg.Record

# Constraint names are permanent; a violation that reaches us is a race lost, not a bug.
REFUSAL_OF_CONSTRAINT: Final = {
    "member_once": Code.ALREADY_EXISTS,
    "member_email_once": Code.ALREADY_EXISTS,
    "user_external_id_once": Code.ALREADY_EXISTS,
    "invitation_email_once": Code.ALREADY_EXISTS,
    "invitation_token_once": Code.ALREADY_EXISTS,
    "assignment_live_once": Code.SEAT_CONFLICT,
    "subscription_once": Code.STATE_CONFLICT,
    "member_subscription_once": Code.STATE_CONFLICT,
    "seat_request_waiting_once": Code.STATE_CONFLICT,
    "change_quote_once": Code.STATE_CONFLICT,
    "change_paying_once": Code.REQUEST_IN_PROGRESS,
    "change_slot_once": Code.STATE_CONFLICT,
    "contract_once": Code.STATE_CONFLICT,
    "invoice_prefix_once": Code.ALREADY_EXISTS,
    "plan_version_once": Code.STATE_CONFLICT,
    "seat_pool_once": Code.STATE_CONFLICT,
    "member_seat_pool_once": Code.STATE_CONFLICT,
    "invoice_cause_once": Code.STATE_CONFLICT,
    "credit_note_cause_once": Code.STATE_CONFLICT,
    "payment_succeeds_once": Code.STATE_CONFLICT,
    "primary_owner_once": Code.STATE_CONFLICT,
}


class Unavailable(Exception):
    """The database could not answer now; the same request may succeed later."""


class Db:
    """One connection for the length of one story. Statements run under their own names."""

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  pool proxies have no type
        self.connection = connection

    async def rows(self, statement: Statement, **values: object) -> list[Row]:
        """All rows. Raises: Refused on a named constraint, Unavailable on a fault."""
        with _named_faults():
            arguments = [values[name] for name in statement.parameters]
            found: list[Row] = await self.connection.fetch(statement.sql, *arguments)
            return found

    async def row(self, statement: Statement, **values: object) -> Row | None:
        """The first row, or None."""
        with _named_faults():
            arguments = [values[name] for name in statement.parameters]
            found: Row | None = await self.connection.fetchrow(statement.sql, *arguments)
            return found

    async def one(self, statement: Statement, **values: object) -> Row:
        """The row there must be."""
        row = await self.row(statement, **values)
        assert row is not None, statement.name
        return row

    async def run(self, statement: Statement, **values: object) -> int:
        """Runs for effect; the number of rows touched."""
        with _named_faults():
            arguments = [values[name] for name in statement.parameters]
            status: str = await self.connection.execute(statement.sql, *arguments)
            count = status.rpartition(" ")[2]
            return int(count) if count.isdigit() else 0


Fence = Callable[[Db], Awaitable[None]]


class Database:
    """The pool. No session state: `reset` is off, so settings are transaction-local."""

    def __init__(self, pool: asyncpg.Pool[Row], fence: Fence | None = None) -> None:
        self._pool = pool
        self._fence = fence

    def behind(self, fence: Fence) -> Database:
        """The same pool; every transaction first passes the fence, which raises to keep it out."""
        return Database(self._pool, fence)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Db]:
        """A connection for single statements, each its own transaction."""
        with _named_faults():
            connection = await self._acquire()
        try:
            yield Db(connection)
        finally:
            await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Db]:
        """One transaction; a commit that began is always seen to its end.

        A request that is cancelled while committing must not report failure for something that
        took place, nor give back a connection that is still at it. Source: design §8 "Traps".
        """
        with _named_faults():
            connection = await self._acquire()
        try:
            transaction = connection.transaction()
            try:
                with _named_faults():
                    await _to_the_end(transaction.start())
                db = Db(connection)
                if self._fence is not None:
                    await self._fence(db)
                yield db
            except BaseException:
                await _to_the_end(_quietly(transaction.rollback()))
                raise
            with _named_faults():
                await _to_the_end(transaction.commit())
        finally:
            await _to_the_end(self._pool.release(connection))

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()

    async def _acquire(self) -> Any:  # noqa: ANN401  pool proxies have no type
        return await self._pool.acquire(timeout=ACQUIRE_SECONDS_MAX)


ACQUIRE_SECONDS_MAX: Final = 10


async def open_database(dsn: str, *, size: int = 10) -> Database:
    """Opens the pool. Raises: Unavailable when the server does not answer."""
    with _named_faults():
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min(2, size),
            max_size=size,
            init=_prepare_connection,
            reset=_no_reset,
            command_timeout=60,
            # Bounds how long a plan lives that was made while its tables were still empty.
            max_cached_statement_lifetime=60,
            server_settings={
                "application_name": "seatkeeper",
                "timezone": "UTC",
                "lock_timeout": "5000",
                "idle_in_transaction_session_timeout": "60000",
                "jit": "off",
                # A plan cached while a table was empty would scan it for ever after.
                "enable_seqscan": "off",
                "enable_mergejoin": "off",
                "enable_hashjoin": "off",
            },
        )
    return Database(pool)


async def _prepare_connection(connection: asyncpg.Connection[Row]) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=_json, decoder=json.loads, schema="pg_catalog", format="text"
    )


async def _no_reset(connection: asyncpg.Connection[Row]) -> None:
    """Saves the extra round trip of RESET ALL on each release."""


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


async def _to_the_end(work: Any) -> None:  # noqa: ANN401  a coroutine of any kind
    """Waits until it is done, however often the caller is cancelled; then the caller is."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        await task
        return
    if not task.cancelled():
        task.exception()  # Looked at, so that nobody complains that nobody did.
    raise cancelled


async def _quietly(awaitable: Any) -> None:  # noqa: ANN401  a coroutine of any kind
    try:
        await awaitable
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        # The connection is gone, and with it the transaction.
        return


_FAULTS: Final = (
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.PostgresConnectionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    TimeoutError,
)


class _named_faults:  # noqa: N801  reads as a verb where it is used; a class costs no generator
    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        if isinstance(error, asyncpg.exceptions.IntegrityConstraintViolationError):
            code = REFUSAL_OF_CONSTRAINT.get(error.constraint_name or "")
            if code is not None:
                raise Refused(refuse(code, state="changed meanwhile")) from error
        if isinstance(error, _FAULTS):
            raise Unavailable(str(error)) from error
        if isinstance(error, asyncpg.exceptions.DataError) and isinstance(
            error.__cause__, OverflowError
        ):
            # Such as an instant that is in the year 0 when it is written in UTC.
            refusal = refuse(Code.INVALID_REQUEST, detail="A value is out of range.")
            raise Refused(refusal) from error
