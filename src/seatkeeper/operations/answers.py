"""What the fields of answers look like, for whoever reads them with a program.

They stay plain texts and numbers, for answers are written many times a second; the shape is told in
the OpenAPI document, and a test holds every answer against it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from seatkeeper.domain import ids
from seatkeeper.domain.access import Ground
from seatkeeper.domain.amendments import AmendmentState
from seatkeeper.domain.billing import LineKind
from seatkeeper.domain.catalog_format import DifferenceKind
from seatkeeper.domain.contracts import ContractState, Kind
from seatkeeper.domain.invitations import InvitationState
from seatkeeper.domain.members import MemberState, Role, Source
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import Capacity, Payer, When
from seatkeeper.domain.prices import TierMode
from seatkeeper.domain.proration import Basis
from seatkeeper.domain.refusals import Code
from seatkeeper.domain.scopes import Scope, VendorRole
from seatkeeper.domain.subscriptions import Status
from seatkeeper.domain.upcoming import Because
from seatkeeper.operations.words import Result

_EXAMPLE: Final = "06f3c8m2v1h5pb4sb30pvqmq6s"


def id_shape(kind: type[ids.Id], about: str | None = None) -> Meta:
    """How an identifier of that kind is written."""
    return Meta(
        pattern=f"^{kind.prefix}_[0-9a-v]{{26}}$",
        description=about or inspect.getdoc(kind),
        examples=[f"{kind.prefix}_{_EXAMPLE}"],
    )


def one_of(name: str, words: Iterable[str]) -> Meta:
    """The words that a field can hold, under a name of their own in the document."""
    return Meta(extra_json_schema={"title": name, "enum": [str(word) for word in words]})


OrganizationText = Annotated[str, id_shape(ids.OrganizationId)]
MemberText = Annotated[str, id_shape(ids.MemberId)]
SubscriptionText = Annotated[str, id_shape(ids.SubscriptionId)]
SeatText = Annotated[str, id_shape(ids.AssignmentId)]
InvitationText = Annotated[str, id_shape(ids.InvitationId)]
SeatRequestText = Annotated[str, id_shape(ids.SeatRequestId)]
QuoteText = Annotated[str, id_shape(ids.QuoteId)]
ChangeText = Annotated[str, id_shape(ids.ChangeId)]
ContractText = Annotated[str, id_shape(ids.ContractId)]
AmendmentText = Annotated[str, id_shape(ids.AmendmentId)]
DiscountText = Annotated[str, id_shape(ids.DiscountId)]
InvoiceText = Annotated[str, id_shape(ids.InvoiceId)]
CreditNoteText = Annotated[str, id_shape(ids.CreditNoteId)]
PaymentText = Annotated[str, id_shape(ids.PaymentId)]
BalanceEntryText = Annotated[str, id_shape(ids.BalanceEntryId)]
ClockText = Annotated[str, id_shape(ids.ClockId)]
KeyText = Annotated[str, id_shape(ids.KeyId)]
RequestText = Annotated[str, id_shape(ids.RequestId)]
SubjectText = Annotated[
    str,
    Meta(pattern="^[a-z]{3,4}_[0-9a-v]{26}$", description="what it happened to; its prefix says"),
]

Moment = Annotated[datetime, Meta(tz=True, description="an instant in UTC")]
Minor = Annotated[int, Meta(description="in minor units of the currency")]
Points = Annotated[int, Meta(description="in hundredths of a percent")]
CurrencyText = Annotated[
    str, Meta(pattern="^[A-Z]{3}$", description="a currency of ISO 4217", examples=["EUR"])
]
Word = Annotated[
    str, Meta(pattern="^[a-z][a-z_]*$", description="one of our words; more of them may come")
]

MemberStateText = Annotated[str, one_of("MemberState", MemberState)]
RoleText = Annotated[str, one_of("Role", Role)]
SourceText = Annotated[str, one_of("Source", Source)]
InvitationStateText = Annotated[str, one_of("InvitationState", InvitationState)]
StatusText = Annotated[str, one_of("SubscriptionStatus", Status)]
ContractKindText = Annotated[str, one_of("ContractKind", Kind)]
ContractStateText = Annotated[str, one_of("ContractState", ContractState)]
AmendmentStateText = Annotated[str, one_of("AmendmentState", AmendmentState)]
LineKindText = Annotated[str, one_of("LineKind", LineKind)]
BasisText = Annotated[str, one_of("Basis", Basis)]
IntervalText = Annotated[str, one_of("Interval", Interval)]
TierModeText = Annotated[str, one_of("TierMode", TierMode)]
CapacityText = Annotated[str, one_of("Capacity", Capacity)]
PayerText = Annotated[str, one_of("Payer", Payer)]
GroundText = Annotated[str, one_of("Ground", Ground)]
DifferenceKindText = Annotated[str, one_of("DifferenceKind", DifferenceKind)]
BecauseText = Annotated[str, one_of("Because", Because)]
EffectiveText = Annotated[
    str, one_of("EffectiveDay", [when for when in When if when is not When.NEVER])
]
CodeText = Annotated[str, one_of("Code", Code)]
ScopeText = Annotated[str, one_of("Scope", Scope)]
VendorRoleText = Annotated[str, one_of("VendorRole", VendorRole)]
ChangeKindText = Annotated[
    str,
    one_of(
        "ChangeKind",
        (
            "subscribe",
            "purchase_seats",
            "reduce_seats",
            "convert_seats",
            "change_plan",
            "cancel",
            "resume",
            "amendment",
        ),
    ),
]
ChangeStateText = Annotated[
    str,
    one_of("ChangeState", ("awaiting_payment", "scheduled", "applied", "canceled", "failed")),
]
InvoiceStateText = Annotated[
    str, one_of("InvoiceState", ("draft", "discarded", "open", "paid", "void"))
]
PaymentStateText = Annotated[
    str,
    one_of(
        "PaymentState",
        ("pending", "unknown", "succeeded", "declined", "action_required", "canceled"),
    ),
]
ClockStateText = Annotated[str, one_of("ClockState", ("ready", "advancing", "failed"))]
DiscountEndText = Annotated[
    str,
    one_of("DiscountEnd", ("removed", "replaced", "plan", "price", "over", "subscription")),
]
UpcomingKindText = Annotated[
    str,
    one_of("UpcomingKind", ("renewal", "change_plan", "transition", "contract", "unsigned", "end")),
]


class Actor(Result):
    """Who did it: a key, in a member's name where there is one, or a `system` of the service."""

    member: MemberText | None
    key: KeyText | None
    system: str | None


_COMMAND_LINE: Final = ids.KeyId.text(UUID(int=0))


def actor_of(text: str) -> Actor:
    """The actor whose text was recorded."""
    member, _, key = text.rpartition(" via ")
    if not key.startswith("key_"):
        return Actor(member=None, key=None, system=text)
    if key == _COMMAND_LINE:
        return Actor(member=None, key=None, system="command_line")
    return Actor(member=member or None, key=key, system=None)


def actor_or_none(text: str | None) -> Actor | None:
    """The same for what nobody has done yet."""
    return None if text is None else actor_of(text)
