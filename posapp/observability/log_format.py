"""One log record as one JSON object on one line, with its secrets masked."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from healthkit.masking import MASK, escape_controls, mask, mask_value, secret_name

LONGEST_TEXT = 16_000
"""Characters of a message or a traceback; what is longer loses its middle."""

_LONGEST_MASKED = 4 * LONGEST_TEXT
"""Characters that are masked at all. It is cut once more afterwards, so that what stood around the
first cut, and may have been half of a secret, is not shown."""

_LONGEST_FIELD = 2_000
"""Characters of any other field, as it is written."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PLAIN = frozenset(
    {"request_id", "method", "status_code", "latency", "latency_ms", "client_ip", "user_id"}
)
"""Fields of a request line that cannot carry a secret: made here, or checked on the way in."""


def format_record(
    at: datetime,
    level: str,
    message: str,
    fields: Mapping[str, Any],
    error: BaseException | None = None,
) -> bytes:
    """The line, with its newline. `fields` stand between the level and the message."""
    line: dict[str, Any] = {"timestamp": stamp(at), "level": level}
    for name, value in fields.items():
        if name in _PLAIN or value is None:
            line[name] = value
        elif secret_name(name):
            line[name] = MASK
        else:
            line[name] = _text(value) if isinstance(value, str) else _bounded(mask_value(value))
    line["message"] = _text(message, LONGEST_TEXT)
    if error is not None:
        line["error"] = _text(f"{type(error).__name__}: {error}", LONGEST_TEXT)
        trace = _masked("".join(traceback.format_exception(error)), LONGEST_TEXT)
        line["traceback"] = "\n".join(map(escape_controls, trace.split("\n")))
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        # A lone surrogate, an integer beyond 64 bits: told as text rather than not at all.
        safe = {name: _harmless(value) for name, value in line.items()}
        return orjson.dumps(safe, option=orjson.OPT_APPEND_NEWLINE)


def _text(text: str, limit: int = _LONGEST_FIELD) -> str:
    return escape_controls(_masked(text, limit))


def _masked(text: str, limit: int) -> str:
    left_out = max(0, len(text) - _LONGEST_MASKED)
    if left_out:
        # With nothing between the halves that ends a value: a secret may reach across.
        half = _LONGEST_MASKED // 2
        text = f"{text[:half]}…{text[-half:]}"
    return shorten(mask(text), limit, left_out)


def _bounded(value: Any) -> Any:
    """A structure as it is where it is short, else the beginning and the end of it as text."""
    if not isinstance(value, dict | list):
        return value
    text = str(value)
    return value if len(text) <= LONGEST_TEXT else shorten(text)


def _harmless(value: Any) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def stamp(at: datetime) -> str:
    """`2025-12-26T10:30:45.123Z`, UTC."""
    since = at - _EPOCH
    return f"{_second(since.days, since.seconds)}.{since.microseconds // 1000:03d}Z"


@lru_cache(maxsize=2)
def _second(days: int, seconds: int) -> str:
    """The part of a stamp that a thousand lines share."""
    at = _EPOCH + timedelta(days, seconds)
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def shorten(text: str, limit: int = LONGEST_TEXT, left_out: int = 0) -> str:
    """The text without its middle where it is too long. `left_out` has been taken out before."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} … {len(text) - 2 * half + left_out} characters left out … {text[-half:]}"
