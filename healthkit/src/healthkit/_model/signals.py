"""The values of what jobs and agents send in: a beat, how a run went, a result of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from healthkit._model.checks import Status

LONGEST_BODY = 10_000
"""Bytes of what a job sends along that are read."""
LONGEST_OUTPUT = 2_000
"""Characters of it that are kept: the last."""


class SignalKind(StrEnum):
    """The kinds of what is sent in for a check."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"
    LOG = "log"
    RESULT = "result"


_WORDS = {
    "": SignalKind.SUCCESS,
    "start": SignalKind.START,
    "fail": SignalKind.FAILURE,
    "log": SignalKind.LOG,
}


def parse_word(word: str) -> tuple[SignalKind, int | None] | None:
    """Returns what a job says by one word, and its exit code: nothing (it has run), `start`,
    `fail`, `log`, or `0` to `255`. None for another."""
    if word in _WORDS:
        return _WORDS[word], None
    if not re.fullmatch(r"[0-9]{1,3}", word) or int(word) > 255:
        return None
    code = int(word)
    return (SignalKind.FAILURE if code else SignalKind.SUCCESS), code


@dataclass(frozen=True, slots=True)
class Signal:
    """One of them, with its time (UTC). `code` is the exit code of a job that has ended; `status`
    and `numbers` are those of a result."""

    name: str
    at: datetime
    kind: SignalKind = SignalKind.SUCCESS
    code: int | None = None
    text: str | None = None
    status: Status | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """The last known of a job or an agent. `started_at` is set while it runs; `seconds` is how long
    the last run took, where its start was sent in too."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    status: Status | None = None
    code: int | None = None
    seconds: float | None = None
    text: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
