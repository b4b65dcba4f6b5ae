"""Ten years of random contracts, to the minor unit, against arithmetic written a second time.

`make test` runs a tenth; SEATKEEPER_LONG=1 in the environment runs all ten thousand contracts.
"""

import os
from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from seatkeeper.domain.billing import total
from seatkeeper.domain.discounts import NOTHING_OFF, Discount, Off
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.prices import Price, SeatPrice, Tier
from seatkeeper.domain.renewals import decide_renewal
from tests.domain.facts import applied, begun, buying, renewed
from tests.domain.shipped import SINGLE

CONTRACTS = 10_000 if os.environ.get("SEATKEEPER_LONG") else 1_000
SEEDS = 10
YEARS = 10
MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


# --- The same, written a second time: plain integers, nothing of the code under test -------------


def months_on(start, months):
    """The day of the month of `start`, months later; the last day where the month is shorter."""
    total_months = start.year * 12 + start.month - 1 + months
    year, month = total_months // 12, total_months % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def part_of(amount, per, billing, number):
    """What period `number` pays of an amount for `per` months, invoiced every `billing` months."""
    if billing >= per:
        return amount * (billing // per)
    step = number % (per // billing)
    upto = half_up(amount * (step + 1) * billing, per)
    return upto - half_up(amount * step * billing, per)


def expected(contract, periods):
    """Invoices by their day: of each period, and of each day with purchases."""
    start, per, billing, base, unit, seats, purchases, (percentage, discounted) = contract
    invoices = {}
    for number in range(periods):
        begin, end = (months_on(start, n * billing) for n in (number, number + 1))
        kept = 10_000 - percentage if number in discounted else 10_000
        lines = (part_of(amount, per, billing, number) for amount in (base, unit * seats))
        invoices[begin, "period"] = sum(half_up(line * kept, 10_000) for line in lines)
        days = (end - begin).days
        for on, added in purchases.get(number, {}).items():
            left = (end - on).days
            difference = unit * added * billing * left * kept
            invoices[on, "added"] = half_up(difference, per * days * 10_000)
            seats += added
    return invoices, seats


# --- The contracts -------------------------------------------------------------------------------


def random_contract(random, index):
    """Every anchor day comes up; a base or none; purchases on random days, some twice a day."""
    month = random.choice((1, 3, 5, 7, 8, 10, 12)) if index % 31 > 27 else random.randint(1, 12)
    start = date(random.randint(2024, 2031), month, index % 31 + 1)
    billing, per = random.choice(list(MONTHS)), random.choice((Interval.MONTH, Interval.YEAR))
    base, unit = random.choice((0, random.randint(1, 99_999))), random.randint(1, 99_999)
    seats, purchases = random.randint(1, 300), {}
    periods = YEARS * 12 // MONTHS[billing]
    for number in random.sample(range(periods), min(periods, random.randint(0, 6))):
        begin, end = (months_on(start, n * MONTHS[billing]) for n in (number, number + 1))
        days = (end - begin).days
        picked = {begin + timedelta(days=random.randrange(days)) for _ in range(2)}
        purchases[number] = {on: random.randint(1, 40) for on in sorted(picked)}
    discount = random_discount(random, periods) if index % 3 == 0 else (0, range(0))
    return (start, per, billing, base, unit, seats, purchases, discount), periods


def random_discount(random, periods):
    """Some percentage off so many periods, from one of them on; granted while another one runs."""
    first = random.randint(1, periods - 1)
    percentage = random.choice((20_00, 33_33, 100_00, random.randint(1, 10_000)))
    return percentage, range(first, min(first + random.randint(1, 40), periods))


def simulated(contract, periods, random):
    """The invoices which the code under test makes, a day's purchases bought in several steps."""
    start, per, billing, base, unit, seats, purchases, (percentage, discounted) = contract
    seat_price = SeatPrice((Tier(None, unit=unit),))
    price = Price("only", "USD", per, billing, Interval.YEAR, base, {"enterprise": seat_price})
    plan = replace(SINGLE, minimum=1, prices={"only": price})
    account = begun(plan, seats, on=start)
    invoices = {}
    for number in range(periods):
        if discounted and number == discounted.start:
            granted = Discount(UUID(int=9), Off(percentage), periods=len(discounted))
            account = replace(account, discount=granted)
        if number:
            renewal = decide_renewal(account)
            account, lines = discounting(renewed(account, renewal), renewal), renewal.lines
        else:
            lines = first_lines(account)
        invoices[account.subscription.period_starts_at.date(), "period"] = total(lines)
        for on, added in purchases.get(number, {}).items():
            one = random.randint(0, added)
            due = 0
            for quantity in (one, added - one):
                if quantity:
                    now = datetime(on.year, on.month, on.day, random.randrange(24), tzinfo=UTC)
                    offer = buying(account, quantity, now)
                    account, due = applied(account, offer), due + total(offer.lines)
            invoices[on, "added"] = due
    return invoices, account.purchased


def discounting(account, renewal):
    """The account in its new period: with what is off that, and one more period used."""
    price = replace(account.subscription.price, off=renewal.off)
    granted = account.discount
    if granted is not None and renewal.off != NOTHING_OFF:
        granted = replace(granted, used=granted.used + 1)
    return replace(
        account, subscription=replace(account.subscription, price=price), discount=granted
    )


def first_lines(account):
    """The first period as its own renewal would bill it."""
    first = replace(account.subscription, number=-1)
    return decide_renewal(replace(account, subscription=first)).lines


@pytest.mark.parametrize("seed", range(SEEDS))
def test_c54_t10_g3_ten_years_of_invoices_are_exact_to_the_minor_unit(seed):
    random = Random(seed)
    for index in range(CONTRACTS // SEEDS):
        contract, periods = random_contract(random, index)
        months = [MONTHS[interval] for interval in contract[1:3]]
        plain = (contract[0], *months, *contract[3:])
        assert simulated(contract, periods, random) == expected(plain, periods), contract
