"""The catalog's document format: what is a fault, and where."""

import copy
import json
from itertools import product
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper.domain.catalog_fields import json_schema
from seatkeeper.domain.catalog_format import (
    FAULTS_MAX,
    check_catalog,
    diff,
    normalized,
    plan_from,
    plans_from,
)
from seatkeeper.domain.periods import Interval
from tests.domain.small_catalog import GONE, SMALL, edited

ROOT = Path(__file__).parents[2]
SHIPPED = [
    yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "catalogs").glob("*.yaml")
]


def test_a_sound_catalog_has_no_fault():
    assert check_catalog(SMALL) == []


PRO = "plans/pro"
MONTHLY = f"{PRO}/prices/monthly"
BASIC = f"{MONTHLY}/seats/basic"
FULL = f"{MONTHLY}/seats/full"


@pytest.mark.parametrize(
    ("path", "value", "pointer", "message"),
    [
        # fields that are missing, strange, or of another type
        ("name", GONE, "", "lacks the field name"),
        ("plans", GONE, "", "lacks the field plans"),
        ("plans", {}, "/plans", "from 1 to 200 entries"),
        ("plans", [], "/plans", "a mapping"),
        ("plans/pro", None, "/plans/pro", "a mapping"),
        ("plans/pro/name", 5, "/plans/pro/name", "a text"),
        ("plans/pro/name", "", "/plans/pro/name", "from 1 to 200 characters"),
        ("plans/pro/name", "a" * 201, "/plans/pro/name", "from 1 to 200 characters"),
        ("plans/pro/name", "Pro\nPlus", "/plans/pro/name", "control characters"),
        ("plans/pro/name", "Pro\ud800", "/plans/pro/name", "control characters"),
        ("plans/pro/name", " Pro", "/plans/pro/name", "space"),
        ("plans/pro/closed", 0, "/plans/pro/closed", "true or false"),
        ("plans/pro/rank", True, "/plans/pro/rank", "a whole number"),
        ("plans/pro/rank", 1.0, "/plans/pro/rank", "a whole number"),
        ("plans/pro/features", "a", "/plans/pro/features", "a list"),
        ("plans/pro/features", ["a"] * 101, "/plans/pro/features", "from 0 to 100 items"),
        ("plans/pro/features", ["a", "b", "a"], "/plans/pro/features/2", "twice"),
        ("plans/pro/features", ["A"], "/plans/pro/features/0", "must be a key"),
        ("plans/pro/features", [["a"]], "/plans/pro/features/0", "must be a key"),
        ("plans/Pro", SMALL["plans"]["pro"], "/plans/Pro", "every name here must match"),
        ("plans/a" + "b" * 64, {}, "/plans", "every name here must match"),
        ("plans/pro/capacity", "endless", "/plans/pro/capacity", "one of purchased"),
        ("plans/pro/trial", {"days": 731}, "/plans/pro/trial/days", "from 0 to 730"),
        ("membership_limit", -1, "/membership_limit", "from 0 to 1000000"),
        (f"{MONTHLY}/currency", "EURO", f"/{MONTHLY}/currency", "ISO 4217"),
        (f"{MONTHLY}/per", "week", f"/{MONTHLY}/per", "month, quarter, year"),
        (f"{MONTHLY}/base_minor", 10**12 + 1, f"/{MONTHLY}/base_minor", "from 0 to 10000"),
        (f"{PRO}/policies", {"overdue": {"retry_days": [0]}}, None, "from 1 to 365"),
        (
            f"{PRO}/policies",
            {"overdue": {"retry_days": [3, 1]}},
            f"/{PRO}/policies/overdue/retry_days",
            "must ascend",
        ),
        (
            f"{PRO}/policies",
            {"overdue": {"retry_days": [1, 3, 20], "grace_days": 7}},
            f"/{PRO}/policies/overdue/retry_days",
            "after day 7",
        ),
        (
            f"{PRO}/policies",
            {"overdue": {"grace_days": 5}},
            f"/{PRO}/policies/overdue",
            "after day 5",
        ),
        # the seat limit and its kin
        (f"{PRO}/limit", 0, f"/{PRO}/limit", "from 1 to 1000000"),
        (f"{PRO}/minimum", 51, f"/{PRO}/minimum", "above the limit, 50"),
        (f"{PRO}/capacity", "unlimited", f"/{PRO}/limit", "unlimited"),
        (f"{PRO}/capacity", "plan_limit", f"/{MONTHLY}/seats", "seats are purchased"),
        ("plans/free/capacity", "plan_limit", "/plans/free", "lacks the field limit"),
        ("plans/free/capacity", "purchased", "/plans/free", "lacks a price"),
        ("plans/free/minimum", 2, "/plans/free/minimum", "have a minimum"),
        # prices
        (BASIC, {}, f"/{BASIC}", "one of the fields unit_minor, tiers"),
        (f"{FULL}/unit_minor", 1, f"/{FULL}", "one of the fields unit_minor, tiers"),
        (f"{BASIC}/unit_minor", -1, f"/{BASIC}/unit_minor", "from 0 to"),
        (f"{BASIC}/unit_minor", 4.5, f"/{BASIC}/unit_minor", "a whole number"),
        (f"{BASIC}/included", 51, f"/{BASIC}/included", "above the limit, 50"),
        (f"{BASIC}/mode", "volume", f"/{BASIC}/mode", "only beside tiers"),
        (f"{FULL}/included", 1, f"/{FULL}/included", "belongs to unit_minor"),
        (f"{FULL}/tiers", [], f"/{FULL}/tiers", "from 1 to 50 items"),
        (f"{FULL}/tiers/0/up_to", GONE, f"/{FULL}/tiers/0", "lacks the field up_to"),
        (f"{FULL}/tiers/1/up_to", 5, f"/{FULL}/tiers/1/up_to", "above 5"),
        (
            f"{FULL}/tiers",
            [{"up_to": 51}, {"unit_minor": 1}],
            f"/{FULL}/tiers/0/up_to",
            "more seats than the limit, 50",
        ),
        (f"{MONTHLY}/seats/basic", GONE, f"/{MONTHLY}", "lacks the price of the seat type basic"),
        (f"{MONTHLY}/seats", GONE, f"/{MONTHLY}", "lacks the price of the seat type basic"),
        (f"{MONTHLY}/seats/gold", {"unit_minor": 1}, f"/{MONTHLY}/seats/gold", "no seat type"),
        ("plans/old/prices/yearly/term", "month", "/plans/old/prices/yearly/term", "a multiple"),
        (
            "plans/old/prices/yearly",
            {"currency": "EUR", "per": "month", "billing": "year",
             "seats": {"seat": {"unit_minor": 10**12}}},
            "/plans/old/prices/yearly",
            "too large to count",
        ),
        (
            "plans/old",
            {**SMALL["plans"]["old"], "minimum": 9, "prices": {"m": {
                "currency": "EUR", "per": "month",
                "seats": {"seat": {"tiers": [{"up_to": 8, "unit_minor": 1}]}}}}},
            "/plans/old/prices/m/seats",
            "no price for the plan's minimum",
        ),
        # plans that name each other
        ("default_plan", "gone", "/default_plan", "names no plan"),
        ("default_plan", "old", "/default_plan", "closed"),
        ("default_plan", "pro", "/default_plan", "costs something"),
        ("plans/pro/key", "plus", "/plans/pro/key", "must be pro"),
        ("plans/old/transition_to", "gone", "/plans/old/transition_to", "names no plan"),
        ("plans/old/transition_to", "old", "/plans/old/transition_to", "leads back"),
        ("plans/old/transition_to", None, "/plans/old/successors", "only beside transition_to"),
        ("plans/pro/transition_to", "old", "/plans/pro/transition_to", "leads back"),
        ("plans/old/successors/bench", "basic", "/plans/old/successors/bench", "of this plan"),
        ("plans/old/successors/seat", "gold", "/plans/old/successors/seat", "of the plan pro"),
        ("plans/old/prices/yearly/currency", "USD", "/plans/old/transition_to", "price in USD"),
        ("plans/old/policies", {"payer": "member"}, "/plans/old/transition_to", "another payer"),
        # policies
        (f"{PRO}/policies", {"cancel_who": "member"}, f"/{PRO}/policies/cancel_who", "payer is"),
        (f"{PRO}/policies", {"payer": "members"}, f"/{PRO}/policies/payer", "organization, member"),
        (
            "plans/old",
            {**SMALL["plans"]["old"], "minimum": 2, "policies": {"payer": "member"}},
            "/plans/old/minimum",
            "each member pays",
        ),
    ],
)  # fmt: skip
def test_c7_a_bad_field_is_an_invalid_plan_with_its_place(path, value, pointer, message):
    faults = check_catalog(edited(path, value))
    hits = [fault for fault in faults if message in fault.message]
    assert hits, faults
    assert {fault.code for fault in hits} == {"invalid_plan"}
    assert pointer is None or pointer in {fault.pointer for fault in hits}


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("version", "/version"),
        ("plans/pro/colour", "/plans/pro/colour"),
        ("plans/pro/policies", "/plans/pro/policies/refunds"),
        (f"{FULL}/tiers/0/price", f"/{FULL}/tiers/0/price"),
        ("plans/pro/<<", "/plans/pro/<<"),
    ],
)
def test_c7_a_field_that_does_not_exist_is_named(path, pointer):
    value = {"refunds": True} if path.endswith("policies") else {}
    [fault] = check_catalog(edited(path, value))
    assert (fault.pointer, fault.code) == (pointer, "unknown_field")


