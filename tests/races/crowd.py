"""Crowds: many callers over several engines, released at one moment on the last free seats.

A round makes an organization with `free` standard seats and as many callers as wanted, each with a
way of its own to take one. The oracle is exact: so many succeed, the others hear that seats are
short, and the rows say the same.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.refusals import Refusal, Refused
from seatkeeper.operations import changes, invitations, members, seats
from seatkeeper.operations.acceptance import AcceptInvitation
from seatkeeper.operations.asked import PurchaseSeats
from seatkeeper.operations.context import Context, new_id
from seatkeeper.operations.engine import Engine
from tests.money_world import Buyer, MoneyWorld
from tests.world import KEY

FREE_TYPE, OTHER_TYPE = "standard", "premium"
# Ways that take a seat, and what they need: someone without one, someone with one, nobody yet.
TAKING = ("assign", "reassign", "move", "invite", "add", "sign_in", "reactivate")
UNHELD = ("assign", "accept", "add", "move")  # Where an invitation holds nothing until accepted.
GIVING = ("purchase", "unassign")
SHORT = "insufficient_seats"


@dataclass(frozen=True)
class Caller:
    """One way to take (or give) a seat, ready to go."""

    way: str
    organization: UUID
    member: UUID | None = None
    name: str = ""
    token: str = ""


@dataclass(frozen=True)
class Heard:
    """What a caller heard: a seat, a place in the queue, or why not; and after how long."""

    way: str
    outcome: str
    seconds: float


@dataclass
class Tally:
    """What was heard over many rounds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    slowest_no: float = 0.0
    raced: int = 0
    over: int = 0
    under: int = 0

    def add(self, heard: list[Heard], took: int, wanted: int) -> None:
        self.outcomes.update(h.outcome for h in heard)
        self.ways.update(h.way for h in heard)
        noes = [h.seconds for h in heard if h.outcome not in ("took", "gave")]
        self.slowest_no = max([self.slowest_no, *noes])
        self.raced += len(heard)
        self.over += max(took - wanted, 0)
        self.under += max(wanted - took, 0)

    def __str__(self) -> str:
        return (
            f"{self.raced} raced takings: over {self.over}, under {self.under},"
            f" slowest refusal {self.slowest_no * 1000:.0f} ms, {dict(self.outcomes)}"
        )


async def attempt(engine: Engine, now: Any, caller: Caller, start: asyncio.Event) -> Heard:
    """Waits for the start, tries once, and says what was heard."""
    facts = await engine.organization(caller.organization)
    ctx = Context(engine, KEY, now, new_id(), facts=facts)
    await start.wait()
    began = time.perf_counter()
    try:
        made = await _WAYS[caller.way](ctx, caller)
        outcome = _outcome(caller.way, made)
    except Refused as refused:
        outcome = str(refused.refusal.code)
    except Exception as error:  # noqa: BLE001  a fault is what must not be heard
        outcome = f"fault {type(error).__name__}: {error}"
    return Heard(caller.way, outcome, time.perf_counter() - began)


def _outcome(way: str, made: object) -> str:
    if isinstance(made, Refusal):
        return str(made.code)
    if way in GIVING:
        return "gave"
    return "waits" if getattr(made, "state", "") == "awaiting_seat" else "took"


def _organization(caller: Caller) -> OrganizationId:
    return OrganizationId(int=caller.organization.int)


def _member(caller: Caller) -> MemberId:
    assert caller.member is not None
    return MemberId(int=caller.member.int)


async def _assign(ctx: Context, caller: Caller) -> object:
    reassign = caller.way == "reassign"
    command = seats.AssignSeat(
        organization=_organization(caller),
        member=_member(caller),
        seat_type=FREE_TYPE,
        reassign=reassign,
    )
    return await seats.assign(ctx, command)


async def _move(ctx: Context, caller: Caller) -> object:
    moves = [seats.SeatMove(member=_member(caller), seat_type=FREE_TYPE)]
    return await seats.move(ctx, seats.MoveSeats(organization=_organization(caller), moves=moves))


async def _unassign(ctx: Context, caller: Caller) -> object:
    command = seats.UnassignSeat(organization=_organization(caller), member=_member(caller))
    return await seats.unassign(ctx, command)


async def _invite(ctx: Context, caller: Caller) -> object:
    invite = invitations.Invite(email=f"{caller.name}@example.com", seat_type=FREE_TYPE)
    return await invitations.create(
        ctx, invitations.CreateInvitations(organization=_organization(caller), invitations=[invite])
    )


async def _accept(ctx: Context, caller: Caller) -> object:
    command = AcceptInvitation(
        token=caller.token, user=caller.name, email=f"{caller.name}@example.com", name=caller.name
    )
    return await invitations.accept(ctx, command)


async def _add(ctx: Context, caller: Caller) -> object:
    command = members.AddMember(
        organization=_organization(caller),
        user=caller.name,
        email=f"{caller.name}@example.com",
        name=caller.name,
        source="jit" if caller.way == "sign_in" else "api",
        seat_type=FREE_TYPE,
    )
    return await members.add(ctx, command)


async def _reactivate(ctx: Context, caller: Caller) -> object:
    command = members.ChangeMember(
        organization=_organization(caller), member=_member(caller), standing="active"
    )
    return await members.change(ctx, command)


