"""Logs: one JSON object a line for programs, words for people on a terminal."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog


def set_up_logs() -> None:
    """Sends every log line to stderr; JSON unless that is a terminal or the setting decides."""
    wanted = os.environ.get("SEATKEEPER_LOG_FORMAT")
    as_json = wanted == "json" if wanted else not sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        *(
            [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
            if as_json
            else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        ),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Its own starting and stopping is ours to tell.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
