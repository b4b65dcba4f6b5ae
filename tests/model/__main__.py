"""`python -m tests.model`: a long walk. `--seed` repeats it, `--shrink` finds the shortest part."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

import uvloop

from seatkeeper.store.database import open_database
from tests.fresh import a_fresh_database
from tests.invariants.clean import assert_clean
from tests.model.walk import STEPS_OF_WALK, Astray, Told, program_of, shrunk, walk


async def main(seed: int, steps: int, *, shrink: bool) -> int:
    """Walks organization after organization until all steps are done."""
    print(f"seed {seed}, {steps} steps", flush=True)
    told, began = Told(), time.perf_counter()
    async with a_fresh_database() as dsn:
        database = await open_database(dsn)
        try:
            for number in range(-(-steps // STEPS_OF_WALK)):
                program = program_of(seed + number, STEPS_OF_WALK)
                try:
                    await walk(database, seed + number, program, told)
                except Astray as astray:
                    print(f"seed {seed + number}: {astray}")
                    if shrink:
                        least = await shrunk(database, seed + number, program)
                        print(*least, sep="\n")
                        await walk(database, seed + number, least, told)
                    return 1
                if number % 20 == 0:
                    print(f"{told.steps} steps, {time.perf_counter() - began:.0f} s", flush=True)
        finally:
            await database.close()
        await assert_clean(dsn)
    took = time.perf_counter() - began
    print(f"{told.steps} steps in {took:.0f} s, {told.steps / took:.0f}/s, no difference")
    print("verbs", dict(told.verbs))
    print("refusals", dict(told.refusals))
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.model")
    parser.add_argument("--steps", type=int, default=int(os.environ.get("STEPS", "100000")))
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--shrink", action="store_true")
    given = parser.parse_args()
    chosen = secrets.randbelow(10**9) if given.seed is None else given.seed
    sys.exit(uvloop.run(main(chosen, given.steps, shrink=given.shrink)))
