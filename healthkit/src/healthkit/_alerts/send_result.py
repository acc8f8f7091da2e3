"""What became of a send: the verdict, and why, in the service's own words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import requests

from healthkit.masking import one_line

LONGEST_WORDS = 200
_UNSENDABLE = frozenset({400, 413, 422})
"""Statuses that speak of this message, and not of the channel."""
_OWN_WORDS = ("description", "message", "reason", "detail", "error_description", "error")
_EXCEPTION = "Socket Exception: "
"""How Apprise's plugins begin the line that tells what broke."""


class Verdict(StrEnum):
    """What has become of a send."""

    SENT = "sent"
    REFUSED = "refused"
    """The service has said no."""
    UNREACHED = "not reached"
    TIMED_OUT = "timed out"
    """Unknown: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one send, and why, in the service's own words and without secrets."""

    verdict: Verdict
    words: str = ""
    retry_after: timedelta | None = None
    """How long the service wants to be left alone."""
    unsendable: bool = False
    """The service refuses this message, whenever it comes; others may pass."""


def refusal(response: requests.Response) -> Answer:
    """What a service said that did not take a message."""
    said = _said(response)
    return Answer(
        Verdict.REFUSED,
        f"HTTP {response.status_code}" + (f": {said}" if said else ""),
        retry_after=_retry_after(response),
        unsendable=response.status_code in _UNSENDABLE,
    )


def broken(error: requests.RequestException) -> Answer:
    """A request that got no answer."""
    late = isinstance(error, requests.Timeout)
    return Answer(Verdict.TIMED_OUT if late else Verdict.UNREACHED, _cause(error))


def from_log(result: Any) -> Answer:
    """What an Apprise plugin logged that made no request by `requests` (mail, say)."""
    words = "no reason was given"
    for entry in result.logs():
        if entry.message.startswith(_EXCEPTION):
            return _exception(entry.message.removeprefix(_EXCEPTION))
        if entry.level in ("WARNING", "ERROR"):
            words = entry.message
    return Answer(Verdict.REFUSED, words)


def _exception(text: str) -> Answer:
    """A server's own reply (smtplib shows it as `(535, b'…')`), or what broke the connection."""
    if re.match(r"\(\d{3},", text):
        return Answer(Verdict.REFUSED, text)
    return Answer(Verdict.TIMED_OUT if "timed out" in text else Verdict.UNREACHED, text)


def _cause(error: BaseException) -> str:
    """What lies at the bottom of a failed request: its outer words repeat the address."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    text = getattr(error, "strerror", None) or str(error)
    return text.rpartition(": ")[2] if isinstance(text, str) and text else type(error).__name__


def _said(response: requests.Response) -> str:
    body = _json(response)
    for key in _OWN_WORDS:
        if isinstance(body.get(key), str):
            return one_line(body[key], LONGEST_WORDS)
    return (
        "" if body or "<" in response.text[:200] else one_line(response.text[:2000], LONGEST_WORDS)
    )


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(response: requests.Response) -> timedelta | None:
    """From the header (seconds or a date, RFC 9110 section 10.2.3), or from the body, where
    Telegram (`parameters.retry_after`) and Discord (`retry_after`) put it too."""
    body = _json(response)
    parameters = body.get("parameters")
    candidates = [
        response.headers.get("Retry-After"),
        parameters.get("retry_after") if isinstance(parameters, dict) else None,
        body.get("retry_after"),
    ]
    found = [seconds for c in candidates if (seconds := _seconds(c)) is not None]
    return timedelta(seconds=max(found)) if found else None


def _seconds(value: object) -> float | None:
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        try:
            moment = parsedate_to_datetime(str(value))
        except ValueError:
            return None
        seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    return min(seconds, 86400.0) if seconds > 0 else None
