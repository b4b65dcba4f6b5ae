"""The pages about catalogs say what the format is: no field is missing, every example works."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatkeeper.catalog_file import read_catalog
from seatkeeper.domain import catalog_fields
from seatkeeper.domain.catalog_format import plan_from, plans_from
from seatkeeper.domain.catalog_shapes import OneOf
from seatkeeper.domain.periods import Interval, Recurrence
from seatkeeper.domain.prices import Price
from seatkeeper.domain.proration import Basis, share_left

DOCS = Path(__file__).parents[2] / "docs"
CATALOG_PAGE = (DOCS / "catalog.md").read_text(encoding="utf-8")
POLICIES_PAGE = (DOCS / "policies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["CATALOG", "PLAN", "SEAT_TYPE", "PRICE", "SEAT_PRICE", "TIER"])
def test_every_field_is_on_the_page(name):
    for field in getattr(catalog_fields, name).fields:
        assert f"`{field}`" in CATALOG_PAGE


def test_every_policy_and_each_of_its_values_is_on_the_page():
    for name, field in catalog_fields.POLICIES.fields.items():
        assert f"**`{name}`**" in POLICIES_PAGE
        if isinstance(field.shape, OneOf):
            for word in field.shape.words:
                assert f"`{word}`" in POLICIES_PAGE


def test_the_worked_example_costs_what_the_page_says():
    [example, *_] = re.findall(r"```yaml\n(.*?)```", CATALOG_PAGE, re.DOTALL)
    document = read_catalog(example.encode())
    assert isinstance(document, dict), document
    plan = plan_from(plans_from(document)["growth"], catalog="shop", version=1)
    amounts = [p.base + p.seats["member"].amount(7) for p in plan.prices.values()]
    assert amounts == [45_00, 450_00]


@pytest.mark.parametrize(
    ("basis", "due"),
    [
        (Basis.DAY, 1006_03),
        (Basis.DAY_AFTER, 1002_74),
        (Basis.MONTH, 1000_00),
        (Basis.SECOND, 1004_38),
        (Basis.NONE, 1200_00),
    ],
)
def test_g4_each_proration_of_the_page(basis, due):
    year = Recurrence(datetime(2026, 1, 1, tzinfo=UTC).date(), Interval.YEAR, "UTC").period(0)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    price = Price("yearly", "EUR", Interval.MONTH, Interval.YEAR, Interval.YEAR)
    assert year.ends_at - noon == timedelta(days=305.5)
    assert price.prorated(5 * 20_00, share_left(basis, year, noon)) == due
    assert f"{due // 100:,}.{due % 100:02}" in POLICIES_PAGE
