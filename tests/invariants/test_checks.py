"""Every check passes over a story that went well, and finds exactly the damage of its mutants."""

from __future__ import annotations

import asyncpg
import pytest

from seatkeeper.verify import CHECKS, look
from tests.invariants.clean import assert_clean
from tests.invariants.conftest import Played
from tests.invariants.mutants import SEATS, Mutant
from tests.invariants.mutants_of_billing import BILLING
from tests.invariants.mutants_of_discounts import DISCOUNTS
from tests.invariants.mutants_of_money import MONEY
from tests.invariants.mutants_of_time import CHANGES, TIME, TRAIL

MUTANTS = (*SEATS, *MONEY, *BILLING, *DISCOUNTS, *TIME, *CHANGES, *TRAIL)


async def test_the_story_is_clean(played: Played):
    await assert_clean(played.dsn, played.now)


def test_no_check_counts_before_a_mutant_of_it_dies():
    assert {mutant.check for mutant in MUTANTS} == set(CHECKS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.check}: {m.name}")
async def test_the_check_finds_exactly_the_damage(
    mutant: Mutant, damaged: asyncpg.Connection, played: Played
):
    check = CHECKS[mutant.check]
    for statement in mutant.damage[:-1]:
        await damaged.execute(statement)
    wrong = [dict(row) for row in await damaged.fetch(mutant.damage[-1])]
    assert wrong, "the mutant did no damage"
    columns = tuple(wrong[0])
    found = await look(damaged, check, played.now)
    rows = {tuple(row[column] for column in columns) for row in found.rows}
    assert rows == {tuple(row.values()) for row in wrong}
