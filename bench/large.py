"""`python -m bench.large`: size and crowding. A large organization, the last seats, 200 callers."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from bench.callers import Callers, some_callers
from bench.cases import CASES, Case, Houses, Sizes, place_of, request, some
from bench.fill import LARGE_PLAN, SPREAD_PLAN, STAND, House
from bench.load import Load, send
from bench.place import Place, a_place

ROUNDS: Final = 300
LAST_SEATS: Final = 5
CROWD: Final = 64
CONNECTIONS: Final = 200
RATIO_MAX: Final = 1.3
PAGE: Final = 50

Asks = Callable[[int], bytes]


async def _page_targets(callers: Callers, house: House) -> tuple[str, str]:
    """The addresses of the first and the last page of members."""
    first = f"{place_of(house)}/members?limit={PAGE}"
    target, last = first, first
    while True:
        answer = await callers.one(request("GET", target.replace(f"={PAGE}", "=200", 1)))
        cursor = json.loads(answer.body)["next"]
        if cursor is None:
            return first, last
        target = last = f"{first}&after={cursor}"


async def _asks(callers: Callers, house: House) -> dict[str, Asks]:
    members = list(house.member_ids)
    last = members[-1]
    place = place_of(house)
    first_page, last_page = await _page_targets(callers, house)

    def move(number: int) -> bytes:
        # Member 0 goes to and fro; the others are never touched.
        kind = ("chat_code", "chat")[number % 2]
        moves = [{"member": members[0], "seat_type": kind}]
        return request("POST", f"{place}/seat-moves", {"moves": moves})

    def seat(number: int) -> bytes:
        target = f"{place}/members/{last}/seat"
        return (
            request("DELETE", target)
            if number % 2
            else request("PUT", target, {"seat_type": "chat"})
        )

    return {
        "assign and unassign": seat,
        "seats summary": lambda _: request("GET", f"{place}/seats"),
        "move": move,
        "first page of members": lambda _: request("GET", first_page),
        "last page of members": lambda _: request("GET", last_page),
        "check": lambda _: request(
            "GET", f"/v1/check?organization={house.id}&user={last}&feature=web"
        ),
    }


async def compare_sizes(place: Place, sizes: tuple[int, int]) -> bool:
    """Whether everything is as quick in a large organization as in a small one."""
    found: list[dict[str, list[float]]] = []
    good = True
    houses = [(await place.filler.houses(1, size, LARGE_PLAN, purchased=size))[0] for size in sizes]
    # All but the last member sit, so that counters and history are as large as the organization.
    await place.connection.execute(
        """insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at,
               rule)
           select m.organization_id, m.member_id, gen_random_uuid(), p.pool_id, m.joined_at,
                  'by_hand'
             from member m
             join seat_pool p on p.organization_id = m.organization_id and p.rank = 0
            where m.organization_id = any($1::uuid[]) and not m.member_id = any($2::uuid[])""",
        [house.organization_id for house in houses],
        [house.members[-1] for house in houses],
    )
    for house in houses:
        await place.connection.execute(
            "update seat_pool set assigned = $2 where organization_id = $1 and rank = 0",
            house.organization_id,
            len(house.members) - 1,
        )
    await place.connection.execute("vacuum analyze")
    async with some_callers(place.port, 1) as callers:
        asks = [await _asks(callers, house) for house in houses]
        found = [{name: [] for name in asks[0]} for _ in houses]
        # Turn about, so that what else the machine does falls on both.
        for number in range(ROUNDS):
            for asked, times in zip(asks, found, strict=True):
                for name, ask in asked.items():
                    answer = await callers.one(ask(number))
                    assert answer.status == HTTPStatus.OK, answer
                    times[name].append(answer.seconds)
    small, large = found
    for name in small:
        few, many = (statistics.median(one[name]) * 1e3 for one in (small, large))
        good &= many <= few * RATIO_MAX
        _say(
            name,
            f"{sizes[0]:,}: {few:.2f} ms, {sizes[1]:,}: {many:.2f} ms, x {many / few:.2f}",
        )
    return good


async def last_seats(place: Place, rounds: int) -> bool:
    """Whether of 64 callers for 5 seats always exactly 5 get one."""
    house = (await place.filler.houses(1, CROWD, SPREAD_PLAN, purchased=LAST_SEATS))[0]
    asked = [
        request("PUT", f"{place_of(house)}/members/{member}/seat", {"seat_type": "enterprise"})
        for member in house.member_ids
    ]
    wrong, slowest = 0, 0.0
    async with some_callers(place.port, CROWD) as callers:
        for _ in range(rounds):
            await place.connection.execute(STAND)
            answers = await callers.together(asked)
            seated = sum(answer.status == HTTPStatus.OK for answer in answers)
            refused = [answer for answer in answers if answer.status == HTTPStatus.CONFLICT]
            wrong += seated != LAST_SEATS or len(refused) != CROWD - LAST_SEATS
            slowest = max(slowest, *(answer.seconds for answer in refused))
    _say(
        f"last {LAST_SEATS} seats, {CROWD} callers",
        f"{rounds} rounds, {wrong} wrong, slowest refusal {slowest * 1e3:.0f} ms",
    )
    return wrong == 0


async def crowd(place: Place, houses: Houses, seconds: float) -> bool:
    """Whether 200 connections on each endpoint get answers, and none of them a 5xx."""
    good = True
    for case in (*CASES, MEMBERS, CHECK_WITH_KEY):
        if case.before:
            await place.connection.execute(case.before)
        requests = some(case, houses)
        measured = await asyncio.to_thread(send, Load(place.port, CONNECTIONS, seconds, requests))
        good &= measured.failures == 0 and measured.answers > 0
        _say(
            f"{CONNECTIONS} x {case.name}",
            f"{measured.rate:,.0f}/s, p99 {measured.p99 * 1e3:.0f} ms,"
            f" slowest {measured.slowest * 1e3:.0f} ms, {measured.statuses}",
        )
    return good


MEMBERS: Final = Case(
    "members page",
    lambda houses: (
        request("GET", f"{place_of(house)}/members?limit={PAGE}")
        for house, _ in houses.people(houses.spread)
    ),
    "summary",
)
CHECK_WITH_KEY: Final = Case(
    "check with a key",
    lambda houses: (
        request(
            "POST",
            "/v1/check",
            {"organization": house.id, "user": member, "feature": "web"},
            houses.mark(),
        )
        for house, member in houses.people(houses.spread)
    ),
    "check",
)


def _say(what: str, words: str) -> None:
    sys.stdout.write(f"{what:42} {words}\n")
    sys.stdout.flush()


async def _main(options: argparse.Namespace) -> bool:
    large = 10_000 if options.quick else 100_000
    async with a_place() as place:
        good = await compare_sizes(place, (100, large))
        houses = await Houses.made(place, Sizes(members=50, large=10_000))
        good &= await crowd(place, houses, 1.0 if options.quick else 3.0)
        good &= await last_seats(place, 100 if options.quick else 1_000)
    _say("all within bounds" if good else "OUT OF BOUNDS", "")
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.large", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and shorter")
    sys.exit(0 if asyncio.run(_main(parser.parse_args())) else 1)
