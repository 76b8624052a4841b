"""Structured logs on stdout: one line a request, one for what a worker does. No personal data, no secret."""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

import orjson

# It would load rich for tracebacks, which are never printed that way here: `format_exc_info` comes first.
sys.modules.setdefault("rich", cast("ModuleType", None))
import structlog  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]

if TYPE_CHECKING:
    from types import ModuleType

    from app.settings import Settings


class Lines:
    """Where all log lines go, in their order. Lines of requests wait for the event loop's next turn, then go together.

    To loggers it is a file: what they write waits for their `flush`.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to a stream of text."""
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._is_scheduled = False
        self._flushing = threading.Lock()

    def write(self, text: str) -> int:
        """Take text that a flush writes."""
        self._waiting.append(text)
        return len(text)

    def write_soon(self, line: str) -> None:
        """Take a line that is written at the event loop's next turn; where no loop runs, at once."""
        self._waiting.append(line)
        if not self._is_scheduled:
            try:
                asyncio.get_running_loop().call_soon(self._flush_as_scheduled)
                self._is_scheduled = True
            except RuntimeError:  # No loop runs.
                self.flush()

    def _flush_as_scheduled(self) -> None:
        self._is_scheduled = False
        self.flush()

    def flush(self) -> None:
        """Write all that waits."""
        with self._flushing:
            texts = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if texts:
                self._stream.write("".join(texts))
                self._stream.flush()


_json_lines: list[Lines] = []


def set_up_logs(settings: Settings) -> None:
    """Send the app's and the libraries' logs to stdout in the chosen form."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    lines = Lines(sys.stdout)
    atexit.register(lines.flush)
    _json_lines.clear()
    if settings.log_format == "json":
        last: structlog.types.Processor = structlog.processors.JSONRenderer(_json)
        _json_lines.append(lines)
    else:
        last = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(lines),  # type: ignore[arg-type]  # it only writes and flushes
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # Uvicorn's own lines join the others; its access log would repeat the request line, with the query in it.
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").disabled = True


def log_warnings_alone() -> None:
    """Have a command that prints for people not say what its work logs, unless something is wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _json(event: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


logger = structlog.get_logger("lovebank")


def begin_request(request_id: str) -> None:
    """Have the lines that are written from here on, within this request, name it."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def log_request(facts: dict[str, Any]) -> None:
    """Write the line of an answered request, just as `logger` would, without its chain of steps where that is JSON."""
    if not _json_lines:
        logger.info("request", **facts)
        return
    facts |= {"event": "request", "level": "info", "timestamp": datetime.now(UTC)}
    text = orjson.dumps(facts, default=repr, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode()
    _json_lines[0].write_soon(text)
