"""Workspaces: members who each pay for their own seat, and companies under a contract."""

from __future__ import annotations

from datetime import date
from typing import Final

from seatkeeper.demo.months import table
from seatkeeper.demo.story import Answer, Organization, Story, at

CATALOG: Final = "workspace"
PRO: Final = 99_00
BY_MONTH: Final = 80_00
BY_YEAR: Final = 960_00
CARD: Final = {"payment_method": "sandbox_ok"}


def tell(story: Story) -> None:
    """The year of a workspace that pools, and of two companies."""
    story.chapter("3  Workspaces: a seat for oneself, or a contract for all", date(2027, 2, 1))
    _pro(story)
    _by_month(story)
    _by_year(story)
    table(
        story,
        {
            # Months: Paula 13; Milo from 20 January 7; Nora from 5 February 12; Stella, who came
            # with June paid, 7.
            "Atelier Nord": (13 + 7 + 12 + 7) * PRO,
            "Bluebird Media": 3 * 10 * BY_MONTH + 10 * 12 * BY_MONTH,
            "Cobalt Cinema": 10 * BY_YEAR + 1_446_58 + 12 * BY_YEAR,
        },
    )


def _pro(story: Story) -> None:
    story.scene("Atelier Nord: each member brings a seat of their own")
    nord = story.organization("Atelier Nord", CATALOG, "Paula Pro", method=None)
    _subscribe(story, nord, "Paula Pro", "pro")
    story.costs("Paula signs up for Pro", story.last_invoice(nord), PRO)
    story.go(at(1, 20))
    (token,) = story.invite(nord, "Milo Member")
    story.tell("She invites Milo; the invitation costs nothing and holds nothing", 0)
    story.accept(nord, "Milo Member", token, **CARD)
    story.costs("Milo pays for himself, in full, on the 20th from now on", _last(story, nord), PRO)
    story.go(at(2, 5))
    (token,) = story.invite(nord, "Nora New")
    story.accept(nord, "Nora New", token, **CARD)
    story.costs("Nora too, on the 5th", _last(story, nord), PRO)
    _starter(story, nord)
    _cancels(story, nord)
    story.rest()


def _last(story: Story, organization: Organization) -> int:
    return story.last_invoice(organization)


def _subscribe(story: Story, organization: Organization, name: str, plan: str) -> Answer:
    member = organization.members[name]
    how = {"member": member, "plan": plan, "price": "monthly", **CARD}
    answer: Answer = story.pay("member_subscriptions.subscribe", organization, **how)
    return answer


def _starter(story: Story, nord: Organization) -> None:
    story.go(at(6, 10))
    desk = story.organization("Stella's desk", CATALOG, "Stella Starter", method=None)
    _subscribe(story, desk, "Stella Starter", "starter")
    story.costs("Stella works alone, on Starter", _last(story, desk), 29_00)
    story.refused(
        "over_plan_limit",
        "There she cannot add anyone",
        lambda: story.invite(desk, "Somebody Else"),
    )
    (token,) = story.invite(nord, "Stella Starter")
    story.refused(
        "plan_tier_mismatch",
        "Paula invites her to Pro; as she is, she cannot come in",
        lambda: story.accept(nord, "Stella Starter", token, **CARD),
    )
    _subscribe(story, desk, "Stella Starter", "pro")
    story.costs("She moves up to Pro, at the full price", _last(story, desk), PRO)
    story.accept(nord, "Stella Starter", token)
    story.tell("Now she comes in with the seat that she has paid for", 0)


def _cancels(story: Story, nord: Organization) -> None:
    story.go(at(8, 8))
    milo = {"member": nord.members["Milo Member"]}
    story.call("member_subscriptions.cancel", nord, **milo)
    story.tell("Milo cancels; his month is paid until the 20th, so he stays that long", 0)
    story.go(at(8, 21))
    story.expect("the seats of the others", story.seats(nord)["member"]["purchased"], 3)
    story.tell("He and his seat are gone; the others go on, each on their own day")


def _by_month(story: Story) -> None:
    story.scene("Bluebird Media: a contract by the month")
    media = _contract(story, "Bluebird Media", "Boris Buyer", "business")
    story.costs("Amir signs ten seats at 80.00 a month", _last(story, media), 10 * BY_MONTH)
    story.join(media, *(f"Editor {number}" for number in range(1, 10)), seat_type="member")
    story.go(at(3, 10))
    story.refused(
        "contract_managed",
        "Boris wants to buy two more himself",
        lambda: story.change(media, "purchase_seats", quantity=2),
    )
    due = _amend(story, media, 2)
    story.costs("He asks Amir, who offers them from April, and accepts", due, 0)
    story.expect("seats in March", story.seats(media)["member"]["purchased"], 10)
    story.go(at(4, 1))
    story.costs("April is billed for twelve", _last(story, media), 12 * BY_MONTH)
    _sign(story, media)
    story.rest()


def _by_year(story: Story) -> None:
    story.scene("Cobalt Cinema: the same, paid a year ahead")
    cinema = _contract(story, "Cobalt Cinema", "Clara Buyer", "business_yearly")
    story.costs("Amir signs ten seats at 960.00 a year", _last(story, cinema), 10 * BY_YEAR)
    story.join(cinema, *(f"Cutter {number}" for number in range(1, 11)), seat_type="member")
    story.go(at(4, 1))
    due = _amend(story, cinema, 2)
    story.costs("Two seats more, at once, for 275 days of 365", due, 1_446_58)
    story.expect("what was invoiced for them", _last(story, cinema), 1_446_58)
    cutter = story.join(cinema, "Cutter 11", seat_type="member")
    story.expect("the next cutter's state", cutter["state"], "seated")
    story.tell("The next cutter sits the same day")
    _sign(story, cinema)
    story.go(at(1, 1, year=2027))
    story.costs("The next year, for twelve", _last(story, cinema), 12 * BY_YEAR)
    story.rest()


def _contract(story: Story, name: str, buyer: str, plan: str) -> Organization:
    made = story.organization(name, CATALOG, buyer)
    story.call(
        "contracts.put",
        made,
        plan=plan,
        account_manager="Amir, account manager",
        net_terms_days=14,
        seats=[{"seat_type": "member", "quantity": 10}],
    )
    return made


def _amend(story: Story, organization: Organization, seats: int) -> int:
    """The buyer asks, the account manager offers, the buyer accepts; what is due now."""
    buyer = story.as_member(organization, organization.owner)
    asked = buyer.call("amendments.request", organization, seats=[{"change": seats}])
    amendment = {"amendment": asked["amendment"]}
    offer = story.call("amendments.quote", organization, **amendment)["offer"]
    due: int = offer["due_now_minor"]
    buyer.pay("amendments.accept", organization, **amendment, due_now_minor=due)
    return due


def _sign(story: Story, organization: Organization) -> None:
    story.go(at(12, 1))
    story.pay("contracts.sign", organization)
    story.tell("The next year is signed")
