"""Lines to a file descriptor that several processes share: whole, in order, and never in the way.

A line is queued, and a native thread writes it, so that a stdout that blocks for a while blocks no
request. What the queue cannot hold is counted, and reported when there is room again. Writes of one
pipe's atomic size are whole even when their process is killed in the middle (POSIX, `write`);
longer lines are kept apart by a lock that the workers of one server inherit.
"""

from __future__ import annotations

import fcntl
import os
import select
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from posapp.runtime import native

ATOMIC = select.PIPE_BUF
QUEUE_LIMIT = 64 * 1024 * 1024
"""Bytes that wait at most: some 150,000 request lines."""

PAUSE = 0.005
"""Seconds between two batches. A thread that woke for each line would take the interpreter from the
requests thousands of times a second."""


class LineWriter:
    """Writes to `descriptor`. `on_dropped(count)` makes the line that reports dropped ones."""

    def __init__(self, descriptor: int, on_dropped: Callable[[int], bytes]) -> None:
        self._descriptor = descriptor
        self._on_dropped = on_dropped
        self._lock_file = tempfile.TemporaryFile()  # noqa: SIM115  its lock is what is shared
        self._pid = 0
        self._begin()

    def _begin(self) -> None:
        """A queue and a thread of this process: neither crosses a fork."""
        self._guard = native.unpatched("_thread", "allocate_lock")()
        self._queue: Any = native.unpatched("queue", "SimpleQueue")()
        self._waiting = 0
        self._dropped = 0
        self._pid = os.getpid()
        native.start_native_thread(self._run)

    def write(self, line: bytes) -> None:
        """Queues one line, which ends with a newline. Never raises, never waits."""
        if self._pid != os.getpid():
            self._begin()
        with self._guard:
            if self._waiting + len(line) > QUEUE_LIMIT:
                self._dropped += 1
                return
            self._waiting += len(line)
        self._queue.put(line)

    def flush(self, timeout: float = 2.0) -> bool:
        """Waits until what was queued has been written; returns whether it has."""
        if self._pid != os.getpid():
            return True
        done = native.unpatched("_thread", "allocate_lock")()
        done.acquire()
        self._queue.put(done.release)
        return bool(done.acquire(timeout=timeout))

    def _run(self) -> None:
        queue, rest = self._queue, native.unpatched("time", "sleep")
        while True:
            first = queue.get()
            lines: list[bytes] = []
            done: list[Callable[[], object]] = []
            for item in self._batch(first, queue):
                (done if callable(item) else lines).append(item)
            self._put_out(lines)
            for tell in done:
                tell()
            rest(PAUSE)

    @staticmethod
    def _batch(first: Any, queue: Any) -> Iterator[Any]:
        yield first
        for _ in range(min(queue.qsize(), 1000)):
            yield queue.get()

    def _put_out(self, lines: list[bytes]) -> None:
        with self._guard:
            self._waiting -= sum(map(len, lines))
            dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(self._on_dropped(dropped))
        try:
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX)
            try:
                for chunk in chunks(lines, ATOMIC):
                    self._write(chunk)
            finally:
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN)
        except (OSError, ValueError):
            # Closed, or its reader has gone: there is nobody left to tell.
            with self._guard:
                self._dropped += len(lines)

    def _write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                native.unpatched("select", "select")([], [self._descriptor], [], 1.0)


def chunks(lines: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Lines joined into pieces of at most `size` bytes; a longer line is a piece of its own."""
    piece = bytearray()
    for line in lines:
        if piece and len(piece) + len(line) > size:
            yield bytes(piece)
            piece.clear()
        piece += line
    if piece:
        yield bytes(piece)
