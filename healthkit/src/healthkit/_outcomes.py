"""Makes the answer of a check whole: whatever a plugin returns becomes an outcome of plain, bounded
values. Done once, where it enters, so that reports, alerts and the store can rely on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from healthkit._model.checks import Outcome, Status
from healthkit.masking import escape_controls, one_line, shorten

LONGEST_MESSAGE = 1000
LONGEST_TEXT = 2000
"""Characters of a text in the details."""
LONGEST_NAME = 100
DEEPEST = 6
MOST_VALUES = 500
"""Values in the details of one outcome, at all depths together; the rest are left out."""

_LONGEST_READ = 10_000
_INTEGER_BITS = 63


def make_whole(answer: object) -> Outcome:
    """Returns the outcome that `answer` stands for. What is none, or cannot be read, is unhealthy
    and says so. Raises nothing."""
    try:
        if not issubclass(type(answer), Outcome):
            what = f"the check returned {_kind(answer)} where an Outcome is expected"
            return Outcome.unhealthy(what)
        outcome: Any = answer
        message = line(outcome.message)
        details = _Details().mapping(outcome.details, 0)
        status = _status(outcome.status)
        if status is None:
            what = f"the check returned {_kind(outcome.status)} where a Status is expected"
            return Outcome(Status.UNHEALTHY, _joined(what, message), details)
        return Outcome(status, message, details)
    except BaseException as error:  # noqa: BLE001  a plugin's objects may raise anything
        return Outcome.unhealthy(f"the check's answer cannot be read: {_kind(error)}")


def of_exception(error: BaseException) -> Outcome:
    """Returns the outcome of a check that raised. Raises nothing."""
    return Outcome.unhealthy(_joined(_kind(error), line(error)))


def _joined(what: str, text: str | None) -> str:
    return shorten(f"{what}: {text}", LONGEST_MESSAGE) if text else what


def line(value: object) -> str | None:
    """Returns anything as masked text on one line; None for None. Raises nothing."""
    if value is None:
        return None
    return one_line(" ".join(_text(value)[:_LONGEST_READ].split()), LONGEST_MESSAGE)


def _status(value: object) -> Status | None:
    if type(value) is Status:
        return value
    return next((status for status in Status if type(value) is str and value == status.value), None)


class _Details:
    """Copies details, and counts the values that it has seen."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def mapping(self, value: object, depth: int) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            return {} if value is None else {"details": self.plain(value, depth)}
        copied: dict[str, Any] = {}
        for key, item in self._counted(value.items()):
            copied[_shortened(_text(key), LONGEST_NAME)] = self.plain(item, depth + 1)
        return copied

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        return takewhile(lambda _: self._left > 0, items)

    def plain(self, value: object, depth: int) -> Any:
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            whole = int.__int__(value)
            return whole if whole.bit_length() <= _INTEGER_BITS else _text(whole)
        if isinstance(value, float):
            real = float.__float__(value)
            return real if math.isfinite(real) else repr(real)
        if isinstance(value, datetime):
            return _moment(value)
        if self._left <= 0 or (depth >= DEEPEST and isinstance(value, _NESTED)):
            return "…"
        if isinstance(value, Mapping):
            return self.mapping(value, depth)
        if isinstance(value, _NESTED):
            return [self.plain(item, depth + 1) for item in self._counted(value)]
        return _shortened(_text(value), LONGEST_TEXT)


_NESTED = (Mapping, list, tuple, set, frozenset)


def _moment(value: datetime) -> datetime | str:
    """Returns a moment in UTC; as text where it has no zone, or none to reckon with."""
    try:
        return value.astimezone(UTC) if value.tzinfo is not None else value.isoformat()
    except Exception:  # noqa: BLE001  the zone may be a plugin's
        return _text(value)


def _text(value: object) -> str:
    """Returns anything as text. Raises nothing."""
    try:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, bytes | bytearray):
            return bytes(value[:_LONGEST_READ]).decode("utf-8", "replace")
        if isinstance(value, int) and value.bit_length() > _LONGEST_READ:
            return f"an integer of {value.bit_length()} bits"  # Python writes no longer ones
        return str.__str__(str(value))
    except BaseException:  # noqa: BLE001  a plugin's objects may raise anything
        return f"<{_kind(value)}>"


def _shortened(text: str, limit: int) -> str:
    """Returns text whose length is bounded and which any file and database can hold."""
    return "\n".join(map(escape_controls, shorten(text, limit).split("\n")))


def _kind(value: object) -> str:
    return _shortened(type.__dict__["__name__"].__get__(type(value)), LONGEST_NAME)
