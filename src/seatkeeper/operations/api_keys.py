"""API keys: make one and show its secret once, list them, revoke one."""

from __future__ import annotations

from base64 import b32hexencode
from hashlib import sha256
from typing import Annotated, Any, Final

from msgspec import Meta

from seatkeeper.domain.ids import KeyId, OrganizationId
from seatkeeper.domain.refusals import Code, Refused, refuse, refuse_field
from seatkeeper.domain.scopes import Scope, VendorRole
from seatkeeper.operations.answers import (
    KeyText,
    Moment,
    OrganizationText,
    ScopeText,
    VendorRoleText,
)
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import before, cursor
from seatkeeper.operations.engine import ORGANIZATIONS
from seatkeeper.operations.events import VENDOR
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Instant,
    Limit,
    Name,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Db, Row
from seatkeeper.store.statements import Statements

KEYS: Final = Statements("api_keys")
PREFIX: Final = "sk_"


def key_text(secret: bytes) -> str:
    """How a key's secret is written; the prefix lets scanners find leaked ones."""
    return PREFIX + b32hexencode(secret).decode().lower().rstrip("=")


def key_hash(text: bytes) -> bytes:
    """What the database keeps: a plain hash is enough for 256 random bits."""
    return sha256(text).digest()


class CreateApiKey(Command):
    """A new key. It can do nothing that the key which makes it cannot."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    vendor_role: VendorRole = VendorRole.SERVICE
    organization: OrganizationId | None = None
    expires_at: Instant | None = None


class ApiKey(Result):
    """A key without its secret."""

    key: KeyText
    name: str
    scopes: list[ScopeText]
    vendor_role: VendorRoleText
    organization: OrganizationText | None
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None


class NewApiKey(ApiKey):
    """A key with its secret, which is shown this once."""

    secret: str


class ListApiKeys(Command):
    """Keys, newest first, revoked ones too."""

    organization: OrganizationId | None = None
    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class RevokeApiKey(Command):
    """End a key."""

    key: KeyId


async def create(ctx: Context, command: CreateApiKey) -> NewApiKey:
    """Make a key and show its secret, once.

    A key that is bound to one organization makes keys of that organization only. Refuses:
    insufficient_scope, forbidden (a higher vendor role), invalid_request. Source: X-6.
    """
    principal = ctx.principal
    for scope in command.scopes:
        if scope not in principal.scopes:
            raise Refused(refuse(Code.INSUFFICIENT_SCOPE, scope=scope))
    if not VendorRole(principal.vendor_role).covers(command.vendor_role):
        sentence = "A key cannot make one that speaks for a higher role."
        raise Refused(refuse(Code.FORBIDDEN, detail=sentence))
    if command.expires_at is not None and command.expires_at <= ctx.engine.clock():
        raise Refused(refuse_field("/expires_at", "must be an instant to come."))
    key_id, text = ctx.new_id(), key_text(ctx.engine.new_secret())
    row = {
        "key_id": key_id,
        "name": command.name,
        "vendor_role": command.vendor_role,
        "scopes": sorted(set(command.scopes)),
        "organization_id": command.organization or principal.organization_id,
        "created_at": ctx.engine.clock(),
        "expires_at": command.expires_at,
        "revoked_at": None,
    }
    async with ctx.transaction() as db:
        await db.run(KEYS.insert, **row, hash=key_hash(text.encode()), now=row["created_at"])
        await _tell(ctx, db, "api_key.created", row)
    return NewApiKey(**_fields(row), secret=text)


async def list_all(ctx: Context, command: ListApiKeys) -> Page[ApiKey]:
    """Keys without their secrets, newest first; a key that is bound to one sees only its own."""
    size = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            KEYS.page,
            organization_id=command.organization or ctx.principal.organization_id,
            before=before(ctx, "api-keys", command.after),
            page=size + 1,
        )
    last = rows[size - 1]["key_id"] if len(rows) > size else None
    items = [ApiKey(**_fields(row)) for row in rows[:size]]
    return Page(items=items, next=cursor(ctx, "api-keys", last))


async def revoke(ctx: Context, command: RevokeApiKey) -> ApiKey:
    """End a key; it is refused everywhere within two seconds. Twice succeeds. Source: X-6."""
    async with ctx.transaction() as db:
        row = await db.row(
            KEYS.revoke,
            key_id=command.key,
            organization_id=ctx.principal.organization_id,
            now=ctx.engine.clock(),
        )
        if row is None:
            raise not_found()
        await _tell(ctx, db, "api_key.revoked", row)
    return ApiKey(**_fields(row))


async def _tell(ctx: Context, db: Db, kind: str, row: Row | dict[str, Any]) -> None:
    facts = {name: row[name] for name in ("name", "vendor_role", "scopes")}
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=row["organization_id"] or VENDOR,
        kind=kind,
        subject_id=row["key_id"],
        member_id=None,
        now=ctx.engine.clock(),
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts=facts,
    )


def _fields(row: Row | dict[str, Any]) -> dict[str, Any]:
    same = ("name", "scopes", "vendor_role", "created_at", "expires_at", "revoked_at")
    return {
        "key": KeyId.text(row["key_id"]),
        "organization": OrganizationId.text_or_none(row["organization_id"]),
        **{name: row[name] for name in same},
    }
