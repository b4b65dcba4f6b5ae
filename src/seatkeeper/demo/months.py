"""The table at the end of a chapter: purchased, assigned and billed, month by month."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Final

from seatkeeper.demo.story import CURRENCY, Answer, Organization, Story
from seatkeeper.domain.money import Money
from seatkeeper.domain.periods import anchored

START: Final = date(2026, 1, 1)
BESIDE: Final = 3  # organizations that fit on a line
NONE: Final = "–"


def table(story: Story, totals: dict[str, int]) -> None:
    """Tells the months of each organization that `totals` names, and checks their sums."""
    shown = [each for each in story.organizations if each.name in totals]
    for first in range(0, len(shown), BESIDE):
        _beside(story, shown[first : first + BESIDE], totals)


def _beside(story: Story, shown: list[Organization], totals: dict[str, int]) -> None:
    story.say("")
    story.say("  " + " " * 8 + "".join(f"  {each.name:>28}" for each in shown).rstrip())
    heads = f"  {'purchased':>9}{'assigned':>9}{'billed':>10}"
    story.say("  " + f"{'month':<8}" + heads * len(shown))
    invoices = [story.api.items("invoices.list_all", organization=each.id) for each in shown]
    for month in count():
        start = anchored(START, month)
        if start >= story.through:
            break
        cells = (
            _cells(story, each, (start, anchored(START, month + 1)), sent)
            for each, sent in zip(shown, invoices, strict=True)
        )
        story.say("  " + f"{start:%b %Y}" + "".join(cells))
    sums = [_billed(sent, (START, story.through)) for sent in invoices]
    for each, found in zip(shown, sums, strict=True):
        story.expect(f"what {each.name} was billed", found, totals[each.name])
    story.say("  " + f"{'':<8}" + "".join(f"  {_money(found):>28}" for found in sums))


def _cells(
    story: Story, organization: Organization, month: tuple[date, date], sent: list[Answer]
) -> str:
    last = datetime.combine(month[1], time(), UTC) - timedelta(seconds=1)
    answer = story.call("seats.summary", organization, at=last.isoformat())
    items = answer["items"]
    bought = [item["purchased"] for item in items if not item["unlimited"]]
    purchased = str(sum(bought)) if bought or not items else NONE
    assigned = sum(item["assigned"] for item in items)
    billed = _billed(sent, month)
    return f"  {purchased:>9}{assigned:>9}{_money(billed) if billed else NONE:>10}"


def _billed(sent: list[Answer], days: tuple[date, date]) -> int:
    return sum(
        invoice["total_minor"]
        for invoice in sent
        if invoice["state"] != "void"
        and days[0] <= datetime.fromisoformat(invoice["issued_at"]).date() < days[1]
    )


def _money(minor: int) -> str:
    return str(Money(minor, CURRENCY)).removesuffix(f" {CURRENCY}")
