"""Rounds of races with their oracle: as many seats as were free, and a word for the rest."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from seatkeeper.operations.assemble import assemble
from seatkeeper.operations.engine import Engine
from seatkeeper.store.database import open_database
from tests.money_world import MoneyWorld, a_money_world
from tests.races.crowd import GIVING, SHORT, TAKING, UNHELD, Heard, Round, Tally, a_round, race
from tests.races.taker import LEAD_SECONDS, Taker

ENGINES = 4


@dataclass
class Place:
    """A database with several engines on it, as several processes of a service would be."""

    dsn: str
    money: MoneyWorld
    engines: list[Engine]
    unheld: tuple[str, str]


@asynccontextmanager
async def a_place(dsn: str, *, engines: int = ENGINES) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        money = await stack.enter_async_context(a_money_world(dsn))
        made = []
        for _ in range(engines):
            database = await open_database(dsn, size=10)
            stack.push_async_callback(database.close)
            engine = await assemble(database)
            engine.clock = lambda: money.now
            made.append(engine)
        unheld = await money.variant("enterprise", "team", policies={"invitations": NO_HOLD})
        yield Place(dsn, money, made, unheld)
        # The rows of each round were checked when it ended.
        money.houses.clear()


NO_HOLD = {"hold_seat": False}


async def taking_round(place: Place, chance: random.Random, callers: int, tally: Tally) -> None:
    """Only takers: exactly the free seats are taken; the others are told that seats are short."""
    unheld = chance.random() < 0.25
    how = {"catalog": place.unheld[0], "plan": place.unheld[1]} if unheld else {}
    ways = _some(chance, UNHELD if unheld else TAKING)
    made = await a_round(place.money, chance, callers=callers, ways=ways, **how)
    before = await made.taken()
    assert before[:2] == (made.free, 0)
    heard = await race(place.engines, place.money.now, made.callers)
    await judge_taking(made, heard, tally)


async def processes_round(
    place: Place, takers: list[Taker], chance: random.Random, callers: int, tally: Tally
) -> None:
    """The same through processes of their own, which know of each other only by the database."""
    made = await a_round(place.money, chance, callers=callers, ways=_some(chance, TAKING))
    start_at = time.time() + LEAD_SECONDS
    shares = [made.callers[n :: len(takers)] for n in range(len(takers))]
    heard = await asyncio.gather(
        *(
            taker.race(start_at, place.money.now, share)
            for taker, share in zip(takers, shares, strict=True)
        )
    )
    await judge_taking(made, [one for share in heard for one in share], tally)


async def judge_taking(made: Round, heard: list[Heard], tally: Tally) -> None:
    """The oracle of a round of takers alone."""
    purchased, taken, _ = await made.taken()
    took = sum(h.outcome == "took" for h in heard)
    tally.add(heard, took, made.free)
    assert took == taken == purchased == made.free, (took, taken, purchased, made.free)
    assert {h.outcome for h in heard} <= {"took", "waits", SHORT}, heard


async def giving_round(place: Place, chance: random.Random, callers: int, tally: Tally) -> None:
    """Takers among buyers and leavers: never too many, nobody waits beside a free seat."""
    # Every third gives, so that seats come free in the middle of the crowd.
    takers = _some(chance, TAKING)
    ways = tuple(way for pair in zip(takers, takers, strict=True) for way in pair) + GIVING
    made = await a_round(place.money, chance, callers=callers, ways=ways)
    heard = await race(place.engines, place.money.now, made.callers)
    purchased, taken, waiting = await made.taken()
    bought = sum(h.outcome == "gave" and h.way == "purchase" for h in heard)
    left = sum(h.outcome == "gave" and h.way == "unassign" for h in heard)
    leavers = sum(c.way == "unassign" for c in made.callers)
    assert (purchased, left) == (made.free + leavers + bought, leavers)
    took = sum(h.outcome == "took" for h in heard)
    served = sum(h.outcome == "waits" for h in heard) - waiting
    assert took + served == taken <= purchased, (took, served, taken, purchased)
    assert waiting == 0 or taken == purchased
    tally.add(heard, taken, min(taken, purchased))
    allowed = {"took", "waits", "gave", SHORT, "request_in_progress"}
    assert {h.outcome for h in heard} <= allowed, heard
    busy = {h.way for h in heard if h.outcome == "request_in_progress"}
    assert busy <= {"purchase"}, busy


def _some(chance: random.Random, ways: tuple[str, ...]) -> tuple[str, ...]:
    """All ways, or only a few of them, so that each pair meets alone too."""
    return tuple(chance.sample(ways, chance.choice((1, 2, len(ways)))))
