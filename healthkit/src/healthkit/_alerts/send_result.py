"""The result of one send: its status, and the service's own reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import requests

from healthkit.masking import one_line

MAX_REASON = 200
_PERMANENT = frozenset({400, 413, 422})
"""HTTP statuses that refuse this message, and not the channel."""
_REASON_KEYS = ("description", "message", "reason", "detail", "error_description", "error")
_EXCEPTION = "Socket Exception: "
"""The start of the line in which Apprise's plugins log an exception."""


class SendStatus(StrEnum):
    """The end of a send."""

    SENT = "sent"
    REFUSED = "refused"
    """The service answered with an error."""
    UNREACHED = "not reached"
    TIMED_OUT = "timed out"
    """Unknown: it may have arrived."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one send. `reason` is the service's own text, without secrets."""

    status: SendStatus
    reason: str = ""
    retry_after: timedelta | None = None
    """The pause that the service asks for."""
    permanent: bool = False
    """The service refuses this message for ever; others may pass."""


def from_response(response: requests.Response, now: datetime) -> SendResult:
    """Returns the result of an HTTP error that came at `now`."""
    reason = _reason(response)
    return SendResult(
        SendStatus.REFUSED,
        f"HTTP {response.status_code}" + (f": {reason}" if reason else ""),
        retry_after=_retry_after(response, now),
        permanent=response.status_code in _PERMANENT,
    )


def from_exception(error: requests.RequestException) -> SendResult:
    """Returns the result of a request without a response."""
    late = isinstance(error, requests.Timeout)
    return SendResult(
        SendStatus.TIMED_OUT if late else SendStatus.UNREACHED, innermost_cause(error)
    )


def from_log(result: Any) -> SendResult:
    """Returns what an Apprise plugin logged that does not use `requests` (mail, for one)."""
    reason = "no reason was given"
    for entry in result.logs():
        if entry.message.startswith(_EXCEPTION):
            return _exception(entry.message.removeprefix(_EXCEPTION))
        if entry.level in ("WARNING", "ERROR"):
            reason = entry.message
    return SendResult(SendStatus.REFUSED, reason)


def _exception(text: str) -> SendResult:
    """Reads a server's own reply (smtplib shows it as `(535, b'…')`), or a broken connection."""
    if re.match(r"\(\d{3},", text):
        return SendResult(SendStatus.REFUSED, text)
    return SendResult(SendStatus.TIMED_OUT if "timed out" in text else SendStatus.UNREACHED, text)


def innermost_cause(error: BaseException) -> str:
    """Returns the innermost cause of a failed request: the outer texts repeat the URL."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    text = getattr(error, "strerror", None) or str(error)
    return text.rpartition(": ")[2] if isinstance(text, str) and text else type(error).__name__


def _reason(response: requests.Response) -> str:
    body = _json(response)
    for key in _REASON_KEYS:
        if isinstance(body.get(key), str):
            return one_line(body[key], MAX_REASON)
    return "" if body or "<" in response.text[:200] else one_line(response.text[:2000], MAX_REASON)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(response: requests.Response, now: datetime) -> timedelta | None:
    """Reads the header (seconds or a date, RFC 9110 section 10.2.3), or the body, where
    Telegram (`parameters.retry_after`) and Discord (`retry_after`) put it too."""
    body = _json(response)
    parameters = body.get("parameters")
    candidates = [
        response.headers.get("Retry-After"),
        parameters.get("retry_after") if isinstance(parameters, dict) else None,
        body.get("retry_after"),
    ]
    found = [seconds for c in candidates if (seconds := _seconds(c, now)) is not None]
    return timedelta(seconds=max(found)) if found else None


def _seconds(value: object, now: datetime) -> float | None:
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        try:
            moment = parsedate_to_datetime(str(value))
        except ValueError:
            return None
        seconds = (moment.astimezone(UTC) - now).total_seconds()
    return min(seconds, 86400.0) if seconds > 0 else None
