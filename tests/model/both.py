"""Both sides of a walk: the reference and a real organization, and what is compared of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from seatkeeper.domain.ids import MemberId
from seatkeeper.domain.refusals import Refusal, Refused
from seatkeeper.operations import members, seat_requests, seats
from seatkeeper.operations.context import Context, Principal, new_id
from seatkeeper.operations.people import Member
from tests.model.reference_money import Reference
from tests.model.shapes import Shape
from tests.money_world import Buyer, MoneyWorld
from tests.world import KEY

PEOPLE_MAX = 48
RECENT = 12
SEEN = """
select jsonb_build_object(
  'pools', (select jsonb_object_agg(p.seat_type, jsonb_build_array(p.purchased, p.assigned, p.held,
      p.waiting, p.state)) from seat_pool p
      where p.organization_id = $1 and p.payer_member_id is null),
  'people', (select jsonb_object_agg(m.name, jsonb_build_array(m.standing, p.seat_type))
      from member m left join assignment s on s.organization_id = $1 and s.member_id = m.member_id
       and s.ended_at is null
      left join seat_pool p on p.organization_id = $1 and p.pool_id = s.pool_id
      where m.organization_id = $1),
  'queue', (select jsonb_agg(jsonb_build_array(m.name, r.seat_type, r.choice = 'highest')
        order by r.queued_at, r.request_id)
      from seat_request r join member m on m.organization_id = $1 and m.member_id = r.member_id
      where r.organization_id = $1 and r.state = 'waiting'),
  'invitations', (select jsonb_object_agg(i.invitation_id, jsonb_build_array(i.state, p.seat_type))
      from invitation i left join hold h on h.organization_id = $1
       and h.invitation_id = i.invitation_id and h.released_at is null
      left join seat_pool p on p.organization_id = $1 and p.pool_id = h.pool_id
      where i.organization_id = $1),
  'billed', (select coalesce(sum(v.subtotal_minor), 0) from invoice v
      where v.organization_id = $1 and v.state = 'paid'),
  'open', (select count(*) from invoice v where v.organization_id = $1 and v.state = 'open'),
  'balance', (select b.balance_minor from billing_account b where b.organization_id = $1),
  'status', (select s.status from subscription s where s.organization_id = $1
      and (s.status <> 'ended' or s.period_ends_at > s.period_starts_at)
      order by s.subscription_id desc limit 1),
  'until', (select extract(epoch from s.period_ends_at)::bigint from subscription s
      where s.organization_id = $1 and s.status <> 'ended')) as seen
