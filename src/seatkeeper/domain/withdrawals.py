"""Withdrawals: who may take back a change that waits, and until when."""

from __future__ import annotations

from datetime import datetime

from seatkeeper.domain.catalog import Plan
from seatkeeper.domain.changes import Asker, decide_who
from seatkeeper.domain.policies import Who
from seatkeeper.domain.refusals import Code, Refusal, refuse


def decide_withdraw(
    kind: str, plan: Plan, coming: Plan | None, asker: Asker, *, by_amendment: bool
) -> Refusal | None:
    """Whether someone may take back a change of that kind; None means yes.

    Who may not ask for it may not undo it either: what was agreed with the account manager stays
    agreed. `coming` is the plan of a change that brings one. Refuses: contract_managed, forbidden.
    Source: A29, A31, T32.
    """
    if by_amendment:
        return decide_who(Who.ACCOUNT_MANAGER, asker, plan.contact)
    policies = plan.policies
    if coming is not None:
        refusal = decide_who(coming.policies.change_plan_who, asker, coming.contact)
        return refusal or decide_who(policies.change_plan_who, asker, plan.contact)
    who = policies.reduce_who if kind == "reduce_seats" else policies.purchase_who
    return decide_who(who, asker, plan.contact)


def decide_undo(effective_at: datetime, now: datetime) -> Refusal | None:
    """Whether a scheduled change can still be undone: not from its instant on. None means yes.

    Refuses: state_conflict. Source: T-9.
    """
    return refuse(Code.STATE_CONFLICT, state="period over") if effective_at <= now else None
