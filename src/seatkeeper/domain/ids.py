"""Identifiers: UUIDv7 inside, a prefix and sortable base-32 outside (`org_06f3…`)."""

from __future__ import annotations

import re
from typing import ClassVar, Final, Self
from uuid import UUID

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"
# Two digits at once, in order; 13 pairs hold the 128 bits and two zero bits behind them.
_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)
_SHIFTS: Final = tuple(range(120, -1, -10))
# The last digit ends with the two zero bits, so each identifier has one spelling.
_CANONICAL: Final = re.compile(r"[0-9a-v]{25}[048cgkos]").fullmatch


class Id(UUID):
    """An identifier as the wire writes it; equal to the UUID it stands for."""

    __slots__ = ()
    prefix: ClassVar[str] = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The identifier written as `text`. Raises: ValueError when it is not one of these."""
        prefix, _, body = text.rpartition("_")
        if prefix != cls.prefix or _CANONICAL(body) is None:
            message = f"expected an identifier such as {cls.prefix}_…"
            raise ValueError(message)
        return cls(int=int(body, 32) >> 2)

    @classmethod
    def text(cls, value: UUID) -> str:
        """How the wire writes `value`; sorts as the bytes do."""
        bits = value.int << 2
        return f"{cls.prefix}_{''.join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])}"

    @classmethod
    def text_or_none(cls, value: UUID | None) -> str | None:
        """Like `text`, for a value that may be absent."""
        return None if value is None else cls.text(value)


class OrganizationId(Id):
    """Names an organization."""

    __slots__ = ()
    prefix = "org"


class MemberId(Id):
    """Names a member within an organization."""

    __slots__ = ()
    prefix = "mem"


class SubscriptionId(Id):
    """Names a subscription."""

    __slots__ = ()
    prefix = "sub"


class PoolId(Id):
    """Names a seat pool."""

    __slots__ = ()
    prefix = "pool"


class AssignmentId(Id):
    """Names one holding of a seat by a member."""

    __slots__ = ()
    prefix = "seat"


class InvitationId(Id):
    """Names an invitation."""

    __slots__ = ()
    prefix = "inv"


class SeatRequestId(Id):
    """Names a place in the queue for a seat."""

    __slots__ = ()
    prefix = "req"


class QuoteId(Id):
    """Names a quote."""

    __slots__ = ()
    prefix = "quo"


class ChangeId(Id):
    """Names a change."""

    __slots__ = ()
    prefix = "chg"


class ContractId(Id):
    """Names a contract."""

    __slots__ = ()
    prefix = "ctr"


class AmendmentId(Id):
    """Names an amendment of a contract."""

    __slots__ = ()
    prefix = "amd"


class DiscountId(Id):
    """Names a discount."""

    __slots__ = ()
    prefix = "dsc"


class InvoiceId(Id):
    """Names an invoice; its number is something else."""

    __slots__ = ()
    prefix = "ivc"


class CreditNoteId(Id):
    """Names a credit note."""

    __slots__ = ()
    prefix = "crn"


class PaymentId(Id):
    """Names one attempt to pay an invoice."""

    __slots__ = ()
    prefix = "pay"


class BalanceEntryId(Id):
    """Names an entry of the account balance."""

    __slots__ = ()
    prefix = "bal"


class ClockId(Id):
    """Names a test clock."""

    __slots__ = ()
    prefix = "clk"


class KeyId(Id):
    """Names an API key; its secret is something else."""

    __slots__ = ()
    prefix = "key"


class RequestId(Id):
    """Names one request to the API."""

    __slots__ = ()
    prefix = "rqs"
