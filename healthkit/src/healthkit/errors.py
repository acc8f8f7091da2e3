"""The errors of the library.

HealthkitError
├── ConfigError       mistakes in the configuration, all of them at once
└── StoreError        the store cannot be opened or is not ours
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class HealthkitError(Exception):
    """What a user can mend: commands print it as one line each and exit with 2."""

    def lines(self) -> list[str]:
        return [str(self)]


class StoreError(HealthkitError):
    """The store cannot be opened, or holds what this version does not know."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the key's path, its line in the file (0 when unknown), and what to do."""

    key: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.message}" if self.key else f"{place}{self.message}"


class ConfigError(HealthkitError):
    """Every mistake in the configuration. Nothing has been started."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        return [f"{self.source}: {problem}" for problem in self.problems]


def nearest(name: str, names: Iterable[str]) -> str:
    """`"; did you mean interval?"`, or what there is, or nothing."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(known)}" if known else ""
