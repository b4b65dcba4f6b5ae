"""The embedded server of another process, for a command beside a running service."""

from pathlib import Path
from urllib.parse import quote

from seatkeeper.embedded.cluster import ROLE, password_of
from seatkeeper.embedded.lock import lives, read_note
from seatkeeper.embedded.places import settle
from seatkeeper.embedded.server import PORT, is_ready


def has_database(data_dir: Path) -> bool:
    """Whether a server was ever started over `data_dir`; makes nothing."""
    return data_dir.exists() and settle(data_dir).cluster.exists()


def running_dsn(data_dir: Path) -> str | None:
    """The address of the server that another process has started over `data_dir`, or None."""
    if not data_dir.exists():
        return None
    place = settle(data_dir)
    note = read_note(place)
    if not lives(note.get("owner")) or not is_ready(place):
        return None
    short = note.get("short_folder")
    socket = Path(str(short)) if short else place.folder / "socket"
    where = f"host={quote(str(socket), safe='')}&port={PORT}"
    return f"postgresql://{ROLE}:{password_of(place)}@/{ROLE}?{where}"
