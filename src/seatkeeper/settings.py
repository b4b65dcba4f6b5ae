"""What the environment says, checked once at the start. Nothing else reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

PORT_DEFAULT: Final = 8484
PORT_MAX: Final = 65535
POOL_SIZE_DEFAULT: Final = 10
POOL_SIZE_MAX: Final = 1000
SEATS_MAX: Final = 1_000_000


class SettingRejected(Exception):
    """A variable has a value that cannot be used; the message is one sentence naming both."""


class LogFormat(StrEnum):
    """How log lines look: for people, or one JSON object each."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class Secret:
    """A text that never shows itself in logs, tracebacks or debuggers."""

    _text: str

    def reveal(self) -> str:
        """The text itself; hand it on, never print it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass(frozen=True)
class Settings:
    """Everything the environment decides."""

    database_url: Secret | None  # None: the embedded server.
    host: str
    port: int
    data_dir: Path  # Of the embedded server.
    pool_size: int  # Database connections per process.
    log_format: LogFormat
    seat_limit_max: int | None = None  # Of any plan on offer; None: plans may be without a limit.


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environment`, by default that of this process; empty counts as unset.

    Raises: SettingRejected at the first value that cannot be used.
    """
    given = os.environ if environment is None else environment
    return Settings(
        database_url=_database_url(given),
        host=given.get("SEATKEEPER_HOST") or "127.0.0.1",
        port=_number(given, "SEATKEEPER_PORT", default=PORT_DEFAULT, maximum=PORT_MAX),
        data_dir=Path(given.get("SEATKEEPER_DATA_DIR") or ".seatkeeper").expanduser(),
        pool_size=_number(
            given, "SEATKEEPER_POOL_SIZE", default=POOL_SIZE_DEFAULT, maximum=POOL_SIZE_MAX
        ),
        log_format=_log_format(given),
        seat_limit_max=_number(given, "SEATKEEPER_SEAT_LIMIT_MAX", default=0, maximum=SEATS_MAX)
        or None,
    )


def _database_url(given: Mapping[str, str]) -> Secret | None:
    url = given.get("DATABASE_URL")
    if not url:
        return None
    # The value holds a password, so the sentence does not repeat it.
    if not url.startswith(("postgresql://", "postgres://")):
        raise SettingRejected("DATABASE_URL must begin with postgresql:// and name a database.")
    return Secret(url)


def _number(given: Mapping[str, str], name: str, *, default: int, maximum: int) -> int:
    text = given.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum))):
        raise SettingRejected(f"{name} must be a whole number from 1 to {maximum}, not {text!r}.")
    if not 1 <= int(text) <= maximum:
        raise SettingRejected(f"{name} must be a whole number from 1 to {maximum}, not {text!r}.")
    return int(text)


def _log_format(given: Mapping[str, str]) -> LogFormat:
    text = given.get("SEATKEEPER_LOG_FORMAT") or LogFormat.TEXT
    try:
        return LogFormat(text)
    except ValueError:
        choices = " or ".join(LogFormat)
        raise SettingRejected(f"SEATKEEPER_LOG_FORMAT must be {choices}, not {text!r}.") from None
