"""An older plan with two kinds of seats, under a contract, until it becomes the single seat."""

from __future__ import annotations

from typing import Final

from seatkeeper.demo.story import Answer, Organization, Story, at

CATALOG: Final = "enterprise"
OLD_PLAN: Final = "chat_and_code"
UNIT: Final = 240_00
TEN: Final = range(1, 11)


def tell(story: Story) -> None:
    """From two kinds of seats to one, at the renewal of the contract."""
    story.scene("Meridian Works: an older plan with two kinds of seats, under a contract")
    company = _begin(story)
    _swap(story, company)
    _sign(story, company)
    _transition(story, company)
    story.rest()


def _begin(story: Story) -> Organization:
    company = story.organization("Meridian Works", CATALOG, "Petra Primary", method=None)
    catalog = _opened(story)
    story.call(
        "contracts.put",
        company,
        plan=OLD_PLAN,
        account_manager="Amir, account manager",
        net_terms_days=30,
        seats=[
            {"seat_type": "chat", "quantity": 20},
            {"seat_type": "chat_code", "quantity": 10},
        ],
    )
    story.costs(
        "Amir signs 20 Chat and 10 Chat + Code seats, on 30 days",
        story.last_invoice(company),
        20 * UNIT + 10 * 2 * UNIT,
    )
    story.join(company, *(f"Analyst {number:02d}" for number in range(1, 19)), seat_type="chat")
    story.join(company, *(f"Coder {number:02d}" for number in TEN), seat_type="chat_code")
    story.tell("18 analysts and 10 coders sit; every Chat + Code seat is taken")
    story.go(at(1, 20))
    open_one = story.call("invoices.list_all", company, limit=1)["items"][0]["invoice"]
    story.pay("payments.record", company, invoice=open_one, reference="bank transfer 4711")
    story.tell("Their bank transfer arrives and is recorded")
    story.go(at(2, 1))
    story.api.call("catalog.apply", document=catalog)
    story.refused(
        "not_found",
        "The vendor closes that plan; for another company it is gone",
        lambda: _sold_again(story),
    )
    return company


def _opened(story: Story) -> Answer:
    """The catalog as it is, after it was made what it was when the plan was still sold."""
    catalog: Answer = story.api.call("catalog.show", catalog=CATALOG)["items"][0]["document"]
    plan = {**catalog["plans"][OLD_PLAN], "closed": False}
    before = {**catalog, "plans": {**catalog["plans"], OLD_PLAN: plan}}
    story.api.call("catalog.apply", document=before)
    return catalog


def _sold_again(story: Story) -> None:
    late = story.organization("Too Late Ltd", CATALOG, "Theo Late")
    story.change(late, "subscribe", plan=OLD_PLAN)


def _swap(story: Story, company: Organization) -> None:
    story.go(at(5, 4))
    one = {"member": company.members["Analyst 01"], "seat_type": "chat_code", "reassign": True}
    story.refused(
        "insufficient_seats",
        "One analyst is to code",
        lambda: story.call("seats.assign", company, **one),
    )
    to_code = [_move(company, f"Analyst {number:02d}", "chat_code") for number in TEN]
    to_chat = [_move(company, f"Coder {number:02d}", "chat") for number in TEN]
    done = story.call("seats.move", company, moves=[*to_code, *to_chat])
    story.expect("moved people", done["moved"], 20)
    story.tell("Ten of them change seats with the ten coders: 20 moves, one request", 0)


def _move(company: Organization, name: str, seat_type: str) -> Answer:
    return {"member": company.members[name], "seat_type": seat_type}


def _sign(story: Story, company: Organization) -> None:
    story.go(at(12, 1))
    story.refused(
        "below_minimum_seats",
        "The next term is negotiated: 15 single seats?",
        lambda: story.pay(
            "contracts.sign", company, seats=[{"seat_type": "enterprise", "quantity": 15}]
        ),
    )
    signed = story.pay("contracts.sign", company)
    story.expect("the plan that is signed", signed["next_terms"]["plan"], "enterprise_assisted")
    story.tell("Signed: the single seat from January, as many as both kinds together")


def _transition(story: Story, company: Organization) -> None:
    story.go(at(1, 1, year=2027))
    seats = story.seats(company)
    found = {key: (seats[key]["purchased"], seats[key]["assigned"]) for key in seats}
    story.expect("seats after the transition", found, {"enterprise": (30, 28)})
    story.costs(
        "All 28 people sit on single seats, 30 of them for the year",
        story.last_invoice(company),
        30 * UNIT,
    )
