"""The examples of the documentation, run as they are written."""

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
        lines = [line for line in rest if line.split(": ", 1)[0] not in headers]
        method, target = filled(first, known).split(" ", 1)
        body = filled("\n".join(lines), known)
        sent = msgspec.json.decode(body) if body else None
        answer = await service(method, target, sent, headers=headers)
        assert answer.status == int(block["status"]), (first, answer)
        matches(msgspec.json.decode(block["answer"]), answer.json, known)


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
