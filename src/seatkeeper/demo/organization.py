"""Plans on which every member occupies a seat: four prices, right-sizing, limits, and an end."""

from __future__ import annotations

from datetime import date
from typing import Final

from seatkeeper.cli.outcomes import Failed
from seatkeeper.demo.months import table
from seatkeeper.demo.story import CURRENCY, Organization, Story, at
from seatkeeper.domain.money import Money

CATALOG: Final = "organization"
QUANTITIES: Final = (1, 3, 4, 10, 12)
OVER: Final = "over limit"
# What each plan costs a month for so many seats, by hand: the fee, and what is not included.
PRICES: Final = {
    "base_and_seats": ("20.00 + 5.00 a seat", (25_00, 35_00, 40_00, 70_00, 80_00)),
    "one_included": ("25.00 with 1, then 10.00", (25_00, 45_00, 55_00, 115_00, 135_00)),
    "per_seat": ("8.00 a seat", (8_00, 24_00, 32_00, 80_00, 96_00)),
    "per_seat_limited": ("5.00 a seat, 10 at most", (5_00, 15_00, 20_00, 50_00, OVER)),
    "first_five_flat": ("10.00 up to 5, then 5.00", (10_00, 10_00, 10_00, 35_00, 45_00)),
}


def tell(story: Story) -> None:
    """The year of three organizations whose members all sit."""
    story.chapter("2  Plans for organizations: every member occupies a seat", date(2027, 1, 1))
    _prices(story)
    _right_sizing(story)
    _limits(story)
    _end(story)
    table(
        story,
        {
            "Fernwood Studio": 45_00 + 3_39 + 3_87 + 50_00 + 10 * 45_00,
            "Harbor Club": 3 * 30_00 + 257_55 - 15_48 + 2 * 499_00 + 7 * 30_00,
            "Quarry Collective": 3 * 40_00,
        },
    )


def _prices(story: Story) -> None:
    story.scene("What seats cost a month, as the service quotes it")
    asking = story.organization("Curious & Co", CATALOG, "Quinn Curious")
    heads = "".join(f"{quantity:>11}" for quantity in QUANTITIES)
    story.say(f"  {'seats':<28}{heads}")
    for plan, (words, wanted) in PRICES.items():
        found = [_quoted(story, asking, plan, quantity) for quantity in QUANTITIES]
        story.expect(f"the prices of {plan}", found, list(wanted))
        story.say(f"  {words:<28}" + "".join(f"{_cell(each):>11}" for each in found))


def _quoted(story: Story, asking: Organization, plan: str, quantity: int) -> int | str:
    seats = [{"seat_type": "member", "quantity": quantity}]
    body = {"kind": "subscribe", "plan": plan, "price": "monthly_usd", "seats": seats}
    try:
        due: int = story.call("quotes.ask", asking, change=body)["due_now_minor"]
    except Failed as failed:
        if failed.problem.get("code") != "over_plan_limit":
            raise
        return OVER
    return due


def _cell(found: int | str) -> str:
    return found if isinstance(found, str) else str(Money(found, CURRENCY)).partition(" ")[0]


def _right_sizing(story: Story) -> None:
    story.scene("Fernwood Studio: as many seats as people, adjusted at each renewal")
    studio = story.organization("Fernwood Studio", CATALOG, "Faye Owner")
    story.join(studio, "Finn", "Flora")
    tokens = story.invite(studio, "Fabian", "Freya")
    made = story.change(studio, "subscribe", plan="base_and_seats", price="monthly_usd")
    story.costs("Three members and two invitations: five seats", made["due_now_minor"], 45_00)
    story.expect("the seats to begin with", _purchased(story, studio), 5)
    story.go(at(1, 6))
    for name, token in zip(("Fabian", "Freya"), tokens, strict=True):
        story.accept(studio, name, token)
    story.tell("Both accept; each sits on the seat that was held")
    story.go(at(1, 11))
    problem = story.refused(
        "insufficient_seats", "Faye invites Gil", lambda: story.invite(studio, "Gil")
    )
    made = story.change(studio, "purchase_seats", quantity=1, resume=problem["resume"])
    story.expect("the resumed invitation is sent", made["resumed"]["done"], wanted=True)
    story.costs(
        "She buys one for 21 days of 31, and so Gil's invitation goes out",
        made["due_now_minor"],
        3_39,
    )
    story.go(at(1, 20))
    made = story.change(studio, "purchase_seats", quantity=2)
    story.costs("Two seats more, to be ready, for 12 days of 31", made["due_now_minor"], 3_87)
    story.go(at(2, 1))
    story.expect("the seats after the renewal", _purchased(story, studio), 6)
    story.costs(
        "Of eight seats six renew: five members and Gil's invitation",
        story.last_invoice(studio),
        50_00,
    )
    story.go(at(3, 1))
    story.costs(
        "Gil never answered; after 30 days his seat was free, so five renew",
        story.last_invoice(studio),
        45_00,
    )
    story.rest()


