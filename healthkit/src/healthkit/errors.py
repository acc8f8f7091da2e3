"""The errors of the library.

HealthkitError
├── ConfigError       mistakes in the configuration, all of them at once
└── StoreError        the store cannot be opened, or is unknown to this version
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from healthkit.masking import mask, shorten

_LONGEST_NAME, _LONGEST_KEY = 100, 300
"""Characters of a name, and of a key's path, in a mistake."""


class HealthkitError(Exception):
    """A mistake that the user can correct: commands print its lines and exit with 2."""

    def lines(self) -> list[str]:
        """Returns the message, masked, one mistake a line. Not to be masked as a whole again: what
        is wrong with the key `token` would be taken for a token."""
        return [mask(str(self))]


class StoreError(HealthkitError):
    """The store cannot be opened, or holds what this version does not know."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake: the key's path, its line in the file (0 when unknown), and what to do, in words
    that show nothing of a secret."""

    key: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        key = shorten(mask(self.key), _LONGEST_KEY)
        return f"{place}{key}: {self.message}" if key else f"{place}{self.message}"


class ConfigError(HealthkitError):
    """All mistakes in the configuration. Nothing has been started."""

    def __init__(self, source: str, problems: Iterable[ConfigProblem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        return [f"{mask(self.source)}: {problem}" for problem in self.problems]


def _shown(name: str) -> str:
    """Returns a name for a mistake: it may be an address, with its secret, meant for elsewhere."""
    return shorten(mask(name), _LONGEST_NAME)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Returns `"; did you mean interval?"`, or a list of the known names, or nothing."""
    known = sorted(map(_shown, names))
    close = difflib.get_close_matches(_shown(name), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(known)}" if known else ""
