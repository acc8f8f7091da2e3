"""Reads what jobs and agents send in: heartbeats and results, under their tokens."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from healthkit._builtin import Pushed
from healthkit._health import Health
from healthkit._model.checks import Status
from healthkit._model.signals import LONGEST_BODY, Signal, SignalKind, parse_word
from healthkit.masking import one_line

BEAT = "/health/beat/"
REPORT = "/health/report/"
BODY = "healthkit.body"
"""The key of a request's body in the environ that a mount hands over; None where it cannot be
read."""
BEAT_METHODS = ("GET", "HEAD", "POST")
MOST_NUMBERS = 50
_LONGEST_NAME, _LONGEST_MESSAGE = 100, 1_000
_STATUSES = ("healthy", "degraded", "unhealthy")


@dataclass(frozen=True, slots=True)
class Rejection:
    """The answer to a request that is refused; `errors` name the fields that are wrong."""

    code: int
    detail: str
    headers: tuple[tuple[str, str], ...] = ()
    errors: tuple[Mapping[str, str], ...] = ()


def announced(environ: Mapping[str, Any]) -> int | None:
    """Returns how many bytes a request says that it brings; None where it does not say."""
    length = environ.get("CONTENT_LENGTH") or ""
    return int(length[:10]) if length.isascii() and length.isdigit() else None


def read(health: Health, path: str, environ: Mapping[str, Any]) -> Signal | Rejection:
    """Returns what a request to a path below `BEAT` or `REPORT` sends in. The token is looked at
    before anything else is said about it."""
    is_beat = path.startswith(BEAT)
    methods = BEAT_METHODS if is_beat else ("POST",)
    if environ["REQUEST_METHOD"] not in methods:
        what = "A heartbeat is a GET, a HEAD or a POST." if is_beat else "A result is a POST."
        return Rejection(405, what, (("Allow", ", ".join(methods)),))
    token, slash, rest = path[len(BEAT if is_beat else REPORT) :].partition("/")
    awaited = health.awaited(token)
    if awaited is None or isinstance(awaited.check, Pushed) is is_beat:
        return Rejection(404, f"No {'heartbeat' if is_beat else 'check'} has this token.")
    name, body = awaited.info.name, environ.get(BODY, b"")
    if not is_beat:
        return Rejection(404, _NOTHING_BEHIND) if slash else _result(health, name, body)
    said = None if slash and not rest else parse_word(rest)
    if said is None:
        return Rejection(404, "Behind a token come start, fail, log or an exit code (0 to 255).")
    if body is None:
        return _UNREADABLE
    text = body[:LONGEST_BODY].decode("utf-8", "replace")
    return Signal(name, health.now(), *said, text or None)


_UNREADABLE = Rejection(400, "The body cannot be read; send it again.")
_NOTHING_BEHIND = "Nothing comes behind the token."


def _result(health: Health, name: str, body: bytes | None) -> Signal | Rejection:
    if body is None:
        return _UNREADABLE
    if len(body) > LONGEST_BODY:
        return Rejection(413, f"A result has {LONGEST_BODY} bytes at most.")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return Rejection(400, 'The body is no JSON; send {"status": "healthy"}.')
    if not isinstance(given, dict):
        return Rejection(400, 'The body is no JSON object; send {"status": "healthy"}.')
    if errors := tuple(_errors(given)):
        return Rejection(422, "The result is not as it should be.", errors=errors)
    numbers = {key: float(value) for key, value in given.get("numbers", {}).items()}
    status, text = Status(given["status"]), given.get("message")
    return Signal(name, health.now(), SignalKind.RESULT, None, text, status, numbers)


def _errors(given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Returns what is wrong with a result, each by its field."""
    found = {
        one_line(key, _LONGEST_NAME): "unknown; there are status, message and numbers"
        for key in list(given)[:MOST_NUMBERS]
        if key not in ("status", "message", "numbers")
    }
    if given.get("status") not in _STATUSES:
        found["status"] = "must be healthy, degraded or unhealthy"
    message, numbers = given.get("message"), given.get("numbers", {})
    if message is not None and (not isinstance(message, str) or len(message) > _LONGEST_MESSAGE):
        found["message"] = f"must be a text of {_LONGEST_MESSAGE} characters at most"
    if not isinstance(numbers, dict) or len(numbers) > MOST_NUMBERS:
        found["numbers"] = f"must be an object of {MOST_NUMBERS} numbers at most"
    elif any(len(key) > _LONGEST_NAME or not _is_number(value) for key, value in numbers.items()):
        found["numbers"] = f"must be finite numbers under names of {_LONGEST_NAME} characters"
    return [{"field": field, "message": message} for field, message in found.items()]


def _is_number(value: object) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(float(value))  # type: ignore[arg-type]
    except OverflowError:
        return False