def test_strange_names_are_escaped_or_left_out_of_the_pointer():
    assert check_catalog({**SMALL, "a/b~c": 1})[0].pointer == "/a~1b~0c"
    assert check_catalog({**SMALL, "x" * 65: 1})[0].pointer == ""
    assert check_catalog({**SMALL, 7: 1})[0].pointer == ""


@pytest.mark.parametrize("document", [None, True, 0, 1.5, "catalog", [], [SMALL]])
def test_what_is_no_mapping_is_no_catalog(document):
    assert [fault.pointer for fault in check_catalog(document)] == [""]


def test_faults_are_bounded():
    assert len(check_catalog({f"x{number}": 1 for number in range(10_000)})) == FAULTS_MAX
    many = {f"p{number}": None for number in range(201)}
    assert len(check_catalog(edited("plans", many))) == 1


def test_any_depth_is_no_trouble():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert check_catalog(deep)
    assert check_catalog(edited("plans/pro/name", deep))
    assert check_catalog(edited("plans/pro/features/0", deep, edited(f"{PRO}/features", [])))


def test_loops_between_other_plans_end():
    looped = edited("plans/pro/transition_to", "old")
    looped["plans"]["older"] = {**looped["plans"]["old"]}
    pointers = {fault.pointer for fault in check_catalog(looped) if "back" in fault.message}
    assert pointers == {"/plans/pro/transition_to", "/plans/old/transition_to"}


