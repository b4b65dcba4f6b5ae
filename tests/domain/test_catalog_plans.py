"""The canonical form of a catalog's plans, the plans built from it, and what applying changes."""

import json
from dataclasses import replace
from datetime import timedelta

from seatkeeper.domain.catalog_fields import POLICIES
from seatkeeper.domain.catalog_format import DifferenceKind, diff, plan_from, plans_from
from seatkeeper.domain.periods import Interval
from seatkeeper.domain.policies import (
    Admins,
    Capacity,
    Invitations,
    Overdue,
    Payer,
    Policies,
    PoolFull,
    Who,
)
from seatkeeper.domain.prices import Tier, TierMode
from seatkeeper.domain.proration import Basis
from tests.domain.shipped import ENTERPRISE
from tests.domain.small_catalog import GONE, SMALL, edited

PRO = "plans/pro"
BASIC = f"{PRO}/prices/monthly/seats/basic"


def plan(key="pro", document=SMALL):
    return plan_from(plans_from(document)[key], catalog="shop", version=3)


def test_a_plan_is_built_from_its_document():
    pro = plan()
    assert (pro.catalog, pro.key, pro.version, pro.name) == ("shop", "pro", 3, "Pro")
    assert (pro.capacity, pro.minimum, pro.limit) == (Capacity.PURCHASED, 1, 50)
    assert list(pro.seat_types) == ["full", "basic"]  # by rank, the highest first
    price = pro.prices["monthly"]
    assert (price.per, price.billing, price.term) == (Interval.MONTH,) * 3
    assert pro.policies == Policies()
    assert pro.trial_days == 0
    assert pro.trial_payment_method


def test_c6_included_seats_are_a_free_first_tier():
    price = plan().prices["monthly"].seats["basic"]
    assert price.tiers == (Tier(5), Tier(None, unit=500))
    assert price.included == 5
    assert [price.amount(n) for n in (0, 5, 6, 50)] == [0, 0, 5_00, 225_00]


def test_c6_a_single_tier_has_one_way_of_writing_it():
    one = edited(BASIC, {"unit_minor": 500})
    other = edited(BASIC, {"tiers": [{"up_to": None, "unit_minor": 500}], "mode": "volume"})
    assert plans_from(one) == plans_from(other)
    assert plan(document=other).prices["monthly"].seats["basic"].mode is TierMode.GRADUATED


def test_c10_the_default_membership_limit_is_5_and_0_is_none():
    assert plan("free").limit == 5
    assert plan("free", edited("membership_limit", 12)).limit == 12
    assert plan("free", edited("membership_limit", 0)).limit is None
    assert plan("free", edited("plans/free/limit", 7)).limit == 7
    assert plan("free", edited("plans/free/limit", None)).limit is None


def test_a95_without_a_key_the_price_is_one_in_the_rhythm_that_is_paid():
    old = ENTERPRISE["team"]
    monthly, yearly = old.prices["monthly"], old.prices["yearly"]
    assert old.price_in("USD", like=yearly) is yearly
    both = replace(old, prices={"other": replace(yearly, key="other"), **old.prices})
    assert both.price_in("USD", like=yearly) is yearly
    assert both.price_in("USD", like=replace(yearly, key="gone")).key == "other"
    assert both.price_in("USD", like=monthly) is monthly
    assert replace(both, prices={"yearly": yearly}).price_in("USD", like=monthly) is yearly
    assert both.price_in("EUR", like=yearly) is None
    assert both.price_in("USD", "monthly", like=yearly) is monthly


def test_the_first_price_in_a_currency_binds_least():
    prices = {
        "a": {"currency": "EUR", "per": "year"},
        "b": {"currency": "EUR", "per": "month", "term": "year"},
        "c": {"currency": "EUR", "per": "month"},
    }
    document = edited("plans/free/prices", prices)
    assert list(plan("free", document).prices) == ["c", "b", "a"]


def test_every_policy_is_a_field_and_its_default_is_the_values():
    assert plan().policies == Policies()
    assert set(POLICIES.fields) == set(Policies.__dataclass_fields__)


