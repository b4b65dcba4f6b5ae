"""Identifiers: one canonical spelling, sorted as they were made, never taken for another kind."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.ids import MemberId, OrganizationId

VALUE = UUID("019aa1b2-0000-7000-8000-000000000001")


@given(st.uuids())
def test_what_is_written_is_read_back(value):
    text = OrganizationId.text(value)
    assert OrganizationId.parse(text) == value
    assert len(text) == len("org_") + 26


@given(st.uuids(), st.uuids())
def test_texts_sort_as_the_values_do(one, other):
    assert (one.bytes < other.bytes) == (MemberId.text(one) < MemberId.text(other))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "org_",
        MemberId.text(VALUE),  # another kind
        OrganizationId.text(VALUE)[4:],  # no prefix
        OrganizationId.text(VALUE).upper(),
        OrganizationId.text(VALUE)[:-1],
        OrganizationId.text(VALUE)[:-1] + "5",  # bits beyond the value
        OrganizationId.text(VALUE)[:-1] + "z",  # no digit of this base
    ],
)
def test_no_other_spelling_is_taken(text):
    with pytest.raises(ValueError, match=r"."):
        OrganizationId.parse(text)


def test_nothing_is_written_as_nothing():
    assert OrganizationId.text_or_none(None) is None
    assert OrganizationId.text_or_none(VALUE) == OrganizationId.text(VALUE)
