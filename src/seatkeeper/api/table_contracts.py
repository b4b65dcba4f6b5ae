"""Rows of the table: discounts, contracts, amendments, credit notes, what comes, parking."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.domain.members import Permission
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations import (
    amendment_words,
    amendments,
    contracts,
    credit_notes,
    discount_words,
    discounts,
    organizations,
    parking,
    upcoming,
)
from seatkeeper.operations.words import Page

ORG: Final = "/v1/organizations/{organization}"
AMENDMENT: Final = f"{ORG}/amendments/{{amendment}}"
READ: Final = Permission.BILLING_READ
MANAGE: Final = Permission.BILLING_MANAGE

DISCOUNT: Final = (
    Operation(
        "PUT",
        f"{ORG}/discount",
        Scope.CONTRACTS_WRITE,
        discounts.put,
        discount_words.PutDiscount,
        discount_words.DiscountView,
    ),
    Operation(
        "GET",
        f"{ORG}/discount",
        Scope.BILLING_READ,
        discounts.show,
        discount_words.ReadDiscount,
        discount_words.DiscountView,
        permission=READ,
    ),
    Operation(
        "DELETE",
        f"{ORG}/discount",
        Scope.CONTRACTS_WRITE,
        discounts.remove,
        discount_words.RemoveDiscount,
        discount_words.DiscountView,
    ),
)

CONTRACTS: Final = (
    *DISCOUNT,
    Operation(
        "PUT",
        f"{ORG}/contract",
        Scope.CONTRACTS_WRITE,
        contracts.put,
        contracts.PutContract,
        contracts.Contract,
    ),
    Operation(
        "GET",
        f"{ORG}/contract",
        Scope.BILLING_READ,
        contracts.show,
        contracts.ReadContract,
        contracts.Contract,
        permission=READ,
    ),
    Operation(
        "POST",
        f"{ORG}/contract/sign",
        Scope.CONTRACTS_WRITE,
        contracts.sign,
        contracts.SignContract,
        contracts.Contract,
        moves_money=True,
    ),
    Operation(
        "POST",
        f"{ORG}/amendments",
        Scope.BILLING_WRITE,
        amendments.request,
        amendment_words.RequestAmendment,
        amendment_words.Amendment,
        201,
        permission=MANAGE,
    ),
    Operation(
        "GET",
        f"{ORG}/amendments",
        Scope.BILLING_READ,
        amendments.list_all,
        amendment_words.ReadAmendments,
        Page[amendment_words.Amendment],
        permission=READ,
    ),
    Operation(
        "GET",
        AMENDMENT,
        Scope.BILLING_READ,
        amendments.show,
        amendment_words.ReadAmendment,
        amendment_words.Amendment,
        permission=READ,
    ),
    Operation(
        "POST",
        f"{AMENDMENT}/quote",
        Scope.CONTRACTS_WRITE,
        amendments.quote,
        amendment_words.QuoteAmendment,
        amendment_words.Amendment,
    ),
    Operation(
        "POST",
        f"{AMENDMENT}/accept",
        Scope.BILLING_WRITE,
        amendments.accept,
        amendment_words.AcceptAmendment,
        amendment_words.Amendment,
        permission=MANAGE,
        moves_money=True,
    ),
    Operation(
        "POST",
        f"{AMENDMENT}/decline",
        Scope.BILLING_WRITE,
        amendments.decline,
        amendment_words.DeclineAmendment,
        amendment_words.Amendment,
        permission=MANAGE,
    ),
    Operation(
        "POST",
        f"{ORG}/invoices/{{invoice}}/credit-notes",
        Scope.CONTRACTS_WRITE,
        credit_notes.create,
        credit_notes.CreateCreditNote,
        credit_notes.CreditNote,
        201,
        moves_money=True,
    ),
    Operation(
        "GET",
        f"{ORG}/credit-notes",
        Scope.BILLING_READ,
        credit_notes.list_all,
        credit_notes.ReadCreditNotes,
        Page[credit_notes.CreditNote],
        permission=READ,
    ),
    Operation(
        "GET",
        f"{ORG}/upcoming",
        Scope.BILLING_READ,
        upcoming.show,
        upcoming.ReadUpcoming,
        upcoming.Upcoming,
        permission=READ,
    ),
    Operation(
        "POST",
        f"{ORG}/unpark",
        Scope.CONTRACTS_WRITE,
        parking.unpark,
        parking.Unpark,
        organizations.Organization,
    ),
)
