"""Structured logs: structlog in front, the standard library behind.

The standard library stays the backend so that a program that embeds the server keeps its own logging set-up, and so
that records of grpc, asyncio and aiohttp come out in the same form. `configure` is for programs that own the process.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, cast

import orjson
import structlog

if TYPE_CHECKING:
    from typing import TextIO

    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
_ROOT = "laura_fast"
_REDACTED = "[redacted]"
_SECRET_KEYS = frozenset({"authorization", "cookie", "password", "secret", "token", "key_pem", "private_key"})


def get(name: str) -> FilteringBoundLogger:
    """The logger of one part, named below `laura_fast`. Bind at module level; it follows later level changes."""
    wrapped = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
    )
    return cast("FilteringBoundLogger", wrapped)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Sends every record of the process to `stream` (standard error by default).

    JSON, one object a line, unless the stream is a terminal. Calling again replaces the earlier set-up.

    Args:
        level: One of `LEVELS`, for laura_fast's own records; others are shown from warning on.
        stream: Where the lines go.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(console=stream.isatty()))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    set_level(level)


def set_level(level: str) -> None:
    """Changes the level of laura_fast's own records while the process runs."""
    logging.getLogger(_ROOT).setLevel(level.upper())


def redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """A processor that blanks secrets: authorization and its like, and binary metadata (`…-bin`), at any depth."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def _redacted(key: object, value: object) -> object:
    if isinstance(key, str | bytes) and _is_secret(key):
        return _REDACTED
    if isinstance(value, dict):
        return {inner: _redacted(inner, item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted_item(item) for item in value]
    return value


def _redacted_item(item: object) -> object:
    """Metadata is a sequence of pairs."""
    match item:
        case (str() | bytes() as key, value):
            return [key, _redacted(key, value)]
    return _redacted(None, item)


def _is_secret(key: str | bytes) -> bool:
    name = (key.decode("latin-1") if isinstance(key, bytes) else key).lower()
    return name in _SECRET_KEYS or name.endswith(("-bin", "_bin"))


_SHARED: list[Processor] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    redact,
]


def _formatter(*, console: bool) -> logging.Formatter:
    render: list[Processor] = [structlog.dev.ConsoleRenderer()] if console else [_format_exception, _to_json]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )


_format_exception = structlog.processors.format_exc_info


def _to_json(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    return orjson.dumps(event, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return repr(value)