def test_every_policy_can_be_set():
    written = {
        "payer": "member",
        "purchase_who": "member",
        "full_provisioned": "refuse",
        "proration": "day_after",
        "net_terms_days": 60,
        "one_plan_per_workspace": True,
        "admins": "account_manager",
        "invitations": {"hold_seat": False, "lives_days": 14, "bulk": False},
        "overdue": {"retry_days": [2, 9], "grace_days": 9, "may_buy": True},
    }
    document = edited("plans/pro/policies", written, edited("plans/old/transition_to", "old"))
    policies = plan(document=document).policies
    assert policies == Policies(
        payer=Payer.MEMBER,
        purchase_who=Who.MEMBER,
        full_provisioned=PoolFull.REFUSE,
        proration=Basis.DAY_AFTER,
        net_terms_days=60,
        one_plan_per_workspace=True,
        admins=Admins.ACCOUNT_MANAGER,
        invitations=Invitations(hold_seat=False, lives=timedelta(days=14), bulk=False),
        overdue=Overdue(retry_days=(2, 9), grace_days=9, may_buy=True),
    )


def test_a_document_of_an_earlier_release_lacks_fields_and_still_loads():
    stored = plans_from(SMALL)["pro"]
    del stored["policies"]["credits"]
    del stored["hidden"]
    assert plan_from(stored, catalog="shop", version=3) == plan()


def test_equal_meaning_is_equal_json():
    turned = edited("plans/pro/rank", 0)
    turned["plans"] = dict(reversed(turned["plans"].items()))
    turned["plans"]["pro"] = dict(reversed(turned["plans"]["pro"].items()))
    turned["plans"]["pro"]["seat_types"] = dict(
        reversed(turned["plans"]["pro"]["seat_types"].items())
    )
    turned["plans"]["pro"]["prices"]["monthly"]["term"] = "month"
    for key in SMALL["plans"]:
        assert json.dumps(plans_from(turned)[key]) == json.dumps(plans_from(SMALL)[key])
    assert diff(SMALL, turned) == []


def told(differences):
    return [(d.kind.value, d.path, d.before, d.after) for d in differences]


def test_c5_an_edited_plan_is_a_new_version():
    new = edited(f"{PRO}/limit", 60, edited(f"{BASIC}/included", 6))
    assert told(diff(SMALL, new)) == [
        ("new_version", "/plans/pro", None, None),
        ("changed", "/plans/pro/limit", 50, 60),
        (
            "changed",
            "/plans/pro/prices/monthly/seats/basic/tiers",
            [
                {"up_to": 5, "unit_minor": 0, "flat_minor": 0},
                {"up_to": None, "unit_minor": 500, "flat_minor": 0},
            ],
            [
                {"up_to": 6, "unit_minor": 0, "flat_minor": 0},
                {"up_to": None, "unit_minor": 500, "flat_minor": 0},
            ],
        ),
    ]


def test_plans_are_added_and_closed():
    new = edited("plans/pro", GONE, edited("plans/plus", SMALL["plans"]["pro"]))
    del new["plans"]["old"]  # it is closed already
    new["default_plan"] = None
    assert told(diff(SMALL, new)) == [
        ("changed", "/default_plan", "free", None),
        ("plan_added", "/plans/plus", None, None),
        ("plan_closed", "/plans/pro", None, None),
    ]


def test_against_nothing_every_plan_is_added():
    assert {d.kind for d in diff(None, SMALL)} == {DifferenceKind.PLAN_ADDED}
    assert [d.path for d in diff(None, SMALL)] == ["/plans/free", "/plans/old", "/plans/pro"]


def test_the_membership_limit_is_part_of_the_plans_it_rules():
    assert told(diff(SMALL, edited("membership_limit", 8))) == [
        ("changed", "/membership_limit", 5, 8),
        ("new_version", "/plans/free", None, None),
        ("changed", "/plans/free/limit", 5, 8),
    ]


def test_a_price_that_is_added_or_gone_is_one_difference():
    added = edited(f"{PRO}/prices/yearly", {**SMALL["plans"]["pro"]["prices"]["monthly"]})
    [version, change] = diff(SMALL, added)
    assert version.kind is DifferenceKind.NEW_VERSION
    assert (change.path, change.before) == ("/plans/pro/prices/yearly", None)
    assert isinstance(change.after, dict)
