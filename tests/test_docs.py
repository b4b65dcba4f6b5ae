"""Pages that are made from code say what the code says."""

import pytest

from tools.docs import DOCS, PAGES, states


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current(name: str):
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run: make docs"


def test_states_are_drawn_from_their_tables():
    text = states()
    assert "    incomplete --> active" in text
    assert "    pending --> accepted" in text
    assert "    ended --> [*]" in text
