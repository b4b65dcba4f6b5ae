"""Commands about seats: who sits where, and buying."""

from __future__ import annotations

from typing import Any

import click

from seatkeeper.cli.client import Unanswered, client
from seatkeeper.cli.outcomes import Failed
from seatkeeper.cli.purchases import begin, begun
from seatkeeper.cli.shown import (
    LINE_COLUMNS,
    confirm,
    json_option,
    line_cells,
    money,
    show,
    show_fields,
    show_json,
    show_rows,
)


@click.group()
def seats() -> None:
    """Seats of an organization: show, assign, move, buy."""


@seats.command(name="show")
@click.argument("organization")
@click.option("--at", help="A past instant, such as 2026-01-31T09:00:00Z.")
@json_option
def show_seats(organization: str, at: str | None, *, wants_json: bool) -> None:
    """Show the seats of each type.

    Example: seatkeeper seats show org_06f3…
    """
    found = client().call("seats.summary", organization=organization, at=at)
    if wants_json:
        show_json(found)
        return
    columns = ("seat_type", "purchased", "assigned", "held", "available", "waiting", "over_limit")
    show_rows(columns, [[item[name] for name in columns] for item in found["items"]])


@seats.command()
@click.argument("organization")
@click.argument("member")
@click.argument("seat_type")
@click.option("--reassign", is_flag=True, help="Also when the member holds another type.")
@json_option
def assign(
    organization: str, member: str, seat_type: str, *, reassign: bool, wants_json: bool
) -> None:
    """Give a member a seat.

    Example: seatkeeper seats assign org_06f3… mem_06f3… premium
    """
    seat = client().call(
        "seats.assign",
        organization=organization,
        member=member,
        seat_type=seat_type,
        reassign=reassign,
    )
    words = "holds it already" if seat["existed"] else "has it now"
    show(seat, f"{seat['member']}: {seat['seat_type']} ({words})", as_json=wants_json)


@seats.command()
@click.argument("organization")
@click.argument("member")
@json_option
def unassign(organization: str, member: str, *, wants_json: bool) -> None:
    """Take a member's seat; the member stays.

    Example: seatkeeper seats unassign org_06f3… mem_06f3…
    """
    done = client().call("seats.unassign", organization=organization, member=member)
    show(done, f"{done['member']}: no seat", as_json=wants_json)


@seats.command()
@click.argument("organization")
@click.argument("moves", nargs=-1, required=True, metavar="MEMBER=TYPE...")
@json_option
def move(organization: str, moves: tuple[str, ...], *, wants_json: bool) -> None:
    """Move members between seat types, all or none; MEMBER= takes the seat away.

    Example: seatkeeper seats move org_06f3… mem_06f3…=premium mem_06f4…=standard
    """
    asked = []
    for text in moves:
        member, equals, seat_type = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text} is not MEMBER=TYPE.")
        asked.append({"member": member, "seat_type": seat_type or None})
    done = client().call("seats.move", organization=organization, moves=asked)
    show(done, f"{done['moved']} moved", as_json=wants_json)


@seats.command()
@click.argument("organization")
@click.argument("quantity", type=click.IntRange(1, 1_000_000))
@click.option("--type", "seat_type", help="The seat type; needed where there are several.")
@click.option("--payment-method", help="Another token than the organization's own.")
@click.option("--yes", is_flag=True, help="Buy without asking.")
@json_option
def buy(
    organization: str,
    quantity: int,
    seat_type: str | None,
    payment_method: str | None,
    **flags: bool,
) -> None:
    """Buy QUANTITY more seats; the price is shown first.

    Example: seatkeeper seats buy org_06f3… 5 --type premium
    """
    change = {"kind": "purchase_seats", "quantity": quantity}
    asked = {"seat_type": seat_type, "payment_method": payment_method}
    _make(organization, {**change, **_given(asked, "seat_type")}, payment_method, flags)


@seats.command(name="reduce")
@click.argument("organization")
@click.argument("target", type=click.IntRange(0, 1_000_000))
@click.option("--type", "seat_type", help="The seat type; needed where there are several.")
@click.option("--now", is_flag=True, help="At once, where the contract allows it.")
@click.option("--yes", is_flag=True, help="Reduce without asking.")
@json_option
def reduce_seats(
    organization: str, target: int, seat_type: str | None, *, now: bool, **flags: bool
) -> None:
    """Have TARGET seats, from the day the plan allows; that day is shown first.

    Example: seatkeeper seats reduce org_06f3… 20
    """
    change: dict[str, Any] = {"kind": "reduce_seats", "target": target}
    if now:
        change["now"] = True
    _make(organization, {**change, **_given({"seat_type": seat_type}, "seat_type")}, None, flags)


def _given(values: dict[str, str | None], *names: str) -> dict[str, str]:
    return {name: value for name in names if (value := values[name]) is not None}


def _make(
    organization: str, change: dict[str, Any], payment_method: str | None, flags: dict[str, bool]
) -> None:
    """Quotes a change, asks, and makes exactly that one, once."""
    caller = client()
    asked = {"organization": organization, "change": change, "payment_method": payment_method}
    purchase = begun(caller, asked)
    if purchase is None:
        quote = caller.call("quotes.ask", organization=organization, change=change)
        _show_quote(quote)
        confirm("Go ahead?", yes=flags["yes"])
        body = {"organization": organization, "quote": quote["quote"]}
        body |= {"payment_method": payment_method} if payment_method else {}
        purchase = begin(caller, asked, body)
    else:
        click.echo("An earlier run of this command was cut off; this one finishes it.", err=True)
    try:
        done = caller.call("changes.make", idempotency_key=purchase.key, **purchase.body)
    except Unanswered as unanswered:
        advice = ("run the same command again: it does not buy twice", *unanswered.advice)
        raise Failed(unanswered.code, unanswered.sentence, *advice) from None
    except Failed:
        purchase.forget()
        raise
    if flags["wants_json"]:
        show_json(done)
    else:
        _show_change(done)
    purchase.forget()


def _show_quote(quote: dict[str, Any]) -> None:
    currency = quote["currency"]
    when = f"on {quote['effective_at']}" if quote["scheduled"] else "at once"
    # The quote is for the person who decides, also where the answer goes to a program.
    due = money(quote["due_now_minor"], currency)
    click.echo(f"Due now: {due}; takes effect {when}.", err=True)
    show_rows(LINE_COLUMNS, [line_cells(line, currency) for line in quote["lines"]], err=True)


def _show_change(done: dict[str, Any]) -> None:
    fields: list[tuple[str, object]] = [
        (name, done[name]) for name in ("change", "kind", "state", "effective_at", "invoice")
    ]
    show_fields([*fields, *(("seats " + key, f"{n:+}") for key, n in done["seats_change"].items())])
