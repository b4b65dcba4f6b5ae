"""Who calls: from a bearer token to a principal, and from a header to the member it acts for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.operations.api_keys import KEYS, PREFIX, key_hash
from seatkeeper.operations.context import Principal
from seatkeeper.store.database import Database

REMEMBER_SECONDS: Final = 2  # a revoked key is dead everywhere within this time
REMEMBERED_MAX: Final = 10_000


def bearer_token(authorization: bytes | None) -> bytes:
    """The token in an Authorization header; empty where there is none. Source: RFC 6750."""
    scheme, _, token = (authorization or b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


class Keys:
    """Principals by API key, remembered for a moment."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, tuple[datetime, Principal]] = {}

    async def principal(self, authorization: bytes | None) -> Principal:
        """Whose key the header carries. Refuses: unauthenticated."""
        token = bearer_token(authorization)
        if not token.startswith(PREFIX.encode()):
            raise Refused(refuse(Code.UNAUTHENTICATED))
        digest = key_hash(token)
        now = self._clock()
        known = self._known.get(digest)
        if known is not None and (now - known[0]).total_seconds() < REMEMBER_SECONDS:
            return known[1]
        async with self._database.connection() as db:
            row = await db.row(KEYS.by_hash, hash=digest, now=now)
        if row is None:
            self._known.pop(digest, None)
            raise Refused(refuse(Code.UNAUTHENTICATED))
        principal = Principal(
            key_id=UUID(int=row["key_id"].int),
            name=row["name"],
            vendor_role=row["vendor_role"],
            scopes=frozenset(row["scopes"]),
            organization_id=row["organization_id"],
        )
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[digest] = (now, principal)
        return principal
