"""The transcript of the README, from an organization like the one which the demo leaves."""

import re
from pathlib import Path

from seatkeeper.catalog_file import is_faulty, read_catalog
from tests.api.conftest import renamed

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
COMMAND = re.compile(r"\$ seatkeeper ([^\n]*)\n((?:[^$\n][^\n]*\n)+)")
PEOPLE = 54


async def larkspur(caller):
    """55 seats from 1 January 2027 on, 54 of them taken; the clock is at the end of the month."""
    document = read_catalog((ROOT / "catalogs/enterprise.yaml").read_bytes())
    assert not is_faulty(document)
    document = renamed(document)
    plan = next(key for key in document["plans"] if re.fullmatch("enterprise_[0-9a-f]{8}", key))
    await done(caller.put("/v1/catalog", {"document": document}))
    asked = {"name": "readme", "now": "2027-01-01T00:00:00Z"}
    clock = (await done(caller.post("/v1/test-clocks", asked)))["clock"]
    owner = {"user": "readme-olivia", "email": "olivia@example.com", "name": "Olivia"}
    body = {"name": "Larkspur Labs", "currency": "USD", "time_zone": "UTC"}
    body |= {"catalog": document["catalog"], "clock": clock}
    body |= {"payment_method": "sandbox_ok", "primary_owner": owner}
    made = (await done(caller.post("/v1/organizations", body)))["organization"]
    seats = [{"seat_type": "enterprise", "quantity": 55}]
    change = {"kind": "subscribe", "plan": plan, "seats": seats}
    key = {"Idempotency-Key": "readme"}
    target = f"/v1/organizations/{made}"
    await done(caller.post(f"{target}/changes", {"change": change}, headers=key))
    for n in range(PEOPLE):
        who = {"user": f"readme-{n}", "email": f"{n}@example.com", "name": f"Person {n}"}
        await done(caller.post(f"{target}/members", {**who, "seat_type": "enterprise"}))
    to = {"to": "2027-01-31T23:59:59Z"}
    await done(caller.post(f"/v1/test-clocks/{clock}/advance", to))
    return made


async def done(asked):
    answer = await asked
    assert answer.status in (200, 201), answer
    return answer.json


async def test_the_transcript_of_the_readme_is_true(seatkeeper, service):
    _, caller = service
    made = await larkspur(caller)
    shown = [found for block in BLOCKS for found in COMMAND.findall(block)]
    assert len(shown) == 3
    for arguments, answer in shown:
        command = arguments.replace("$LARKSPUR", made).removesuffix(" < /dev/null")
        ended = await seatkeeper(*command.split())
        assert sorted((ended.out + ended.err).splitlines()) == sorted(answer.splitlines())
