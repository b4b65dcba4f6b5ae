"""Changes: what may be asked of a running subscription, what it costs, and what it then is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from seatkeeper.domain.accounts import Account, Scheduled
from seatkeeper.domain.billing import Line, Step, effective_instant, step, total
from seatkeeper.domain.periods import instant_text
from seatkeeper.domain.policies import Capacity, When, Who
from seatkeeper.domain.prices import DayLevel
from seatkeeper.domain.refusals import Code, Refusal, Remedy, Way, refuse
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.subscriptions import Status, Subscription

__all__ = [
    "Account",
    "Asker",
    "ConvertSeats",
    "Offer",
    "PurchaseSeats",
    "ReduceSeats",
    "Scheduled",
    "ask_contact",
    "decide_cancel",
    "decide_convert",
    "decide_purchase",
    "decide_reduce",
    "decide_resume",
    "decide_who",
    "in_use",
]


class Asker(StrEnum):
    """In whose capacity a change is asked; the surface has checked roles and scopes."""

    BILLING = "billing"
    ACCOUNT_MANAGER = "account_manager"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class PurchaseSeats:
    """Exactly one of `quantity` (seats to add) and `total` (seats to have)."""

    seat_type: str
    quantity: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ReduceSeats:
    """Have `target` seats; `now` asks for it at once, which few policies allow."""

    seat_type: str
    target: int
    now: bool = False


@dataclass(frozen=True, slots=True)
class ConvertSeats:
    """Turn purchased seats of one type into another."""

    from_type: str
    to_type: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What a change does and costs; quoting and charging give the same offer.

    `deltas` are purchased seats per type, applied at `effective_at`; `levels` what the day then
    has billed. `status` and `cancel_at` replace the subscription's where the change says so.
    """

    kind: str
    effective_at: datetime
    scheduled: bool = False
    lines: tuple[Line, ...] = ()
    deltas: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, DayLevel] = field(default_factory=dict)
    level_at: datetime | None = None
    status: Status | None = None
    cancel_at: datetime | None = None

    @property
    def due_now(self) -> int:
        """What is owed at once, never negative: the rest goes to the balance. Units: minor."""
        return max(total(self.lines), 0)


def decide_who(who: Who, asker: Asker, contact: str | None) -> Refusal | None:
    """Whether someone in that capacity may ask; None means yes.

    Refuses: contract_managed (A31, T32), forbidden. An account manager may act where the policy
    names them, and for whoever has the billing right.
    """
    if who is Who.MEMBER:
        return None if asker is not Asker.ACCOUNT_MANAGER else refuse(Code.FORBIDDEN)
    if who is Who.ACCOUNT_MANAGER and asker is not Asker.ACCOUNT_MANAGER:
        return refuse(Code.CONTRACT_MANAGED, ask_contact(contact))
    return None


def ask_contact(contact: str | None) -> Remedy:
    """The way out through whoever the plan names. Source: A30-A32, T32."""
    return Remedy(Way.CONTACT_ACCOUNT_MANAGER, {} if contact is None else {"contact": contact})


def decide_purchase(
    account: Account, asked: PurchaseSeats, asker: Asker, now: datetime
) -> Offer | Refusal:
    """Whether seats can be bought, what they cost now, and when they come.

    Refuses: contract_managed, invalid_request, quantity_out_of_range, state_conflict (at or after
    the end, or for it; unsigned), past_due, over_plan_limit; past the last tier
    quantity_out_of_range again.
    Source: A19-A28, C18, C23-C25, C43, T30, T31.
    """
    subscription, policies = account.subscription, account.subscription.plan.policies
    quantity = _quantity(account, asked)
    malformed = quantity if isinstance(quantity, Refusal) else None
    refusal = _may_buy(account, asker, now, malformed)
    if refusal is not None:
        return refusal
    assert not isinstance(quantity, Refusal)
    refusal = _no_room(account, asked, quantity)
    if refusal is not None:
        return refusal
    deltas = {asked.seat_type: quantity}
    if policies.purchase_when is not When.NOW:
        at = _end_of(subscription, policies.purchase_when)
        return _later(account, "purchase_seats", deltas, at)
    return move_levels(account, "purchase_seats", deltas, now)


