"""Files that are whole or not there, logs that stay small, and room on the disk."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO

PARTIAL_SUFFIX = ".part"
"""Of a file that is not whole yet."""

_LOG_LIMIT = 1_000_000
"""Bytes of a log at the start of its program."""

LARGEST_LOG = 10_000_000
"""Bytes of a log while its program runs; as many lie beside it."""


def write_atomically(path: Path, content: bytes) -> None:
    """Puts a file in its place at once, all of it or none, for its owner's eyes. Raises OSError."""
    temporary = path.with_name(path.name + PARTIAL_SUFFIX)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def create_atomically(path: Path, text: str) -> None:
    """Creates a file (mode 0600) with all of an ASCII text or not at all, and leaves one that is
    there as it is. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)


def fsync_folder(folder: Path) -> None:
    """Has the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(folder: Path) -> int:
    """Bytes free on the file system of `folder`."""
    return shutil.disk_usage(folder).free


def private_folder(path: Path) -> None:
    """Makes a folder that its owner alone may enter, and those above it that are missing; one that
    is there stays as it is. Raises OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def open_rotated(path: Path) -> IO[bytes]:
    """Opens a log, for its owner's eyes, to append to; one that has grown large starts anew, the
    old one beside it."""
    private_folder(path.parent)
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return open(path, "ab", opener=open_private)


def open_private(name: str, flags: int) -> int:
    """An opener for `open`: mode 0600, also for a file that an older version left wider; a device
    is nobody's to narrow. It does not wait for who reads a pipe."""
    descriptor = os.open(name, flags | os.O_NONBLOCK, 0o600)
    os.set_blocking(descriptor, True)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return descriptor
    if status.st_mode & 0o077 and os.geteuid() in (0, status.st_uid):
        os.fchmod(descriptor, 0o600)
    return descriptor


def cap_log(path: Path, limit: int = LARGEST_LOG) -> int:
    """Cuts a log that has grown beyond `limit` bytes while its program writes: what it held goes
    beside it, over what was there. Returns the bytes that are gone from it.

    Its program goes on at the new end, for it appends; a line that it writes in between is lost.
    """
    if path.stat().st_size <= limit:
        return 0
    with (
        path.open("rb") as grown,
        open(path.with_suffix(".log.1"), "wb", opener=open_private) as old,
    ):
        shutil.copyfileobj(grown, old)
        size = old.tell()
    os.truncate(path, 0)
    return size
