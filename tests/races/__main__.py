"""`python -m tests.races`: many rounds, counted; `--seed` repeats them."""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time

import uvloop

from tests.fresh import a_fresh_database
from tests.invariants.clean import assert_clean
from tests.races.crowd import Tally
from tests.races.rounds import a_place, giving_round, processes_round, taking_round
from tests.races.taker import Taker

BY_HAND = ("events_of_people", "events_of_seats")


async def main(seed: int, rounds: int, callers: int) -> int:
    """Nine rounds of ten through four engines, every tenth through two processes."""
    print(f"seed {seed}: {rounds} rounds of {callers} callers", flush=True)
    chance, began = random.Random(seed), time.perf_counter()
    alone, apart, moving = Tally(), Tally(), Tally()
    async with a_fresh_database() as dsn:
        async with a_place(dsn) as place:
            takers = [await Taker.start(dsn) for _ in range(2)]
            for number in range(rounds):
                if number % 10 == 9:
                    await processes_round(place, takers, chance, callers, apart)
                else:
                    await taking_round(place, chance, callers, alone)
                if number % 20 == 0:
                    await giving_round(place, chance, callers, moving)
                if number % 100 == 99:
                    took = time.perf_counter() - began
                    print(f"{number + 1} rounds, {took:.0f} s; {alone}", flush=True)
            for taker in takers:
                await taker.end()
            now = place.money.now
        await assert_clean(dsn, now, without=BY_HAND)
    print(f"one process: {alone}\ntwo processes: {apart}\namong buyers and leavers: {moving}")
    print(f"{time.perf_counter() - began:.0f} s")
    return int(bool(alone.over + alone.under + apart.over + apart.under + moving.over))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.races")
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--callers", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    chosen = secrets.randbelow(10**9) if given.seed is None else given.seed
    sys.exit(uvloop.run(main(chosen, given.rounds, given.callers)))
