"""The shipped catalogs as plans, for the tests that read them."""

from pathlib import Path

from seatkeeper.catalog_file import is_faulty, read_catalog
from seatkeeper.domain.catalog_format import plan_from, plans_from

FOLDER = Path(__file__).parents[2] / "catalogs"


def read(name):
    document = read_catalog((FOLDER / f"{name}.yaml").read_bytes())
    assert not is_faulty(document), document
    return document


DOCUMENTS = {name: read(name) for name in ("enterprise", "organization", "workspace")}
PLANS = {
    name: {
        key: plan_from(plan, catalog=name, version=1) for key, plan in plans_from(document).items()
    }
    for name, document in DOCUMENTS.items()
}
ENTERPRISE, ORGANIZATION, WORKSPACE = PLANS["enterprise"], PLANS["organization"], PLANS["workspace"]
SINGLE = ENTERPRISE["enterprise"]
ASSISTED = ENTERPRISE["enterprise_assisted"]
PAIRS = ("chat_and_code", "standard_and_premium")
