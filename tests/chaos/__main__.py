"""`python -m tests.chaos`: ten thousand renewals under SIGKILL, then paid ones, then purchases."""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time

import uvloop

from tests.chaos.copies import fill
from tests.chaos.renewing import assert_renewed_once, renew_all
from tests.fresh import a_fresh_database
from tests.invariants.clean import assert_clean


async def main(seed: int, count: int, kills: int) -> None:
    """Fills, kills, counts."""
    print(f"seed {seed}: {count} subscriptions, {kills} kills", flush=True)
    chance = random.Random(seed)
    for paid, size in ((False, count), (True, count // 10)):
        began = time.perf_counter()
        async with a_fresh_database(durable=True) as dsn:
            await fill(dsn, size, method="sandbox_ok" if paid else None)
            filled = time.perf_counter() - began
            chaos = await renew_all(dsn, chance, kills=kills, paid=paid)
            await assert_renewed_once(dsn, size, paid=paid)
            await assert_clean(dsn)
        words = "renewed, invoiced and paid" if paid else "renewed and invoiced"
        print(f"{size} {words} exactly once: {chaos} (filled in {filled:.0f} s)", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    chosen = secrets.randbelow(10**9) if given.seed is None else given.seed
    sys.exit(uvloop.run(main(chosen, given.count, given.kills)))
