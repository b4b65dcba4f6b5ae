"""The verbs of a walk: each turns three numbers into one request, made of the reference and of us.

Numbers mean "the a-th member" and the like, modulo what there is, so that any part of a walk is a
walk again: that is what makes it shrink.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from seatkeeper.domain.ids import ChangeId, InvitationId, SeatRequestId
from seatkeeper.operations import (
    discounts,
    invitations,
    members,
    seat_requests,
    seats,
    withdrawals,
)
from seatkeeper.operations.acceptance import AcceptInvitation
from seatkeeper.operations.asked import Cancel, ChangePlan, PurchaseSeats, ReduceSeats, Resume
from seatkeeper.operations.discount_words import PutDiscount, RemoveDiscount
from tests.model.both import Both
from tests.money_world import ACCOUNT_MANAGER, subscribing

Verb = Callable[[Both, int, int, int], Awaitable[tuple[str | None, str | None]]]
VERBS: dict[str, tuple[int, Verb]] = {}
QUANTITIES = (1, 1, 2, 3, 7)
HOURS = (1, 5, 13, 24, 24, 60, 24 * 7, 24 * 20)


def verb(weight: int) -> Callable[[Verb], Verb]:
    """One more verb, so many times as likely as one of weight 1."""

    def kept(function: Verb) -> Verb:
        VERBS[function.__name__] = weight, function
        return function

    return kept


@verb(8)
async def assign(both: Both, a: int, b: int, c: int) -> Any:
    name, seat_type = both.member(a), both.seat_type(b)
    command = seats.AssignSeat(
        organization=both.buyer.id,
        member=both.ids[name],
        seat_type=seat_type,
        reassign=c % 3 == 0,
    )
    if command.reassign:
        return both.model.move([(name, seat_type)]), await both.ours(seats.assign, command)
    return both.model.assign(name, seat_type), await both.ours(seats.assign, command)


@verb(5)
async def unassign(both: Both, a: int, _b: int, _c: int) -> Any:
    name = both.member(a)
    command = seats.UnassignSeat(organization=both.buyer.id, member=both.ids[name])
    return both.model.unassign(name), await both.ours(seats.unassign, command)


@verb(4)
async def move(both: Both, a: int, b: int, c: int) -> Any:
    names = list(dict.fromkeys(both.member(a + n * (1 + b % 5)) for n in range(1 + c % 4)))
    choices = (*both.shape.types, None)
    return await _move(
        both, [(name, choices[(b + n) % len(choices)]) for n, name in enumerate(names)]
    )


@verb(3)
async def swap(both: Both, a: int, b: int, _c: int) -> Any:
    one, other = both.member(a), both.member(b)
    if one == other:
        return None, None
    people = both.model.people
    return await _move(both, [(one, people[other].seat), (other, people[one].seat)])


async def _move(both: Both, moves: list[tuple[str, str | None]]) -> Any:
    command = seats.MoveSeats(
        organization=both.buyer.id,
        moves=[seats.SeatMove(member=both.ids[name], seat_type=to) for name, to in moves],
    )
    return both.model.move(moves), await both.ours(seats.move, command)


@verb(5)
async def invite(both: Both, a: int, b: int, c: int) -> Any:
    names = list(dict.fromkeys(both.anyone(a + n) for n in range(1 + c % 3)))
    wanted = both.maybe_type(b)
    asked = [invitations.Invite(email=f"{name}@example.com", seat_type=wanted) for name in names]
    command = invitations.CreateInvitations(organization=both.buyer.id, invitations=asked)
    refused = both.model.invite(names, wanted)
    made = await both.ours(invitations.create, command)
    if isinstance(made, invitations.Invitations):
        for item in made.items:
            assert item.invitation is not None
            assert item.token is not None
            both.sent.append((InvitationId.parse(item.invitation.invitation), item.token))
    return refused, made


@verb(5)
async def accept(both: Both, a: int, _b: int, _c: int) -> Any:
    if not both.sent:
        return None, None
    place = both.recent(a)
    invitation = both.model.invitations[place]
    name = invitation.name
    command = AcceptInvitation(
        token=both.sent[place][1],
        user=both.user(name),
        email=f"{name}@example.com",
        name=name,
    )
    refused = both.model.accept(invitation)
    made = await both.ours(invitations.accept, command, about=False)
    both.knows(name, made)
    return refused, made


@verb(3)
async def resend(both: Both, a: int, _b: int, _c: int) -> Any:
    if not both.sent:
        return None, None
    place = both.recent(a)
    identity, _ = both.sent[place]
    command = invitations.ResendInvitation(organization=both.buyer.id, invitation=identity)
    refused = both.model.resend(both.model.invitations[place])
    made = await both.ours(invitations.resend, command)
    if isinstance(made, invitations.Invited):
        assert made.token is not None
        both.sent[place] = (identity, made.token)
    return refused, made


@verb(3)
async def revoke(both: Both, a: int, _b: int, _c: int) -> Any:
    if not both.sent:
        return None, None
    place = both.recent(a)
    command = invitations.RevokeInvitation(
        organization=both.buyer.id, invitation=both.sent[place][0]
    )
    refused = both.model.revoke(both.model.invitations[place])
    return refused, await both.ours(invitations.revoke, command)


@verb(5)
async def add(both: Both, a: int, b: int, c: int) -> Any:
    wanted = both.maybe_type(b)
    automatic = wanted is None and c % 2 == 0
    return await _add(both, a, "api", wanted, seat="automatic" if automatic else None)


@verb(5)
async def arrive_by_sign_in(both: Both, a: int, b: int, c: int) -> Any:
    wanted = both.maybe_type(b) if c % 3 == 0 else None
    return await _add(both, a, "jit" if c % 2 else "scim", wanted)


@verb(2)
async def arrive_by_link(both: Both, a: int, _b: int, _c: int) -> Any:
    return await _add(both, a, "link", None)


async def _add(both: Both, a: int, source: Any, wanted: str | None, *, seat: Any = None) -> Any:
    name = both.anyone(a)
    known = both.model.people.get(name)
    if known is not None and known.standing != "removed":
        return None, None
    command = members.AddMember(
        organization=both.buyer.id,
        user=both.user(name),
        email=f"{name}@example.com",
        name=name,
        source=source,
        seat_type=wanted,
        seat=seat,
    )
    refused = both.model.add(name, source, wanted, asked=seat == "automatic")
    made = await both.ours(members.add, command)
    both.knows(name, made)
    return refused, made


@verb(3)
async def remove(both: Both, a: int, _b: int, _c: int) -> Any:
    name = both.member(a)
    command = members.RemoveMember(organization=both.buyer.id, member=both.ids[name])
    return both.model.remove(name), await both.ours(members.remove, command)


@verb(3)
async def suspend(both: Both, a: int, _b: int, _c: int) -> Any:
    return await _stand(both, both.member(a), "suspended")


@verb(3)
async def reactivate(both: Both, a: int, _b: int, _c: int) -> Any:
    away = [name for name, person in both.model.people.items() if person.standing == "suspended"]
    return await _stand(both, away[a % len(away)] if away else both.member(a), "active")


async def _stand(both: Both, name: str, standing: Any) -> Any:
    command = members.ChangeMember(
        organization=both.buyer.id, member=both.ids[name], standing=standing
    )
    of_model = both.model.suspend if standing == "suspended" else both.model.reactivate
    return of_model(name), await both.ours(members.change, command)


@verb(2)
async def leave_the_queue(both: Both, a: int, _b: int, _c: int) -> Any:
    if not both.model.queue:
        return None, None
    name = both.model.queue[a % len(both.model.queue)][0]
    request = await both.money.row(
        """select request_id from seat_request
            where organization_id = $1 and member_id = $2 and state = 'waiting'""",
        both.buyer.organization_id,
        both.ids[name],
    )
    command = seat_requests.CancelSeatRequest(
        organization=both.buyer.id, request=SeatRequestId(int=request["request_id"].int)
    )
    return both.model.cancel_request(name), await both.ours(seat_requests.cancel, command)


@verb(4)
async def purchase(both: Both, a: int, b: int, c: int) -> Any:
    seat_type, quantity, pays = both.seat_type(a), QUANTITIES[b % len(QUANTITIES)], c % 7 != 0
    wanted = PurchaseSeats(seat_type=seat_type, quantity=quantity)
    due = None
    if both.model.alive:
        due = both.model.due_for(seat_type, quantity)
    refused = both.model.purchase(seat_type, quantity, pays=pays)
    if c % 3 == 0 and refused is None:
        quote = await both.buyer.quote(wanted)
        assert quote.due_now_minor == due, (quote, due)
        return refused, await both.change(None, quote=quote.quote)
    return refused, await both.change(wanted, pays=pays)


@verb(2)
async def reduce(both: Both, a: int, b: int, _c: int) -> Any:
    seat_type = both.seat_type(a)
    owned = both.model.purchased.get(seat_type, 0)
    target = max(owned - QUANTITIES[b % len(QUANTITIES)] + b % 2, 0)
    refused = both.model.reduce(seat_type, target)
    return refused, await both.change(ReduceSeats(seat_type=seat_type, target=target))


@verb(1)
async def cancel(both: Both, a: int, _b: int, _c: int) -> Any:
    if a % 3:
        return None, None
    return both.model.cancel(), await both.change(Cancel())


@verb(2)
async def resume(both: Both, _a: int, _b: int, _c: int) -> Any:
    return both.model.resume(), await both.change(Resume())


@verb(2)
async def change_plan(both: Both, a: int, _b: int, _c: int) -> Any:
    plans = list(both.shape.plans)
    plan = plans[a % len(plans)]
    return both.model.change_plan(plan), await both.change(ChangePlan(plan=both.plan(plan)))


@verb(1)
async def discount(both: Both, a: int, b: int, c: int) -> Any:
    if a % 5 == 0:
        return both.model.take_away(), await both.ours(
            discounts.remove, RemoveDiscount(organization=both.buyer.id), principal=ACCOUNT_MANAGER
        )
    off = ((2000, 0), (3333, 0), (10_000, 0), (0, 1000), (0, 99_999))[b % 5]
    periods = (1, 2, None)[c % 3]
    command = PutDiscount(
        organization=both.buyer.id,
        basis_points=off[0] or None,
        amount_minor=off[1] or None,
        periods=periods,
    )
    refused = both.model.grant(off, periods)
    return refused, await both.ours(discounts.put, command, principal=ACCOUNT_MANAGER)


@verb(2)
async def subscribe(both: Both, a: int, b: int, c: int) -> Any:
    if both.model.alive:
        return None, None
    plans = list(both.shape.plans)
    plan = plans[a % len(plans)]
    wanted = {key: (b + 5 * n) % 17 + 2 for n, key in enumerate(both.shape.types)}
    asked = subscribing(both.plan(plan), wanted, "monthly")
    refused = both.model.subscribe(plan, wanted, pays=c % 5 != 0)
    return refused, await both.change(asked, pays=c % 5 != 0)


@verb(2)
async def withdraw(both: Both, a: int, _b: int, _c: int) -> Any:
    rows = await both.money.rows(
        """select change_id, slot from change where organization_id = $1 and state = 'scheduled'
            order by change_id""",
        both.buyer.organization_id,
    )
    if not rows:
        assert not both.model.reductions
        assert both.model.coming is None
        return None, None
    row = rows[a % len(rows)]
    command = withdrawals.CancelChange(
        organization=both.buyer.id, change=ChangeId(int=row["change_id"].int)
    )
    if row["slot"] == "plan":
        refused = both.model.withdraw_plan()
    else:
        refused = both.model.withdraw_reduction(row["slot"].partition(":")[2])
    return refused, await both.ours(withdrawals.cancel, command)


@verb(7)
async def advance(both: Both, a: int, b: int, _c: int) -> Any:
    to = both.money.now + timedelta(hours=HOURS[a % len(HOURS)], seconds=b % 3600)
    due = both.model.next_due()
    if b % 5 == 0 and due is not None and due < to:
        to = due
    both.remember()
    both.model.advance(to)
    await both.money.advance(to)
    return None, None
