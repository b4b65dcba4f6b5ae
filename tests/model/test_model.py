"""The reference against the real thing: the same steps, and after each the same seats and money.

`python -m tests.model` walks further (`make model`); a seed it prints can be put into SEEDS.
"""

import pytest

from seatkeeper.store.database import open_database
from tests.invariants.clean import assert_clean
from tests.model.reference_money import half_up
from tests.model.walk import STEPS_OF_WALK, Told, program_of, walk

# Three explicit, two of every member's seat, one that begins on a 31st.
SEEDS = (1, 3, 4, 6, 11, 30)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_a18_s1_to_s16_m8_t2_nothing_differs_from_the_reference(fresh_database_dsn, seed):
    database = await open_database(fresh_database_dsn)
    told = Told()
    try:
        await walk(database, seed, program_of(seed, STEPS_OF_WALK), told)
    finally:
        await database.close()
    await assert_clean(fresh_database_dsn)
    # A walk in which everything was refused would prove nothing.
    assert told.steps == STEPS_OF_WALK
    assert sum(told.refusals.values()) < STEPS_OF_WALK / 2
    assert len(told.verbs) > 20


@pytest.mark.parametrize(
    ("amount", "part", "whole", "rounded"),
    [(3333, 15, 31, 1613), (1, 1, 2, 1), (14999, 1, 30, 500), (0, 1, 3, 0)],
    # 1612.74…; 0.5; 499.97; 0
)
def test_g1_the_reference_rounds_halves_up(amount, part, whole, rounded):
    assert half_up(amount, part, whole) == rounded
