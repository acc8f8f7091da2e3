"""Locks of files, by which processes know of each other."""

from __future__ import annotations

import fcntl
import struct
from pathlib import Path
from typing import IO

_FLOCK = "hhqqi"  # struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid


class FileLock:
    """A lock of the open file (F_OFD_SETLK): the kernel drops it when its last holder is gone,
    killed or not, and can be asked how others hold it, which flock(2) cannot."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("a+b")

    def acquire_shared(self) -> None:
        """Waits for whoever holds it exclusively."""
        self._ask(fcntl.F_OFD_SETLKW, fcntl.F_RDLCK)

    def acquire(self) -> None:
        """Waits until nobody else holds it."""
        self._ask(fcntl.F_OFD_SETLKW, fcntl.F_WRLCK)

    def try_acquire(self) -> bool:
        try:
            self._ask(fcntl.F_OFD_SETLK, fcntl.F_WRLCK)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def held_by_other(self) -> int | None:
        """fcntl.F_RDLCK or F_WRLCK as another holds it, or None."""
        kind = self._ask(fcntl.F_OFD_GETLK, fcntl.F_WRLCK)
        return None if kind == fcntl.F_UNLCK else kind

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()

    def _ask(self, command: int, kind: int) -> int:
        answer = fcntl.fcntl(self._file, command, struct.pack(_FLOCK, kind, 0, 0, 0, 0))
        return int(struct.unpack(_FLOCK, answer)[0])