def _limits(story: Story) -> None:
    story.scene("Harbor Club: ten members for one fee, and no seat to buy")
    club = story.organization("Harbor Club", CATALOG, "Hanna Owner")
    made = story.change(club, "subscribe", plan="limit_only", price="monthly_usd")
    story.costs("Hanna chooses the plan for up to ten", made["due_now_minor"], 30_00)
    story.join(club, *(f"Rower {number}" for number in range(1, 10)))
    story.tell("Nine rowers join: ten members, and nothing more to pay", 0)
    story.refused("over_plan_limit", "One more wants in", lambda: story.join(club, "Rower 10"))
    story.go(at(3, 16))
    made = story.change(club, "change_plan", plan="unlimited", price="monthly_usd")
    # Of the new fee and of the old one, 16 days of 31 are left.
    story.costs(
        "So Hanna moves up to any number, for the 16 days of 31 that are left",
        made["due_now_minor"],
        257_55 - 15_48,
    )
    story.join(club, "Rower 10", "Rower 11")
    story.tell("Two more rowers join: twelve members")
    story.go(at(5, 10))
    down = {"plan": "limit_only", "price": "monthly_usd"}
    story.refused(
        "over_plan_limit",
        "The season is over; Hanna asks for the smaller plan again",
        lambda: story.change(club, "change_plan", **down),
    )
    story.leave(club, "Rower 10", "Rower 11")
    made = story.change(club, "change_plan", **down)
    story.expect("the smaller plan waits", made["state"], "scheduled")
    story.tell("Two rowers leave; the smaller plan follows when the month is paid up", 0)
    story.go(at(6, 1))
    story.costs("Ten members, one fee", story.last_invoice(club), 30_00)
    story.rest()


def _end(story: Story) -> None:
    story.scene("Quarry Collective: the subscription ends, the people stay")
    quarry = story.organization("Quarry Collective", CATALOG, "Quentin Owner")
    made = story.change(
        quarry,
        "subscribe",
        plan="per_seat_limited",
        price="monthly_usd",
        seats=[{"seat_type": "member", "quantity": 8}],
    )
    story.costs("Quentin buys eight seats", made["due_now_minor"], 40_00)
    story.join(quarry, *(f"Mason {number}" for number in range(1, 8)))
    story.tell("Seven masons join")
    story.go(at(3, 20))
    story.refused(
        "over_plan_limit",
        "Quentin asks for the plan that costs nothing and is for five",
        lambda: story.change(quarry, "change_plan", plan="free"),
    )
    story.change(quarry, "cancel")
    story.tell("Quentin cancels; until the end of the paid month nothing changes", 0)
    story.go(at(4, 1))
    member = story.seats(quarry)["member"]
    story.expect("who stays", (member["assigned"], member["over_limit"]), (8, True))
    story.tell("Back on the free plan for five: all eight people stay in")
    story.refused("over_limit", "But nobody new", lambda: story.invite(quarry, "Nadia"))
    story.leave(quarry, *(f"Mason {number}" for number in range(1, 5)))
    story.invite(quarry, "Nadia")
    story.tell("Four masons leave: four people, and room for Nadia's invitation")
    story.rest()


def _purchased(story: Story, organization: Organization) -> int:
    purchased: int = story.seats(organization)["member"]["purchased"]
    return purchased
