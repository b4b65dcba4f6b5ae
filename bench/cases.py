"""What is measured: of each hot path the requests, the rows they need, and pgbench's script."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final

from bench.fill import LARGE_PLAN, SECRET, SIT, SPREAD_PLAN, STAND, House
from bench.place import Place

MOVES: Final = 1_000
CONNECTIONS: Final = (1, 8, 32)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of everything."""

    pools: int = 1_000
    members: int = 200
    large: int = 100_000


QUICK: Final = Sizes(members=50, large=20_000)


@dataclass(slots=True)
class Houses:
    """The organizations that the requests are about."""

    spread: list[House]
    large: House
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    marks: int = 0

    @classmethod
    async def made(cls, place: Place, sizes: Sizes) -> Houses:
        """Fills the database, and looks at what it filled as autovacuum would."""
        spread = await place.filler.houses(
            sizes.pools, sizes.members, SPREAD_PLAN, purchased=sizes.members
        )
        large = await place.filler.houses(1, sizes.large, LARGE_PLAN, purchased=sizes.large)
        await place.connection.execute("vacuum analyze")
        return cls(spread, large[0])

    def people(self, houses: Sequence[House]) -> list[tuple[House, str]]:
        """All members of these houses, in an order of chance."""
        everyone = [(house, member) for house in houses for member in house.member_ids]
        self.chance.shuffle(everyone)
        return everyone

    def mark(self) -> str:
        """A fresh idempotency key."""
        self.marks += 1
        return f"bench-{self.marks}"


Requests = Callable[[Houses], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table. `each` is how many operations one request carries."""

    name: str
    requests: Requests
    script: str
    before: str = ""
    pools: int = 1_000
    each: int = 1
    requests_max: int = 60_000


def request(method: str, target: str, body: object = None, key: str | None = None) -> bytes:
    """A whole HTTP request."""
    content = b"" if body is None else json.dumps(body).encode()
    head = [
        f"{method} {target} HTTP/1.1",
        "Host: bench",
        f"Authorization: Bearer {SECRET.decode()}",
    ]
    if body is not None:
        head.append("Content-Type: application/json")
    if key is not None:
        head.append(f"Idempotency-Key: {key}")
    head.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*head, "", ""]).encode() + content


def place_of(house: House) -> str:
    """The organization's address."""
    return f"/v1/organizations/{house.id}"


def _assign(houses: Houses) -> Iterator[bytes]:
    for house, member in houses.people(houses.spread):
        target = f"{place_of(house)}/members/{member}/seat"
        yield request("PUT", target, {"seat_type": "enterprise"})


def _assign_one_pool(houses: Houses) -> Iterator[bytes]:
    for house, member in houses.people([houses.large]):
        yield request("PUT", f"{place_of(house)}/members/{member}/seat", {"seat_type": "chat"})


def _unassign(houses: Houses) -> Iterator[bytes]:
    for house, member in houses.people(houses.spread):
        yield request("DELETE", f"{place_of(house)}/members/{member}/seat")


def _check(houses: Houses) -> Iterator[bytes]:
    for house, member in houses.people(houses.spread):
        yield request("GET", f"/v1/check?organization={house.id}&user={member}&feature=web")


def _summary(houses: Houses) -> Iterator[bytes]:
    for house, _ in houses.people(houses.spread):
        yield request("GET", f"{place_of(house)}/seats")


def _move(houses: Houses) -> Iterator[bytes]:
    members = list(houses.large.member_ids)
    for seat_type in ("chat_code", "chat", "chat_code", "chat"):
        for start in range(0, len(members) - MOVES + 1, MOVES):
            chosen = members[start : start + MOVES]
            moves = [{"member": member, "seat_type": seat_type} for member in chosen]
            yield request("POST", f"{place_of(houses.large)}/seat-moves", {"moves": moves})


def _purchase(houses: Houses) -> Iterator[bytes]:
    # In turn, because an organization makes one payment at a time.
    for house in cycle(houses.spread):
        change = {"kind": "purchase_seats", "seat_type": "enterprise", "quantity": 1}
        target = f"{place_of(house)}/changes"
        yield request("POST", target, {"change": change}, houses.mark())


CASES: Final = (
    Case("assign, 1,000 pools", _assign, "assign", STAND),
    Case("assign, one pool", _assign_one_pool, "assign", STAND, pools=1),
    Case("unassign", _unassign, "unassign", SIT),
    Case("check", _check, "check", SIT),
    Case("seats summary", _summary, "summary", SIT),
    Case("bulk move of 1,000", _move, "move", SIT, each=MOVES, requests_max=400),
    Case("purchase", _purchase, "purchase", STAND, requests_max=20_000),
)


def some(case: Case, houses: Houses) -> list[bytes]:
    """Requests for one run."""
    return list(islice(case.requests(houses), case.requests_max))
