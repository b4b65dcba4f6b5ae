"""Terms: what an organization is on after it subscribes, changes its plan, or a trial ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from seatkeeper.domain.accounts import Account
from seatkeeper.domain.billing import Line, LineKind, period_lines, rest_lines, total
from seatkeeper.domain.catalog import Plan, successors_of
from seatkeeper.domain.changes import Asker, ask_contact, decide_who, in_use
from seatkeeper.domain.periods import Recurrence, anchored, local_day, midnight
from seatkeeper.domain.policies import Capacity, RenewalQuantity, When
from seatkeeper.domain.prices import Price
from seatkeeper.domain.proration import Basis
from seatkeeper.domain.quantities import Choice, People, first_quantities, quantities_of, seated_in
from seatkeeper.domain.refusals import Code, Refusal, refuse
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.subscriptions import Status, Subscription
from seatkeeper.domain.unused import is_fewer, unused_lines


@dataclass(frozen=True, slots=True)
class Terms:
    """A plan with its price, period and quantities, and what beginning it bills now.

    `number` is -1 in a trial. `successors` say what each old seat type becomes.
    `keeps_period` when the running period goes on under the new plan. `cancel_at` is the end that
    was asked for before, and still comes.
    """

    plan: Plan
    price: Price
    status: Status
    anchor: date
    number: int
    starts_at: datetime
    ends_at: datetime
    term_ends_at: datetime
    quantities: Mapping[str, int]
    lines: tuple[Line, ...] = ()
    successors: Mapping[str, str] = field(default_factory=dict)
    trial_ends_at: datetime | None = None
    keeps_period: bool = False
    scheduled: bool = False
    effective_at: datetime | None = None
    cancel_at: datetime | None = None

    @property
    def due_now(self) -> int:
        """What is owed at once, never negative. Units: minor."""
        return max(total(self.lines), 0)


def decide_subscribe(
    choice: Choice, people: People, time_zone: str, now: datetime
) -> Terms | Refusal:
    """The terms on which an organization without a paid subscription starts.

    Refuses as `first_quantities`. Source: A10, A12, A98, C12-C15, C18, C20.
    """
    quantities = first_quantities(choice, people)
    if isinstance(quantities, Refusal):
        return quantities
    terms = begin(choice, quantities, time_zone, local_day(now, time_zone))
    return replace(terms, effective_at=now)


def begin(choice: Choice, quantities: Mapping[str, int], time_zone: str, on: date) -> Terms:
    """Fresh terms from the start of a local day; a trial bills nothing until it ends."""
    plan, price = choice.plan, choice.price
    if choice.trial and plan.trial_days:
        anchor = on + timedelta(days=plan.trial_days)
        ends_at = midnight(anchor, time_zone)
        return Terms(
            plan=plan,
            price=price,
            status=Status.TRIALING,
            anchor=anchor,
            number=-1,
            starts_at=midnight(on, time_zone),
            ends_at=ends_at,
            term_ends_at=ends_at,
            quantities=quantities,
            trial_ends_at=ends_at,
        )
    period = Recurrence(on, price.billing, time_zone).period(0)
    return Terms(
        plan=plan,
        price=price,
        status=Status.ACTIVE,
        anchor=on,
        number=0,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        term_ends_at=midnight(anchored(on, price.term.months), time_zone),
        quantities=quantities,
        lines=period_lines(plan, price, 0, period, _pools(plan, quantities)),
    )


def _pools(plan: Plan, quantities: Mapping[str, int]) -> Mapping[str, SeatPool]:
    """Pools that hold only quantities, to price them."""
    return {
        seat_type.key: SeatPool(
            UUID(int=0), seat_type.key, seat_type.rank, quantities.get(seat_type.key, 0), 0, 0
        )
        for seat_type in plan.by_rank
    }


def decide_change_plan(
    account: Account, choice: Choice, asker: Asker, people: People, now: datetime
) -> Terms | Refusal:
    """When and on what terms an organization moves to another plan.

    Up takes effect now with credit for the unused part, down at the end of the period; a plan
    that may not be left says so. Refuses: contract_managed, state_conflict, past_due, as
    `quantities_of`, and seats_in_use when people sit in the way. Source: A97, C16, C48-C51, T13.
    """
    subscription = account.subscription
    old = subscription.plan
    for plan in (old, choice.plan):
        refusal = decide_who(plan.policies.change_plan_who, asker, plan.contact)
        if refusal is not None:
            return refusal
    same = choice.plan.key == old.key and choice.price.key == subscription.price.key
    when = old.policies.upgrade_when if _is_up(account, choice) else old.policies.downgrade_when
    if when is When.NEVER and not same:
        return refuse(
            Code.CONTRACT_MANAGED,
            ask_contact(old.contact),
            detail="There is no way back from this plan; talk to your account manager.",
        )
    canceling = subscription.status is Status.CANCELING
    state = subscription.status if canceling else account.closed(now)
    if state is None and same:
        state = "already on this plan"
    if state is not None:
        return refuse(Code.STATE_CONFLICT, state=state)
    if account.overdue and not old.policies.overdue.may_buy:
        return refuse(Code.PAST_DUE)
    # A trial is for those who never paid; it is no way out of a paid plan. Source: C20.
    choice = replace(choice, trial=choice.trial and is_free(old, subscription.price))
    if when is When.NOW:
        quantities = _quantities_now(account, choice, people)
        if isinstance(quantities, Refusal):
            return quantities
        return _changed(account, choice, quantities, now)
    end = subscription.term_ends_at if when is When.TERM_END else subscription.period_ends_at
    later = terms_from(account, choice, people, end)
    return later if isinstance(later, Refusal) else replace(later, scheduled=True, lines=())


def terms_from(account: Account, choice: Choice, people: People, at: datetime) -> Terms | Refusal:
    """The terms of a plan that comes at the end of a period or term, with what that bills.

    Asked when the change is scheduled, and again on its day with who is there then: if they do
    not fit any more, the old plan goes on. The anchor stays where the rhythm does. Refuses as
    `quantities_of`, and seats_in_use. Source: C50, C51, G3.
    """
    quantities = _moved_quantities(account, choice, people)
    if isinstance(quantities, Refusal):
        return quantities
    subscription = account.subscription
    zone = subscription.time_zone
    on = local_day(at, zone)
    becomes = successors_of(subscription.plan, choice.plan)
    terms = replace(begin(choice, quantities, zone, on), successors=becomes, effective_at=at)
    if not _same_rhythm(account, choice):
        return terms
    number = subscription.recurrence.number_on(on)
    period = subscription.recurrence.period(number)
    pools = _pools(choice.plan, quantities)
    return replace(
        terms,
        anchor=subscription.anchor,
        number=number,
        ends_at=period.ends_at,
        term_ends_at=midnight(subscription.term_end_of(number), zone),
        lines=period_lines(choice.plan, choice.price, number, period, pools),
    )


def beside_cancellation(terms: Terms, subscription: Subscription) -> Terms | Refusal:
    """Terms that come before the day of a cancellation: it still ends the subscription.

    Refuses: state_conflict where a period of theirs would run, and be paid, beyond that day.
    Source: T-7, A91.
    """
    cancel_at = subscription.cancel_at
    if cancel_at is None:
        return terms
    recurrence = Recurrence(terms.anchor, terms.price.billing, subscription.time_zone)
    number = recurrence.number_on(local_day(cancel_at, subscription.time_zone))
    if recurrence.period(number).starts_at != cancel_at:
        return refuse(Code.STATE_CONFLICT, state=Status.CANCELING)
    return replace(terms, status=Status.CANCELING, cancel_at=cancel_at)


def _quantities_now(
    account: Account, choice: Choice, people: People
) -> Mapping[str, int] | Refusal:
    """In mid-period all seats that are paid come along, unless the new plan has no room for them.

    Otherwise the way to another plan and back would give seats back. Source: A32, C32.
    """
    quantities = _moved_quantities(account, choice, people, paid=account.subscription.number >= 0)
    if isinstance(quantities, Refusal):
        return _moved_quantities(account, choice, people)
    return quantities


def _moved_quantities(
    account: Account, choice: Choice, people: People, *, paid: bool = False
) -> Mapping[str, int] | Refusal:
    # What a plan grants nobody bought: beside the types that were named none of it is carried.
    bought = account.subscription.plan.capacity is Capacity.PURCHASED
    carries = bought or not choice.seats
    carried = _carried(account, choice, people, paid=paid) if carries else {}
    quantities = quantities_of(choice, people, carried)
    if isinstance(quantities, Refusal):
        return quantities
    return _seated(account, choice.plan, quantities) or quantities


def _seated(account: Account, new: Plan, quantities: Mapping[str, int]) -> Refusal | None:
    """Nobody loses a seat by a change of plan: who sits needs one there. Source: A34, A35."""
    if new.capacity is not Capacity.PURCHASED:
        return None
    pools = (billed.pool for billed in account.pools.values())
    for key, pool in seated_in(account.subscription.plan, new, pools).items():
        if (refusal := in_use(pool, quantities[key])) is not None:
            return refusal
    return None


def ceilings_of(account: Account, terms: Terms) -> Mapping[str, int]:
    """How many may sit in each pool as long as the terms wait for their payment.

    No more than are paid for then: who came on top would sit unpaid. Source: C12, C51, M-12.
    """
    ceilings: dict[str, int] = {}
    room = dict(terms.quantities)
    for key, billed in account.pools.items():
        room[terms.successors[key]] -= billed.pool.occupied
    for key, billed in account.pools.items():
        # Of several types that become one, the first can grow by what is left.
        left = room.pop(terms.successors[key], 0)
        ceilings[key] = billed.pool.occupied + max(left, 0)
    return ceilings


def _is_up(account: Account, choice: Choice) -> bool:
    subscription = account.subscription
    old, new = subscription.plan, choice.plan
    if new.rank != old.rank:
        return new.rank > old.rank
    return choice.price.billing.months >= subscription.price.billing.months


def _carried(account: Account, choice: Choice, people: People, *, paid: bool) -> Mapping[str, int]:
    """Seats which come along, per new type; a period of right-sizing begins with the people."""
    old, new = account.subscription.plan, choice.plan
    entry = new.entry_type.key
    granted = old.capacity is not Capacity.PURCHASED
    sizes = (RenewalQuantity.OCCUPIED, RenewalQuantity.MEMBERS)
    sized = new.policies.renewal_quantity in sizes and not paid
    becomes = successors_of(old, new)
    carried = {entry: 0}
    for key, billed in account.pools.items():
        target = becomes.get(key, entry)
        pool = billed.pool
        seats = pool.occupied if granted or sized else max(pool.purchased, pool.occupied)
        carried[target] = carried.get(target, 0) + seats
    if granted:
        carried[entry] += max(people.occupied - sum(carried.values()), 0)
    return carried


def _same_rhythm(account: Account, choice: Choice) -> bool:
    """Whether the running period can go on: same billing and term, and a price by the part."""
    subscription = account.subscription
    old, price = subscription.plan, subscription.price
    return (
        price.billing is choice.price.billing
        and price.term is choice.price.term
        and subscription.number >= 0
        and not is_free(old, price)
        and Basis.NONE not in (old.policies.proration, choice.plan.policies.proration)
    )


def _changed(
    account: Account, choice: Choice, quantities: Mapping[str, int], now: datetime
) -> Terms:
    """Terms from now on: the same period where the rhythm stays, else a new anchor today."""
    subscription = account.subscription
    if not _same_rhythm(account, choice):
        on = local_day(now, subscription.time_zone)
        terms = begin(choice, quantities, subscription.time_zone, on)
    else:
        terms = Terms(
            plan=choice.plan,
            price=choice.price,
            status=subscription.status,
            anchor=subscription.anchor,
            number=subscription.number,
            starts_at=subscription.period_starts_at,
            ends_at=subscription.period_ends_at,
            term_ends_at=subscription.term_ends_at,
            quantities=quantities,
            lines=rest_lines(
                choice.plan,
                choice.price,
                subscription.period,
                _pools(choice.plan, quantities),
                now,
            ),
            keeps_period=True,
        )
    # Fewer seats than are paid earn nothing: no more comes back than the new plan bills.
    most = total(terms.lines) if is_fewer(account, quantities, now) else None
    return replace(
        terms,
        lines=(
            *unused_lines(account, quantities, now, most=most),
            *lines_with_people(terms.lines, account, choice.plan),
        ),
        successors=successors_of(subscription.plan, choice.plan),
        effective_at=now,
    )


def lines_with_people(lines: Iterable[Line], account: Account, new: Plan) -> tuple[Line, ...]:
    """Lines of a plan that comes, which say who sits on its seats: who sits on the old ones."""
    becomes = successors_of(account.subscription.plan, new)
    made = []
    for line in lines:
        if line.kind is LineKind.SEATS:
            pools = [
                b.pool for key, b in account.pools.items() if becomes.get(key) == line.seat_type
            ]
            assigned = min(sum(pool.assigned for pool in pools), line.quantity)
            held = min(sum(pool.held for pool in pools), line.quantity - assigned)
            line = replace(line, assigned=assigned, held=held)  # noqa: PLW2901
        made.append(line)
    return tuple(made)


def is_free(plan: Plan, price: Price) -> bool:
    """Whether a plan at that price never sends an invoice. Source: C3, C9."""
    seats_free = all(seat_price.is_free for seat_price in price.seats.values())
    return price.base == 0 and (plan.capacity is not Capacity.PURCHASED or seats_free)