"""


@dataclass
class Both:
    """One walk's two sides."""

    money: MoneyWorld
    buyer: Buyer
    model: Reference
    shape: Shape
    mark: str
    ids: dict[str, MemberId] = field(default_factory=dict)
    sent: list[tuple[Any, str]] = field(default_factory=list)
    past: list[tuple[datetime, dict[str, tuple[int, int, int]]]] = field(default_factory=list)

    # --- what numbers mean ------------------------------------------------------------------------

    def member(self, a: int) -> str:
        names = list(self.ids)
        return names[a % len(names)]

    def anyone(self, a: int) -> str:
        return f"u{a % PEOPLE_MAX}"

    def recent(self, a: int) -> int:
        count = len(self.sent)
        return count - 1 - a % min(count, RECENT)

    def seat_type(self, a: int) -> str:
        return self.shape.types[a % len(self.shape.types)]

    def maybe_type(self, a: int) -> str | None:
        return (*self.shape.types, None)[a % (len(self.shape.types) + 1)]

    def plan(self, key: str) -> str:
        return f"{key}_{self.mark}"

    def user(self, name: str) -> str:
        return f"{name}-{self.buyer.organization_id}"

    def knows(self, name: str, made: object) -> None:
        if isinstance(made, Member):
            self.ids[name] = MemberId.parse(made.member)

    # --- our side ---------------------------------------------------------------------------------

    async def ours(
        self, verb: Any, command: Any, *, about: bool = True, principal: Principal = KEY
    ) -> Any:
        """What one of our operations answers: its result or its refusal."""
        engine = self.money.engine
        facts = await engine.organization(self.buyer.organization_id) if about else None
        ctx = Context(engine, principal, self.money.now, new_id(), facts=facts)
        try:
            return await verb(ctx, command)
        except Refused as refused:
            return refused.refusal

    async def change(self, change: Any, *, quote: str | None = None, pays: bool = True) -> Any:
        method = "sandbox_ok" if pays else "sandbox_declined"
        try:
            return await self.buyer.ask(change, quote=quote, payment_method=method)
        except Refused as refused:
            return refused.refusal

    # --- comparing --------------------------------------------------------------------------------

    def wanted(self) -> dict[str, Any]:
        """What the database must hold."""
        model = self.model
        pools = {
            t: [
                model.purchased[t],
                model.assigned(t),
                model.held(t),
                model.waiting(t),
                "over_limit" if model.is_over(t) else "open",
            ]
            for t in model.purchased
        }
        return {
            "pools": pools,
            "people": {n: [p.standing, p.seat] for n, p in model.people.items()},
            "queue": [list(place) for place in model.queue],
            "invitations": {
                str(UUID(int=identity.int)): [i.state, i.held]
                for (identity, _), i in zip(self.sent, model.invitations, strict=True)
            },
            "billed": model.billed,
            "open": 0,
            "balance": model.balance,
            "status": model.status,
            "until": int(model.ends_at.timestamp()) if model.alive else None,
        }

    async def differences(self) -> list[str]:
        """Where the database is not what the reference says."""
        row = await self.money.row(SEEN, self.buyer.organization_id)
        seen = {
            **row["seen"],
            **{k: row["seen"][k] or {} for k in ("pools", "people", "invitations")},
            "queue": row["seen"]["queue"] or [],
        }
        return [
            f"{name}: {_apart(seen[name], value)}"
            for name, value in self.wanted().items()
            if seen[name] != value
        ]

    async def look(self) -> list[str]:
        """The same through our own reading operations."""
        organization = self.buyer.id
        counts = await self.ours(seats.summary, seats.ReadSeats(organization=organization))
        model = self.model
        wrong = []
        for item in counts.items:
            t = item.seat_type
            found = (item.purchased, item.assigned, item.held, item.available, item.over_limit)
            asked = (
                model.purchased[t],
                model.assigned(t),
                model.held(t),
                model.room(t),
                model.is_over(t),
            )
            if found != asked:
                wrong.append(f"summary of {t}: {found}, wanted {asked}")
        page = await self.ours(
            members.list_all, members.ListMembers(organization=organization, limit=200)
        )
        states = {m.name: m.state for m in page.items}
        wanted = {n: model.state_of(n) for n, p in model.people.items() if p.standing != "removed"}
        if states != wanted:
            wrong.append(f"states: {_apart(states, wanted)}")
        waits = await self.ours(
            seat_requests.list_all,
            seat_requests.ListSeatRequests(organization=organization, limit=200),
        )
        if [item.name for item in waits.items] != [name for name, *_ in model.queue]:
            wrong.append("the queue has another order when it is listed")
        return wrong

    def remember(self) -> None:
        """Keeps how many seats of each type are owned, assigned and held now."""
        model = self.model
        counts = {t: (n, model.assigned(t), model.held(t)) for t, n in model.purchased.items()}
        self.past.append((self.money.now, {t: c for t, c in counts.items() if any(c)}))

    async def look_back(self, most: int = 40) -> list[str]:
        """Whether what was so then is still said of then."""
        wrong = []
        step = max(len(self.past) // most, 1)
        for at, wanted in self.past[::step]:
            command = seats.ReadSeats(organization=self.buyer.id, at=at)
            counts = await self.ours(seats.summary, command)
            found = {i.seat_type: (i.purchased, i.assigned, i.held) for i in counts.items}
            if found != wanted:
                wrong.append(f"seats at {at}: {found}, wanted {wanted}")
        return wrong


def code_of(outcome: object) -> str | None:
    """The code of a refusal, None for anything else."""
    return str(outcome.code) if isinstance(outcome, Refusal) else None


def _apart(found: Any, wanted: Any) -> str:
    if not isinstance(wanted, dict):
        return f"{found}, wanted {wanted}"
    keys = [k for k in {**found, **wanted} if found.get(k) != wanted.get(k)]
    return ", ".join(f"{k} {found.get(k)}, wanted {wanted.get(k)}" for k in keys)
