"""The program: `seatkeeper` and `python -m seatkeeper.main`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs a command of the command line and ends with its exit code."""
    from seatkeeper.cli import group
    from seatkeeper.cli.outcomes import run

    sys.exit(run(group, sys.argv[1:]))


if __name__ == "__main__":
    main()
