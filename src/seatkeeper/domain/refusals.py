"""Refusals: the closed list of ways in which the system works and says no, with the ways out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Json = Mapping[str, object]
Fact = str | int | bool | None | list[str] | list[int] | list[Json] | Json


class Code(StrEnum):
    """Every code, in order of precedence: when several apply, the first is said.

    Not permitted, not found, malformed, wrong state, not owned, limit, shortage, money, fault.
    """

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    BILLING_PERMISSION_REQUIRED = "billing_permission_required"
    CONTRACT_MANAGED = "contract_managed"
    DOMAIN_NOT_VERIFIED = "domain_not_verified"
    NO_SEAT = "no_seat"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    CONTENT_TOO_LARGE = "content_too_large"
    URI_TOO_LONG = "uri_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    HEADER_FIELDS_TOO_LARGE = "request_header_fields_too_large"
    RATE_LIMITED = "rate_limited"
    INVALID_REQUEST = "invalid_request"
    UNKNOWN_FIELD = "unknown_field"
    INVALID_PLAN = "invalid_plan"
    CURRENCY_MISMATCH = "currency_mismatch"
    QUANTITY_OUT_OF_RANGE = "quantity_out_of_range"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    REQUEST_IN_PROGRESS = "request_in_progress"
    PRECONDITION_FAILED = "precondition_failed"
    INVITATION_UNAVAILABLE = "invitation_unavailable"
    ALREADY_EXISTS = "already_exists"
    PRIMARY_OWNER_REQUIRED = "primary_owner_required"
    STATE_CONFLICT = "state_conflict"
    PAST_DUE = "past_due"
    QUOTE_EXPIRED = "quote_expired"
    QUOTE_OUTDATED = "quote_outdated"
    PLAN_TIER_MISMATCH = "plan_tier_mismatch"
    LIMIT_MANAGED_BY_PLAN = "limit_managed_by_plan"
    SEAT_TYPE_NOT_OWNED = "seat_type_not_owned"
    SEAT_CONFLICT = "seat_conflict"
    REDUCTION_NOT_ALLOWED_MID_TERM = "reduction_not_allowed_mid_term"
    BELOW_MINIMUM_SEATS = "below_minimum_seats"
    OVER_PLAN_LIMIT = "over_plan_limit"
    SEATS_IN_USE = "seats_in_use"
    OVER_LIMIT = "over_limit"
    INSUFFICIENT_SEATS = "insufficient_seats"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_ACTION_REQUIRED = "payment_action_required"
    PARKED = "parked"
    UNAVAILABLE = "unavailable"


class Way(StrEnum):
    """The ways out of a refusal, as a program can follow them. Source: G19."""

    BUY_SEATS = "buy_seats"
    FREE_SEAT = "free_seat"
    REVOKE_INVITATION = "revoke_invitation"
    WAIT = "wait"
    ASK_OWNER = "ask_owner"
    CONTACT_ACCOUNT_MANAGER = "contact_account_manager"
    SCHEDULE_FOR_RENEWAL = "schedule_for_renewal"
    CHOOSE_PLAN = "choose_plan"
    REMOVE_MEMBERS = "remove_members"
    REASSIGN = "reassign"
    REQUOTE = "requote"
    PAY = "pay"
    OTHER_PAYMENT_METHOD = "other_payment_method"
    CONFIRM_PAYMENT = "confirm_payment"
    CANCEL_CHANGE = "cancel_change"
    TRANSFER_PRIMARY_OWNER = "transfer_primary_owner"
    RESEND_INVITATION = "resend_invitation"
    CORRECT_REQUEST = "correct_request"
    RETRY = "retry"
    REREAD = "reread"
    CONTACT_VENDOR = "contact_vendor"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out, with its own facts, such as the quantity to buy or the instant to wait for."""

    way: Way
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no with its reason, facts one can act on, and ways out."""

    code: Code
    facts: Mapping[str, Fact] = field(default_factory=dict)
    remedies: tuple[Remedy, ...] = ()
    detail: str | None = None

    @property
    def sentence(self) -> str:
        """The refusal for people."""
        return self.detail or SENTENCES[self.code].format_map(_Facts(self.facts))

    @property
    def ways_out(self) -> tuple[Remedy, ...]:
        """What the decision named, else what always helps against this code."""
        return self.remedies or tuple(Remedy(way) for way in USUAL_WAYS.get(self.code, ()))


class _Facts(dict[str, Fact]):
    """Facts as words: `needed_seats` is the fact `needed` with its noun, one or many."""

    def __missing__(self, key: str) -> str:
        name = key.removesuffix("_seats")
        if name == key or name not in self:
            return "some seats" if name != key else "some"
        return "1 seat" if self[name] == 1 else f"{self[name]} seats"


class Refused(Exception):
    """Carries a refusal from an operation to its surface."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def refuse(code: Code, *ways: Remedy, detail: str | None = None, **facts: Fact) -> Refusal:
    """A refusal in one line."""
    return Refusal(code, facts, ways, detail)


