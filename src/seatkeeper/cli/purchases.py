"""Purchases that were begun here: a command that was killed and is run again buys once."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from seatkeeper.cli.client import Client


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase on its way: what is sent, under which key, and where this is written down."""

    path: Path
    key: str
    body: dict[str, Any]

    def forget(self) -> None:
        """The answer is known; the same command is a new purchase from now on."""
        self.path.unlink(missing_ok=True)


def begun(caller: Client, asked: Mapping[str, object]) -> Purchase | None:
    """The purchase that an earlier run of the same command has begun and not finished."""
    path = _path(caller, asked)
    try:
        kept = json.loads(path.read_text("utf-8"))
        return Purchase(path, kept["key"], kept["body"])
    except (OSError, ValueError, KeyError):
        return None


def begin(caller: Client, asked: Mapping[str, object], body: dict[str, Any]) -> Purchase:
    """Writes a purchase down, so that it survives everything, before it is sent."""
    path = _path(caller, asked)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    purchase = Purchase(path, str(uuid4()), body)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"key": purchase.key, "body": body}, file)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)
    return purchase


def _path(caller: Client, asked: Mapping[str, object]) -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    words = json.dumps([caller.url, sha256(caller.key.encode()).hexdigest(), asked], sort_keys=True)
    name = sha256(words.encode()).hexdigest()[:32]
    return Path(state) / "seatkeeper" / "purchases" / f"{name}.json"
