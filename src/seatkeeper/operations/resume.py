"""Resume tokens: a refused action in a signed envelope, to be done after the purchase it needs."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from seatkeeper.domain.ids import Id
from seatkeeper.domain.refusals import Code, Refused, refuse_field
from seatkeeper.operations.context import Context

LIVES: Final = timedelta(hours=24)
_TAG_BYTES: Final = 32

Asked = TypeVar("Asked", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Resumed:
    """An action that was refused: its permanent name, such as `invitations.create`, its command."""

    action: str
    fields: dict[str, Any]

    def command(self, kind: type[Asked]) -> Asked:
        """The command as it was asked."""
        return msgspec.convert(self.fields, kind, dec_hook=_parsed)


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: str
    command: dict[str, Any]
    until: datetime


def token(ctx: Context, action: str, command: msgspec.Struct) -> str:
    """The refused action, signed for this organization and whoever acts. Source: C28, G8."""
    fields = msgspec.to_builtins(command)
    envelope = _Envelope(action, fields, ctx.now + LIVES)
    raw = msgspec.json.encode(envelope, order="deterministic")
    return urlsafe_b64encode(_tag(ctx, raw) + raw).decode().rstrip("=")


def read(ctx: Context, text: str) -> Resumed:
    """The action in a token. Refuses: invalid_request for one made up, another's, or too old."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise _bad() from None
    tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(ctx, body)):
        raise _bad()
    envelope = msgspec.json.decode(body, type=_Envelope)
    if envelope.until < ctx.now:
        raise _bad()
    return Resumed(envelope.action, envelope.command)


def resumable(ctx: Context, action: str, command: msgspec.Struct, refused: Refused) -> Refused:
    """The same refusal, with the token with which a purchase performs the action afterwards."""
    refusal = refused.refusal
    if refusal.code is not Code.INSUFFICIENT_SEATS:
        return refused
    return Refused(replace(refusal, facts={**refusal.facts, "resume": token(ctx, action, command)}))


def _tag(ctx: Context, body: bytes) -> bytes:
    actor = ctx.actor.member_id.bytes if ctx.actor else b""
    bound = b"resume" + ctx.organization_id.bytes + len(actor).to_bytes(1, "big") + actor
    return hmac.digest(ctx.engine.secret, bound + body, "sha256")


def _parsed(kind: type[Any], value: object) -> object:
    # Signed by ourselves, and written the plain way that UUIDs are.
    assert issubclass(kind, Id)
    return kind(str(value))


def _bad() -> Refused:
    return Refused(refuse_field("/resume", "was not given out here, or too long ago."))
