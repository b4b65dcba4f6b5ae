"""Rows of contracts and their amendments."""

from __future__ import annotations

from typing import Final

from seatkeeper.domain.contracts import Contract, ContractState
from seatkeeper.store.database import Row
from seatkeeper.store.statements import Statements

CONTRACTS: Final = Statements("contracts")


def contract_of(row: Row) -> Contract:
    """The contract that a row of `lock` and its like describes."""
    return Contract(
        state=ContractState(row["state"]),
        signed_until=row["signed_until"],
        is_signed=row["next_terms"] is not None,
    )