def _later(account: Account, kind: str, deltas: Mapping[str, int], at: datetime) -> Offer | Refusal:
    if account.ends_by(at):
        return refuse(Code.STATE_CONFLICT, state=Status.CANCELING)
    return Offer(kind=kind, effective_at=at, scheduled=True, deltas=deltas)


def _may_buy(
    account: Account, asker: Asker, now: datetime, malformed: Refusal | None
) -> Refusal | None:
    plan = account.subscription.plan
    if plan.policies.purchase_when is When.NEVER:
        return refuse(Code.CONTRACT_MANAGED, ask_contact(plan.contact))
    refusal = decide_who(plan.policies.purchase_who, asker, plan.contact) or malformed
    if refusal is not None or (refusal := _not_open(account, now)) is not None:
        return refusal
    if account.overdue and not plan.policies.overdue.may_buy:
        return refuse(Code.PAST_DUE)
    return None


def _quantity(account: Account, asked: PurchaseSeats) -> int | Refusal:
    plan = account.subscription.plan
    if (asked.quantity is None) == (asked.total is None):
        return refuse(Code.INVALID_REQUEST, detail="Give exactly one of quantity and total.")
    if asked.seat_type not in plan.seat_types:
        return refuse(Code.INVALID_REQUEST, detail=f"The plan has no seat type {asked.seat_type}.")
    owned = account.purchased_of(asked.seat_type) + account.coming(asked.seat_type)
    quantity = asked.quantity if asked.quantity is not None else (asked.total or 0) - owned
    if quantity < 1 and plan.capacity is Capacity.PURCHASED:
        return _out_of_range(account, asked, owned)
    return quantity


def _no_room(account: Account, asked: PurchaseSeats, quantity: int) -> Refusal | None:
    count = account.purchased + account.coming() + max(quantity, 1)
    if count > account.limit:
        return _over_limit(account, count)
    owned = account.purchased_of(asked.seat_type) + account.coming(asked.seat_type)
    if owned + quantity > account.bound(asked.seat_type):
        return _out_of_range(account, asked, owned)
    return None


def _out_of_range(account: Account, asked: PurchaseSeats, owned: int) -> Refusal:
    """The bounds of what was asked: seats to add, or seats to have."""
    below = 0 if asked.total is None else owned
    room = account.bound(asked.seat_type) - owned
    return refuse(Code.QUANTITY_OUT_OF_RANGE, minimum=below + 1, maximum=below + max(room, 0))


def _over_limit(account: Account, count: int) -> Refusal:
    return refuse(
        Code.OVER_PLAN_LIMIT,
        Remedy(Way.CHOOSE_PLAN, {"min_seats": count}),
        Remedy(Way.FREE_SEAT),
        Remedy(Way.REVOKE_INVITATION),
        limit=account.limit,
        count=count,
    )


def _not_open(account: Account, now: datetime) -> Refusal | None:
    state = account.closed(now)
    return None if state is None else refuse(Code.STATE_CONFLICT, state=state)


def decide_reduce(
    account: Account, asked: ReduceSeats, asker: Asker, now: datetime
) -> Offer | Refusal:
    """Whether and when the organization can have fewer seats.

    Refuses: contract_managed, quantity_out_of_range, state_conflict, seat_type_not_owned,
    reduction_not_allowed_mid_term with both ways out, below_minimum_seats, seats_in_use.
    Source: A12, A29-A34, C32, T33.
    """
    subscription, plan = account.subscription, account.subscription.plan
    policies = plan.policies
    owned = account.purchased_of(asked.seat_type)
    refusal = decide_who(policies.reduce_who, asker, plan.contact)
    sold = plan.capacity is Capacity.PURCHASED and owned > 0
    if refusal is None and sold and not 0 <= asked.target < owned:
        refusal = refuse(Code.QUANTITY_OUT_OF_RANGE, minimum=0, maximum=owned - 1)
    refusal = refusal or _not_open(account, now)
    if refusal is not None:
        return refusal
    if not sold:
        return refuse(Code.SEAT_TYPE_NOT_OWNED, seat_type=asked.seat_type)
    when = policies.reduce_when
    # Under a contract the account manager may make the exception at once. Source: A30, T33.
    if asked.now and asker is Asker.ACCOUNT_MANAGER and policies.reduce_who is not Who.BILLING:
        when = When.NOW
    if when is When.NEVER or (asked.now and when is not When.NOW):
        return _not_mid_term(subscription, when)
    refusal = _reduction_fits(account, asked, when)
    if refusal is not None:
        return refusal
    delta = asked.target - owned
    if when is When.NOW:
        return move_levels(account, "reduce_seats", {asked.seat_type: delta}, now)
    at = _end_of(subscription, when)
    return _later(account, "reduce_seats", {asked.seat_type: delta}, at)


