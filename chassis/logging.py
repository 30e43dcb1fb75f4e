"""One log pipeline for every process: structlog, one JSON line per entry, constant event names, keyword fields.

The last net under the card rule: a tripwire (chassis.cards.detector). It redacts whatever looks like a PAN from every
entry; with WAYVAULT_TRIPWIRE=fail (tests) it also raises, so that a leak fails the run.
"""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from chassis.cards.detector import redact_cards

REDACTED = "[redacted: looks like a card number]"
# Looking through so much takes a twentieth of a second at worst; no line that a person reads is longer.
_LONGEST_TEXT = 50_000
# Libraries whose DEBUG output prints messages or bodies.
_QUIET_LIBRARIES = ("pika", "grpc", "urllib3", "hvac", "sqlalchemy.engine", "werkzeug", "fontTools")

# One list for good: a logger keeps the list it was first used with, and what is configured anew holds for it too.
_processors: list[Any] = []  # Any: structlog's processor type


class CardNumberInLog(AssertionError):
    """A log entry held what looks like a PAN (tests only)."""


def redact_card_numbers(text: str) -> str:
    """The text with every number that looks like a card's replaced. What is too long to look through is cut off."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}…"
    return redact_cards(text, REDACTED)


def _redact(value: Any) -> Any:  # Any: a log field may be of any type
    if isinstance(value, str):
        return redact_card_numbers(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {key: _redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redact(item) for item in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**12 else _redact(str(value))
    return redact_card_numbers(str(value))


def _tripwire(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    clean = {key: (value if key in ("timestamp", "level") else _redact(value)) for key, value in event_dict.items()}
    if os.environ.get("WAYVAULT_TRIPWIRE") == "fail" and REDACTED in repr(clean) and REDACTED not in repr(event_dict):
        raise CardNumberInLog("a log entry held what looks like a card number; fields: " + ", ".join(sorted(clean)))
    return clean


def configure_logging(service: str, *, level: str = "INFO", stream: Any = None) -> None:  # Any: a text stream
    """Sends structlog's and the standard library's entries to `stream` (stderr) as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
        ),
        _tripwire,
    ]
    _processors[:] = [
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        *shared,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=_processors,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("event"),
                _add_service(service),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.get_logger(service).info("log.started", pid=os.getpid())


def _add_service(service: str) -> Any:  # Any: structlog's processor type
    def add(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
        event_dict["service"] = service
        return event_dict

    return add
