"""Rows of invitations, with the seat they hold."""

from __future__ import annotations

from typing import Final

from seatkeeper.store.statements import Statements

INVITATIONS: Final = Statements("invitations")