def refuse_field(pointer: str, sentence: str, code: Code = Code.INVALID_REQUEST) -> Refusal:
    """A refusal of one field of the request, at its JSON pointer."""
    error: Json = {"pointer": pointer, "code": code, "detail": sentence}
    return Refusal(code, {"errors": [error]}, detail=f"{pointer or 'The body'}: {sentence}")


SENTENCES: Final[Mapping[Code, str]] = {
    Code.UNAUTHENTICATED: "Send a valid API key as a bearer token.",
    Code.FORBIDDEN: "Your role does not permit this.",
    Code.INSUFFICIENT_SCOPE: "This API key lacks the scope {scope}.",
    Code.BILLING_PERMISSION_REQUIRED: "Only someone with billing permission can do this.",
    Code.CONTRACT_MANAGED: "Your account manager makes this change for you under your contract.",
    Code.DOMAIN_NOT_VERIFIED: "The organization lets nobody in from the domain {domain}.",
    Code.NO_SEAT: "This person has no seat that gives access.",
    Code.NOT_FOUND: "There is nothing here under that name.",
    Code.METHOD_NOT_ALLOWED: "This address does not support that method.",
    Code.NOT_ACCEPTABLE: "This address answers in JSON only.",
    Code.CONTENT_TOO_LARGE: "The body is larger than {limit_bytes} bytes.",
    Code.URI_TOO_LONG: "The address is too long.",
    Code.UNSUPPORTED_MEDIA_TYPE: "Send the body as application/json.",
    Code.HEADER_FIELDS_TOO_LARGE: "The request's headers are too large.",
    Code.RATE_LIMITED: "Too many requests; try again later.",
    Code.INVALID_REQUEST: "The request is not valid.",
    Code.UNKNOWN_FIELD: "The request has a field that does not exist here.",
    Code.INVALID_PLAN: "The plan is not valid.",
    Code.CURRENCY_MISMATCH: "There is no price in {currency}.",
    Code.QUANTITY_OUT_OF_RANGE: "The quantity must be from {minimum} to {maximum}.",
    Code.IDEMPOTENCY_KEY_REUSED: "This idempotency key was used for another request.",
    Code.REQUEST_IN_PROGRESS: "The same request is still being worked on.",
    Code.PRECONDITION_FAILED: "Someone changed this since you read it.",
    Code.INVITATION_UNAVAILABLE: "This invitation can no longer be accepted.",
    Code.ALREADY_EXISTS: "This exists already with other content.",
    Code.PRIMARY_OWNER_REQUIRED: "The organization would be left without its owner.",
    Code.STATE_CONFLICT: "This cannot be done in the present state ({state}).",
    Code.PAST_DUE: "An invoice is overdue; pay it first.",
    Code.QUOTE_EXPIRED: "The quote has expired.",
    Code.QUOTE_OUTDATED: "Things changed since the quote; the amount would now differ.",
    Code.PLAN_TIER_MISMATCH: "All members of this workspace must be on the plan {plan}.",
    Code.LIMIT_MANAGED_BY_PLAN: "The plan sets this limit; it cannot be set by hand.",
    Code.SEAT_TYPE_NOT_OWNED: "The organization owns no seat of the type {seat_type}.",
    Code.SEAT_CONFLICT: "This member already holds a seat of the type {seat_type}.",
    Code.REDUCTION_NOT_ALLOWED_MID_TERM: "Seats can be reduced only at renewal.",
    Code.BELOW_MINIMUM_SEATS: "The plan requires at least {minimum_seats}.",
    Code.OVER_PLAN_LIMIT: "The plan allows at most {limit_seats}.",
    Code.SEATS_IN_USE: "{needed_seats} must be freed first.",
    Code.OVER_LIMIT: "Over the limit: {needed_seats} must be freed before a new one is taken.",
    Code.INSUFFICIENT_SEATS: "The organization is short of {needed_seats}.",
    Code.PAYMENT_DECLINED: "The payment was declined; nothing was changed.",
    Code.PAYMENT_ACTION_REQUIRED: "The payment needs a confirmation by the payer.",
    Code.PARKED: "Billing of this organization is paused until someone has looked at it.",
    Code.UNAVAILABLE: "The service cannot answer now; try again shortly.",
}

