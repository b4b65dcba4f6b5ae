"""Rows of members, with the seat they hold and their place in the queue."""

from __future__ import annotations

from typing import Final

from seatkeeper.store.statements import Statements

MEMBERS: Final = Statements("members")