def _not_mid_term(subscription: Subscription, when: When) -> Refusal:
    """The two ways out: at the end of the term, and through whoever the plan names."""
    if when is When.NEVER:
        # The renewal fits the quantity to the people by itself. Source: C32, C34.
        later = Remedy(Way.WAIT, {"until": instant_text(subscription.term_ends_at)})
    else:
        at = instant_text(_end_of(subscription, when))
        later = Remedy(Way.SCHEDULE_FOR_RENEWAL, {"effective_at": at})
    contact = ask_contact(subscription.plan.contact)
    return refuse(Code.REDUCTION_NOT_ALLOWED_MID_TERM, later, contact)


def _reduction_fits(account: Account, asked: ReduceSeats, when: When) -> Refusal | None:
    plan, pool = account.subscription.plan, account.pools[asked.seat_type].pool
    others = account.purchased - pool.purchased
    if when is not When.NOW:
        others += sum(
            s.delta for s in account.scheduled if s.seat_type not in (None, asked.seat_type)
        )
    if others + asked.target < plan.minimum:
        return refuse(
            Code.BELOW_MINIMUM_SEATS,
            Remedy(Way.CORRECT_REQUEST, {"minimum": plan.minimum - others}),
            minimum=plan.minimum,
        )
    return in_use(pool, asked.target)


def in_use(pool: SeatPool, target: int) -> Refusal | None:
    """Whether people sit in the way of having only `target` seats of a type; None means no.

    Refuses: seats_in_use. Source: A34.
    """
    needed = pool.occupied - target
    if needed <= 0:
        return None
    return refuse(
        Code.SEATS_IN_USE,
        Remedy(Way.FREE_SEAT, {"seat_type": pool.seat_type, "quantity": needed}),
        *([Remedy(Way.REVOKE_INVITATION)] if pool.held else []),
        needed=needed,
        seat_type=pool.seat_type,
    )


def _end_of(subscription: Subscription, when: When) -> datetime:
    return subscription.term_ends_at if when is When.TERM_END else subscription.period_ends_at


def decide_convert(
    account: Account, asked: ConvertSeats, asker: Asker, now: datetime
) -> Offer | Refusal:
    """Whether purchased seats can become seats of a dearer type, for the prorated difference.

    Refuses: contract_managed, invalid_request, quantity_out_of_range, state_conflict, past_due,
    seat_type_not_owned, reduction_not_allowed_mid_term when the other type is cheaper,
    seats_in_use. Source: A46.
    """
    subscription, plan = account.subscription, account.subscription.plan
    refusal = _may_buy(account, asker, now, _malformed_conversion(account, asked))
    if refusal is not None:
        return refusal
    if plan.capacity is not Capacity.PURCHASED or account.purchased_of(asked.from_type) == 0:
        return refuse(Code.SEAT_TYPE_NOT_OWNED, seat_type=asked.from_type)
    source = account.pools[asked.from_type]
    credited = replace(source, day=replace(source.day, credited=True))
    account = replace(account, pools={**account.pools, asked.from_type: credited})
    deltas = {asked.from_type: -asked.quantity, asked.to_type: asked.quantity}
    offer = move_levels(account, "convert_seats", deltas, now)
    # Judged by the full price: on a day that has no share left, cheaper is still cheaper.
    if sum(line.full_minor for line in offer.lines) < 0:
        return _not_mid_term(subscription, plan.policies.reduce_when)
    return in_use(source.pool, source.pool.purchased - asked.quantity) or offer


