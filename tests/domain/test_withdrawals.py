"""Withdrawals: who takes back what, and until when."""

import pytest

from seatkeeper.domain.changes import Asker
from seatkeeper.domain.refusals import Code
from seatkeeper.domain.withdrawals import decide_undo, decide_withdraw
from tests.domain.facts import code_of, day
from tests.domain.shipped import ASSISTED, ORGANIZATION, SINGLE, WORKSPACE

BILLING, ACCOUNT_MANAGER = Asker.BILLING, Asker.ACCOUNT_MANAGER
BUSINESS, PRO, FREE = WORKSPACE["business"], WORKSPACE["pro"], ORGANIZATION["free"]
MANAGED = Code.CONTRACT_MANAGED


@pytest.mark.parametrize(
    ("kind", "plan", "coming", "asker", "code"),
    [
        ("purchase_seats", BUSINESS, None, BILLING, MANAGED),
        ("purchase_seats", BUSINESS, None, ACCOUNT_MANAGER, None),
        ("reduce_seats", SINGLE, None, BILLING, None),
        ("reduce_seats", ASSISTED, None, BILLING, MANAGED),
        ("convert_seats", SINGLE, None, BILLING, None),
        ("change_plan", SINGLE, FREE, BILLING, None),
        ("change_plan", SINGLE, ASSISTED, BILLING, MANAGED),
        ("change_plan", ASSISTED, SINGLE, BILLING, MANAGED),
        ("change_plan", ASSISTED, SINGLE, ACCOUNT_MANAGER, None),
        ("change_plan", PRO, PRO, BILLING, None),
        ("change_plan", PRO, PRO, ACCOUNT_MANAGER, Code.FORBIDDEN),
    ],
)
def test_a31_t32_who_may_not_ask_for_a_change_may_not_undo_it(kind, plan, coming, asker, code):
    assert code_of(decide_withdraw(kind, plan, coming, asker, by_amendment=False)) is code


def test_t34_what_was_agreed_in_an_amendment_only_the_account_manager_undoes():
    agreed = decide_withdraw("amendment", SINGLE, None, BILLING, by_amendment=True)
    assert code_of(agreed) is MANAGED
    assert decide_withdraw("amendment", SINGLE, None, ACCOUNT_MANAGER, by_amendment=True) is None


def test_t9_from_its_instant_on_a_change_is_done_also_where_the_worker_is_late():
    assert decide_undo(day(2, 1), day(1, 31)) is None
    refusal = decide_undo(day(2, 1), day(2, 1))
    assert refusal is not None
    assert refusal.facts == {"state": "period over"}
