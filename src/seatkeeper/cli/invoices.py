"""Commands about invoices."""

from __future__ import annotations

import click

from seatkeeper.cli.client import client
from seatkeeper.cli.shown import (
    LINE_COLUMNS,
    json_option,
    line_cells,
    money,
    show_fields,
    show_json,
    show_rows,
)


@click.group()
def invoice() -> None:
    """Invoices: list, show."""


@invoice.command(name="list")
@click.argument("organization")
@json_option
def list_all(organization: str, *, wants_json: bool) -> None:
    """List an organization's invoices.

    Example: seatkeeper invoice list org_06f3…
    """
    found = client().items("invoices.list_all", organization=organization)
    if wants_json:
        show_json(found)
        return
    rows = [
        [
            item["number"],
            item["state"],
            item["issued_at"],
            money(item["total_minor"], item["currency"]),
            money(item["due_minor"], item["currency"]),
            item["invoice"],
        ]
        for item in found
    ]
    show_rows(("number", "state", "issued_at", "total", "due", "invoice"), rows)


@invoice.command()
@click.argument("organization")
@click.argument("invoice_id", metavar="INVOICE")
@json_option
def show(organization: str, invoice_id: str, *, wants_json: bool) -> None:
    """Show an invoice with the arithmetic of each line.

    Example: seatkeeper invoice show org_06f3… ivc_06f3…
    """
    found = client().call("invoices.show", organization=organization, invoice=invoice_id)
    if wants_json:
        show_json(found)
        return
    currency = found["currency"]
    names = ("number", "state", "issued_at", "due_at")
    amounts = (
        "subtotal_minor",
        "tax_minor",
        "total_minor",
        "balance_used_minor",
        "payable_minor",
        "due_minor",
    )
    fields: list[tuple[str, object]] = [(name, found[name]) for name in names]
    fields += [(n.removesuffix("_minor"), money(found[n], currency)) for n in amounts]
    show_fields(fields)
    click.echo()
    show_rows(LINE_COLUMNS, [line_cells(line, currency) for line in found["lines"]])
