"""Logging of every process: static text, values as fields, to standard error; telephone numbers are masked."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from config.privacy import mask_numbers
from config.settings import Settings
from config.text import clean

_LONGEST = 2000
#: Libraries whose every line about ordinary work nobody reads.
_TALKATIVE = ("httpx", "httpcore", "alembic", "aiosqlite", "asyncio", "rq", "rq.worker", "uvicorn.access", "panoramisk")
#: Fields we set ourselves; a time or a level is no telephone number.
_OURS = ("timestamp", "level", "part", "logger", "exception", "exc_info")


def configure(settings: Settings, part: str) -> None:
    """Set up logging of this process as `part` (api, bridge ...): JSON lines, or colours when a person looks on."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(part),
    ]
    after: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _harmless]
    # The traceback becomes text before it is made harmless: an exception's message may hold a number.
    after += [structlog.processors.format_exc_info, _harmless]
    person = sys.stderr.isatty()
    after.append(structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer(ensure_ascii=False))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=after))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _named(part: str) -> Processor:
    def add(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields.setdefault("part", part)
        return fields

    return add


def _harmless(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask numbers and take control characters out of every text, also in nested values."""
    for name, value in fields.items():
        if name == "exception" and isinstance(value, str):
            fields[name] = mask_numbers(value)
        elif name not in _OURS:
            fields[name] = _clean(value)
    return fields


def _clean(value: Any) -> Any:
    match value:
        case str():
            return mask_numbers(clean(value, _LONGEST))
        case bool() | int() | float() | None:
            return value
        case dict():
            return {str(key): _clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(item) for item in value]
        case BaseException() | bytes():
            return mask_numbers(clean(repr(value), _LONGEST))
        case _:
            return value