USUAL_WAYS: Final[Mapping[Code, tuple[Way, ...]]] = {
    Code.UNAUTHENTICATED: (Way.CORRECT_REQUEST,),
    Code.FORBIDDEN: (Way.ASK_OWNER,),
    Code.INSUFFICIENT_SCOPE: (Way.CORRECT_REQUEST,),
    Code.BILLING_PERMISSION_REQUIRED: (Way.ASK_OWNER,),
    Code.CONTRACT_MANAGED: (Way.CONTACT_ACCOUNT_MANAGER,),
    Code.DOMAIN_NOT_VERIFIED: (Way.CORRECT_REQUEST, Way.ASK_OWNER),
    Code.NO_SEAT: (Way.ASK_OWNER,),
    Code.NOT_FOUND: (Way.CORRECT_REQUEST,),
    Code.METHOD_NOT_ALLOWED: (Way.CORRECT_REQUEST,),
    Code.NOT_ACCEPTABLE: (Way.CORRECT_REQUEST,),
    Code.CONTENT_TOO_LARGE: (Way.CORRECT_REQUEST,),
    Code.URI_TOO_LONG: (Way.CORRECT_REQUEST,),
    Code.UNSUPPORTED_MEDIA_TYPE: (Way.CORRECT_REQUEST,),
    Code.HEADER_FIELDS_TOO_LARGE: (Way.CORRECT_REQUEST,),
    Code.RATE_LIMITED: (Way.RETRY,),
    Code.INVALID_REQUEST: (Way.CORRECT_REQUEST,),
    Code.UNKNOWN_FIELD: (Way.CORRECT_REQUEST,),
    Code.INVALID_PLAN: (Way.CORRECT_REQUEST,),
    Code.CURRENCY_MISMATCH: (Way.CHOOSE_PLAN,),
    Code.QUANTITY_OUT_OF_RANGE: (Way.CORRECT_REQUEST,),
    Code.IDEMPOTENCY_KEY_REUSED: (Way.CORRECT_REQUEST,),
    Code.REQUEST_IN_PROGRESS: (Way.RETRY,),
    Code.PRECONDITION_FAILED: (Way.REREAD,),
    Code.INVITATION_UNAVAILABLE: (Way.RESEND_INVITATION,),
    Code.ALREADY_EXISTS: (Way.REREAD,),
    Code.PRIMARY_OWNER_REQUIRED: (Way.TRANSFER_PRIMARY_OWNER,),
    Code.STATE_CONFLICT: (Way.REREAD,),
    Code.PAST_DUE: (Way.PAY,),
    Code.QUOTE_EXPIRED: (Way.REQUOTE,),
    Code.QUOTE_OUTDATED: (Way.REQUOTE,),
    Code.PLAN_TIER_MISMATCH: (Way.CHOOSE_PLAN, Way.CONTACT_ACCOUNT_MANAGER),
    Code.LIMIT_MANAGED_BY_PLAN: (Way.CHOOSE_PLAN,),
    Code.SEAT_TYPE_NOT_OWNED: (Way.BUY_SEATS,),
    Code.SEAT_CONFLICT: (Way.REASSIGN,),
    Code.REDUCTION_NOT_ALLOWED_MID_TERM: (Way.SCHEDULE_FOR_RENEWAL, Way.CONTACT_ACCOUNT_MANAGER),
    Code.BELOW_MINIMUM_SEATS: (Way.CORRECT_REQUEST,),
    Code.OVER_PLAN_LIMIT: (Way.CHOOSE_PLAN, Way.FREE_SEAT, Way.REVOKE_INVITATION),
    Code.SEATS_IN_USE: (Way.FREE_SEAT, Way.REVOKE_INVITATION),
    Code.OVER_LIMIT: (Way.FREE_SEAT, Way.REVOKE_INVITATION),
    Code.INSUFFICIENT_SEATS: (Way.BUY_SEATS, Way.FREE_SEAT, Way.REVOKE_INVITATION),
    Code.PAYMENT_DECLINED: (Way.OTHER_PAYMENT_METHOD,),
    Code.PAYMENT_ACTION_REQUIRED: (Way.CONFIRM_PAYMENT,),
    Code.PARKED: (Way.CONTACT_VENDOR,),
    Code.UNAVAILABLE: (Way.RETRY,),
}
