"""Patience with a channel: counted in seconds of a clock that never jumps, and in attempts."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

FIRST_BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(minutes=5)


def backoff(failures: int, chance: float) -> timedelta:
    """Returns the pause of a channel after so many failures in a row: 1 s, 2 s, 4 s … 5 min, each
    shortened by up to a half; `chance` is from 0 to 1."""
    whole = min(FIRST_BACKOFF * (1 << min(failures - 1, 16)), LONGEST_BACKOFF)
    return whole * (0.5 + chance / 2)


class Failures:
    """The failures in a row of a channel; false while there are none.

    `patience` is in seconds, and so are all times, of a monotonic clock.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None
        self._marks: deque[tuple[float, int]] = deque()
        """Times with the newest delivery that waited then."""
        self._waited = 0
        self.retry_at = 0.0
        self.most_attempts = _most_attempts(patience)
        """What is tried so often has waited for that long, also where a restart forgot it."""

    def __bool__(self) -> bool:
        return self._since is not None

    def add(self, attempts: int, monotonic: float, wait: float) -> None:
        """Counts one more failure; the channel is not to be tried for `wait` seconds. `attempts`
        are those of the message that failed."""
        if self._since is None:
            # A restart forgot how long it has failed; the attempts are kept.
            self._since = monotonic - (self._patience if attempts >= self.most_attempts else 0.0)
        self.retry_at = monotonic + wait

    def clear(self) -> None:
        """The channel works."""
        self._since = None
        self._marks.clear()
        self._waited = 0

    def waited(self, newest: int, monotonic: float) -> int | None:
        """Returns the newest delivery that has waited for as long as patience lasts, or None while
        the channel has not failed for so long. `newest` is the newest that waits now."""
        if not self._marks or self._marks[-1][1] < newest:
            self._marks.append((monotonic, newest))
        while self._marks and monotonic - self._marks[0][0] >= self._patience:
            self._waited = self._marks.popleft()[1]
        if self._since is None or monotonic - self._since < self._patience:
            return None
        return self._waited


def _most_attempts(patience: float) -> int:
    count, waited = 0, 0.0
    while waited < patience:
        count += 1
        waited += backoff(count, 0.0).total_seconds()
    return count
