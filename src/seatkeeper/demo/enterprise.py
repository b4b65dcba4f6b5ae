"""Annual seats for a company: bought by the owner, added through the year, fewer at renewal."""

from __future__ import annotations

from datetime import date
from typing import Final

from seatkeeper.demo import legacy
from seatkeeper.demo.months import table
from seatkeeper.demo.story import Organization, Story, at

CATALOG: Final = "enterprise"
SEAT: Final = "enterprise"
UNIT: Final = 240_00  # 20.00 a month, billed by the year
CARL: Final = "Carl Contractor"


def tell(story: Story) -> None:
    """The year of two companies on annual plans."""
    story.chapter("1  Annual seats for companies", date(2027, 2, 1))
    story.scene("Larkspur Labs: an owner who buys for herself")
    company = _begin(story)
    _spring(story, company)
    _summer(story, company)
    _autumn(story, company)
    _renewal(story, company)
    legacy.tell(story)
    table(
        story,
        {
            "Larkspur Labs": 50 * UNIT + 1_006_03 + 2_630_14 + 428_05 + 55 * UNIT,
            "Meridian Works": 20 * UNIT + 10 * 2 * UNIT + 30 * UNIT,
        },
    )


def _begin(story: Story) -> Organization:
    company = story.organization("Larkspur Labs", CATALOG, "Olivia Owner")
    story.refused(
        "below_minimum_seats",
        "Olivia asks for 19 seats",
        lambda: story.change(company, "subscribe", plan="enterprise", seats=_seats(19)),
    )
    made = story.change(company, "subscribe", plan="enterprise", seats=_seats(50))
    story.costs("She buys 50 for a year", made["due_now_minor"], 50 * UNIT)
    engineers = (f"Engineer {number:02d}" for number in range(1, 45))
    story.join(company, *engineers, CARL, "Ada Admin", seat_type=SEAT)
    story.expect("assigned seats", story.seats(company)[SEAT]["assigned"], 46)
    story.tell("46 colleagues join and sit; Olivia herself needs no seat")
    return company


def _seats(quantity: int) -> list[dict[str, object]]:
    return [{"seat_type": SEAT, "quantity": quantity}]


def _spring(story: Story, company: Organization) -> None:
    story.go(at(3, 1))
    made = story.change(company, "purchase_seats", quantity=5)
    story.costs("5 seats more, for 306 days of 365", made["due_now_minor"], 1_006_03)
    carl = {"member": company.members[CARL]}
    story.refused(
        "billing_permission_required",
        "Carl, who is a member, tries to buy one too",
        lambda: story.as_member(company, CARL).call(
            "quotes.ask", company, change={"kind": "purchase_seats", "quantity": 1}
        ),
    )
    story.go(at(4, 10))
    story.call("seats.unassign", company, **carl)
    story.tell("Carl pauses: he stays a member, his seat is free, the bill stays", 0)


def _summer(story: Story, company: Organization) -> None:
    story.go(at(6, 15))
    made = story.change(company, "purchase_seats", quantity=20)
    story.costs("20 seats for a new team, for 200 days of 365", made["due_now_minor"], 2_630_14)
    story.call("seats.assign", company, member=company.members[CARL], seat_type=SEAT)
    story.tell("Carl is back, on a free seat", 0)
    story.go(at(7, 6))
    story.refused(
        "reduction_not_allowed_mid_term",
        "Olivia wants to pay for 48 seats from now on",
        lambda: story.change(company, "reduce_seats", target=48, now=True),
    )
    made = story.change(company, "reduce_seats", target=48)
    story.expect("the reduction waits", made["state"], "scheduled")
    story.tell("So she plans it for the renewal; until then nothing changes", 0)


def _autumn(story: Story, company: Organization) -> None:
    story.go(at(9, 30))
    free = story.seats(company)[SEAT]["available"]
    story.expect("free seats", free, 29)
    story.join(company, *(f"Joiner {number:02d}" for number in range(1, 30)), seat_type=SEAT)
    story.tell("29 people join and take the last free seats")
    sam = story.join(company, "Sam Signon", source="jit")
    story.expect("Sam's state", sam["state"], "awaiting_seat")
    story.tell("Sam signs in by single sign-on: a member now, awaiting a seat")
    made = story.change(company, "purchase_seats", quantity=7)
    story.costs("Olivia buys 7, for 93 days of 365", made["due_now_minor"], 428_05)
    sam = story.call("members.show", company, member=sam["member"])
    story.expect("Sam's state", sam["state"], "seated")
    story.tell("The first of them is Sam's, by the purchase itself")
    story.go(at(11, 20))
    story.leave(company, *(f"Joiner {number:02d}" for number in range(1, 23)))
    story.tell("22 people leave; their seats are free, the bill stays", 0)


def _renewal(story: Story, company: Organization) -> None:
    coming = story.call("upcoming.show", company)
    story.expect("the renewal, rehearsed", coming["total_minor"], 55 * UNIT)
    story.tell("The renewal, rehearsed: 48 as planned, and the 7 bought since")
    story.go(at(1, 1, year=2027))
    story.expect("renewed seats", story.seats(company)[SEAT]["purchased"], 55)
    story.costs("82 seats become 55 for another year", story.last_invoice(company), 55 * UNIT)
    story.rest()
