"""Seats: pools, and the decisions to assign, free, hold, move and queue for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from seatkeeper.domain.policies import Capacity, PoolFull, TypeChoice
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.refusals import Code, Fact, Refusal, Remedy, Way, refuse


@dataclass(frozen=True, slots=True)
class SeatPool:
    """The seats of one type under one subscription. Source: A15, A18."""

    pool_id: UUID
    seat_type: str
    rank: int
    purchased: int
    assigned: int
    held: int
    waiting: int = 0
    ceiling: int = QUANTITY_MAX
    state: str = "open"
    capacity: Capacity = Capacity.PURCHASED

    def __post_init__(self) -> None:
        assert self.purchased >= 0
        assert self.assigned >= 0
        assert self.held >= 0
        assert self.occupied <= self.purchased or self.state == "over_limit"

    @property
    def occupied(self) -> int:
        """Seats taken: assigned to members or held by invitations."""
        return self.assigned + self.held

    @property
    def available(self) -> int:
        """Seats that can be taken now, never negative."""
        return max(min(self.purchased, self.ceiling) - self.occupied, 0)


@dataclass(frozen=True, slots=True)
class Take:
    """So many seats of that pool can be taken."""

    pool: SeatPool
    quantity: int


def decide_take(pool: SeatPool | None, quantity: int, *, seat_type: str) -> Take | Refusal:
    """Whether `quantity` seats of the pool can be assigned or held now.

    Refuses: seat_type_not_owned, over_limit, over_plan_limit (a limit that money cannot lift),
    insufficient_seats; `needed` says how many seats are short.
    Source: A17, A45, A51, C22, C29, C47.
    """
    if pool is None:
        no = f"There are no seats of the type {seat_type} here: the plan does not have it."
        return refuse(
            Code.SEAT_TYPE_NOT_OWNED,
            Remedy(Way.CORRECT_REQUEST),
            Remedy(Way.CHOOSE_PLAN),
            detail=no,
            seat_type=seat_type,
        )
    if pool.purchased == 0 and pool.state != "over_limit":
        return refuse(
            Code.SEAT_TYPE_NOT_OWNED,
            Remedy(Way.BUY_SEATS, {"seat_type": seat_type, "quantity": quantity}),
            seat_type=seat_type,
        )
    if pool.available >= quantity:
        return Take(pool, quantity)
    needed = pool.occupied + quantity - min(pool.purchased, pool.ceiling)
    facts: dict[str, Fact] = {
        "seat_type": seat_type,
        "needed": needed,
        "seats_quantity": pool.occupied + quantity,
    }
    free = (Remedy(Way.FREE_SEAT, {"seat_type": seat_type}), *_revoke(pool))
    if pool.purchased == 0:
        # Seats that lapsed: whoever sits stays, and no seat that is freed would be one to take.
        no = f"Seats of the type {seat_type} are not paid for any more; a subscription is needed."
        return Refusal(Code.OVER_LIMIT, facts, (Remedy(Way.CHOOSE_PLAN),), no)
    if pool.state == "over_limit" or pool.purchased > pool.ceiling:
        return Refusal(Code.OVER_LIMIT, facts, free)
    if pool.capacity is not Capacity.PURCHASED:
        return Refusal(
            Code.OVER_PLAN_LIMIT,
            {**facts, "limit": pool.purchased, "count": pool.occupied},
            (Remedy(Way.CHOOSE_PLAN, {"min_seats": pool.occupied + quantity}), *free),
        )
    buy = Remedy(Way.BUY_SEATS, {"seat_type": seat_type, "quantity": needed})
    return Refusal(Code.INSUFFICIENT_SEATS, facts, (buy, *free))


def _revoke(pool: SeatPool) -> tuple[Remedy, ...]:
    return (Remedy(Way.REVOKE_INVITATION, {"held": pool.held}),) if pool.held else ()


def choose_type(
    pools: Iterable[SeatPool], choice: TypeChoice, wanted: str | None = None
) -> SeatPool | None:
    """The pool with a free seat that an automatic choice gives, or None when all are full.

    A wanted type is never replaced by another; equal ranks go by key. Source: A57, A70, A72, S-12.
    """
    free = [p for p in pools if p.available > 0 and wanted in (None, p.seat_type)]
    free.sort(key=lambda p: (p.rank, p.seat_type))
    if not free:
        return None
    if choice is TypeChoice.LOWEST:
        return free[0]
    top = [p for p in free if p.rank == free[-1].rank]
    return top[0]


@dataclass(frozen=True, slots=True)
class Wait:
    """The member waits for a seat, behind those who came before."""

    reason: str = "pool_full"


@dataclass(frozen=True, slots=True)
class Buy:
    """So many seats of that type are bought for the member before they come in."""

    seat_type: str
    quantity: int


def decide_arrival(
    pools: tuple[SeatPool, ...], choice: TypeChoice, full: PoolFull, wanted: str | None
) -> Take | Wait | Buy | Refusal:
    """What happens to someone who was provisioned or joins by themselves.

    Refuses: seat_type_not_owned, insufficient_seats and the like where the policy does not wait.
    Source: A57, A58, A65, A66, A70-A72, C31.
    """
    pool = choose_type(pools, choice, wanted)
    if pool is not None:
        return Take(pool, 1)
    candidates = [p for p in pools if wanted in (None, p.seat_type)]
    # A type that was never bought is spoken of only where there is no other.
    first = min(candidates, key=lambda p: (p.purchased == 0, p.rank, p.seat_type), default=None)
    if full is PoolFull.WAIT and (first is not None or wanted is None):
        return Wait()
    seat_type = wanted or (first.seat_type if first else "")
    refused = decide_take(first, 1, seat_type=seat_type)
    assert isinstance(refused, Refusal)
    # Money helps against a shortage only, not against a limit or for a type not yet on the plan.
    if full is PoolFull.BUY and refused.code is Code.INSUFFICIENT_SEATS:
        return Buy(seat_type, 1)
    return refused


@dataclass(frozen=True, slots=True)
class Move:
    """One member of a batch that moves: to a seat type, or to none."""

    member: UUID
    to: str | None


@dataclass(frozen=True, slots=True)
class Moves:
    """A batch that can be done as one: the members whose seat changes, and the net per type."""

    moves: tuple[Move, ...]
    deltas: Mapping[str, int] = field(default_factory=dict)


def decide_moves(
    pools: Mapping[str, SeatPool], seats: Mapping[UUID, str | None], moves: tuple[Move, ...]
) -> Moves | Refusal:
    """Whether a batch of moves works out as a whole; seats freed inside it count for it.

    `seats` says what each member holds now; a member that is missing there is not found. A move to
    where someone already is changes nothing. Refuses: not_found, invalid_request (one member
    twice), and the refusals of `decide_take`. Source: A42-A48, S-5.
    """
    if len({move.member for move in moves}) != len(moves):
        return refuse(Code.INVALID_REQUEST, detail="A member can move only once in a batch.")
    deltas: dict[str, int] = {}
    done: list[Move] = []
    for move in moves:
        if move.member not in seats:
            return refuse(Code.NOT_FOUND, detail="One of the members is not in the organization.")
        now = seats[move.member]
        if now == move.to:
            continue
        done.append(move)
        if now is not None:
            deltas[now] = deltas.get(now, 0) - 1
        if move.to is not None:
            deltas[move.to] = deltas.get(move.to, 0) + 1
    for seat_type, delta in sorted(deltas.items()):
        if delta > 0 or (delta == 0 and seat_type not in pools):
            taken = decide_take(pools.get(seat_type), max(delta, 1), seat_type=seat_type)
            if isinstance(taken, Refusal):
                return taken
    return Moves(tuple(done), deltas)
