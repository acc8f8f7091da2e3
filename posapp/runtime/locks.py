"""Locks of files, by which processes know of each other."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import IO

from posapp.runtime.files import open_private

_FLOCK = "hhqqi"  # struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid


def _open_own(name: str, flags: int) -> int:
    """The owner is this user, root or whose the folder is."""
    descriptor = open_private(name, flags | os.O_NOFOLLOW)
    owner = os.fstat(descriptor).st_uid
    if owner not in (os.geteuid(), 0, os.stat(os.path.dirname(name) or ".").st_uid):
        os.close(descriptor)
        raise PermissionError(errno.EACCES, "the lock's file belongs to another user", name)
    return descriptor


class FileLock:
    """A lock of the open file (F_OFD_SETLK): the kernel drops it when its last holder is gone,
    killed or not, and can be asked how others hold it, which flock(2) cannot.

    Its file is for its owner alone: whoever can open it can hold it, and stop all others.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError, also where the file is a stranger's."""
        self._file: IO[bytes] = open(path, "a+b", opener=_open_own)  # noqa: SIM115  as long as the lock

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
