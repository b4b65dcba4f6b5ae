"""Rules keep their tests: what docs/rules.md says is covered stays covered."""

from __future__ import annotations

import ast
import json

from tools.rules import PAGE, Rule, as_json, carried, covered, found_in, ids_of, index, page

SOURCE = """
def test_a47_swap(): ...
class TestSeats:
    async def test_a42_a43_moves(): ...
def test_of_nothing(): ...
def a1_is_no_test(): ...
"""


def test_every_id_that_a_test_names_is_a_rule():
    unknown = {rule: tests for rule, tests in carried().items() if rule not in index()}
    assert not unknown


def test_no_covered_rule_has_lost_its_tests():
    kept = set(carried())
    lost = {
        rule: tests for rule, tests in covered(PAGE.read_text("utf-8")).items() if rule not in kept
    }
    assert not lost, "these rules had tests; mend the tests, or say why in `make rules`"


def test_the_index_names_every_rule_once_and_shortly():
    rules = index()
    counts = {letter: sum(rule[0] == letter for rule in rules) for letter in "ACTG"}
    assert counts == {"A": 101, "C": 61, "T": 40, "G": 19}
    titles = [rule.title for rule in rules.values()]
    assert len(set(titles)) == len(titles)
    assert max(map(len, titles)) <= 80


def test_ids_are_read_from_names():
    assert ids_of("test_a47_swap") == ["A47"]
    assert ids_of("test_a42_c43_g1_moves") == ["A42", "C43", "G1"]
    assert ids_of("test_a_thing") == []
    found = dict(found_in("t.py", ast.parse(SOURCE)))
    assert found == {
        "t.py::test_a47_swap": ["A47"],
        "t.py::TestSeats::test_a42_a43_moves": ["A42", "A43"],
    }


def test_the_page_says_what_is_covered_and_what_is_not():
    rules = {
        "A1": Rule("A1", "one", None),
        "A2": Rule("A2", "two", "portal"),
        "C1": Rule("C1", "three", None),
    }
    tests = {"A1": ["t.py::test_a1_x", "t.py::test_a1_y"]}
    text = page(rules, tests)
    assert covered(text) == tests
    assert "1 of 3 rules have tests; 1 wait" in text
    assert "none yet: C1." in text
    told = json.loads(as_json(rules, tests))
    assert told["A1"] == {"tests": tests["A1"], "waits_for": None}
    assert told["A2"] == {"tests": [], "waits_for": "portal"}
