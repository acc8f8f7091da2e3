"""One log record as one JSON object on one line, with its secrets masked."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from healthkit.masking import MASK, mask, mask_value, secret_name

LONGEST_TEXT = 16_000
"""Characters of a message or a traceback; what is longer loses its middle."""

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
            line[name] = mask(value) if isinstance(value, str) else mask_value(value)
    line["message"] = mask(shorten(message))
    if error is not None:
        line["error"] = mask(shorten(f"{type(error).__name__}: {error}"))
        line["traceback"] = mask(shorten("".join(traceback.format_exception(error))))
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        # A lone surrogate, an integer beyond 64 bits: told as text rather than not at all.
        safe = {name: _harmless(value) for name, value in line.items()}
        return orjson.dumps(safe, option=orjson.OPT_APPEND_NEWLINE)


def _harmless(value: Any) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def stamp(at: datetime) -> str:
    """`2025-12-26T10:30:45.123Z`, UTC."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def shorten(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters left out … {text[-half:]}"
