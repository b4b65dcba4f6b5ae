"""Scopes and vendor roles."""

import pytest

from seatkeeper.domain.scopes import Scope, VendorRole


@pytest.mark.parametrize(
    ("role", "other", "covers"),
    [
        ("service", "service", True),
        ("service", "account_manager", False),
        ("account_manager", "service", True),
        ("account_manager", "operator", False),
        ("operator", "account_manager", True),
        ("operator", "operator", True),
    ],
)
def test_a_role_covers_those_below_it(role, other, covers):
    assert VendorRole(role).covers(VendorRole(other)) is covers


def test_scopes_are_a_noun_and_a_verb():
    assert all(len(scope.split(":")) == 2 for scope in Scope)
