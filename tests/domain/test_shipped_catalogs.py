"""The shipped catalogs: what each seed asks of its plans, and each vendor's row of policies."""

from datetime import timedelta

import jsonschema
import pytest

from seatkeeper.domain.catalog_fields import json_schema
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import (
    Admins,
    Capacity,
    Collect,
    Credits,
    Payer,
    PoolFull,
    RenewalQuantity,
    SeatUse,
    TypeChoice,
    When,
    Who,
)
from seatkeeper.domain.proration import Basis
from tests.domain.shipped import (
    ASSISTED,
    DOCUMENTS,
    ENTERPRISE,
    FOLDER,
    ORGANIZATION,
    PAIRS,
    PLANS,
    SINGLE,
    WORKSPACE,
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_editors_find_no_fault_in_a_shipped_catalog(name):
    jsonschema.validate(DOCUMENTS[name], json_schema())
    hint = "# yaml-language-server: $schema=../src/seatkeeper/catalog.schema.json\n"
    assert (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").startswith(hint)
    assert (FOLDER / "../src/seatkeeper/catalog.schema.json").is_file()


def test_c1_a_limit_and_a_fee_per_seat_stand_alone_or_together():
    fee_and_limit = {
        key: (any(price.seats for price in plan.prices.values()), plan.limit)
        for key, plan in ORGANIZATION.items()
    }
    assert fee_and_limit["per_seat_limited"] == (True, 10)
    assert fee_and_limit["per_seat"] == (True, None)
    assert fee_and_limit["limit_only"] == (False, 10)
    assert fee_and_limit["unlimited"] == (False, None)
    assert ORGANIZATION["limit_only"].capacity is Capacity.PLAN_LIMIT
    assert ORGANIZATION["unlimited"].capacity is Capacity.UNLIMITED


@pytest.mark.parametrize(
    ("key", "unit", "included"),
    [("one_included", 10_00, 1), ("five_included", 10_00, 5), ("per_seat", 8_00, 0)],
)
def test_c2_a_price_per_seat_and_included_seats(key, unit, included):
    seats = ORGANIZATION[key].price_in("USD").seats["member"]
    assert seats.included == included
    assert seats.amount(included) == 0
    assert seats.amount(included + 1) == unit


def test_c3_no_base_fee_with_a_fee_per_seat_is_a_paid_plan():
    price = ORGANIZATION["per_seat"].price_in("USD")
    assert price.base == 0
    assert not price.seats["member"].is_free


def test_the_default_plan_is_free_and_not_based_on_seats():
    document = DOCUMENTS["organization"]
    free = ORGANIZATION[document["default_plan"]]
    assert not free.prices
    assert free.capacity is Capacity.MEMBERSHIP_LIMIT


def test_c10_the_limit_of_a_plan_that_is_not_based_on_seats_is_5():
    assert ORGANIZATION["free"].limit == 5


def test_a_trial_plan_asks_for_a_payment_method():
    assert ORGANIZATION["trial"].trial_days == 14
    assert ORGANIZATION["trial"].trial_payment_method


def test_a10_one_seat_type_priced_by_the_month_and_billed_by_the_year():
    assert list(SINGLE.seat_types) == ["enterprise"]
    price = SINGLE.price_in("USD")
    assert (price.per, price.billing, price.term) == (Interval.MONTH, Interval.YEAR, Interval.YEAR)


def test_a11_the_single_seat_grants_every_product():
    assert SINGLE.entry_type.features >= {"web", "desktop", "mobile", "code"}
    assert SINGLE.entry_type.allowance == 0  # usage is not in it


def test_a12_every_enterprise_plan_has_a_minimum_of_20():
    assert {p.minimum for key, p in ENTERPRISE.items() if key != "team"} == {20}


def test_a13_older_plans_have_pairs_of_seat_types_and_are_not_listed():
    assert [t.name for t in ENTERPRISE["chat_and_code"].by_rank] == ["Chat + Code", "Chat"]
    assert [t.name for t in ENTERPRISE["standard_and_premium"].by_rank] == ["Premium", "Standard"]
    assert all(ENTERPRISE[key].hidden for key in PAIRS)


def test_a14_older_plans_are_closed_except_the_regulated_one():
    assert {key for key, plan in ENTERPRISE.items() if plan.closed} == set(PAIRS)
    regulated = ENTERPRISE["chat_and_code_regulated"]
    assert set(regulated.seat_types) == {"chat", "chat_code"}
    assert regulated.transition_to is None


@pytest.mark.parametrize("key", PAIRS)
def test_a95_every_older_seat_type_becomes_the_single_seat(key):
    plan = ENTERPRISE[key]
    target = ENTERPRISE[plan.transition_to]
    assert set(target.seat_types) == {"enterprise"}
    assert plan.successors == dict.fromkeys(plan.seat_types, "enterprise")
    assert target.minimum == 20


def test_seat_types_have_a_rank():
    assert ENTERPRISE["chat_and_code"].by_rank[0].key == "chat_code"
    assert ENTERPRISE["standard_and_premium"].by_rank[0].key == "premium"


def test_a97_from_team_up_to_enterprise_and_never_back():
    team = ENTERPRISE["team"]
    assert team.rank < SINGLE.rank
    assert team.policies.upgrade_when is When.NOW
    assert SINGLE.policies.downgrade_when is When.NEVER
    assert ASSISTED.policies.downgrade_when is When.NEVER


def test_t1_starter_is_for_one_person():
    assert WORKSPACE["starter"].limit == 1
    assert "single_device" in WORKSPACE["starter"].entry_type.features


@pytest.mark.parametrize("key", ["business", "business_yearly"])
def test_t3_business_seats_go_through_the_account_manager(key):
    policies = WORKSPACE[key].policies
    asked = {policies.purchase_who, policies.reduce_who, policies.cancel_who}
    assert asked == {Who.ACCOUNT_MANAGER}
    assert policies.renewal_quantity is RenewalQuantity.CONTRACT
    assert WORKSPACE[key].contact
    assert policies.admins is Admins.ACCOUNT_MANAGER  # T35


@pytest.mark.parametrize(("key", "monthly", "upfront"), [("starter", 50, 700), ("pro", 200, 2_800)])
def test_t4_credits_by_the_month_and_ahead_for_a_year(key, monthly, upfront):
    seat = WORKSPACE[key].entry_type
    assert (seat.allowance, seat.allowance_upfront) == (monthly, upfront)
    assert upfront == 14 * monthly
    assert WORKSPACE[key].price_in("USD", "yearly").billing is Interval.YEAR


SELLERS = {
    "self-serve": [SINGLE],
    "assisted": [ASSISTED, *(ENTERPRISE[key] for key in (*PAIRS, "chat_and_code_regulated"))],
    "organization": list(ORGANIZATION.values()),
    "pro": [WORKSPACE["starter"], WORKSPACE["pro"]],
    "business": [WORKSPACE["business"]],
    "business, yearly": [WORKSPACE["business_yearly"]],
}
POLICY_TABLE = {
    "self-serve": (
        Payer.ORGANIZATION, Who.BILLING, When.NOW, Collect.CHARGE, Who.BILLING, When.TERM_END,
        RenewalQuantity.CARRY_PURCHASED, SeatUse.EXPLICIT, PoolFull.BUY, Who.BILLING,
        When.TERM_END, 21, False,
    ),
    "assisted": (
        Payer.ORGANIZATION, Who.EITHER, When.NOW, Collect.INVOICE, Who.ACCOUNT_MANAGER,
        When.TERM_END, RenewalQuantity.CARRY_ASSIGNED, SeatUse.EXPLICIT, PoolFull.BUY,
        Who.ACCOUNT_MANAGER, When.TERM_END, 21, False,
    ),
    "organization": (
        Payer.ORGANIZATION, Who.BILLING, When.NOW, Collect.CHARGE, Who.BILLING, When.NEVER,
        RenewalQuantity.OCCUPIED, SeatUse.EVERY_MEMBER, PoolFull.REFUSE, Who.BILLING,
        When.PERIOD_END, 30, True,
    ),
    "pro": (
        Payer.MEMBER, Who.MEMBER, When.NOW, Collect.CHARGE, Who.MEMBER, When.PERIOD_END,
        RenewalQuantity.CARRY_PURCHASED, SeatUse.EVERY_MEMBER, PoolFull.REFUSE, Who.MEMBER,
        When.PERIOD_END, 14, False,
    ),
    "business": (
        Payer.ORGANIZATION, Who.ACCOUNT_MANAGER, When.PERIOD_END, Collect.INVOICE,
        Who.ACCOUNT_MANAGER, When.PERIOD_END, RenewalQuantity.CONTRACT, SeatUse.EXPLICIT,
        PoolFull.WAIT, Who.ACCOUNT_MANAGER, When.PERIOD_END, 14, False,
    ),
    "business, yearly": (
        Payer.ORGANIZATION, Who.ACCOUNT_MANAGER, When.NOW, Collect.INVOICE, Who.ACCOUNT_MANAGER,
        When.TERM_END, RenewalQuantity.CONTRACT, SeatUse.EXPLICIT, PoolFull.WAIT,
        Who.ACCOUNT_MANAGER, When.TERM_END, 14, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("seller", "plan"),
    [(name, plan) for name, plans in SELLERS.items() for plan in plans],
    ids=lambda value: value if isinstance(value, str) else value.key,
)
def test_each_plan_has_its_vendors_row_of_policies(seller, plan):
    own = plan.policies
    assert POLICY_TABLE[seller] == (
        own.payer, own.purchase_who, own.purchase_when, own.collect, own.reduce_who,
        own.reduce_when, own.renewal_quantity, own.seat_use, own.full_self_joined, own.cancel_who,
        own.cancel_when, own.invitations.lives.days, own.overdue.may_buy,
    )  # fmt: skip
    assert own.invitations.hold_seat is (own.payer is Payer.ORGANIZATION)
    assert own.full_provisioned is PoolFull.WAIT
    assert own.type_provisioned is TypeChoice.HIGHEST
    assert own.type_self_joined is TypeChoice.LOWEST


@pytest.mark.parametrize(
    ("plan", "basis", "source"),
    [
        (SINGLE, Basis.DAY, Credits.PREPAID),
        (ASSISTED, Basis.MONTH, Credits.ARREARS),
        (ENTERPRISE["standard_and_premium"], Basis.DAY, Credits.SEAT),
        (ENTERPRISE["team"], Basis.DAY_AFTER, Credits.PREPAID),
        (ORGANIZATION["base_and_seats"], Basis.DAY, Credits.NONE),
        (WORKSPACE["pro"], Basis.NONE, Credits.POOLED),
        (WORKSPACE["business"], Basis.DAY, Credits.CONTRACT),
        (WORKSPACE["business_yearly"], Basis.DAY, Credits.CONTRACT),
    ],
    ids=lambda value: getattr(value, "key", str(value)),
)
def test_each_plan_has_its_proration_and_its_source_of_credits(plan, basis, source):
    assert plan.policies.proration is basis
    assert plan.policies.credits is source


def test_a36_self_serve_carries_the_purchase_and_contracts_what_is_in_use():
    assert SINGLE.policies.renewal_quantity is RenewalQuantity.CARRY_PURCHASED
    assert ASSISTED.policies.renewal_quantity is RenewalQuantity.CARRY_ASSIGNED


def test_a_pending_pro_invitation_holds_no_seat_and_lives_14_days():
    invitations = WORKSPACE["pro"].policies.invitations
    assert not invitations.hold_seat
    assert invitations.lives == timedelta(days=14)


@pytest.mark.parametrize("key", ["starter", "pro", "business", "business_yearly"])
def test_a_workspace_has_one_plan(key):
    assert WORKSPACE[key].policies.one_plan_per_workspace


def test_c8_a_plan_is_for_organizations_or_for_members():
    for plans in PLANS.values():
        for plan in plans.values():
            assert plan.is_per_member is (plan.key in {"starter", "pro"})
