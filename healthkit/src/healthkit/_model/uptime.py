"""How many results, or events, were good."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Uptime:
    """The number of results (or of events) that were good, and of all."""

    good: int
    total: int

    @property
    def bad(self) -> int:
        return self.total - self.good

    @property
    def share(self) -> float | None:
        """From 0 to 1; None when there were no results."""
        return self.good / self.total if self.total else None
