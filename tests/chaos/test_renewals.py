"""Renewals under SIGKILL: exactly once, each. `make chaos` does ten thousand of them."""

import random

import pytest

from tests.chaos.copies import fill
from tests.chaos.renewing import assert_renewed_once, renew_all
from tests.invariants.clean import assert_clean

COUNT, KILLS = 300, 3


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "method"), [(1, None), (2, "sandbox_ok")])
async def test_t1_m6_killed_workers_renew_bill_and_charge_each_once(
    fresh_database_dsn, seed, method
):
    await fill(fresh_database_dsn, COUNT, method=method)
    paid = method is not None
    chaos = await renew_all(fresh_database_dsn, random.Random(seed), kills=KILLS, paid=paid)
    await assert_renewed_once(fresh_database_dsn, COUNT, paid=paid)
    await assert_clean(fresh_database_dsn)
    assert chaos.kills >= 2, chaos
