"""The context of one request: who acts, when, for which organization, in which transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from seatkeeper.domain.bounds import OutOfBounds
from seatkeeper.domain.ids import KeyId, MemberId
from seatkeeper.domain.members import Role
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.engine import Engine, OrganizationFacts
from seatkeeper.store.database import Db, Unavailable
from seatkeeper.store.statements import Statements

RENEWALS: Final = Statements("renewals")
LOG: Final = logging.getLogger("seatkeeper.bounds")
TURN_SECONDS_MAX: Final = 30


def wall_clock() -> datetime:
    """The instant, in UTC: the only place where the clock is read."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A fresh UUIDv7. Source: RFC 9562."""
    return uuid7()


def new_secret() -> bytes:
    """256 random bits."""
    return token_bytes(32)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose API key this is, and what it may do."""

    key_id: UUID
    name: str
    vendor_role: str
    scopes: frozenset[str]
    organization_id: UUID | None = None
    text: str = field(init=False)  # How events name it.

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", KeyId.text(self.key_id))

    @property
    def is_account_manager(self) -> bool:
        """Whether this key speaks for the vendor in contract matters."""
        return self.vendor_role in ("account_manager", "operator")


@dataclass(frozen=True, slots=True)
class Actor:
    """The member in whose name the key acts; the smaller of scope and role counts."""

    member_id: UUID
    role: Role
    may_bill: bool


@dataclass(slots=True)
class Context:
    """Everything an operation may know about its caller and its moment."""

    engine: Engine
    principal: Principal
    now: datetime
    request_id: UUID
    facts: OrganizationFacts | None = None
    actor: Actor | None = None
    if_match: int | None = None
    idempotency_key: str | None = None
    request_hash: bytes | None = None  # Of what is asked under the key.
    # What the caller proved themselves with; nothing but a hash of it is ever kept.
    credential: bytes = field(default=b"", repr=False)
    # Keeps the answer with its effect, in the effect's transaction; set where a key was sent.
    keep: Callable[[Db, Any], Awaitable[None]] | None = None
    # What follows the commit, such as a purchase that is paid before it counts.
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _db: Db | None = field(default=None)

    @property
    def key_hash(self) -> bytes:
        """What the caller's idempotency key is known by: theirs alone, in this organization.

        Another organization's equal key, or another member's over the same API key, is another
        one; the key itself opens answers that were sealed with it. Source: I-3, ADR 12.
        """
        assert self.idempotency_key is not None
        organization = b"" if self.facts is None else self.organization_id.bytes
        actor = b"" if self.actor is None else self.actor.member_id.bytes
        parts = (self.principal.key_id.bytes, organization, actor, self.idempotency_key.encode())
        return sha256(b"".join(len(part).to_bytes(2, "big") + part for part in parts)).digest()

    @property
    def actor_text(self) -> str:
        """How events name who did it."""
        if self.principal is SYSTEM:
            return SYSTEM.name
        key = self.principal.text
        return key if self.actor is None else f"{MemberId.text(self.actor.member_id)} via {key}"

    @property
    def organization(self) -> OrganizationFacts:
        """The organization the request is about."""
        assert self.facts is not None
        return self.facts

    @property
    def organization_id(self) -> UUID:
        """Its id, for every statement."""
        return self.organization.organization_id

    def new_id(self) -> UUID:
        """A fresh id."""
        return self.engine.new_id()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Db]:
        """A connection for single statements; inside a transaction, that transaction's."""
        if self._db is not None:
            yield self._db
            return
        async with self.engine.database.connection() as db:
            yield db

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Db]:
        """One transaction; an operation called by another joins the other's.

        What cannot be right is rolled back, and the organization parked. Raises: Unavailable
        where the organization has too many before this one. Refuses: parked. Source: M-19.
        """
        if self._db is not None:
            yield self._db
            return
        try:
            async with self._turn(), self.engine.database.transaction() as db:
                self._db = db
                try:
                    yield db
                except BaseException:
                    self.afterwards.clear()
                    raise
                finally:
                    self._db = None
        except OutOfBounds as found:
            await self._park(str(found))
            raise Refused(refuse(Code.PARKED)) from found
        while self.afterwards:
            await self.afterwards.pop(0)()

    async def _park(self, reason: str) -> None:
        LOG.error("the billing of %s is parked: %s", self.organization_id, reason)
        async with self.engine.database.transaction() as db:
            await db.run(
                RENEWALS.park,
                organization_ids=[self.organization_id],
                reason=reason,
                now=self.now,
                actor=self.actor_text,
            )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        # The worker is alone and must not wait for an organization that is busy.
        if self.facts is None or self.principal is SYSTEM:
            yield
            return
        lock = self.engine.turn(self.facts.organization_id)
        try:
            async with asyncio.timeout(TURN_SECONDS_MAX):
                await lock.acquire()
        except TimeoutError:
            raise Unavailable("too many changes of one organization are waiting") from None
        try:
            yield
        finally:
            lock.release()

    async def ask(self, lanes: str, item: object) -> Any:  # noqa: ANN401  each lane's own answer
        """What the engine's lanes of that name answer; in a transaction it answers by itself."""
        shared = self.engine.lanes[lanes]
        if self._db is not None:
            return await shared.ask_on(self._db, item)
        return await shared.ask(item)

    def by_account_manager(self) -> bool:
        """Whether the vendor's account manager acts, in their own name."""
        return self.principal.is_account_manager and self.actor is None


def system_context(engine: Engine, facts: OrganizationFacts, now: datetime, db: Db) -> Context:
    """The context in which due work is done for an organization, inside a transaction."""
    context = Context(engine, SYSTEM, now, engine.new_id(), facts)
    context._db = db  # noqa: SLF001  the job owns the transaction and lends it
    return context


SYSTEM = Principal(UUID(int=0), "seatkeeper", "operator", frozenset())


def not_found() -> Refused:
    """The one answer for what is not there and what is someone else's. Source: X-1."""
    return Refused(refuse(Code.NOT_FOUND))
