"""The examples of the documentation, run as they are written."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from seatkeeper.catalog_file import is_faulty, read_catalog
from seatkeeper.domain.scopes import VendorRole
from tests.api.caller import Caller
from tests.api.conftest import an_application

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "docs").glob("*.md")
    if "```http" in page.read_text("utf-8")
)
BLOCK = re.compile(r"```http\n(?P<request>.*?)\n\n(?P<status>\d{3})\n(?P<answer>.*?)```", re.DOTALL)
EVENTS = re.compile(r"/audit\b|^/v1/events\b")
EVENTS_PAGE = (ROOT / "docs/events.md").read_text("utf-8")
EVENTS_SECONDS_MAX = 30
PLACE = re.compile(r"{(\w+)}")


@pytest_asyncio.fixture
async def service(fresh_database_dsn):
    async with an_application(fresh_database_dsn) as application:
        call = await Caller(application, None).with_key(vendor_role=VendorRole.OPERATOR)
        for file in sorted((ROOT / "catalogs").glob("*.yaml")):
            document = read_catalog(file.read_bytes())
            assert not is_faulty(document)
            assert (await call("PUT", "/v1/catalog", {"document": document})).status == 200
        yield call


def test_there_are_pages_with_examples():
    assert "docs/quickstart.md" in PAGES


@pytest.mark.parametrize("page", PAGES)
async def test_examples_of(page, service):
    known: dict[str, str] = {}
    blocks = list(BLOCK.finditer((ROOT / page).read_text("utf-8")))
    assert blocks
    for block in blocks:
        first, *rest = block["request"].split("\n")
        headers = dict(line.split(": ", 1) for line in rest if not line.startswith(("{", " ", '"')))
        headers = {name: filled(value, known) for name, value in headers.items()}
        lines = [line for line in rest if line.split(": ", 1)[0] not in headers]
        method, target = filled(first, known).split(" ", 1)
        body = filled("\n".join(lines), known)
        sent = msgspec.json.decode(body) if body else None
        wanted = msgspec.json.decode(block["answer"])
        async with asyncio.timeout(EVENTS_SECONDS_MAX):
            while True:
                answer = await service(method, target, sent, headers=headers)
                if not is_early(target, wanted, answer):
                    break
                await asyncio.sleep(0.05)
        assert answer.status == int(block["status"]), (first, answer)
        matches(wanted, answer.json, known)
    await only_known_events(service)


def is_early(target: str, wanted, answer) -> bool:
    """Events wait for every transaction that is older, also one of a test beside this one."""
    if not EVENTS.search(target) or answer.status != 200:
        return False
    return len(answer.json["items"]) < len(wanted["items"])


async def only_known_events(service):
    """What the examples recorded stands in the table of kinds."""
    page = (await service("GET", "/v1/events?limit=1000")).json
    kinds = {event["kind"] for event in page["items"]}
    assert kinds <= set(re.findall(r"^\| `([a-z_.]+)` \|", EVENTS_PAGE, re.MULTILINE))


def filled(text: str, known: dict[str, str]) -> str:
    return PLACE.sub(lambda match: known.get(match[1], match[0]), text)


def matches(wanted, found, known: dict[str, str]) -> None:
    """What the page shows is there; what it leaves out may be anything."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            assert key in found, (key, found)
            matches(value, found[key], known)
    elif isinstance(wanted, list):
        for value, other in zip(wanted, found, strict=False):
            matches(value, other, known)
        assert len(found) >= len(wanted)
    elif isinstance(wanted, str) and (place := PLACE.fullmatch(wanted)):
        assert known.setdefault(place[1], found) == found
    else:
        assert found == wanted
