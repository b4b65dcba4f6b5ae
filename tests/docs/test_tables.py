"""Tables of the documentation say what the code says."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from seatkeeper.catalog_file import is_faulty, read_catalog
from seatkeeper.domain.amendments import AmendmentState
from seatkeeper.domain.contracts import ContractState
from seatkeeper.domain.invitations import InvitationState
from seatkeeper.domain.members import Permission, Role, Source, permissions_of
from seatkeeper.domain.scopes import VendorRole
from seatkeeper.domain.subscriptions import Status
from seatkeeper.operations.events import SUBJECTS
from seatkeeper.operations.resumed import ACTIONS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/seatkeeper"
LITERAL = re.compile(r"""['"]([a-z_]+)\.([a-z_]+)['"]""")
# Kinds that are put together from a state; a new place of that sort is written down here.
PUT_TOGETHER = re.compile(r"""'([a-z_]+)\.' *\|\||f"([a-z_]+)\.{""")
STATES = {
    "amendment": ["scheduled", "applied", "expired"],
    "invitation": ["revoked", "expired"],
    "invoice": ["opened", "paid"],
    "seat_request": ["served", "canceled"],
    "subscription": ["trialing", "active", "canceling", "past_due", "ended"],
}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def rows(name: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first heading that is."""
    lines = page(name).split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def named(cell: str) -> str:
    match = re.match(r"`([^`]+)`", cell)
    assert match, cell
    return match[1]


def test_the_table_of_permissions_is_that_of_the_domain():
    columns = [*((role, False) for role in Role), (Role.MEMBER, True)]
    found = {}
    for first, *cells in rows("roles.md", "Permission"):
        assert {*cells} <= {"yes", "–"}
        found[named(first)] = [cell == "yes" for cell in cells]
    assert found == {
        permission.value: [
            permission in permissions_of(role, may_bill=may_bill) for role, may_bill in columns
        ]
        for permission in Permission
    }


@pytest.mark.parametrize(
    ("name", "heading", "wanted"),
    [
        ("roles.md", "Vendor role", VendorRole),
        ("contracts.md", "State of a contract", ContractState),
        ("contracts.md", "State of an amendment", AmendmentState),
        ("people.md", "`source`", Source),
        ("people.md", "State of an invitation", InvitationState),
    ],
)
def test_a_table_of_states_names_each_once(name: str, heading: str, wanted: type[StrEnum]):
    assert sorted(named(first) for first, *_ in rows(name, heading)) == sorted(wanted)


def test_the_table_of_kinds_is_what_the_code_records():
    statements = [p.read_text("utf-8") for p in sorted((SOURCE / "store").glob("*.sql"))]
    verbs = [p.read_text("utf-8") for p in sorted((SOURCE / "operations").glob("*.py"))]
    nouns = {*SUBJECTS, "discount"}
    others = {*Permission, *ACTIONS}
    text = "\n".join([*statements, *verbs])
    kinds = {f"{noun}.{verb}" for noun, verb in LITERAL.findall(text) if noun in nouns} - others
    assert {a or b for a, b in PUT_TOGETHER.findall(text)} - {"key"} == STATES.keys()
    kinds |= {f"{noun}.{state}" for noun, states in STATES.items() for state in states}
    assert {named(first) for first, *_ in rows("events.md", "Kind")} == kinds
    assert {*STATES["subscription"]} <= {*Status}


def test_the_balance_page_names_each_reason_of_an_entry():
    text = "\n".join(p.read_text("utf-8") for p in sorted(SOURCE.rglob("*.sql")))
    shown = [
        cells[-1]
        for name in ("What comes in", "What goes out")
        for cells in rows("balance.md", name)
    ]
    by_operation = {"credit note"}
    assert {f"'{named(cell)}'" for cell in shown if named(cell) not in by_operation} == set(
        re.findall(r"'(?:used on|carried from|returned from) invoice'|'payment came late'", text)
    )


def test_every_page_is_on_the_list_of_the_readme():
    listed = set(re.findall(r"\(docs/([a-z-]+\.md)\)", (ROOT / "README.md").read_text("utf-8")))
    assert listed == {p.name for p in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize("shown", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(shown: Path):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", shown.read_text("utf-8")):
        assert (shown.parent / target).exists(), target


def test_the_first_catalog_has_keys_that_no_shipped_one_has():
    block = re.search(r"```yaml\n(# yaml-language-server.*?)```", page("catalog.md"), re.DOTALL)
    assert block
    own = read_catalog(block[1].encode())
    assert not is_faulty(own)
    for file in sorted((ROOT / "catalogs").glob("*.yaml")):
        shipped = read_catalog(file.read_bytes())
        assert not is_faulty(shipped)
        assert not own["plans"].keys() & shipped["plans"].keys()
