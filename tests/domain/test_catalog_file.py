"""Catalog files: what is read, what is refused, and at which line and column."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper.catalog_file import CONTENT_BYTES_MAX, LocatedFault, is_faulty, read_catalog
from seatkeeper.domain.catalog_format import FAULTS_MAX

SHIPPED = sorted((Path(__file__).parents[2] / "catalogs").glob("*.yaml"))

SMALL = """\
catalog: shop
name: "Shop"
plans:
  pro:
    name: Pro
    seat_types: &kinds
      member: {name: Member}
    prices:
      monthly:
        currency: EUR
        per: month
        seats:
          member:
            unit_minor: 500
  plus:
    name: 'Plus'
    closed: yes
    seat_types: *kinds
    prices: {}
"""
SOUND = SMALL.replace("closed: yes", "capacity: unlimited")


def faults(text):
    outcome = read_catalog(text if isinstance(text, bytes) else text.encode())
    assert is_faulty(outcome), outcome
    return [(fault.line, fault.column, fault.message) for fault in outcome]


def test_a_sound_file_is_a_document():
    document = read_catalog(SOUND.encode())
    assert not is_faulty(document)
    assert list(document) == ["catalog", "name", "plans"]
    assert document["plans"]["pro"]["prices"]["monthly"]["seats"] == {"member": {"unit_minor": 500}}
    assert document["plans"]["plus"]["seat_types"] == {"member": {"name": "Member"}}


def test_a_byte_order_mark_and_json_are_read_too():
    assert read_catalog(b"\xef\xbb\xbf" + SOUND.encode()) == read_catalog(SOUND.encode())
    json = b'{"catalog": "a", "name": "A", "plans": {"p": {"name": "P", "capacity": "unlimited",'
    json += b' "default": null, "seat_types": {"s": {"name": "S", "rank": -1}}}}}'
    assert [fault.pointer for fault in read_catalog(json)] == ["/plans/p/default"]
    assert not is_faulty(read_catalog(json.replace(b'"default": null,', b"")))


@pytest.mark.parametrize(
    ("old", "new", "place", "pointer", "code"),
    [
        (
            "500",
            "-5",
            (14, 25),
            "/plans/pro/prices/monthly/seats/member/unit_minor",
            "invalid_plan",
        ),
        (
            "500",
            "5.0",
            (14, 25),
            "/plans/pro/prices/monthly/seats/member/unit_minor",
            "invalid_plan",
        ),
        (
            "500",
            "1_000",
            (14, 25),
            "/plans/pro/prices/monthly/seats/member/unit_minor",
            "invalid_plan",
        ),
        (
            "500",
            "9" * 31,
            (14, 25),
            "/plans/pro/prices/monthly/seats/member/unit_minor",
            "invalid_plan",
        ),
        ("EUR", "no", (10, 19), "/plans/pro/prices/monthly/currency", "invalid_plan"),
        ('"Shop"', '""', (2, 7), "/name", "invalid_plan"),
        ('"Shop"', "12", (2, 7), "/name", "invalid_plan"),
        ('"Shop"', "", (2, 6), "/name", "invalid_plan"),
        ("    name: Pro", "    nane: Pro", (5, 5), "/plans/pro/nane", "unknown_field"),
        ("    name: Pro", "    rank: 1", (4, 3), "/plans/pro", "invalid_plan"),  # lacks its name
        ("{name: Member}", "{}", (7, 15), "/plans/pro/seat_types/member", "invalid_plan"),
        ("seat_types: *kinds", "seat_types: 5", (18, 17), "/plans/plus/seat_types", "invalid_plan"),
        ("seat_types: *kinds", "<<: *kinds", (18, 5), "/plans/plus/<<", "unknown_field"),
        (
            "name: 'Plus'",
            "name: 'Plus'\n    name: Pro",
            (17, 5),
            "/plans/plus/name",
            "invalid_plan",
        ),
    ],
)
def test_c7_a_fault_carries_line_and_column(old, new, place, pointer, code):
    outcome = read_catalog(SOUND.replace(old, new, 1).encode())
    assert is_faulty(outcome)
    found = {((fault.line, fault.column), fault.pointer, fault.code) for fault in outcome}
    assert (place, pointer, code) in found, outcome


def test_yes_is_a_word():
    assert faults(SMALL) == [(17, 13, "must be true or false")]


def test_a_fault_reads_as_a_line():
    fault = LocatedFault(3, 5, "/name", "invalid_plan", "must be a text")
    assert str(fault) == "3:5: must be a text (/name)"
    assert str(LocatedFault(1, 1, "", "invalid_plan", "the file is empty")) == (
        "1:1: the file is empty"
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the file is empty"),
        ("# nothing\n", 1, 1, "the file is empty"),
        (b"a: 1\nb: \xff", 2, 4, "not UTF-8"),
        ("a: 1".encode("utf-16"), 1, 1, "not UTF-8"),
        ("a:\n\t- b", 2, 1, "a tab"),
        ("name: Free: for ever", 1, 11, "put text that has one in quotes"),
        ("a: 1\n b: 2", 2, 3, "mend the indentation"),
        ("a: @b", 1, 4, "put it in quotes"),
        ("a: 1\nb\nc: 1", 3, 1, "a colon and a space must follow each key"),
        ("a: [b\nc: 1", 2, 2, "a comma or a closing bracket is missing"),
        ('a: "b\n', 2, 1, "ends inside a quoted text"),
        ("a: 1\nb: \x07", 2, 4, "control character"),
        ("a: [1, 2", 1, 9, "a comma or a closing bracket is missing"),
        ("a: b: c", 1, 5, "a colon cannot stand here"),
        ("a: 1\n---\nb: 2", 2, 1, "one document"),
        ("a: 1\na: 2", 2, 1, "stands here already, in line 1"),
        ("a: {b: 1, b: {c: 1}}", 1, 11, "stands here already"),
        ("a: *b", 1, 4, "alias has no complete value"),
        ("a: &a [*a]", 1, 8, "alias has no complete value"),
        ("a: !!python/object:os.system x", 1, 4, "tags are not allowed"),
        ("a: !!binary x", 1, 4, "tags are not allowed"),
        ("? [a]\n: 1", 1, 3, "a key must be one word"),
        ("*a : 1", 1, 1, "a key must be one word"),
        ("&a b: 1", 1, 1, "an anchor or a tag"),
        ("? " + "a" * 201 + "\n: 1", 1, 3, "at most 200 characters"),
        ('a: "\\UFFFFFFFF"', 1, 1, "too large"),
        ("%YAML " + "9" * 5000 + ".1\n--- a", 1, 1, "too large"),
        ("[" * 40, 1, 33, "nested more than 32 levels"),
        ("- " * 500_000, 1, 65, "nested more than 32 levels"),
        ("5", 1, 1, "must be a mapping"),
        ("[]", 1, 1, "must be a mapping"),
        ("- a\n- {b: c}", 1, 1, "must be a mapping"),
    ],
)
def test_what_is_no_catalog_is_one_clear_fault(text, line, column, message):
    [(at_line, at_column, said)] = faults(text)
    assert (at_line, at_column) == (line, column)
    assert message in said


def test_repeated_aliases_are_counted_in_full():
    layers = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    layers += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 9)]
    [(line, _, message)] = faults("\n".join(layers))
    assert line == 5  # the fifth layer alone would hold 111,111 values
    assert "aliases written out" in message


def test_size_is_bounded():
    assert not is_faulty(read_catalog(SOUND.encode() + b"#" * 1000))
    [(_, _, message)] = faults(SOUND.encode() + b"#" * CONTENT_BYTES_MAX)
    assert "larger than 1048576 bytes" in message


def test_what_is_missing_is_told_at_what_should_hold_it():
    text = SOUND.replace("        seats:\n          member:\n            unit_minor: 500\n", "")
    found = faults(text)
    assert (9, 7, "has no price for the plan's minimum of seats") in found


def test_faults_come_in_order_and_bounded():
    lines = [f"x{number}: 1" for number in range(500)]
    found = faults("\n".join(lines))
    assert len(found) == FAULTS_MAX
    assert found == sorted(found)


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_give_faults(content):
    assert is_faulty(read_catalog(content))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHIPPED), st.data())
def test_any_damage_gives_a_document_or_located_faults(path, data):
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content)))
    damaged = content[:place] + data.draw(st.binary(max_size=4)) + content[place + 1 :]
    outcome = read_catalog(damaged)
    if is_faulty(outcome):
        assert all(fault.line >= 1 and fault.column >= 1 for fault in outcome)


@pytest.mark.parametrize(
    ("limit", "most", "expected"),
    [
        ("limit: 20", 20, []),
        ("limit: 21", 20, [(6, 12)]),  # at the value
        ("limit: 21", None, []),  # by default there is no cap
        ("rank: 1", 20, [(4, 3)]),  # without a limit any number can be bought: at the plan
        ("limit: 21, closed: true", 20, []),  # not on offer any more
        ("closed: true", 20, []),
    ],
)
def test_c4_a_limit_above_the_cap_of_the_instance_is_refused_with_its_place(limit, most, expected):
    text = f"""\
