"""Commands about organizations."""

from __future__ import annotations

from typing import Any

import click

from seatkeeper.cli.client import client
from seatkeeper.cli.shown import json_option, money, show_fields, show_json, show_rows


@click.group()
def org() -> None:
    """Organizations: list, create, show."""


@org.command(name="list")
@json_option
def list_all(*, wants_json: bool) -> None:
    """List all organizations.

    Example: seatkeeper org list --json
    """
    found = client().items("organizations.page")
    if wants_json:
        show_json(found)
        return
    columns = ("organization", "name", "currency", "time_zone", "catalog", "created_at")
    show_rows(columns, [[item[name] for name in columns] for item in found])


@org.command()
@click.argument("name")
@click.option("--currency", required=True, help="ISO 4217, such as EUR.")
@click.option("--time-zone", required=True, help="IANA, such as Europe/Vienna.")
@click.option("--owner-email", required=True, help="E-mail address of the primary owner.")
@click.option("--owner-name", help="Their name; the address if left out.")
@click.option("--owner-user", help="Your own id of them; the address if left out.")
@click.option("--catalog", help="Needed where there are several.")
@click.option("--clock", help="A test clock by which it lives.")
@click.option("--payment-method", help="A provider's token, such as sandbox_ok.")
@json_option
def create(name: str, *, wants_json: bool, **options: str | None) -> None:
    """Create an organization with its primary owner.

    Example: seatkeeper org create "Ada's Engines" --currency EUR --time-zone Europe/Vienna
    --owner-email ada@example.com
    """
    email = options["owner_email"]
    owner = {
        "user": options["owner_user"] or email,
        "name": options["owner_name"] or email,
        "email": email,
    }
    given = ("currency", "time_zone", "catalog", "clock", "payment_method")
    made = client().call(
        "organizations.create",
        name=name,
        primary_owner=owner,
        **{key: options[key] for key in given},
    )
    _show(made, wants_json=wants_json)


@org.command()
@click.argument("organization")
@json_option
def show(organization: str, *, wants_json: bool) -> None:
    """Show one organization.

    Example: seatkeeper org show org_06f3…
    """
    _show(client().call("organizations.read", organization=organization), wants_json=wants_json)


def _show(found: dict[str, Any], *, wants_json: bool) -> None:
    if wants_json:
        show_json(found)
    else:
        balance = money(found.pop("balance_minor"), found["currency"])
        show_fields([*found.items(), ("balance", balance)])
