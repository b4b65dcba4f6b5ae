"""The rows of the operations table about access."""

from __future__ import annotations

from typing import Final

from seatkeeper.api.operation import Operation
from seatkeeper.domain.scopes import Scope
from seatkeeper.operations import access

CHECK: Final = "/v1/check"
MEMBER: Final = "/v1/organizations/{organization}/members/{member}"

ACCESS: Final = (
    Operation(
        "GET",
        CHECK,
        Scope.ENTITLEMENTS_READ,
        access.check,
        access.CheckAccess,
        access.Checked,
    ),
    Operation(
        "POST",
        CHECK,
        Scope.ENTITLEMENTS_READ,
        access.check_unlogged,
        access.CheckAccess,
        access.Checked,
    ),
    Operation(
        "GET",
        f"{MEMBER}/entitlements",
        Scope.ENTITLEMENTS_READ,
        access.entitlements,
        access.ReadEntitlements,
        access.Entitlements,
    ),
    Operation(
        "GET",
        f"{MEMBER}/explain",
        Scope.ENTITLEMENTS_READ,
        access.explain,
        access.ExplainAccess,
        access.Explained,
    ),
)
