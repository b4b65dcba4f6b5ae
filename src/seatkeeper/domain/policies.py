"""Policies: how a vendor's plan wants seats bought, reduced, used, renewed and cancelled.

Each is data of the plan version; a vendor's habits are a row of these values, never code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from seatkeeper.domain.proration import Basis


class Payer(StrEnum):
    """Who holds the subscription: one for the organization, or one for each member."""

    ORGANIZATION = "organization"
    MEMBER = "member"


class Who(StrEnum):
    """Who may ask for a change."""

    BILLING = "billing"  # anyone with the billing permission: owner, primary owner, custom role
    ACCOUNT_MANAGER = "account_manager"
    EITHER = "either"
    MEMBER = "member"  # the paying member


class When(StrEnum):
    """When a change takes effect."""

    NOW = "now"
    PERIOD_END = "period_end"
    TERM_END = "term_end"
    NEVER = "never"


class Collect(StrEnum):
    """How money comes in: seats after the payment, or seats at once and an invoice on terms."""

    CHARGE = "charge"
    INVOICE = "invoice"


class RenewalQuantity(StrEnum):
    """The quantity a new period starts with. Source: A36, C34-C36, T29."""

    CARRY_PURCHASED = "carry_purchased"
    CARRY_ASSIGNED = "carry_assigned"  # seats in use, but never fewer than people keep
    OCCUPIED = "occupied"  # members and live invitations
    MEMBERS = "members"  # members only; invitations stand without their holds
    CONTRACT = "contract"


class SeatUse(StrEnum):
    """Whether members get a seat by being assigned one, or by being members. Source: A39, C58."""

    EXPLICIT = "explicit"
    EVERY_MEMBER = "every_member"


class PoolFull(StrEnum):
    """What happens to someone who comes in by themselves when no seat is free."""

    WAIT = "wait"
    BUY = "buy"
    REFUSE = "refuse"


class TypeChoice(StrEnum):
    """Which seat type someone gets who was not given one. Source: A57, A70."""

    HIGHEST = "highest"
    LOWEST = "lowest"


class Admins(StrEnum):
    """Who makes a member an admin or an owner. Source: A3, T35."""

    OWNERS = "owners"
    ACCOUNT_MANAGER = "account_manager"


class ReductionMoney(StrEnum):
    """Whether seats given back inside a paid period are credited. Source: A32, G6."""

    NONE = "none"
    CREDIT = "credit"


class Capacity(StrEnum):
    """What sets the number of seats of a pool. Source: C1, C10, C15."""

    PURCHASED = "purchased"
    PLAN_LIMIT = "plan_limit"
    UNLIMITED = "unlimited"
    MEMBERSHIP_LIMIT = "membership_limit"


class Credits(StrEnum):
    """Where the credits for usage come from. Source: A84, A85, T4, T19."""

    NONE = "none"
    SEAT = "seat"  # each seat has its own allowance
    POOLED = "pooled"  # the allowances of all seats flow into one pool
    PREPAID = "prepaid"  # bought ahead and shared by the organization
    ARREARS = "arrears"  # metered and invoiced afterwards
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Invitations:
    """Whether a pending invitation holds a seat, and how long it lives. Source: A50, A53, C53."""

    hold_seat: bool = True
    lives: timedelta = timedelta(days=21)
    bulk: bool = True


@dataclass(frozen=True, slots=True)
class Overdue:
    """What an unpaid renewal leads to. Units: days. Source: A28, A99, C43."""

    retry_days: tuple[int, ...] = (1, 3, 5, 7)
    grace_days: int = 14
    may_buy: bool = False


@dataclass(frozen=True, slots=True)
class Policies:
    """One plan's row of the table in the design, §4."""

    payer: Payer = Payer.ORGANIZATION
    purchase_who: Who = Who.BILLING
    purchase_when: When = When.NOW
    collect: Collect = Collect.CHARGE
    net_terms_days: int = 30
    reduce_who: Who = Who.BILLING
    reduce_when: When = When.TERM_END
    reduction_money: ReductionMoney = ReductionMoney.NONE
    proration: Basis = Basis.DAY
    renewal_quantity: RenewalQuantity = RenewalQuantity.CARRY_PURCHASED
    seat_use: SeatUse = SeatUse.EXPLICIT
    invitations: Invitations = Invitations()
    full_provisioned: PoolFull = PoolFull.WAIT
    full_self_joined: PoolFull = PoolFull.BUY
    type_provisioned: TypeChoice = TypeChoice.HIGHEST
    type_self_joined: TypeChoice = TypeChoice.LOWEST
    change_plan_who: Who = Who.BILLING
    upgrade_when: When = When.NOW
    downgrade_when: When = When.PERIOD_END
    cancel_who: Who = Who.BILLING
    cancel_when: When = When.TERM_END
    overdue: Overdue = Overdue()
    unsigned_grace_days: int = 30
    one_plan_per_workspace: bool = False
    admins: Admins = Admins.OWNERS
    credits: Credits = Credits.NONE
