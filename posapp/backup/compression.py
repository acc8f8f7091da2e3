"""From SQL to the bytes of a backup, and back: gzip, age, SHA-256, a block at a time."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO, cast

import pyrage
from isal import igzip_threaded, isal_zlib
from pyrage import x25519

from posapp.backup.errors import BackupError
from posapp.backup.model.backup import BackupName

BLOCK = 1 << 20
"""Bytes."""
COMPLETE = b"-- PostgreSQL database dump complete"
"""pg_dump's closing line."""
_LEVEL = 1
"""Of igzip's 0 to 3; the higher ones are slower and hardly smaller."""
TAIL = 4096
"""Bytes at the end of a dump, in which its closing line has to stand."""
_THREADS = 2

_Isal = cast("type[Exception]", isal_zlib.error)  # its stub says it is an instance
_igzip: Callable[..., Any] = igzip_threaded.open

Identity = Callable[[], x25519.Identity]
"""Asked for only where something is encrypted."""


class Hashed:
    """A file that is written, and its SHA-256. Keeps the error that it has met: what lies between
    may wrap it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        self.error: OSError | None = None

    def write(self, block: Any) -> int:
        try:
            self._file.write(block)
        except OSError as error:
            self.error = self.error or error
            raise
        self._hash.update(block)
        self.size += len(block)
        return len(block)

    def flush(self) -> None:
        self._file.flush()

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class _Helper(threading.Thread):
    """A step of the way that wants a thread of its own. Its end of the pipe is closed when it has
    ended, and its error is known by then: nobody waits for a reader or writer that has failed."""

    def __init__(self, step: Callable[[], None], end: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._step = step
        self._end = end
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._step()
        except BaseException as error:  # noqa: BLE001  it is raised elsewhere
            self._error = error
        with suppress(OSError):
            self._end.close()

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Waits for its end. Raises what it met."""
        self.join()
        self.raise_error()


@contextmanager
def packed(sink: Hashed, key: x25519.Recipient | None) -> Iterator[BinaryIO]:
    """What is written here arrives in `sink` as gzip, encrypted where there is a key."""
    if key is None:
        with _gzip(sink) as gzip:
            yield gzip
        return
    out, into = os.pipe()
    source = open(out, "rb", buffering=BLOCK)  # noqa: SIM115  the helper closes it
    helper = _Helper(lambda: pyrage.encrypt_io(source, sink, [key]), source)
    try:
        with open(into, "wb", buffering=0) as pipe, _gzip(pipe) as gzip:
            yield gzip
    finally:
        helper.finish()


def _gzip(sink: Any) -> BinaryIO:
    opened = _igzip(sink, "wb", compresslevel=_LEVEL, threads=_THREADS, block_size=BLOCK)
    return cast(BinaryIO, opened)


@contextmanager
def unpacked(source: BinaryIO, name: BackupName, identity: Identity) -> Iterator[BinaryIO]:
    """The SQL of a backup. Raises BackupError where the bytes are not what they were."""
    try:
        if not name.encrypted:
            with _igzip(source, "rb", threads=1, block_size=BLOCK) as sql:
                yield cast(BinaryIO, sql)
            return
        with _decrypted(source, identity()) as sql:
            yield sql
    except (_Isal, EOFError, pyrage.DecryptError) as error:
        raise _broken(name, error) from None
    except OSError as error:
        if error.errno is not None:  # a disk that does not read is another matter
            raise
        raise _broken(name, error) from None


def _broken(name: BackupName, error: Exception) -> BackupError:
    if "No matching keys" in str(error):
        return BackupError(f"{name}: the key in BACKUP_AGE_IDENTITY does not open it")
    return BackupError(f"{name}: broken: {error}")


@contextmanager
def _decrypted(source: BinaryIO, key: x25519.Identity) -> Iterator[BinaryIO]:
    out, into = os.pipe()
    pipe = open(into, "wb", buffering=BLOCK)  # noqa: SIM115  the helper closes it
    helper = _Helper(lambda: pyrage.decrypt_io(source, pipe, [key]), pipe)
    with open(out, "rb", buffering=0) as compressed:
        try:
            with _igzip(compressed, "rb", threads=1, block_size=BLOCK) as sql:
                yield cast(BinaryIO, sql)
        except Exception:
            helper.raise_error()  # where the decryption has failed, that is the cause
            raise
    helper.finish()


def measure(source: BinaryIO, name: BackupName, identity: Identity) -> tuple[str, int, int]:
    """Reads a backup to its end: SHA-256 and bytes of the file, and the bytes of its SQL.

    Raises BackupError for broken gzip, and for SQL that does not end as pg_dump ends it.
    """
    hashed = _HashedSource(source)
    size, tail = 0, b""
    with unpacked(cast(BinaryIO, hashed), name, identity) as sql:
        while block := sql.read(BLOCK):
            size += len(block)
            tail = (tail[-TAIL:] + block[-TAIL:])[-TAIL:]
    while hashed.read(BLOCK):  # what a decoder did not ask for counts too
        pass
    if COMPLETE not in tail:
        raise BackupError(f"{name}: not whole: pg_dump's closing line is missing")
    return hashed.hexdigest(), hashed.size, size


class _HashedSource:
    """A file that is read, and its SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._hash.update(block)
        self.size += len(block)
        return block

    def readinto(self, buffer: Any) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def checksum(source: BinaryIO) -> tuple[str, int]:
    """SHA-256 and bytes of a file."""
    hashed = _HashedSource(source)
    while hashed.read(BLOCK):
        pass
    return hashed.hexdigest(), hashed.size
