"""Time, handed in: the system's clock, or one that a test moves (`healthkit.testing`)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Protocol

_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Runs on while the process is stopped, and where it can while the machine sleeps."""


class Clock(Protocol):
    """Time as healthkit uses it. Rules get moments as arguments; only edges hold a clock."""

    def now(self) -> datetime:
        """Returns the time of day: aware, in UTC."""

    def monotonic(self) -> float:
        """Returns seconds since an arbitrary moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Blocks the calling thread, or greenlet, for so long."""

    def receive(self, queue: Any, timeout: float) -> Any:
        """Returns the next item of a queue. Raises `queue.Empty` when none comes in so many
        seconds of this clock."""


class SystemClock:
    """The clock of the machine."""

    def __repr__(self) -> str:
        return "SYSTEM_CLOCK"

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_MONOTONIC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def receive(self, queue: Any, timeout: float) -> Any:
        return queue.get(timeout=timeout)


SYSTEM_CLOCK: Clock = SystemClock()