async def _purchase(ctx: Context, caller: Caller) -> object:
    change = PurchaseSeats(seat_type=FREE_TYPE, quantity=1)
    return await changes.make(
        ctx, changes.MakeChange(organization=_organization(caller), change=change)
    )


_WAYS: dict[str, Callable[[Context, Caller], Awaitable[object]]] = {
    "assign": _assign,
    "reassign": _assign,
    "move": _move,
    "unassign": _unassign,
    "invite": _invite,
    "accept": _accept,
    "add": _add,
    "sign_in": _add,
    "reactivate": _reactivate,
    "purchase": _purchase,
}


@dataclass
class Round:
    """An organization and its callers, before the start."""

    buyer: Buyer
    free: int
    callers: list[Caller]

    async def taken(self) -> tuple[int, int, int]:
        """Purchased, taken and waiting, counted from the rows that say who sits where."""
        row = await self.buyer.world.row(
            """select p.purchased, (select count(*) from assignment a where a.organization_id = $1
                    and a.pool_id = p.pool_id and a.ended_at is null)
                 + (select count(*) from hold h where h.organization_id = $1
                    and h.pool_id = p.pool_id and h.released_at is null) as taken,
                 (select count(*) from seat_request r where r.organization_id = $1
                    and r.state = 'waiting') as waiting, p.assigned + p.held as counted
                 from seat_pool p where p.organization_id = $1 and p.seat_type = $2""",
            self.buyer.organization_id,
            FREE_TYPE,
        )
        assert row["counted"] == row["taken"], dict(row)
        return row["purchased"], row["taken"], row["waiting"]


async def a_round(
    money: MoneyWorld, chance: random.Random, *, callers: int, ways: tuple[str, ...], **how: Any
) -> Round:
    """An organization with some free standard seats, and callers in a random order of ways."""
    free = how.get("free") or chance.randint(1, 8)
    chosen = [ways[n % len(ways)] for n in range(callers)]
    chance.shuffle(chosen)
    sitting = sum(way in ("reassign", "move") for way in chosen)
    giving = chosen.count("unassign")
    buyer = await money.buyer(
        how.get("catalog", "enterprise"),
        plan=how.get("plan", "team"),
        price="monthly",
        seats={FREE_TYPE: free + giving, OTHER_TYPE: max(sitting, 1)},
        live=True,
    )
    made = []
    for number, way in enumerate(chosen):
        name = f"c{number}-{buyer.organization_id.hex}"
        if way in ("invite", "add", "sign_in", "purchase", "accept"):
            made.append(Caller(way, buyer.organization_id, None, name))
        else:
            made.append(Caller(way, buyer.organization_id, new_id(), name))
    await _bring_in(buyer, [caller for caller in made if caller.member is not None])
    if "accept" in chosen:
        made = await _invited(buyer, made)
    return Round(buyer, free, made)


async def _bring_in(buyer: Buyer, people: list[Caller]) -> None:
    # In one statement: a race of a hundred should not take a hundred operations to set up.
    seat = {"reassign": OTHER_TYPE, "move": OTHER_TYPE, "unassign": FREE_TYPE}
    seat["reactivate"] = FREE_TYPE  # The one that the suspension took, which they want back.
    await buyer.world.run(
        """with asked as (
            select * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[],
                $7::uuid[])
                as a (member_id, name, standing, seat_type, user_id, assignment_id)
        ), users as (
            insert into user_account select user_id, name, $8 from asked
        ), made as (
            insert into member (organization_id, member_id, user_id, email, name, role, standing,
                source, joined_at)
            select $1, member_id, user_id, name || '@example.com', name, 'member', standing,
                'api', $8 from asked
        ), seated as (
            insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at,
                rule, ended_at, ended_rule)
            select $1, a.member_id, a.assignment_id, p.pool_id, $8, 'by_hand',
                case when standing = 'suspended' then $8::timestamptz end,
                case when standing = 'suspended' then 'suspended' end
              from asked a
              join seat_pool p on p.organization_id = $1 and p.seat_type = a.seat_type
            returning pool_id, ended_at
        )
        update seat_pool p set assigned = p.assigned + s.n
          from (select pool_id, count(*)::integer as n from seated
                where ended_at is null group by 1) s
         where p.organization_id = $1 and p.pool_id = s.pool_id""",
        buyer.organization_id,
        [caller.member for caller in people],
        [caller.name for caller in people],
        ["suspended" if caller.way == "reactivate" else "active" for caller in people],
        [seat.get(caller.way) for caller in people],
        [new_id() for _ in people],
        [new_id() for _ in people],
        buyer.world.now,
    )


async def _invited(buyer: Buyer, callers: list[Caller]) -> list[Caller]:
    names = [caller.name for caller in callers if caller.way == "accept"]
    sent = await buyer.invite(*names, seat_type=FREE_TYPE)
    tokens = {item.email.partition("@")[0]: item.token for item in sent.items}
    return [
        Caller(c.way, c.organization, c.member, c.name, tokens.get(c.name) or "") for c in callers
    ]


async def race(engines: list[Engine], now: Any, callers: list[Caller]) -> list[Heard]:
    """All callers at once, dealt out over the engines."""
    start = asyncio.Event()
    tasks = [
        asyncio.create_task(attempt(engines[n % len(engines)], now, caller, start))
        for n, caller in enumerate(callers)
    ]
    await asyncio.sleep(0)
    start.set()
    return list(await asyncio.gather(*tasks))
