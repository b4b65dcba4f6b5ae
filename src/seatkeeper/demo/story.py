"""A story: what is done through the API, told with its dates and amounts, and checked."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from itertools import count
from typing import Any, Final

from seatkeeper.cli.client import Client
from seatkeeper.cli.outcomes import Failed, fault
from seatkeeper.domain.money import Money

Say = Callable[[str], None]
Json = Any  # whatever operations take and answer
Answer = dict[str, Json]

CURRENCY: Final = "USD"
DATE_WIDTH: Final = 15
TEXT_WIDTH: Final = 70
AMOUNT_WIDTH: Final = 15
POLL_SECONDS: Final = 0.1
POLLS_MAX: Final = 600


def at(month: int, day: int, hour: int = 10, *, year: int = 2026) -> datetime:
    """An instant of the demo's year."""
    return datetime(year, month, day, hour, tzinfo=UTC)


BEGIN: Final = at(1, 1)


def untold(what: str, *, found: object, wanted: object) -> Failed:
    """The service did something else than the story says."""
    return fault(f"The demo stopped: {what} should be {wanted!r}, the service says {found!r}.")


@dataclass(slots=True)
class Organization:
    """One organization of the story, with its people by name; `owner` acts for it."""

    id: str
    name: str
    owner: str
    members: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Story:
    """What one vendor's organizations do, each scene on a test clock of its own."""

    api: Client
    say: Say
    run: str = ""  # keeps the people of one telling apart from those of another
    clock: str = ""
    now: datetime = BEGIN
    through: date = date(2027, 1, 1)
    organizations: list[Organization] = field(default_factory=list)
    figures: int = 0
    _keys: count[int] = field(default_factory=count)
    _told: str = ""

    def chapter(self, title: str, through: date) -> None:
        """Opens a chapter, whose scenes all last until that day."""
        self.through = through
        for line in ("", title, "=" * len(title)):
            self.say(line)

    def scene(self, title: str, start: datetime = BEGIN) -> None:
        """Opens a scene, on a clock of its own."""
        for line in ("", title, "-" * len(title)):
            self.say(line)
        answer = self.api.call("clocks.create", name=f"demo: {title}", now=start.isoformat())
        self.clock, self.now, self._told = answer["clock"], start, ""
        # The first clock is as unique as its id, and so is every name made from it.
        self.run = self.run or self.clock.rpartition("_")[2][-8:]

    def tell(self, text: str, minor: int | None = None) -> None:
        """One event with its date and its amount."""
        day = f"{self.now:%d %b %Y}"
        first, *more = textwrap.wrap(text, TEXT_WIDTH)
        amount = "" if minor is None else f"{Money(minor, CURRENCY)!s:>{AMOUNT_WIDTH}}"
        shown = "" if day == self._told else f"  {day}"
        self.say(f"{shown:<{DATE_WIDTH}}{first:<{TEXT_WIDTH}}{amount}".rstrip())
        for line in more:
            self.say(" " * DATE_WIDTH + line)
        self._told = day

    def costs(self, text: str, found: int, wanted: int) -> None:
        """One event whose amount the story knows beforehand."""
        self.expect(text, found, wanted)
        self.tell(text, found)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """The story's own oracle: figures are checked while they are told."""
        if found != wanted:
            raise untold(what, found=found, wanted=wanted)
        self.figures += 1

    def refused(self, code: str, asked: str, call: Callable[[], object]) -> Mapping[str, Json]:
        """Something that must be refused with that code; what the service said."""
        try:
            call()
        except Failed as failed:
            if failed.problem.get("code") != code:
                raise
            self.tell(asked)
            ways = [remedy["way"].replace("_", " ") for remedy in failed.problem["remedies"]]
            said = textwrap.wrap(f"{failed.problem['detail']} [{code}]", TEXT_WIDTH - 4)
            if ways != ["correct request"]:
                said.append(f"ways out: {', '.join(ways)}")
            for line in said:
                self.say(f"{'':<{DATE_WIDTH}}  | {line}")
            self.figures += 1
            return failed.problem
        raise untold(asked, found="done", wanted=code)

    def go(self, to: datetime) -> None:
        """Lets time pass; everything due happens on the way."""
        found = self.api.call("clocks.advance", clock=self.clock, to=to.isoformat())
        polls = 0
        while found["state"] == "advancing" and polls < POLLS_MAX:
            time.sleep(POLL_SECONDS)
            found = self.api.call("clocks.show", clock=self.clock)
            polls += 1
        if found["state"] != "ready":
            raise untold("the clock", found=found["failure"] or found["state"], wanted="ready")
        self.now = to

    def rest(self) -> None:
        """Lets time pass to the end of the chapter."""
        self.go(datetime.combine(self.through, clock_time(), UTC) - timedelta(seconds=1))

    def organization(
        self, name: str, catalog: str, owner: str, *, method: str | None = "sandbox_ok"
    ) -> Organization:
        """A new organization with its primary owner."""
        answer = self.api.call(
            "organizations.create",
            name=name,
            currency=CURRENCY,
            time_zone="UTC",
            catalog=catalog,
            clock=self.clock,
            payment_method=method,
            primary_owner=self.person(owner),
        )
        made = Organization(answer["organization"], name, owner, {owner: answer["primary_owner"]})
        self.organizations.append(made)
        return made

    def person(self, name: str) -> dict[str, str]:
        """A user of the vendor with that name."""
        handle = name.lower().replace(" ", ".")
        return {"user": f"{handle}-{self.run}", "email": f"{handle}@example.com", "name": name}

    def join(self, organization: Organization, *names: str, **how: Json) -> Answer:
        """People become members; the last one."""
        member: Answer = {}
        for name in names:
            member = self.call("members.add", organization, **self.person(name), **how)
            organization.members[name] = member["member"]
        return member

    def leave(self, organization: Organization, *names: str) -> None:
        """Members are removed."""
        for name in names:
            self.call("members.remove", organization, member=organization.members.pop(name))

    def invite(self, organization: Organization, *names: str) -> list[str]:
        """The owner invites people; the tokens they are sent."""
        emails = [{"email": self.person(name)["email"]} for name in names]
        owner = self.as_member(organization, organization.owner)
        answer = owner.call("invitations.create", organization, invitations=emails)
        return [item["token"] for item in answer["items"]]

    def accept(self, organization: Organization, name: str, token: str, **how: Json) -> Answer:
        """Someone answers an invitation."""
        who = self.person(name)
        member: Answer = self.api.call("invitations.accept", token=token, **who, **how)
        organization.members[name] = member["member"]
        return member

    def change(self, organization: Organization, kind: str, **asked: Json) -> Answer:
        """The owner makes a change, quoted first; what is charged must be what was quoted."""
        resume = asked.pop("resume", None)
        body = {"kind": kind, **asked}
        owner = self.as_member(organization, organization.owner)
        quote = owner.api.call("quotes.ask", organization=organization.id, change=body)
        change = owner.pay("changes.make", organization, quote=quote["quote"], resume=resume)
        due: int = quote["due_now_minor"]
        if change["invoice"] is not None:
            invoice = self.call("invoices.show", organization, invoice=change["invoice"])
            self.expect("what is charged for the quote", invoice["total_minor"], due)
        return {**change, "due_now_minor": due}

    def call(self, name: str, organization: Organization, /, **values: Json) -> Json:
        """An operation on the organization."""
        return self.api.call(name, organization=organization.id, **values)

    def pay(self, name: str, organization: Organization, /, **values: Json) -> Json:
        """An operation that moves money, under a key of its own."""
        key = f"demo-{self.run}-{next(self._keys)}"
        return self.api.call(name, idempotency_key=key, organization=organization.id, **values)

    def as_member(self, organization: Organization, name: str) -> Story:
        """The same story, in which a member acts instead of the vendor's own program."""
        return replace(self, api=replace(self.api, actor=organization.members[name]))

    def seats(self, organization: Organization) -> dict[str, Answer]:
        """The seats of an organization by type, now."""
        answer = self.call("seats.summary", organization)
        return {item["seat_type"]: item for item in answer["items"]}

    def last_invoice(self, organization: Organization) -> int:
        """The amount of the newest invoice."""
        newest = self.call("invoices.list_all", organization, limit=1)["items"][0]
        total: int = newest["total_minor"]
        return total
