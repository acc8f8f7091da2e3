"""Logging through loguru: one JSON object a line on stdout, from our code and every library.

configure("INFO")          once in a process; forks inherit it
toggle_debug()             DEBUG for fifteen minutes, then by itself as before (SIGUSR1)
"""

from __future__ import annotations

import atexit
import logging
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loguru import logger

from posapp.observability.context import request_id
from posapp.observability.log_format import format_record
from posapp.observability.log_writer import LineWriter
from posapp.runtime import native

if TYPE_CHECKING:
    from loguru import Message, Record

DEBUG_FOR = 15 * 60.0
"""Seconds that a raised level lasts."""

LEVELS = {"DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}
_OWN_NAMES = {"TRACE": "DEBUG", "SUCCESS": "INFO", "WARNING": "WARN", "CRITICAL": "ERROR"}
_NOISY = {
    "alembic": logging.WARNING,
    "urllib3": logging.INFO,
    "botocore": logging.INFO,
    "boto3": logging.INFO,
}
"""Libraries that say too much for an operator below this."""

_LOGURU_NAMES = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR"}


class _State:
    writer: LineWriter | None = None
    level = "INFO"
    threshold = LEVELS["INFO"]
    debug_until = 0.0


def configure(level: str, descriptor: int = 1) -> None:
    """Sends all logging of this process to `descriptor`, from `level` on.

    Forks inherit it; a second call only changes the level. Under gevent, call it before anything is
    patched: threads of the operating system log as well, and need locks of their own kind.
    """
    if _State.writer is None:
        _State.writer = LineWriter(descriptor, _lost)
        logger.remove()
        # Neither the variables of a frame nor colours: the first leak, the second are not JSON.
        # `_write` sees to errors itself, and to the level, which may change at any time.
        logger.add(
            _write, level=0, format=_unformatted, backtrace=False, diagnose=False, catch=False
        )
        _intercept()
        atexit.register(flush)
    _State.level = level
    _State.debug_until = 0.0
    _set_threshold(level)


def write(
    level: str, message: str, fields: dict[str, Any], error: BaseException | None = None
) -> None:
    """Logs the line of a request, whose level is one of `LEVELS`.

    It goes past loguru, which finds out the frame, the thread and the process of each record: they
    are not in our lines, and cost as much as masking and encoding one.
    """
    if LEVELS[level] >= _State.threshold:
        try:
            _emit(datetime.now(UTC), level, message, fields, error)
        except Exception:  # noqa: BLE001  fields may be anything
            _emit(datetime.now(UTC), "ERROR", "a log line could not be made", {})


def flush(timeout: float = 2.0) -> None:
    """Waits until what was logged has been written."""
    if _State.writer is not None:
        _State.writer.flush(timeout)


def toggle_debug(*_: Any) -> None:
    """DEBUG for fifteen minutes; asked again within them, back at once.

    A signal handler: it may break in while a line is being logged, so another thread acts on it.
    """
    native.start_native_thread(_toggle)


def _toggle() -> None:
    if _State.debug_until:
        _fall_back()
        return
    _State.debug_until = time.monotonic() + DEBUG_FOR
    _set_threshold("DEBUG")
    logger.warning(f"the log level is DEBUG for {DEBUG_FOR / 60:.0f} minutes")


def debugging() -> bool:
    """Whether DEBUG lines are written now."""
    if _State.debug_until and time.monotonic() >= _State.debug_until:
        _fall_back()
    return _State.threshold <= LEVELS["DEBUG"]


def _fall_back() -> None:
    _State.debug_until = 0.0
    _set_threshold(_State.level)
    logger.warning(f"the log level is {_State.level} again")


def _set_threshold(level: str) -> None:
    number = _State.threshold = LEVELS[level]
    logging.getLogger().setLevel(number)
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(max(number, least))


def _unformatted(record: Record) -> str:
    return ""


def _write(message: Message) -> None:
    """The sink. A line that cannot be made is lost; its request is not."""
    try:
        record = message.record
        if record["level"].no >= _State.threshold:
            error = record["exception"].value if record["exception"] else None
            level = record["level"].name
            _emit(record["time"], level, record["message"], record["extra"], error)
    except Exception:  # noqa: BLE001  fields may be anything
        _emit(datetime.now(UTC), "ERROR", "a log line could not be made", {})


def _emit(
    at: datetime,
    level: str,
    message: str,
    fields: dict[str, Any],
    error: BaseException | None = None,
) -> None:
    if "request_id" not in fields and (known := request_id.get()) is not None:
        fields = {"request_id": known, **fields}
    if _State.writer is None:  # not configured: nobody wants lines of this process
        return
    _State.writer.write(format_record(at, _OWN_NAMES.get(level, level), message, fields, error))


def _lost(count: int) -> bytes:
    if (metrics := sys.modules.get("posapp.observability.metrics")) is not None:
        metrics.LOG_LOST.inc(count)
    return format_record(datetime.now(UTC), "ERROR", f"{count} log lines were lost", {})


class _Intercept(logging.Handler):
    """Takes in the records of libraries, from Python's own logging."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = _LOGURU_NAMES[max(n for n in _LOGURU_NAMES if n <= max(record.levelno, 10))]
            text = record.getMessage()
        except Exception:  # noqa: BLE001  a record may hold anything
            return
        bound = logger.bind(logger=record.name).opt(exception=record.exc_info)
        try:
            bound.log(level, text)
        except RuntimeError:
            # The garbage collector may have an object log in the middle of a line that is being
            # logged; loguru refuses to be entered twice, our writer does not.
            error = record.exc_info[1] if record.exc_info else None
            _emit(datetime.now(UTC), level, text, {"logger": record.name}, error)


def _intercept() -> None:
    root = logging.getLogger()
    root.handlers = [_Intercept()]
    for name in list(logging.root.manager.loggerDict):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
    logging.captureWarnings(True)
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.opt(exception=error).critical("uncaught exception")
    flush()
