"""A story in which everything happens once, told through the operations; it leaves all clean."""

from __future__ import annotations

from seatkeeper.domain.ids import InvitationId, MemberId
from seatkeeper.domain.members import MemberState
from seatkeeper.operations import acceptance, discounts, invitations, members, seats
from seatkeeper.operations.asked import (
    Cancel,
    ChangePlan,
    ConvertSeats,
    PurchaseSeats,
    Resume,
    SeatQuantity,
)
from seatkeeper.operations.discount_words import PutDiscount
from tests.money_world import Buyer, MoneyWorld, day
from tests.operations import deals
from tests.operations.workspaces import a_workspace


async def play(money: MoneyWorld) -> None:
    """Four years of seven organizations, on one clock."""
    grower = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 30})
    team = await money.buyer("enterprise", plan="team", seats={"standard": 6, "premium": 2})
    house = await money.buyer("organization", zone="America/Los_Angeles")
    debtor = await money.buyer("organization", plan="one_included", seats={"member": 3})
    payer = await money.buyer("enterprise", plan="team", seats={"standard": 4}, method=None)
    saver = await money.buyer("organization", plan="ten_included", seats={"member": 12})
    spender = await money.buyer("organization", plan="five_included", seats={"member": 5})
    await _grant(saver, PutDiscount(organization=saver.id, basis_points=33_33))
    await _grant(spender, PutDiscount(organization=spender.id, amount_minor=7_77, periods=2))
    await _grow(grower)
    await _convert(team)
    await _gather(house)
    await _pay_by_hand(payer)
    await money.advance(day(2026, 4, 1, 12))
    await saver.add(3)
    await spender.add(2)
    await _buy_in_steps(grower)
    await _change_people(house)
    await _upgrade(team)
    await debtor.pays_with("sandbox_declined")
    await money.advance(day(2026, 5, 1, 12))
    await _queue(grower)
    await house.change(ChangePlan(plan="five_included"))
    await house.change(Cancel())
    await house.change(Resume())
    await money.advance(day(2027, 2, 10, 12))
    await grower.change(Cancel())
    await house.change(Cancel())
    await money.advance(day(2028, 3, 1, 12))
    await _pay_twice(money)
    await _owe_nothing(money)
    await _leave_open(money)


async def _grant(buyer: Buyer, terms: PutDiscount) -> None:
    await discounts.put(await buyer.act(manager=True), terms)


async def _grow(buyer: Buyer) -> None:
    await buyer.crowd(27, "enterprise")
    await buyer.invite("pending", "gone", seat_type="enterprise")
    quoted = await buyer.quote(PurchaseSeats(quantity=5))
    await buyer.change(quote=quoted.quote)
    await buyer.ask(PurchaseSeats(quantity=4), payment_method="sandbox_declined")


async def _buy_in_steps(buyer: Buyer) -> None:
    for quantity in (1, 2, 4):
        await buyer.add(quantity)
    await buyer.reduce(36)
    await buyer.reduce(34)


async def _convert(buyer: Buyer) -> None:
    await buyer.change(ConvertSeats(from_type="standard", to_type="premium", quantity=2))
    first = await buyer.join("first", "premium")
    second = await buyer.join("second", "standard")
    swap = [
        seats.SeatMove(member=first, seat_type="standard"),
        seats.SeatMove(member=second, seat_type="premium"),
    ]
    await seats.move(await buyer.ctx(), seats.MoveSeats(organization=buyer.id, moves=swap))


async def _upgrade(buyer: Buyer) -> None:
    """From a monthly plan to a yearly one: what is unused comes back first."""
    await buyer.change(
        ChangePlan(plan="enterprise", seats=[SeatQuantity(seat_type="enterprise", quantity=20)])
    )


async def _gather(buyer: Buyer) -> None:
    """On the free plan, then on a paid one with everybody in it."""
    await buyer.crowd(3)
    await buyer.change(ChangePlan(plan="base_and_seats"))
    await buyer.add(4)


async def _change_people(buyer: Buyer) -> None:
    await buyer.add(3)
    ctx = await buyer.ctx()
    sent = await buyer.invite("ada", "bob", "cyd")
    ada, bob, _ = sent.items
    assert ada.token is not None
    assert bob.invitation is not None
    accept = acceptance.AcceptInvitation(
        token=ada.token, user="ada", email="ada@example.com", name="Ada"
    )
    await invitations.accept(ctx, accept)
    revoked = InvitationId.parse(bob.invitation.invitation)
    await invitations.revoke(
        await buyer.ctx(),
        invitations.RevokeInvitation(organization=buyer.id, invitation=revoked),
    )
    page = await members.list_all(
        await buyer.ctx(), members.ListMembers(organization=buyer.id, state=MemberState.SEATED)
    )
    leaver, sleeper = [m.member for m in page.items if m.role == "member"][:2]
    await members.remove(
        await buyer.ctx(),
        members.RemoveMember(organization=buyer.id, member=MemberId.parse(leaver)),
    )
    await members.change(
        await buyer.ctx(),
        members.ChangeMember(
            organization=buyer.id, member=MemberId.parse(sleeper), standing="suspended"
        ),
    )


async def _queue(buyer: Buyer) -> None:
    """More come through the directory than there are seats; some are served, some still wait."""
    for n in range(14):
        await members.add(
            await buyer.ctx(),
            members.AddMember(
                organization=buyer.id,
                user=f"scim-{n}-{buyer.organization_id}",
                email=f"scim-{n}@example.com",
                name=f"Scim {n}",
                source="scim",
            ),
        )
    await buyer.add(2)


async def _pay_by_hand(buyer: Buyer) -> None:
    first = await buyer.last()
    await buyer.record(first.invoice)
    await buyer.add(1, "standard")
    await buyer.void((await buyer.last()).invoice)


async def _pay_twice(money: MoneyWorld) -> None:
    """A transfer comes for what a card has paid: an organization's, and a member's."""
    twice = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 20})
    place = await a_workspace(money)
    for buyer in (twice, place.buyer):
        await buyer.record((await buyer.last()).invoice)


async def _owe_nothing(money: MoneyWorld) -> None:
    """An open invoice is credited as a whole, and paid with that."""
    buyer = await money.buyer("enterprise", method=None)
    await deals.contract(buyer, "enterprise_assisted", {"enterprise": 50})
    invoice = await buyer.last()
    await deals.credit(buyer, invoice.invoice, invoice.total_minor)


async def _leave_open(money: MoneyWorld) -> None:
    """What is on its way when someone looks: a draft, a queue, scheduled changes, a trial."""
    waits = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 20})
    await waits.crowd(2, "enterprise")
    await waits.ask(PurchaseSeats(quantity=1), payment_method="sandbox_action_required")
    shrinks = await money.buyer("organization", plan="one_included", seats={"member": 2})
    await shrinks.change(ChangePlan(plan="per_seat_limited"))
    full = await money.buyer("enterprise", plan="enterprise", seats={"enterprise": 20})
    await full.crowd(18, "enterprise")
    await full.invite("one", "two", seat_type="enterprise")
    await _arrive(full)
    trial = await money.buyer("organization")
    await trial.crowd(1)


async def _arrive(buyer: Buyer) -> None:
    await members.add(
        await buyer.ctx(),
        members.AddMember(
            organization=buyer.id,
            user=f"late-{buyer.organization_id}",
            email="late@example.com",
            name="Late",
            source="scim",
        ),
    )
