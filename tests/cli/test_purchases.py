"""B203: a command that is killed in the middle of a purchase and run again buys once."""

import json

import pytest

from seatkeeper.cli import client
from seatkeeper.cli.outcomes import Exit


@pytest.fixture
def killed(monkeypatch):
    """Kills the next purchase, before or after it reached the service."""
    answer = client._answer

    def kill(*, arrived):
        def dying(request):
            if request.get_method() == "POST" and request.full_url.endswith("/changes"):
                monkeypatch.setattr(client, "_answer", answer)
                if arrived:
                    answer(request)
                raise KeyboardInterrupt
            return answer(request)

        monkeypatch.setattr(client, "_answer", dying)

    return kill


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_b203_a_killed_purchase_is_finished_not_repeated(seatkeeper, buyer, killed, arrived):
    buy = ("seats", "buy", buyer, "3", "--type", "basic", "--yes")
    killed(arrived=arrived)
    first = await seatkeeper(*buy)
    assert first.code != 0
    again = await seatkeeper(*buy)
    assert again.code == 0, again
    assert "was cut off; this one finishes it" in again.err
    assert await _purchased(seatkeeper, buyer) == 8
    assert len(await _invoices(seatkeeper, buyer)) == 2
    # What is done is done: the same command again is a purchase of its own.
    third = await seatkeeper(*buy)
    assert (third.code, "cut off" in third.err) == (0, False)
    assert await _purchased(seatkeeper, buyer) == 11


async def test_b203_a_lost_answer_says_that_the_command_can_be_repeated(
    seatkeeper, buyer, monkeypatch
):
    answer = client._answer

    def lost(request):
        found = answer(request)
        if request.full_url.endswith("/changes"):
            raise client.Unanswered(Exit.UNAVAILABLE, "no answer")
        return found

    monkeypatch.setattr(client, "_answer", lost)
    buy = ("seats", "buy", buyer, "1", "--type", "basic", "--yes")
    first = await seatkeeper(*buy)
    assert first.code == Exit.UNAVAILABLE
    assert "it does not buy twice" in first.err
    monkeypatch.setattr(client, "_answer", answer)
    assert (await seatkeeper(*buy)).code == 0
    assert await _purchased(seatkeeper, buyer) == 6


async def test_b203_another_purchase_has_another_key(seatkeeper, buyer, killed):
    killed(arrived=True)
    await seatkeeper("seats", "buy", buyer, "3", "--type", "basic", "--yes")
    other = await seatkeeper("seats", "buy", buyer, "2", "--type", "basic", "--yes")
    assert (other.code, "cut off" in other.err) == (0, False)
    assert await _purchased(seatkeeper, buyer) == 10


async def test_a_refused_purchase_is_forgotten(seatkeeper, buyer, tmp_path):
    buy = ("seats", "buy", buyer, "1", "--type", "basic", "--yes")
    declined = await seatkeeper(*buy, "--payment-method", "sandbox_declined")
    assert declined.code == Exit.REFUSED
    assert "payment_declined" in declined.err
    assert list((tmp_path / "seatkeeper" / "purchases").iterdir()) == []
    assert (await seatkeeper(*buy)).code == 0


async def _purchased(seatkeeper, organization):
    ended = await seatkeeper("seats", "show", organization, "--json")
    items = json.loads(ended.out)["items"]
    return sum(item["purchased"] for item in items if item["seat_type"] == "basic")


async def _invoices(seatkeeper, organization):
    return json.loads((await seatkeeper("invoice", "list", organization, "--json")).out)