catalog: shop
name: Shop
plans:
  pro:
    name: Pro
    {limit.replace(", ", chr(10) + "    ")}
    seat_types: {{member: {{name: Member}}}}
    prices: {{monthly: {{currency: EUR, per: month, seats: {{member: {{unit_minor: 500}}}}}}}}
"""
    outcome = read_catalog(text.encode(), seat_limit_max=most)
    found = outcome if is_faulty(outcome) else []
    assert [(fault.line, fault.column) for fault in found] == expected
    assert all(fault.code == "invalid_plan" for fault in found)
    assert all("at most 20 seats" in fault.message for fault in found)


@pytest.mark.parametrize(
    ("head", "capacity", "place"),
    [
        ("", "unlimited", "/plans/free/capacity"),
        ("", "membership_limit", None),  # five members, as long as nothing else is said
        ("membership_limit: 0", "membership_limit", "/plans/free"),  # 0 is no limit
        ("membership_limit: 21", "membership_limit", "/plans/free"),
    ],
)
def test_c4_a_plan_without_end_or_above_the_cap_by_default_is_refused_too(head, capacity, place):
    text = f"""\
catalog: shop
name: Shop
{head}
plans:
  free: {{name: Free, capacity: {capacity}, seat_types: {{member: {{name: Member}}}}}}
"""
    outcome = read_catalog(text.encode(), seat_limit_max=20)
    assert [fault.pointer for fault in outcome] == [place] if place else not is_faulty(outcome)
