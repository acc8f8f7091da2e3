"""Judges a program by Nagios' contract: the exit code alone is the status; the first line is for
people; behind `|` are numbers.

https://www.monitoring-plugins.org/doc/guidelines.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from signal import Signals

from healthkit import Outcome, Status
from healthkit_command.process import EndedProcess

MOST_NUMBERS = 50
_LONGEST_VALUE = 40
_STATUSES = {0: Status.HEALTHY, 1: Status.DEGRADED, 2: Status.UNHEALTHY}
_UNKNOWN = 3
_UNITS = {
    "": 1.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "%": 1.0,
    "c": 1.0,
    "B": 1.0,
    "KB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
}
"""Into seconds and bytes; percent and counters stay as they are."""
_ITEM = re.compile(
    r"(?<!\S)(?:'(?P<quoted>(?:[^']|''){0,100}+)'|(?P<plain>[^\s='|]{1,100}+))=(?P<value>\S++)"
)
"""A label of 100 characters at most, so that no output costs more than its length."""
_VALUE = re.compile(r"(-?[0-9]{0,20}\.?[0-9]{0,20})(us|ms|s|%|c|B|KB|MB|GB|TB)?")


def evaluate(ended: EndedProcess) -> Outcome:
    """Returns the outcome, with the numbers of the performance data as its details."""
    text, numbers = parse_output(ended.stdout.decode("utf-8", "replace"))
    if not text:
        text = (ended.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[0].strip()
    said = f": {text}" if text else ""
    if ended.overran:
        return Outcome.unhealthy(f"killed after {ended.seconds:.3g} s{said}")
    if ended.signal is not None:
        return Outcome.unhealthy(f"ended by {_signal_name(ended.signal)}{said}", **numbers)
    if ended.code is None:
        return Outcome.unhealthy(f"another part of this process took its exit code{said}")
    if ended.code == _UNKNOWN:
        return Outcome.unhealthy(f"unknown{said}", **numbers)
    status = _STATUSES.get(ended.code)
    if status is None:
        return Outcome.unhealthy(f"exit code {ended.code}{said}", **numbers)
    silent = None if status is Status.HEALTHY else f"exit code {ended.code}, and no output"
    return Outcome(status, text or silent, numbers)


def parse_output(output: str) -> tuple[str, dict[str, float]]:
    """Returns the text of the first line, and the numbers: behind `|` in the first line, and behind
    the first `|` in the lines that follow it, to the end."""
    first, _, rest = output.partition("\n")
    text, _, measured = first.partition("|")
    _, _, more = rest.partition("|")
    return text.strip(), dict(_numbers(f"{measured} {more}"))


def _numbers(measured: str) -> Iterator[tuple[str, float]]:
    found = 0
    for item in _ITEM.finditer(measured):
        quoted = item["quoted"]
        label = item["plain"] if quoted is None else quoted.replace("''", "'")
        number = _number(item["value"].partition(";")[0])
        if number is not None and label:
            yield label, number
            found += 1
            if found == MOST_NUMBERS:
                return


def _number(value: str) -> float | None:
    """Returns a value in seconds, bytes, percent or as it is; None for `U` and for no number."""
    match = _VALUE.fullmatch(value) if len(value) <= _LONGEST_VALUE else None
    if match is None or not any(map(str.isdigit, match[1])):
        return None
    number = float(match[1]) * _UNITS[match[2] or ""]
    return number if math.isfinite(number) else None


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
