"""Fixtures that every room shares. The server itself is in `tests/server.py`."""

from tests.server import (
    database_dsn,
    empty_database_dsn,
    fresh_database_dsn,
    pytest_configure,
    pytest_unconfigure,
    server_dsn,
)

__all__ = [
    "database_dsn",
    "empty_database_dsn",
    "fresh_database_dsn",
    "pytest_configure",
    "pytest_unconfigure",
    "server_dsn",
]