def test_every_two_intervals_divide_each_other():
    # catalog_checks relies on it: a period is always a whole number of intervals, or one of it.
    for one, other in product(Interval, Interval):
        assert max(one.months, other.months) % min(one.months, other.months) == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)
WORDS = (
    "a month quarter year volume graduated never member EUR JPY purchased plan_limit unlimited "
    "membership_limit pro enterprise free"
)
NUMBERS = [0, 1, 2, 20, 51, 10**6, 10**12, -1, 0.5]
PLAUSIBLE = st.sampled_from(
    [GONE, None, True, *NUMBERS, *WORDS.split(), [], {}, {"unit_minor": 3}],
)


def places(value, path=()):
    """Every place in a document."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))
        else:
            yield (*path, key)


@st.composite
def catalogs(draw):
    """A shipped or the small catalog with up to four places changed, more or less plausibly."""
    document = copy.deepcopy(draw(st.sampled_from([SMALL, *SHIPPED])))
    for _ in range(draw(st.integers(0, 4))):
        *way, last = draw(st.sampled_from(list(places(document))))
        value = draw(PLAUSIBLE | JSON)
        place = document
        for part in way:
            place = place[part]
        if value is GONE:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
        if not document:
            break
    return document


@given(JSON)
def test_check_never_raises_for_any_json(document):
    assert check_catalog(document)


@settings(max_examples=150, deadline=None)
@given(catalogs())
def test_c7_what_is_accepted_builds_and_has_amounts(document):
    if check_catalog(document):
        return
    plans = plans_from(document)
    for key, whole in plans.items():
        plan = plan_from(whole, catalog="shop", version=1)
        assert plan.key == key
        assert normalized(whole) == whole
        for price in plan.prices.values():
            for seats in price.seats.values():
                bounds = {tier.up_to for tier in seats.tiers if tier.up_to} | {seats.bound}
                amounts = {seats.amount(n) for n in (0, 1, *bounds)}
                total = price.base + max(amounts)
                assert sum(price.of_period(total, n) for n in range(price.periods_per_term)) >= 0
                if plan.limit is None:
                    assert price.of_period(total, 0) < 2**63
    assert check_catalog({**document, "plans": plans}) == []
    assert diff(document, {**document, "plans": plans}) == []
    jsonschema.validate(json.loads(json.dumps(document)), json_schema())


def test_the_shipped_schema_is_the_table_of_fields():
    # Write it anew with: python -c 'import json; from seatkeeper.domain.catalog_fields import
    # json_schema; print(json.dumps(json_schema(), indent=2))' > src/seatkeeper/catalog.schema.json
    shipped = json.loads((ROOT / "src/seatkeeper/catalog.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema()
    jsonschema.Draft202012Validator.check_schema(shipped)
