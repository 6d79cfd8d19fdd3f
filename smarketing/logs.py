"""Logging: to stderr, for people or as JSON, with nothing in it that is secret or a person's.

Only our own messages pass: libraries log bodies and addresses at levels we do not control.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import datetime, tzinfo
from typing import Any

OURS = ("connectors", "mappings", "sync", "config", "smarketing")
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"',;]+")
_SECRET = re.compile(
    r"(?i)((?:bearer|basic)\s+|(?:token|secret|password|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"
)


def configure(zone: tzinfo, *, verbose: bool = False, as_json: bool = False) -> None:
    """Set up logging for this process: times in this zone for people, as in everything else they read, and UTC as
    JSON."""
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True) if as_json else _in_zone(zone),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, covered, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(lambda record: record.name.partition(".")[0] in OURS)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)


def _in_zone(zone: tzinfo) -> Any:
    def stamped(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        at = datetime.fromtimestamp(event["_record"].created, zone)
        return {**event, "timestamp": at.strftime("%Y-%m-%d %H:%M:%S")}

    return stamped


def covered(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out whatever looks like an address or a secret, should it have got here in spite of all care."""
    del logger, method
    return {key: _covered(value) for key, value in event.items()}


def _covered(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _SECRET.sub(r"\1…", _ADDRESS.sub("…@…", value))
