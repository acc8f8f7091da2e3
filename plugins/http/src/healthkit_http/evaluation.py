"""Evaluates a response: a pure function of the response and of what was expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from healthkit import Outcome
from healthkit.masking import one_line, shorten


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP answer: its text as far as it was read, and the seconds until then."""

    status: int
    text: str
    seconds: float
    whole: bool = True
    """False when the body was longer than what is read."""


@dataclass(frozen=True, slots=True)
class Expected:
    """`statuses` are three characters each, `x` for any digit; `json` maps paths to values;
    `queries` are JMESPath expressions that have to be true; `slow_after` is in seconds."""

    statuses: tuple[str, ...] = ("200",)
    text: str | None = None
    json: Mapping[str, Any] | None = None
    slow_after: float | None = None
    queries: tuple[str, ...] = ()


@cache
def compiled_query(expression: str) -> Any:
    """Returns a JMESPath expression, ready to search. Raises ValueError."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        reason = one_line(str(error), 100)
        raise ValueError(f"{_short(expression)} is not a JMESPath expression: {reason}") from None


@cache
def compiled(path: str) -> Any:
    """A JSON path (RFC 9535 in jsonpath-ng's dialect). Raises ValueError."""
    from jsonpath_ng.ext.parser import parse

    try:
        return parse(path)
    except Exception as error:  # noqa: BLE001  its parser raises what it stumbles over
        reason = one_line(str(error), 100)
        raise ValueError(f"{path!r} is not a JSON path: {reason}") from None


def evaluate(answer: HttpResponse, expected: Expected) -> Outcome:
    """Unhealthy with the first thing that is not as expected; degraded when it only took long."""
    details = {"status_code": answer.status}
    fault = (
        _status_fault(answer.status, expected.statuses)
        or _text_fault(answer, expected.text)
        or _json_fault(answer, expected.json or {}, expected.queries)
    )
    if fault is not None:
        return Outcome.unhealthy(one_line(fault), **details)
    if expected.slow_after is not None and answer.seconds > expected.slow_after:
        return Outcome.degraded(f"slow: {answer.seconds:.1f}s", **details)
    return Outcome.healthy(f"HTTP {answer.status}", **details)


def _status_fault(status: int, wanted: tuple[str, ...]) -> str | None:
    for pattern in wanted:
        if all(p in ("x", digit) for p, digit in zip(pattern, f"{status:03}", strict=True)):
            return None
    return f"HTTP {status}, expected {' or '.join(wanted)}"


def _text_fault(answer: HttpResponse, text: str | None) -> str | None:
    if text is None or text in answer.text:
        return None
    where = "answer" if answer.whole else "first megabyte of the answer"
    return f"the {where} does not contain {_short(text)}"


def _json_fault(
    answer: HttpResponse, wanted: Mapping[str, Any], queries: tuple[str, ...]
) -> str | None:
    if not wanted and not queries:
        return None
    if not answer.whole:
        return "the answer is longer than a megabyte, too long to be read as JSON"
    try:
        document = json.loads(answer.text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return "the answer is not JSON"
    for path, value in wanted.items():
        named = f"JSON {shorten(path, 80)}"
        try:
            found = [match.value for match in compiled(path).find(document)]
        except Exception as error:  # noqa: BLE001  by what strangers have sent
            return f"{named} cannot be read: {one_line(str(error), 100)}"
        if not found:
            return f"{named}: missing, expected {_short(value)}"
        for other in found:
            if not _same(other, value):
                return f"{named} is {_short(other)}, expected {_short(value)}"
    faults = (_query_fault(document, expression) for expression in queries)
    return next((fault for fault in faults if fault is not None), None)


def _query_fault(document: Any, expression: str) -> str | None:
    """JMESPath's own truth: all but null, false and what is empty."""
    try:
        found = compiled_query(expression).search(document)
    except Exception as error:  # noqa: BLE001  its functions raise what they stumble over
        return f"JSON query {_short(expression)} cannot be answered: {one_line(str(error), 100)}"
    if found is None or found is False or found in ("", [], {}):
        return f"JSON query {_short(expression)} is {_short(found)}"
    return None


def _same(a: Any, b: Any) -> bool:
    """Equal as JSON, where true is not 1."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _short(value: Any) -> str:
    try:
        return shorten(json.dumps(value, ensure_ascii=False, default=str), 60)
    except RecursionError:
        return "what is nested too deeply to be shown"
