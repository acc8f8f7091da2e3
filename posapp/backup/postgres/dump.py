"""The way of the bytes between the database's programs and a file.

Nothing is ever whole in memory, and the exit code of every program counts.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO, BinaryIO, cast

import pyrage
from pyrage import x25519

from posapp.backup.compression import BLOCK, COMPLETE, TAIL, Hashed, packed
from posapp.backup.errors import BackupError
from posapp.backup.postgres.client import Access, complaint
from posapp.backup.postgres.snapshot import LOCK_WAIT

_QUICK = "-c synchronous_commit=off -c maintenance_work_mem=256MB"
"""The commit of the swap, which comes after, makes all of it durable."""

Progress = Callable[[int], None]
"""Is told the bytes of SQL so far."""


def dump(
    access: Access, snapshot: str, sink: Hashed, key: x25519.Recipient | None, told: Progress
) -> int:
    """Dumps the database as the snapshot shows it; the bytes of its SQL.

    Raises BackupError when pg_dump fails, OSError when the file cannot be written.
    """
    with tempfile.TemporaryFile() as errors:
        program = access.start(
            *("pg_dump", "--format=plain", f"--snapshot={snapshot}", "--no-password"),
            f"--lock-wait-timeout={LOCK_WAIT}s",
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            with packed(sink, key) as gzip:
                size, tail = _copy(cast(BinaryIO, program.stdout), gzip, told)
            code = program.wait()
        except (OSError, pyrage.EncryptError) as error:
            raise sink.error or error from None  # what lies between may have wrapped it
        finally:
            _end(program)
        if code:
            raise BackupError(f"pg_dump: {complaint(errors) or f'exit code {code}'}")
    if COMPLETE not in tail:
        raise BackupError("pg_dump has not written its closing line")
    return size


def load(access: Access, sql: BinaryIO, told: Progress) -> None:
    """Runs a dump's SQL in an empty database, up to its first error. Raises BackupError.

    Not in one transaction, which is slower: a database that has not got all of it is dropped.
    """
    with tempfile.TemporaryFile() as errors:
        program = access.start(
            *("psql", "--no-psqlrc", "--quiet", "--no-password"),
            *("--set=ON_ERROR_STOP=1", "--output=/dev/null"),
            options=_QUICK,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            tail = b""
            with suppress(BrokenPipeError), cast(BinaryIO, program.stdin) as into:
                _, tail = _copy(sql, into, told)
            code = program.wait()
        finally:
            _end(program)
        if code:
            raise BackupError(f"psql: {complaint(errors) or f'exit code {code}'}")
    if COMPLETE not in tail:
        raise BackupError("the backup is not whole: pg_dump's closing line is missing")


def _end(program: subprocess.Popen[bytes]) -> None:
    """Kills what still runs."""
    with program:
        if program.poll() is None:
            program.kill()
            with suppress(OSError):
                if program.stdin:
                    program.stdin.close()


def _copy(source: BinaryIO, sink: IO[bytes], told: Progress) -> tuple[int, bytes]:
    """How many bytes went by, and the last of them."""
    size, tail = 0, b""
    while block := source.read(BLOCK):
        sink.write(block)
        size += len(block)
        tail = (tail[-TAIL:] + block[-TAIL:])[-TAIL:]
        told(size)
    return size, tail
