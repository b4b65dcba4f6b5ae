"""Rows of workspaces whose members pay for themselves."""

from __future__ import annotations

from typing import Final

from seatkeeper.store.statements import Statements

WORKSPACE: Final = Statements("workspace")
