"""Runs a program to its end or its time, in a process group of its own.

By posix_spawn, and by the module `posix` itself: gevent replaces `subprocess` and what `os` has of
these functions by its own, which work in a process' main thread alone, and checks run on others.
"""

from __future__ import annotations

import os
import posix
import select
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

_LOOK = 0.02
"""Seconds between two looks for whether a program has ended whose output is quiet or closed."""


@dataclass(frozen=True, slots=True)
class EndedProcess:
    """The end of a program. `code` is None where it was ended by a signal, had to be killed
    after `seconds`, or where something else in this process has taken its code."""

    code: int | None
    stdout: bytes
    stderr: bytes
    signal: int | None = None
    overran: bool = False
    seconds: float = 0.0


def run_process(
    program: str, words: Sequence[str], environ: Mapping[str, str], seconds: float, most: int
) -> EndedProcess:
    """Runs a program with an environment for so many seconds at most, keeping `most` bytes of each
    of its streams. Whatever it leaves running in its group is killed. Raises OSError where it
    cannot be started."""
    out, err = _Pipe(most), _Pipe(most)
    try:
        group = posix.posix_spawn(
            program,
            tuple(words),
            environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, out.writer, 1),
                (os.POSIX_SPAWN_DUP2, err.writer, 2),
            ],
            setpgroup=0,
            setsigdef=[signal.SIGPIPE],
        )
        try:
            out.close_writer()
            err.close_writer()
            in_time = _follow(group, (out, err), time.monotonic() + seconds)
        finally:
            # Before it is waited for: until then nobody else can have its number.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
            status = _wait(group)
        out.read()
        err.read()
    finally:
        out.close()
        err.close()
    kept = (out.kept, err.kept)
    if not in_time:
        return EndedProcess(None, *kept, overran=True, seconds=seconds)
    if status is None or os.WIFEXITED(status):
        return EndedProcess(None if status is None else os.WEXITSTATUS(status), *kept)
    return EndedProcess(None, *kept, signal=os.WTERMSIG(status))


class _Pipe:
    """A pipe whose end is read without blocking; what is more than `most` bytes is dropped."""

    def __init__(self, most: int) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.kept = b""
        self.open = True
        self._most = most

    def read(self) -> None:
        """Takes what is there."""
        with suppress(BlockingIOError):
            while self.open:
                chunk = os.read(self.reader, 65_536)
                self.open = bool(chunk)
                self.kept += chunk[: self._most - len(self.kept)]
                if len(chunk) < 65_536:
                    return

    def close_writer(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        self.close_writer()
        os.close(self.reader)


def _follow(process: int, pipes: Sequence[_Pipe], deadline: float) -> bool:
    """Reads until the program has ended; returns False where its time is over first."""
    while not _has_ended(process):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        readers = {pipe.reader: pipe for pipe in pipes if pipe.open}
        if not readers:
            time.sleep(min(_LOOK, left))
            continue
        looked_at = select.poll()  # `select` takes no descriptor from 1024 on
        for reader in readers:
            looked_at.register(reader, select.POLLIN)
        for reader, _ in looked_at.poll(min(_LOOK, left) * 1000):
            readers[reader].read()
    return True


def _has_ended(process: int) -> bool:
    """Looks without taking its exit code."""
    try:
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True  # something else in this process waits for every child


def _wait(process: int) -> int | None:
    try:
        return posix.waitpid(process, 0)[1]
    except ChildProcessError:
        return None
