"""Compresses and encrypts SQL, and reads it back: gzip, age, SHA-256, a block at a time."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Protocol, cast

import pyrage
from isal import igzip_threaded, isal_zlib
from pyrage import x25519

from posapp.backup.errors import BackupError

BLOCK = 1 << 20
"""Bytes."""
DUMP_TRAILER = b"-- PostgreSQL database dump complete"
"""pg_dump's closing line."""
_LEVEL = 1
"""Of igzip's 0 to 3; higher levels are slower and hardly smaller."""
TRAILER_WINDOW = 4096
"""Bytes at the end of a dump that have to contain its closing line."""
_THREADS = 2

_Isal = cast("type[Exception]", isal_zlib.error)  # its stub says it is an instance
_igzip: Callable[..., Any] = igzip_threaded.open


class Packed(Protocol):
    """A compressed file, by its name in messages."""

    @property
    def encrypted(self) -> bool: ...


@dataclass(frozen=True)
class PackedFile:
    """A compressed file that is no backup by itself."""

    name: str
    encrypted: bool

    def __str__(self) -> str:
        return self.name


LoadIdentity = Callable[[], list[x25519.Identity]]
"""Called only where something is encrypted."""


class HashingWriter:
    """A file that is written, and its SHA-256. Keeps the first error of the file: the compressor
    above may wrap it."""

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


class TrailerCheck:
    """Watches a dump go by, and knows whether it ended with pg_dump's closing line."""

    def __init__(self) -> None:
        self.size = 0
        self._tail = b""

    def add(self, block: bytes) -> None:
        self.size += len(block)
        self._tail = (self._tail + block[-TRAILER_WINDOW:])[-TRAILER_WINDOW:]

    @property
    def complete(self) -> bool:
        return DUMP_TRAILER in self._tail


class PipeThread(threading.Thread):
    """One end of a pipe in a thread of its own. That end is closed when the step has ended, and its
    error is known by then: nobody waits for a reader or writer that has failed."""

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
        """Waits for the end of the step. Raises its error."""
        self.join()
        self.raise_error()


@contextmanager
def compressed(sink: Any, recipient: x25519.Recipient | None) -> Iterator[BinaryIO]:
    """Writes into `sink` as gzip, encrypted where there is a recipient."""
    with encrypted(sink, recipient) as into, _gzip(into) as gzip:
        yield gzip


@contextmanager
def encrypted(sink: HashingWriter, recipient: x25519.Recipient | None) -> Iterator[Any]:
    """Writes into `sink`, encrypted where there is a recipient."""
    if recipient is None:
        yield sink
        return
    out, into = os.pipe()
    source = open(out, "rb", buffering=BLOCK)  # noqa: SIM115  the helper closes it
    helper = PipeThread(lambda: pyrage.encrypt_io(source, sink, [recipient]), source)
    try:
        with open(into, "wb", buffering=0) as pipe:
            yield pipe
    finally:
        helper.finish()


def _gzip(sink: Any) -> BinaryIO:
    opened = _igzip(sink, "wb", compresslevel=_LEVEL, threads=_THREADS, block_size=BLOCK)
    return cast(BinaryIO, opened)


@contextmanager
def decompressed(source: BinaryIO, name: Packed, load_identity: LoadIdentity) -> Iterator[BinaryIO]:
    """Reads the SQL of a backup. Raises BackupError where the bytes are damaged."""
    try:
        if not name.encrypted:
            with _igzip(source, "rb", threads=1, block_size=BLOCK) as sql:
                yield cast(BinaryIO, sql)
            return
        with (
            _decrypted(source, load_identity()) as compressed,
            _igzip(compressed, "rb", threads=1, block_size=BLOCK) as sql,
        ):
            yield cast(BinaryIO, sql)
    except (_Isal, EOFError, pyrage.DecryptError) as error:
        raise _broken(name, error) from None
    except OSError as error:
        if error.errno is not None:  # of the file itself, not of its content
            raise
        raise _broken(name, error) from None


def _broken(name: Packed, error: Exception) -> BackupError:
    if "No matching keys" in str(error):
        return BackupError(f"{name}: the key in BACKUP_AGE_IDENTITY does not open it")
    return BackupError(f"{name}: broken: {error}")


@contextmanager
def _decrypted(
    source: BinaryIO, keys: list[x25519.Identity], whole: bool = True
) -> Iterator[BinaryIO]:
    """Reads what is encrypted, to its end or, not `whole`, as far as somebody wants to know it."""
    out, into = os.pipe()
    pipe = open(into, "wb", buffering=BLOCK)  # noqa: SIM115  the helper closes it
    helper = PipeThread(lambda: pyrage.decrypt_io(source, pipe, keys), pipe)
    try:
        with open(out, "rb", buffering=0) as content:
            try:
                yield cast(BinaryIO, content)
            except Exception:
                helper.raise_error()  # where the decryption has failed, that is the cause
                raise
    finally:
        helper.join()  # it reads `source`, which is closed next
    if whole:
        helper.raise_error()


@contextmanager
def opened(source: BinaryIO, name: Packed, load_identity: LoadIdentity) -> Iterator[BinaryIO]:
    """Reads a file as far as somebody wants to, decrypted where it is encrypted. Whoever reads
    checks what it reads. Raises BackupError where it cannot be decrypted."""
    if not name.encrypted:
        yield source
        return
    try:
        with (
            _decrypted(source, load_identity(), whole=False) as raw,
            io.BufferedReader(cast(io.RawIOBase, raw), BLOCK) as content,
        ):
            yield cast(BinaryIO, content)
    except pyrage.DecryptError as error:
        raise _broken(name, error) from None
    except OSError as error:
        if error.errno is not None:  # of the file itself, not of its content
            raise
        raise _broken(name, error) from None


def read_to_end(
    source: BinaryIO,
    name: Packed,
    load_identity: LoadIdentity,
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[str, int, int]:
    """Reads a backup to its end. Returns SHA-256 and bytes of the file, and the bytes of its SQL.
    `on_progress` is called with the bytes of SQL so far.

    Raises BackupError for damaged gzip, and for SQL without pg_dump's closing line at its end.
    """
    trailer = TrailerCheck()

    def look(block: bytes) -> None:
        trailer.add(block)
        on_progress(trailer.size)

    found = read_through(source, name, load_identity, look)
    if not trailer.complete:
        raise BackupError(f"{name}: not whole: pg_dump's closing line is missing")
    return found


def read_through(
    source: BinaryIO,
    name: Packed,
    load_identity: LoadIdentity,
    on_block: Callable[[bytes], object] = len,
) -> tuple[str, int, int]:
    """Reads a file to its end. Returns SHA-256 and bytes of the file, and the bytes of its content,
    which are given to `on_block`. Raises BackupError for damaged gzip."""
    hashed, size = HashingReader(source), 0
    with decompressed(cast(BinaryIO, hashed), name, load_identity) as content:
        while block := content.read(BLOCK):
            size += len(block)
            on_block(block)
    hashed.drain()  # bytes after the gzip stream count too
    return hashed.hexdigest(), hashed.size, size


class HashingReader:
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

    def drain(self) -> None:
        """Reads the rest."""
        while self.read(BLOCK):
            pass

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def checksum(source: BinaryIO) -> tuple[str, int]:
    """Returns SHA-256 and bytes of a file."""
    hashed = HashingReader(source)
    hashed.drain()
    return hashed.hexdigest(), hashed.size
