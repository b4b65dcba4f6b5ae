"""The vendor's side of the operations table: catalog, organizations, keys, events."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.domain.members import Permission
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations import api_keys, catalog, events, organizations, plans
from seatkeeper.operations.words import Page

ORG: Final = "/v1/organizations/{organization}"
KEYS: Final = "/v1/api-keys"

VENDOR: Final = (
    Operation(
        "GET",
        "/v1/catalog",
        Scope.CATALOG_READ,
        catalog.show,
        catalog.ReadCatalog,
        catalog.Catalogs,
    ),
    Operation(
        "PUT",
        "/v1/catalog",
        Scope.CATALOG_WRITE,
        catalog.apply,
        catalog.ApplyCatalog,
        catalog.CatalogChange,
    ),
    Operation(
        "GET", "/v1/plans", Scope.CATALOG_READ, plans.list_all, plans.ListPlans, plans.OfferedPlans
    ),
    Operation(
        "POST",
        "/v1/organizations",
        Scope.ORGANIZATIONS_WRITE,
        organizations.create,
        organizations.CreateOrganization,
        organizations.Organization,
        status=201,
    ),
    Operation(
        "GET",
        "/v1/organizations",
        Scope.ORGANIZATIONS_READ,
        organizations.list_all,
        organizations.ListOrganizations,
        Page[organizations.Organization],
    ),
    Operation(
        "GET",
        ORG,
        Scope.ORGANIZATIONS_READ,
        organizations.show,
        organizations.ReadOrganization,
        organizations.Organization,
    ),
    Operation(
        "PATCH",
        ORG,
        Scope.ORGANIZATIONS_WRITE,
        organizations.change,
        organizations.ChangeOrganization,
        organizations.Organization,
    ),
    Operation(
        "POST",
        KEYS,
        Scope.KEYS_WRITE,
        api_keys.create,
        api_keys.CreateApiKey,
        api_keys.NewApiKey,
        status=201,
        permission=Permission.SETTINGS_MANAGE,
        tells_secret=True,
    ),
    Operation(
        "GET",
        KEYS,
        Scope.KEYS_WRITE,
        api_keys.list_all,
        api_keys.ListApiKeys,
        Page[api_keys.ApiKey],
        permission=Permission.SETTINGS_MANAGE,
    ),
    Operation(
        "DELETE",
        f"{KEYS}/{{key}}",
        Scope.KEYS_WRITE,
        api_keys.revoke,
        api_keys.RevokeApiKey,
        api_keys.ApiKey,
    ),
    Operation(
        "GET",
        "/v1/events",
        Scope.EVENTS_READ,
        events.follow,
        events.FollowEvents,
        events.Events,
        permission=Permission.SETTINGS_MANAGE,
    ),
    Operation(
        "GET",
        f"{ORG}/audit",
        Scope.EVENTS_READ,
        events.audit,
        events.ReadAudit,
        Page[events.Event],
        permission=Permission.SETTINGS_MANAGE,
    ),
)
