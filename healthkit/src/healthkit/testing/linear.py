"""Finds functions of text whose time grows faster than the text, for what strangers may send.

    from healthkit.testing.linear import find_slow, shapes_of

    def test_a_line_of_the_sensor_is_read_in_linear_time():
        assert find_slow(parse_line, shapes_of([LINE, NUMBER])) == []

A pattern that gives back, or a search from each place to the end, shows by a text that repeats what
the pattern looks for. Time is that of the processor: a busy machine changes little.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

SOON = 0.05
"""Seconds of the processor; what takes less is not looked at more closely."""
LENGTHS = (4_000, 16_000)
"""Characters of the texts: the second is four times the first."""
_MORE = 10
"""Four times the text may cost so many times as much."""


def find_slow(
    function: Callable[[str], object],
    words: Iterable[str],
    endings: Sequence[str] = ("",),
    lengths: tuple[int, int] = LENGTHS,
) -> list[str]:
    """Returns the texts, as `word × times + ending`, for which the time of a function grows too
    fast: each word is repeated to both lengths, and ends with each of the endings."""
    found = []
    for word in words:
        for ending in endings:
            long = _cost(function, word, ending, lengths[1])
            if long <= SOON:
                continue  # and the short one is not looked at
            short = _cost(function, word, ending, lengths[0])
            if long > _MORE * max(short, SOON / _MORE):
                times = lengths[1] // len(word)
                found.append(f"{word!r} × {times} + {ending!r}: {short:.3f} s, {long:.3f} s")
    return found


def _cost(function: Callable[[str], object], word: str, ending: str, length: int) -> float:
    """Returns seconds of the processor, the least of some tries where one is long."""
    text = word * (length // len(word)) + ending
    tries: list[float] = []
    while len(tries) < 3 and not (tries and min(tries) < SOON):
        began = time.process_time()
        function(text)
        tries.append(time.process_time() - began)
    return min(tries)


def shapes_of(patterns: Iterable[re.Pattern[str]]) -> list[str]:
    """Returns a character for each literal and class of regular expressions, and their words."""
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern.pattern, str):
            found |= _shapes(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
    return sorted(found)


def _shapes(parsed: Any) -> set[str]:
    found: set[str] = set()
    pending = [parsed]
    while pending:
        part = pending.pop()
        if isinstance(part, parser.SubPattern):
            literals = [chr(arg) for kind, arg in part if kind is kinds.LITERAL]
            found.update(literals)
            found.update({"".join(literals)} - {""})
            pending.extend(part)
        elif isinstance(part, tuple | list):
            if len(part) == 2 and part[0] is kinds.RANGE:
                found.add(chr(part[1][0]))
            elif len(part) == 2 and part[0] is kinds.CATEGORY:
                found.add({"DIGIT": "7", "SPACE": " ", "WORD": "w"}.get(str(part[1])[9:], "."))
            else:
                pending.extend(part)
    return found
