"""Walks: seeded programs of verbs, carried out on both sides and compared after every step."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from seatkeeper.domain.ids import MemberId
from seatkeeper.operations.assemble import assemble
from seatkeeper.operations.context import new_id
from seatkeeper.store.database import Database
from tests.model.both import Both, code_of
from tests.model.reference import Person
from tests.model.reference_money import Reference
from tests.model.shapes import SHAPES, Shape
from tests.model.verbs import VERBS
from tests.money_world import MoneyWorld, subscribing

Step = tuple[str, int, int, int]
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
STEPS_OF_WALK = 500
LOOK_EVERY = 10


class Astray(AssertionError):
    """The two sides differ; `step` says where."""

    def __init__(self, step: int, program: list[Step], wrong: list[str]) -> None:
        super().__init__(f"step {step} {program[step] if program else ''}: " + "; ".join(wrong))
        self.step = step


@dataclass
class Told:
    """What walks have done."""

    steps: int = 0
    verbs: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)


def program_of(seed: int, steps: int) -> list[Step]:
    """The steps of a seed: the same for ever."""
    chance = random.Random(seed)
    names = list(VERBS)
    weights = [VERBS[name][0] for name in names]
    return [
        (name, chance.randrange(10_000), chance.randrange(10_000), chance.randrange(10_000))
        for name in chance.choices(names, weights, k=steps)
    ]


def setting_of(seed: int) -> tuple[Shape, str, datetime]:
    """The shape, the zone and the first instant of a seed; every month's end comes up."""
    chance = random.Random(f"setting {seed}")
    shapes = list(SHAPES.values())
    begin = datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(
        days=chance.choice((0, 28, 29, 30, chance.randrange(365))), minutes=chance.randrange(1440)
    )
    # The two-typed shape has more to go wrong, so it comes twice as often.
    return shapes[0 if seed % 3 else 1], chance.choice(ZONES), begin


async def begin(database: Database, seed: int) -> Both:
    """A fresh organization with a first subscription and its owner, on both sides."""
    shape, zone, now = setting_of(seed)
    money = MoneyWorld(await assemble(database), now)
    money.engine.clock = lambda: money.now
    mark = new_id().hex[-12:]
    catalog = await money.shelve(mark, shape.document())
    buyer = await money.buyer(catalog, zone=zone)
    model = Reference(shape, zone, now)
    both = Both(money, buyer, model, shape, mark)
    model.people["Owner"] = Person("creation")
    both.ids["Owner"] = MemberId(int=buyer.owner.int)
    seats = {key: 4 + 2 * n for n, key in enumerate(shape.types)}
    first = next(iter(shape.plans))
    assert model.subscribe(first, seats) is None
    await buyer.change(subscribing(both.plan(first), seats, "monthly"))
    return both


async def walk(database: Database, seed: int, program: list[Step], told: Told) -> None:
    """Carries out a program. Raises: Astray at the first difference."""
    both = await begin(database, seed)
    for number, (name, a, b, c) in enumerate(program):
        wanted, made = await VERBS[name][1](both, a, b, c)
        told.steps += 1
        told.verbs[name] += 1
        if wanted is not None:
            told.refusals[wanted] += 1
        wrong = []
        if code_of(made) != wanted:
            wrong.append(f"answered {made}, wanted {wanted or 'success'}")
        wrong += await both.differences()
        if not wrong and number % LOOK_EVERY == 0:
            wrong = await both.look()
        if wrong:
            raise Astray(number, program, wrong)
    if wrong := await both.look_back():
        raise Astray(len(program) - 1, program, wrong)


async def shrunk(database: Database, seed: int, program: list[Step]) -> list[Step]:
    """A shorter program that goes astray too, by leaving out ever smaller parts."""
    program = await _failing(database, seed, program) or program
    size = max(len(program) // 2, 1)
    while True:
        start, left = 0, len(program)
        while start < len(program):
            rest = program[:start] + program[start + size :]
            shorter = await _failing(database, seed, rest)
            if shorter is None:
                start += size
            else:
                program = shorter
        if size == 1 and len(program) == left:
            return program
        size = max(size // 2, 1)


async def _failing(database: Database, seed: int, program: list[Step]) -> list[Step] | None:
    try:
        await walk(database, seed, program, Told())
    except Astray as astray:
        return program[: astray.step + 1]
    except Exception:  # noqa: BLE001  a crash is a failure too
        return program
    return None
