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
from posapp.observability.lines import encode
from posapp.observability.writer import LineWriter

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


class _State:
    writer: LineWriter | None = None
    handler: int | None = None
    level = "INFO"
    debug_until = 0.0


def configure(level: str, descriptor: int = 1) -> None:
    """Sends all logging of this process to `descriptor`, from `level` on.

    Forks inherit it; a second call only changes the level.
    """
    if _State.writer is None:
        _State.writer = LineWriter(descriptor, _lost)
        logger.remove()
        _intercept()
        atexit.register(flush)
    _State.level = level
    _State.debug_until = 0.0
    _listen(level)


def flush(timeout: float = 2.0) -> None:
    """Waits until what was logged has been written."""
    if _State.writer is not None:
        _State.writer.flush(timeout)


def toggle_debug(*_: Any) -> None:
    """DEBUG for fifteen minutes; asked again within them, back at once. A signal handler."""
    if _State.debug_until:
        _fall_back()
        return
    _State.debug_until = time.monotonic() + DEBUG_FOR
    _listen("DEBUG")
    logger.warning(f"the log level is DEBUG for {DEBUG_FOR / 60:.0f} minutes")


def debugging() -> bool:
    """Whether DEBUG lines are written now."""
    if _State.debug_until and time.monotonic() >= _State.debug_until:
        _fall_back()
    return _State.debug_until > 0 or _State.level == "DEBUG"


def _fall_back() -> None:
    _State.debug_until = 0.0
    logger.warning(f"the log level is {_State.level} again")
    _listen(_State.level)


def _listen(level: str) -> None:
    if _State.handler is not None:
        logger.remove(_State.handler)
    number = LEVELS[level]
    # Neither the variables of a frame nor colours: the first leak, the second are not JSON.
    _State.handler = logger.add(
        _write, level=number, format=_unformatted, backtrace=False, diagnose=False, catch=True
    )
    logging.getLogger().setLevel(number)
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(max(number, least))


def _unformatted(record: Record) -> str:
    return ""


def _write(message: Message) -> None:
    record = message.record
    if _State.debug_until:
        debugging()
    assert _State.writer is not None
    level = record["level"].name
    fields = record["extra"]
    if "request_id" not in fields and (known := request_id.get()) is not None:
        fields = {"request_id": known, **fields}
    error = record["exception"].value if record["exception"] else None
    level = _OWN_NAMES.get(level, level)
    _State.writer.write(encode(record["time"], level, record["message"], fields, error))


def _lost(count: int) -> bytes:
    return encode(datetime.now(UTC), "ERROR", f"{count} log lines were lost", {})


class _Intercept(logging.Handler):
    """What libraries say through Python's own logging."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = next(
                (name for name in ("ERROR", "WARN", "INFO") if record.levelno >= LEVELS[name]),
                "DEBUG",
            )
            name = {"WARN": "WARNING"}.get(level, level)
            bound = logger.bind(logger=record.name)
            bound.opt(exception=record.exc_info).log(name, record.getMessage())
        except Exception:  # noqa: BLE001  a record may hold anything
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's own name
        """A line that cannot be made is lost; its request is not."""


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
