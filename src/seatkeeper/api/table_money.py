"""Rows of the table: what is bought, what it costs, what is owed."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.domain.members import Permission
from seatkeeper.operations import (
    changes,
    clocks,
    invoices,
    payments,
    quotes,
    subscriptions,
    withdrawals,
)
from seatkeeper.operations.words import Page

ORG: Final = "/v1/organizations/{organization}"
READ: Final = Permission.BILLING_READ
BUY: Final = Permission.SEATS_PURCHASE
MANAGE: Final = Permission.BILLING_MANAGE

MONEY: Final = (
    Operation(
        "GET",
        f"{ORG}/subscription",
        "billing:read",
        subscriptions.show,
        subscriptions.ReadSubscription,
        subscriptions.SubscriptionView,
        permission=READ,
    ),
    Operation(
        "POST",
        f"{ORG}/quotes",
        "billing:read",
        quotes.ask,
        quotes.AskQuote,
        quotes.Quote,
        201,
        permission=BUY,
    ),
    Operation(
        "POST",
        f"{ORG}/changes",
        "billing:write",
        changes.make,
        changes.MakeChange,
        changes.Change,
        201,
        permission=BUY,
        moves_money=True,
        one_transaction=False,
    ),
    Operation(
        "GET",
        f"{ORG}/changes",
        "billing:read",
        changes.list_all,
        changes.ReadChanges,
        Page[changes.Change],
        permission=READ,
    ),
    Operation(
        "GET",
        f"{ORG}/changes/{{change}}",
        "billing:read",
        changes.show,
        changes.ReadChange,
        changes.Change,
        permission=READ,
    ),
    Operation(
        "DELETE",
        f"{ORG}/changes/{{change}}",
        "billing:write",
        withdrawals.cancel,
        withdrawals.CancelChange,
        changes.Change,
        permission=BUY,
    ),
    Operation(
        "GET",
        f"{ORG}/invoices",
        "billing:read",
        invoices.list_all,
        invoices.ReadInvoices,
        Page[invoices.Invoice],
        permission=READ,
    ),
    Operation(
        "GET",
        f"{ORG}/invoices/{{invoice}}",
        "billing:read",
        invoices.show,
        invoices.ReadInvoice,
        invoices.Invoice,
        permission=READ,
    ),
    Operation(
        "POST",
        f"{ORG}/invoices/{{invoice}}/pay",
        "billing:write",
        payments.pay,
        payments.PayInvoice,
        invoices.Invoice,
        permission=MANAGE,
        moves_money=True,
        one_transaction=False,
    ),
    Operation(
        "POST",
        f"{ORG}/invoices/{{invoice}}/record-payment",
        "contracts:write",
        payments.record,
        payments.RecordPayment,
        invoices.Invoice,
        moves_money=True,
    ),
    Operation(
        "POST",
        f"{ORG}/invoices/{{invoice}}/void",
        "contracts:write",
        payments.void,
        payments.VoidInvoice,
        invoices.Invoice,
        moves_money=True,
    ),
    Operation(
        "GET",
        f"{ORG}/payments",
        "billing:read",
        payments.list_all,
        payments.ReadPayments,
        Page[payments.Payment],
        permission=READ,
    ),
    Operation(
        "POST",
        f"{ORG}/payments/{{payment}}/confirm",
        "billing:write",
        payments.confirm,
        payments.ConfirmPayment,
        payments.Payment,
        permission=MANAGE,
        moves_money=True,
        one_transaction=False,
    ),
    Operation(
        "GET",
        f"{ORG}/balance",
        "billing:read",
        invoices.balance,
        invoices.ReadBalance,
        invoices.Balance,
        permission=READ,
    ),
)

CLOCKS: Final = (
    Operation(
        "POST",
        "/v1/test-clocks",
        "clocks:write",
        clocks.create,
        clocks.CreateClock,
        clocks.Clock,
        201,
    ),
    Operation(
        "GET",
        "/v1/test-clocks",
        "clocks:write",
        clocks.list_all,
        clocks.ReadClocks,
        Page[clocks.Clock],
    ),
    Operation(
        "GET",
        "/v1/test-clocks/{clock}",
        "clocks:write",
        clocks.show,
        clocks.ReadClock,
        clocks.Clock,
    ),
    Operation(
        "POST",
        "/v1/test-clocks/{clock}/advance",
        "clocks:write",
        clocks.advance,
        clocks.AdvanceClock,
        clocks.Clock,
        one_transaction=False,
    ),
)
