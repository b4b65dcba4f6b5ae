"""Rows of the table: seats that members pay themselves, and asking for a seat."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations import member_subscriptions

ORG: Final = "/v1/organizations/{organization}"
SUBSCRIPTION: Final = f"{ORG}/members/{{member}}/subscription"

# No permission beside the scope: whoever pays, and nobody else, may.
WORKSPACE: Final = (
    Operation(
        "POST",
        SUBSCRIPTION,
        Scope.BILLING_WRITE,
        member_subscriptions.subscribe,
        member_subscriptions.SubscribeMember,
        member_subscriptions.MemberSubscription,
        201,
        moves_money=True,
        one_transaction=False,
    ),
    Operation(
        "GET",
        SUBSCRIPTION,
        Scope.BILLING_READ,
        member_subscriptions.show,
        member_subscriptions.ReadMemberSubscription,
        member_subscriptions.MemberSubscription,
    ),
    Operation(
        "POST",
        f"{SUBSCRIPTION}/cancel",
        Scope.BILLING_WRITE,
        member_subscriptions.cancel,
        member_subscriptions.CancelMemberSubscription,
        member_subscriptions.MemberSubscription,
    ),
    Operation(
        "POST",
        f"{SUBSCRIPTION}/resume",
        Scope.BILLING_WRITE,
        member_subscriptions.resume,
        member_subscriptions.ResumeMemberSubscription,
        member_subscriptions.MemberSubscription,
    ),
    Operation(
        "PUT",
        f"{SUBSCRIPTION}/payment-method",
        Scope.BILLING_WRITE,
        member_subscriptions.pay_with,
        member_subscriptions.ChangePaymentMethod,
        member_subscriptions.MemberSubscription,
    ),
)
