"""Discounts on the command line."""

import json

import pytest

from seatkeeper.cli.outcomes import Exit


async def test_c54_a_discount_is_set_shown_and_removed(seatkeeper, buyer):
    granted = await seatkeeper(
        "org", "discount", "set", buyer, "--percent", "12.5", "--periods", "2", "--json"
    )
    assert granted.code == 0, granted
    made = json.loads(granted.out)
    assert (made["basis_points"], made["periods"], made["version"]) == (12_50, 2, 1)
    shown = await seatkeeper("org", "discount", "show", buyer)
    assert "1250" in shown.out
    removed = await seatkeeper("org", "discount", "remove", buyer, "--json")
    assert json.loads(removed.out)["ended_because"] == "removed"
    gone = await seatkeeper("org", "discount", "show", buyer)
    assert gone.code == Exit.REFUSED
    fixed = await seatkeeper("org", "discount", "set", buyer, "--amount-minor", "500", "--json")
    assert json.loads(fixed.out)["amount_minor"] == 5_00


@pytest.mark.parametrize("percent", ["1.234", "-5", "twenty", "", ".", "２０"])
async def test_c54_a_percentage_has_at_most_two_decimals(seatkeeper, buyer, percent):
    ended = await seatkeeper("org", "discount", "set", buyer, "--percent", percent)
    assert ended.code == Exit.USAGE, ended
