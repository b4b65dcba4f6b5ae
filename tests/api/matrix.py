"""The authorization matrix: for every operation, who may, and what a stranger's key hears.

`roles`: P primary owner, O owner, A admin, M member, B member with the billing right; those that
are not named are refused. `status` is what the vendor's key with just that scope is answered,
`bound` what a key of another organization is; `payer` marks what a member without any right may
do with an invoice or payment of their own seat. A row is written by hand: that is its worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ALL, STAFF, OWNERS, PAYERS, NOBODY = "POAMB", "POA", "PO", "POB", ""
CHANGE = {"kind": "purchase_seats", "seat_type": "basic", "quantity": 1}


@dataclass(frozen=True)
class Row:
    """What is expected of one operation; `sent` is its body, or its query where it has none."""

    roles: str
    status: int = 200
    bound: int = 404
    sent: Any = None
    payer: bool = False


MATRIX: dict[str, Row] = {
    # The vendor's own: not done in a member's name.
    "catalog.show": Row(NOBODY, bound=403),
    "catalog.apply": Row(NOBODY, bound=403, sent={"document": "{document}", "dry_run": True}),
    "organizations.create": Row(NOBODY, 201, 403, "{organization_body}"),
    "organizations.list_all": Row(NOBODY, bound=200),
    "api_keys.revoke": Row(NOBODY),
    "invitations.accept": Row(
        NOBODY,
        201,
        sent={"token": "{token}", "user": "u", "email": "{invited}", "name": "Ida"},
    ),
    "clocks.create": Row(NOBODY, 201, 201, {"name": "c", "now": "2026-01-01T00:00:00Z"}),
    "clocks.list_all": Row(NOBODY, bound=200),
    "clocks.show": Row(NOBODY),
    "clocks.advance": Row(NOBODY, sent={"to": "2026-01-01T00:00:01Z"}),
    # The organization.
    "plans.list_all": Row(ALL, sent={"organization": "{organization}"}),
    "organizations.show": Row(ALL),
    "organizations.change": Row(OWNERS, sent={"name": "Ada's other Engines"}),
    "api_keys.create": Row(
        OWNERS,
        201,
        sent={"name": "k", "scopes": ["keys:write"], "organization": "{organization}"},
    ),
    "api_keys.list_all": Row(OWNERS, sent={"organization": "{organization}"}),
    "events.follow": Row(OWNERS, sent={"organization": "{organization}"}),
    "events.audit": Row(OWNERS),
    # People.
    "members.list_all": Row(ALL),
    "members.add": Row(STAFF, 201, sent="{member_body}"),
    "members.show": Row(ALL),
    "members.change": Row(STAFF, sent={"name": "Target"}),
    "members.remove": Row(STAFF),
    "roles.change": Row(OWNERS, sent={"role": "member"}),
    "roles.transfer": Row("P", 422, sent={"member": "{member}", "confirm_email": "x@example.com"}),
    "invitations.list_all": Row(STAFF),
    "invitations.create": Row(STAFF, 201, sent={"invitations": [{"email": "{fresh_email}"}]}),
    "invitations.show": Row(STAFF),
    "invitations.resend": Row(STAFF, sent={}),
    "invitations.revoke": Row(STAFF, sent={}),
    # Seats.
    "seats.summary": Row(ALL),
    "seats.assign": Row(STAFF, sent={"seat_type": "basic"}),
    "seats.unassign": Row(STAFF),
    "seats.move": Row(STAFF, sent={"moves": [{"member": "{member}", "seat_type": "basic"}]}),
    "seats.history": Row(ALL),
    "seat_requests.list_all": Row(STAFF),
    "seat_requests.cancel": Row(STAFF),
    "seat_requests.request": Row(STAFF, 201, sent={"member": "{waiter}", "seat_type": "full"}),
    # Money.
    "subscriptions.show": Row(PAYERS),
    "quotes.ask": Row(PAYERS, 201, sent={"change": CHANGE}),
    "changes.make": Row(PAYERS, 201, sent={"change": CHANGE}),
    "changes.list_all": Row(PAYERS),
    "changes.show": Row(PAYERS),
    "withdrawals.cancel": Row(PAYERS, 409),
    "invoices.list_all": Row(PAYERS),
    "invoices.show": Row(PAYERS, payer=True),
    "invoices.balance": Row(PAYERS),
    "payments.pay": Row(PAYERS, sent={}, payer=True),
    "payments.list_all": Row(PAYERS),
    "payments.confirm": Row(PAYERS, sent={}, payer=True),
    "upcoming.show": Row(PAYERS),
    "credit_notes.list_all": Row(PAYERS),
    "contracts.show": Row(PAYERS, 404),
    "discounts.show": Row(PAYERS),
    "amendments.request": Row(PAYERS, 404, sent={"note": "More, please"}),
    "amendments.list_all": Row(PAYERS),
    "amendments.show": Row(PAYERS, 404),
    "amendments.accept": Row(PAYERS, 404, sent={}),
    "amendments.decline": Row(PAYERS, 404, sent={}),
    # Money matters in which only the vendor speaks.
    "payments.record": Row(NOBODY, sent={"reference": "transfer 1"}),
    "payments.void": Row(NOBODY, 409, sent={"reason": "a mistake"}),
    "credit_notes.create": Row(NOBODY, 201, sent={"amount_minor": 1, "reason": "kindness"}),
    "contracts.put": Row(NOBODY, 422, sent={"plan": "{pro}", "account_manager": "Grace"}),
    "discounts.put": Row(NOBODY, sent={"basis_points": 2000}),
    "discounts.remove": Row(NOBODY),
    "contracts.sign": Row(NOBODY, 404, sent={}),
    "amendments.quote": Row(NOBODY, 404, sent={}),
    "parking.unpark": Row(NOBODY, sent={"reason": "looked at"}),
    # What a member pays for themselves: only they, here nobody else's business.
    "member_subscriptions.subscribe": Row(NOBODY, 409, sent={"plan": "{pro}"}),
    "member_subscriptions.show": Row(NOBODY, 404),
    "member_subscriptions.cancel": Row(NOBODY, 404, sent={}),
    "member_subscriptions.resume": Row(NOBODY, 404, sent={}),
    "member_subscriptions.pay_with": Row(NOBODY, 404, sent={"payment_method": "sandbox_ok"}),
    # Access.
    "access.check": Row(ALL, sent={"organization": "{organization}", "user": "u", "feature": "x"}),
    "access.check_unlogged": Row(
        ALL, sent={"organization": "{organization}", "user": "u", "feature": "x"}
    ),
    "access.entitlements": Row(ALL),
    "access.explain": Row(ALL, sent={"feature": "x"}),
}
