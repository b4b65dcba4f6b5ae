"""What `serve` says when it stands: where it is, a key, and three things to try."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from shutil import which
from typing import Any, Final

from seatkeeper.catalog_file import read_catalog
from seatkeeper.cli.client import Client
from seatkeeper.cli.shown import voice
from seatkeeper.domain.scopes import Scope, VendorRole
from seatkeeper.operations import api_keys
from seatkeeper.operations.context import wall_clock
from seatkeeper.operations.engine import Engine
from seatkeeper.operations.local import local_context

DEMO_KEY_LIVES: Final = timedelta(days=30)
TRY = """
Seatkeeper answers at {url}  (pages: {url}/docs)

  export SEATKEEPER_URL={url}
  export SEATKEEPER_API_KEY={key}

Three things to try:

  {program} org list
  curl -H "Authorization: Bearer $SEATKEEPER_API_KEY" {url}/v1/plans
  {program} org create "My company" --currency USD --time-zone Europe/Vienna \\
    --owner-email ada@example.com --catalog organization
"""
FIRST = """\
Seatkeeper answers at {url}  (pages: {url}/docs)
There is no API key yet; make one with: seatkeeper api-key create NAME
"""
PLAIN = """\
Seatkeeper answers at {url}  (pages: {url}/docs)
"""


async def welcome(engine: Engine, url: str) -> str:
    """The words for someone who has a key, or how to get the first."""
    async with engine.database.connection() as db:
        row = await db.one(api_keys.KEYS.any_key)
    return (PLAIN if row["found"] else FIRST).format(url=url)


async def demo_key(engine: Engine) -> str:
    """The secret of a key with which everything can be tried for a while."""
    made = await api_keys.create(
        local_context(engine),
        api_keys.CreateApiKey(
            name="demo",
            scopes=list(Scope),
            vendor_role=VendorRole.OPERATOR,
            expires_at=wall_clock() + DEMO_KEY_LIVES,
        ),
    )
    return made.secret


def play(caller: Client) -> str:
    """Fills a running service and gives the words for whoever looks at it; once is enough."""
    from seatkeeper.demo import play as tell

    apply_catalogs(caller)
    with voice() as say:
        if caller.call("organizations.list_all", limit=1)["items"]:
            say("There are organizations already, so the demo is not told again.")
        else:
            say(f"The demo: one year of three vendors, through the service at {caller.url}.")
            tell(caller, say)
    return TRY.format(url=caller.url, key=caller.key, program=_program())


def _program() -> str:
    """How this program is called from here, also where it is not on the PATH."""
    name, used = "seatkeeper", Path(sys.argv[0])
    if which(name) is not None or used.name != name:
        return name
    here = Path.cwd()
    return str(used.relative_to(here) if used.is_relative_to(here) else used)


def apply_catalogs(caller: Client) -> None:
    """Applies the catalogs that come with this program."""
    for document in shipped_catalogs():
        caller.call("catalog.apply", document=document)


def shipped_catalogs() -> list[dict[str, Any]]:
    """The catalogs that come with this program: in the wheel, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    folders = (package / "catalogs", package.parents[1] / "catalogs")
    folder = next((folder for folder in folders if folder.is_dir()), None)
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.yaml")) if folder else []:
        document = read_catalog(path.read_bytes())
        assert not isinstance(document, list), path
        found.append(document)
    return found