def _malformed_conversion(account: Account, asked: ConvertSeats) -> Refusal | None:
    seat_types = account.subscription.plan.seat_types
    if asked.from_type == asked.to_type or not {asked.from_type, asked.to_type} <= set(seat_types):
        return refuse(Code.INVALID_REQUEST, detail="Name two different seat types of the plan.")
    owned = account.purchased_of(asked.from_type)
    to = asked.to_type
    room = account.bound(to) - account.purchased_of(to) - account.coming(to)
    most = min(owned, max(room, 0))
    if asked.quantity < 1 or (owned > 0 and asked.quantity > most):
        return refuse(Code.QUANTITY_OUT_OF_RANGE, minimum=1, maximum=most)
    return None


def move_levels(account: Account, kind: str, deltas: Mapping[str, int], now: datetime) -> Offer:
    """The offer of changing quantities at once: in a trial nothing is billed yet (C21)."""
    subscription = account.subscription
    if subscription.in_trial or subscription.status is Status.TRIALING:
        return Offer(kind=kind, effective_at=now, deltas=deltas)
    steps: dict[str, Step] = {}
    for seat_type, delta in deltas.items():
        billed = account.pools[seat_type]
        target = billed.pool.purchased + delta
        steps[seat_type] = step(subscription, billed, target, now)
    lines = tuple(s.line for s in steps.values() if s.line is not None)
    return Offer(
        kind=kind,
        effective_at=now,
        lines=lines,
        deltas=deltas,
        levels={seat_type: s.day for seat_type, s in steps.items()},
        level_at=effective_instant(subscription.plan.policies.proration, subscription.period, now),
    )


def decide_cancel(subscription: Subscription, asker: Asker, now: datetime) -> Offer | Refusal:
    """When the subscription would end.

    Cancelling twice is the same cancellation. Refuses: contract_managed, state_conflict.
    Source: A91, A92, C20, C42, C52, T38, T39, T-7.
    """
    plan = subscription.plan
    refusal = decide_who(plan.policies.cancel_who, asker, plan.contact)
    if refusal is not None:
        return refusal
    if plan.policies.cancel_when is When.NEVER:
        return refuse(Code.CONTRACT_MANAGED, ask_contact(plan.contact))
    if subscription.status is Status.CANCELING and subscription.cancel_at is not None:
        return Offer(
            kind="cancel", effective_at=subscription.cancel_at, cancel_at=subscription.cancel_at
        )
    if subscription.status not in (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE):
        return refuse(Code.STATE_CONFLICT, state=subscription.status)
    if now >= subscription.period_ends_at:
        return refuse(Code.STATE_CONFLICT, state="period over")
    if subscription.status is Status.PAST_DUE or plan.policies.cancel_when is When.NOW:
        return Offer(kind="cancel", effective_at=now, status=Status.ENDED)
    end = _end_of(subscription, plan.policies.cancel_when)
    if subscription.status is Status.TRIALING:
        end = subscription.period_ends_at
    return Offer(kind="cancel", effective_at=end, status=Status.CANCELING, cancel_at=end)


def decide_resume(subscription: Subscription, asker: Asker, now: datetime) -> Offer | Refusal:
    """Whether a cancellation can be taken back, at no charge, before it takes effect.

    Refuses: contract_managed, state_conflict. Source: A91, T-7.
    """
    plan = subscription.plan
    refusal = decide_who(plan.policies.cancel_who, asker, plan.contact)
    if refusal is not None:
        return refusal
    back = Status.TRIALING if subscription.in_trial else Status.ACTIVE
    if subscription.status is back:
        return Offer(kind="resume", effective_at=now, status=back)
    end = subscription.cancel_at
    if subscription.status is not Status.CANCELING or end is None or now >= end:
        return refuse(Code.STATE_CONFLICT, state=subscription.status)
    return Offer(kind="resume", effective_at=now, status=back)
