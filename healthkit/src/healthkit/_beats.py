"""Writes heartbeats, results and acts beside the request that brings them: a store that is locked
or hangs holds up that request alone, also where requests share one thread, as under gevent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from healthkit import _threads
from healthkit.errors import StoreError

MOST_WAITING = 1000
"""Items that wait to be written; one more is refused, and whoever brought it sends it again."""
_LONGEST_LOOK = 0.02
"""Seconds between two looks for whether a beat is written, at most."""


Item = TypeVar("Item")


@dataclass(slots=True)
class _Waiting(Generic[Item]):
    item: Item
    written: bool = False
    error: BaseException | None = None


class StoreWriter(Generic[Item]):
    """Writes by `write(items)` on a native thread: all that have come meanwhile at once."""

    def __init__(self, write: Callable[[Sequence[Item]], None]) -> None:
        self._write = write
        self._after_fork()
        _threads.call_after_fork(self._after_fork)

    def _after_fork(self) -> None:
        """The parent's thread is not in the child, and its lock may be held for ever."""
        self._lock = _threads.unpatched("_thread", "allocate_lock")()
        self._waiting: list[_Waiting[Item]] = []
        self._writing = False

    def record(self, item: Item) -> None:
        """Returns when an item is in the store. Raises as `steps` does."""
        for pause in self.steps(item):
            time.sleep(pause)  # a greenlet's own, where gevent has patched it

    def steps(self, item: Item) -> Iterator[float]:
        """Hands an item in and yields the seconds to sleep before the next look, until it is in
        the store. Raises StoreError, and what `write` raises."""
        beat = _Waiting(item)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise StoreError(f"{MOST_WAITING} others wait for the store")
            self._waiting.append(beat)
            starts, self._writing = not self._writing, True
        if starts:
            self._start()
        look = 0.001
        while not beat.written:
            yield look
            look = min(2 * look, _LONGEST_LOOK)
        if beat.error is not None:
            raise beat.error

    def _start(self) -> None:
        try:
            _threads.start_native_thread(self._write_all)
        except RuntimeError as error:
            self._finish(self._taken(), StoreError(f"nothing can be written: {error}"))
            with self._lock:
                self._writing = False

    def _write_all(self) -> None:
        while beats := self._taken():
            try:
                self._write([beat.item for beat in beats])
            except BaseException as error:  # noqa: BLE001  raised where the beat came from
                self._finish(beats, error)
            else:
                self._finish(beats, None)

    def _taken(self) -> list[_Waiting[Item]]:
        with self._lock:
            beats, self._waiting = self._waiting, []
            self._writing = bool(beats)
        return beats

    @staticmethod
    def _finish(beats: list[_Waiting[Item]], error: BaseException | None) -> None:
        for beat in beats:
            beat.error = error
            beat.written = True
