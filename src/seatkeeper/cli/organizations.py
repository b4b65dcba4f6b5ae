"""Commands about organizations and what they were granted."""

from __future__ import annotations

from typing import Any, Final

import click

from seatkeeper.cli.client import client
from seatkeeper.cli.shown import json_option, money, show_fields, show_json, show_rows

DECIMALS_MAX: Final = 2  # of a percentage: a hundredth of one is a basis point


@click.group()
def org() -> None:
    """Organizations: list, create, show; their discounts."""


@org.command(name="list")
@json_option
def list_all(*, wants_json: bool) -> None:
    """List all organizations.

    Example: seatkeeper org list --json
    """
    found = client().items("organizations.list_all")
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
    _show(client().call("organizations.show", organization=organization), wants_json=wants_json)


@org.group()
def discount() -> None:
    """The discount of an organization: set, show, remove. One at a time.

    Example: seatkeeper org discount set org_06f3… --percent 20 --periods 12
    """


@discount.command(name="set")
@click.argument("organization")
@click.option("--percent", help="Off each line, such as 20 or 12.5.")
@click.option("--amount-minor", type=int, help="Off each period's invoice, in minor units.")
@click.option("--periods", type=int, help="For so many billing periods; 1 for once.")
@click.option("--until", help="For periods that begin before then, such as 2027-01-01T00:00:00Z.")
@json_option
def set_discount(
    organization: str,
    *,
    wants_json: bool,
    percent: str | None,
    periods: int | None,
    **options: str | int | None,
) -> None:
    """Grant a discount from the next billing period on, in place of the one there was.

    Example: seatkeeper org discount set org_06f3… --percent 20 --periods 12
    """
    wanted: dict[str, Any] = {**options, "periods": periods}
    if percent is not None:
        wanted["basis_points"] = _basis_points(percent)
    granted = client().call("discounts.put", organization=organization, **wanted)
    _show(granted, wants_json=wants_json)


@discount.command(name="show")
@click.argument("organization")
@json_option
def show_discount(organization: str, *, wants_json: bool) -> None:
    """Show the discount in force.

    Example: seatkeeper org discount show org_06f3…
    """
    _show(client().call("discounts.show", organization=organization), wants_json=wants_json)


@discount.command(name="remove")
@click.argument("organization")
@json_option
def remove_discount(organization: str, *, wants_json: bool) -> None:
    """Take the discount away; the running period keeps what it began with.

    Example: seatkeeper org discount remove org_06f3…
    """
    _show(client().call("discounts.remove", organization=organization), wants_json=wants_json)


def _basis_points(percent: str) -> int:
    """A percentage of at most two decimals as hundredths of a percent."""
    whole, _, rest = percent.partition(".")
    digits = whole + rest
    if not (digits.isascii() and digits.isdigit()) or len(rest) > DECIMALS_MAX:
        message = "is a number of at most two decimals, such as 12.5."
        raise click.BadParameter(message, param_hint="--percent")
    return int(digits.ljust(len(whole) + DECIMALS_MAX, "0"))


def _show(found: dict[str, Any], *, wants_json: bool) -> None:
    if wants_json:
        show_json(found)
    else:
        fields = list(found.items())
        if (balance := found.get("balance_minor")) is not None:
            fields.append(("balance", money(balance, found["currency"])))
        show_fields(field for field in fields if field[0] != "balance_minor")
