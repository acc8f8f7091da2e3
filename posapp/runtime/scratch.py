"""Folders for what a run needs meanwhile, as a server of its own: large, and always removed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from posapp.runtime.locks import FileLock

_LOCK = ".in-use"


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Gives a folder among the temporary files, and removes it afterwards; first those of this
    prefix that runs that were killed have left: each is as large as the database. Raises OSError.
    """
    _remove_left(prefix)
    folder, lock = _make(prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _make(prefix: str) -> tuple[Path, FileLock]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        with suppress(FileNotFoundError):  # somebody took it for left before it was locked
            lock = FileLock(folder / _LOCK)
            if lock.try_acquire() and folder.is_dir():
                return folder, lock
            lock.close()


def _remove_left(prefix: str) -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # what is nobody's to remove is in nobody's way
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
                _remove_unless_used(folder)


def _remove_unless_used(folder: Path) -> None:
    """Raises OSError."""
    lock = FileLock(folder / _LOCK)
    try:
        if lock.try_acquire():
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.close()
