"""The demo: one year of three vendors on test clocks, through the HTTP API, with its figures."""

from __future__ import annotations

from seatkeeper.cli.client import Client
from seatkeeper.demo import enterprise, organization, workspace
from seatkeeper.demo.story import Say, Story

__all__ = ["play"]


def play(api: Client, say: Say) -> None:
    """Tells the year of three vendors while it makes it happen; every figure is checked.

    The shipped catalogs must have been applied. Raises: Failed when the service does something
    else than the story says.
    """
    figures = 0
    for chapter in (enterprise, organization, workspace):
        story = Story(api, say)
        chapter.tell(story)
        figures += story.figures
    say("")
    say(f"{figures} figures and refusals were checked while they were told: all as expected.")
