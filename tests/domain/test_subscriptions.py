"""Subscriptions: states, periods, terms, and until when they let people in."""

from datetime import UTC, date, datetime, timedelta

import pytest

from seatkeeper.domain.subscriptions import TRANSITIONS, Status
from tests.domain.facts import begun, day, standing
from tests.domain.shipped import ENTERPRISE, ORGANIZATION, SINGLE

MOMENT = timedelta(microseconds=1)
END = datetime(2027, 1, 1, tzinfo=UTC)


def test_the_table_of_states_is_whole_and_an_end_is_an_end():
    assert set(TRANSITIONS) == set(Status)
    assert TRANSITIONS[Status.ENDED] == frozenset()
    assert all(status not in after for status, after in TRANSITIONS.items())
    assert all(Status.ENDED in after for status, after in TRANSITIONS.items() if after)


def test_every_state_but_the_first_ones_can_be_reached():
    reached = frozenset[Status]().union(*TRANSITIONS.values())
    assert set(Status) - reached == {Status.INCOMPLETE, Status.SCHEDULED}


@pytest.mark.parametrize(
    ("status", "ends", "now", "access"),
    [
        (Status.TRIALING, {}, END, True),
        (Status.ACTIVE, {}, END + timedelta(days=1), True),  # a late renewal locks nobody out
        (Status.CANCELING, {"cancel_at": END}, END - MOMENT, True),  # A91: until the end
        (Status.CANCELING, {"cancel_at": END}, END, False),  # A94, T-7: half-open
        (Status.PAST_DUE, {"grace_ends_at": END}, END - MOMENT, True),  # A99: kept for the grace
        (Status.PAST_DUE, {"grace_ends_at": END}, END, False),
        (Status.PAST_DUE, {"cancel_at": END, "grace_ends_at": END + MOMENT}, END, False),
        (Status.PAST_DUE, {"cancel_at": END + MOMENT, "grace_ends_at": END}, END, False),
        (Status.PAST_DUE, {}, END, True),
        (Status.ACTIVE, {"grace_ends_at": END}, END, True),  # an old grace, paid since
        (Status.INCOMPLETE, {}, day(3, 1), False),
        (Status.SCHEDULED, {}, day(3, 1), False),
        (Status.ENDED, {}, day(3, 1), False),
    ],
)
def test_a91_a94_a99_c57_access_lasts_to_the_end_and_no_longer(status, ends, now, access):
    subscription = standing(begun(SINGLE, 20), status=status, **ends).subscription
    assert subscription.gives_access(now) is access


@pytest.mark.parametrize(
    ("on", "starts"),
    [
        (date(2026, 1, 31), [(2026, 2, 28), (2026, 3, 31), (2026, 4, 30), (2026, 5, 31)]),
        (date(2026, 1, 29), [(2026, 2, 28), (2026, 3, 29), (2026, 4, 29), (2026, 5, 29)]),
        (date(2028, 1, 30), [(2028, 2, 29), (2028, 3, 30), (2028, 4, 30), (2028, 5, 30)]),
    ],
)
def test_g3_months_count_from_the_anchor(on, starts):
    recurrence = begun(ORGANIZATION["per_seat"], 1, on=on).subscription.recurrence
    assert [recurrence.period(n).start for n in range(1, 5)] == [date(*s) for s in starts]


def test_g3_a_year_from_a_leap_day():
    recurrence = begun(SINGLE, 20, on=date(2024, 2, 29)).subscription.recurrence
    ends = [recurrence.period(n).end for n in range(4)]
    assert ends == [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]


@pytest.mark.parametrize(
    ("number", "end"),
    [(0, date(2027, 1, 31)), (11, date(2027, 1, 31)), (12, date(2028, 1, 31)), (-1, END.date())],
)
def test_a_yearly_term_billed_monthly_ends_with_its_year(number, end):
    on = date(2026, 1, 31) if number >= 0 else date(2026, 1, 1)
    account = begun(ENTERPRISE["standard_and_premium"], 20, on=on)
    assert account.subscription.term_end_of(number) == end


def test_g2_days_belong_to_the_organizations_zone():
    account = begun(ORGANIZATION["per_seat"], 1, on=date(2026, 3, 1), time_zone="Asia/Tokyo")
    period = account.subscription.period
    assert period.starts_at == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert period.ends_at == datetime(2026, 3, 31, 15, tzinfo=UTC)
    assert account.subscription.anchor_zone.key == "Asia/Tokyo"


def test_c20_a_trial_is_the_stretch_before_the_first_period():
    on = date(2026, 1, 20)
    trial = begun(ORGANIZATION["trial"], 3, on=on, trial=True, time_zone="America/New_York")
    period = trial.subscription.period
    assert (period.start, period.end) == (date(2026, 1, 20), date(2026, 2, 3))  # 14 days
    assert trial.subscription.in_trial
    assert trial.subscription.recurrence.period(0).start == period.end
    assert not begun(ORGANIZATION["trial"], 3).subscription.in_trial
