"""Accounts for the tests of changes and renewals: begun, changed and renewed as a service would."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from uuid import UUID

from seatkeeper.domain.billed import Billed, Sum
from seatkeeper.domain.billed import standing as standing_of
from seatkeeper.domain.billing import BilledPool, Line, LineKind, total
from seatkeeper.domain.changes import Account, Asker, Offer, PurchaseSeats, decide_purchase
from seatkeeper.domain.prices import DayLevel
from seatkeeper.domain.quantities import Choice
from seatkeeper.domain.refusals import Code, Refusal
from seatkeeper.domain.seats import SeatPool
from seatkeeper.domain.subscriptions import TRANSITIONS, Status, Subscription
from seatkeeper.domain.terms import Terms, begin

NEW_YEAR = date(2026, 1, 1)


def day(month, number, year=2026, hour=12):
    """Noon of a day, in UTC."""
    return datetime(year, month, number, hour, tzinfo=UTC)


def with_policies(plan, **policies):
    """The plan with some policies of another vendor."""
    return replace(plan, policies=replace(plan.policies, **policies))


def subscription_on(terms, time_zone="UTC"):
    return Subscription(
        subscription_id=UUID(int=7),
        plan=terms.plan,
        price=terms.price,
        status=terms.status,
        time_zone=time_zone,
        anchor=terms.anchor,
        number=terms.number,
        period_starts_at=terms.starts_at,
        period_ends_at=terms.ends_at,
        term_ends_at=terms.term_ends_at,
        trial_ends_at=terms.trial_ends_at,
    )


def billed(seat_type, purchased, billed_at, *, assigned=0, held=0):
    over = assigned + held > purchased
    pool = SeatPool(
        UUID(int=1), seat_type, 0, purchased, assigned, held, state="over_limit" if over else "open"
    )
    return BilledPool(pool, billed_at, DayLevel(paid=purchased, level=purchased, billed=0))


def begun(plan, seats, *, price=None, on=NEW_YEAR, time_zone="UTC", trial=False):
    """An account at the start of its first period; `seats` is a number of the entry type."""
    quantities = {plan.entry_type.key: seats} if isinstance(seats, int) else seats
    chosen = plan.prices[price] if price else plan.price_in("USD")
    return on_terms(begin(Choice(plan, chosen, trial=trial), quantities, time_zone, on), time_zone)


def on_terms(terms: Terms, time_zone: str = "UTC") -> Account:
    """The account of an organization nobody sits in yet."""
    pools = {
        kind.key: billed(kind.key, terms.quantities.get(kind.key, 0), terms.starts_at)
        for kind in terms.plan.by_rank
    }
    account = Account(subscription_on(terms, time_zone), pools, billed=Billed())
    return with_lines(account, [x for x in terms.lines if x.kind is not LineKind.CREDIT])


def moved_onto(account, terms, time_zone="UTC"):
    """The account after a change of plan: what a period that goes on has billed stays billed."""
    after = on_terms(terms, time_zone)
    if not terms.keeps_period:
        return after
    back = [line for line in terms.lines if line.kind is LineKind.CREDIT]
    over = [
        replace(part, full=Fraction(0), fixed=Fraction(0))
        for part in with_lines(account, back).billed.parts
    ]
    return replace(after, billed=Billed((*over, *after.billed.parts)))


def with_lines(account: Account, lines: Iterable[Line]) -> Account:
    """The account of which the running period has billed these lines too."""
    plan = account.subscription.plan
    sums = [
        Sum(
            plan=plan,
            seat_type=line.seat_type,
            full_minor=line.full_minor,
            amount_minor=line.amount_minor,
            fixed_minor=line.discount_fixed_minor,
            basis_points=line.discount_basis_points,
        )
        for line in lines
    ]
    before = Billed() if account.billed is None else account.billed
    parts = (*before.parts, *standing_of(sums, plan).parts)
    return replace(account, billed=Billed(parts))


def with_people(account, seat_type=None, *, assigned=0, held=0):
    """The account with people on the seats of one type."""
    key = seat_type or account.subscription.plan.entry_type.key
    of_type = account.pools[key]
    over = assigned + held > of_type.pool.purchased
    state = "over_limit" if over else "open"
    pool = replace(of_type.pool, assigned=assigned, held=held, state=state)
    return replace(account, pools={**account.pools, key: replace(of_type, pool=pool)})


def standing(account, **changes):
    """The account with another status, end or grace of its subscription."""
    return replace(account, subscription=replace(account.subscription, **changes))


def applied(account, offer):
    """The account after an offer that takes effect at once."""
    assert isinstance(offer, Offer), offer
    pools = dict(account.pools)
    for key, delta in offer.deltas.items():
        before = pools[key]
        pool = replace(before.pool, purchased=before.pool.purchased + delta)
        level = offer.levels.get(key, before.day)
        # Only these three are stored between two changes.
        stored = DayLevel(paid=level.paid, level=level.level, billed=level.billed)
        pools[key] = BilledPool(pool, offer.level_at or before.billed_at, stored)
    subscription = account.subscription
    if offer.status is not None and offer.status is not subscription.status:
        assert offer.status in TRANSITIONS[subscription.status]
        subscription = replace(subscription, status=offer.status, cancel_at=offer.cancel_at)
    account = replace(account, subscription=subscription, pools=pools)
    return account if account.billed is None else with_lines(account, offer.lines)


def renewed(account, renewal):
    """The account at the start of a renewed period."""
    subscription = replace(
        account.subscription,
        status=Status.ACTIVE,
        number=renewal.number,
        period_starts_at=renewal.starts_at,
        period_ends_at=renewal.ends_at,
        term_ends_at=renewal.term_ends_at,
    )
    pools = {
        key: billed(
            key,
            renewal.quantities[key].purchased,
            renewal.starts_at,
            assigned=of_type.pool.assigned,
            held=of_type.pool.held,
        )
        for key, of_type in account.pools.items()
    }
    return replace(account, subscription=subscription, pools=pools, scheduled=())


def buying(account, quantity, now, *, seat_type=None, asker=Asker.BILLING):
    """What buying so many seats of one type is answered."""
    key = seat_type or account.subscription.plan.entry_type.key
    return decide_purchase(account, PurchaseSeats(key, quantity=quantity), asker, now)


def due(offer):
    """What an offer's lines amount to."""
    assert not isinstance(offer, Refusal), offer
    return total(offer.lines)


def refused(outcome):
    """The refusal in its three parts: code, facts, ways out."""
    assert isinstance(outcome, Refusal), outcome
    return outcome.code, dict(outcome.facts), [remedy.way for remedy in outcome.ways_out]


def code_of(outcome) -> Code | None:
    """The code of a refusal, or None where there is none."""
    return outcome.code if isinstance(outcome, Refusal) else None
