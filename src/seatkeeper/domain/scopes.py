"""Scopes: what an API key may be used for, as a closed set."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a key may do; each operation names the one it needs."""

    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    ORGANIZATIONS_READ = "organizations:read"
    ORGANIZATIONS_WRITE = "organizations:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    SEATS_READ = "seats:read"
    SEATS_ASSIGN = "seats:assign"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    CONTRACTS_WRITE = "contracts:write"
    ENTITLEMENTS_READ = "entitlements:read"
    EVENTS_READ = "events:read"
    CLOCKS_WRITE = "clocks:write"
    KEYS_WRITE = "keys:write"


class VendorRole(StrEnum):
    """For whom on the vendor's side a key speaks, from the lowest up."""

    SERVICE = "service"
    ACCOUNT_MANAGER = "account_manager"
    OPERATOR = "operator"

    def covers(self, other: VendorRole) -> bool:
        """Whether this role may do all that the other may."""
        order = list(VendorRole)
        return order.index(self) >= order.index(other)
