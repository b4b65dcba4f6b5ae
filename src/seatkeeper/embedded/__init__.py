"""A PostgreSQL of our own: found, initialized, started, watched, and gone when we are gone.

Boundaries: knows nothing of seats and imports no other room. Needs a POSIX system. One server per
data directory and per parent process; for anything larger, point DATABASE_URL at a real one.
"""

from seatkeeper.embedded.binaries import Binaries, find_binaries, version
from seatkeeper.embedded.failure import EmbeddedFailure
from seatkeeper.embedded.running import has_database, running_dsn
from seatkeeper.embedded.server import EmbeddedPostgres

__all__ = [
    "Binaries",
    "EmbeddedFailure",
    "EmbeddedPostgres",
    "find_binaries",
    "has_database",
    "running_dsn",
    "version",
]
