"""Runs pg_dump and psql: the bytes between a database and a file.

Nothing is ever whole in memory, and the exit code of every program counts.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

import pyrage
from pyrage import x25519

from posapp.backup.compression import (
    BLOCK,
    HashingWriter,
    TrailerCheck,
    compressed,
    encrypted,
)
from posapp.backup.errors import BackupError
from posapp.backup.gzip_check import GzipCheck
from posapp.backup.postgres.client import (
    LOCK_WAIT,
    NO_TIMEOUTS,
    PostgresClient,
    first_error,
    one_line,
    query,
)
from posapp.backup.postgres.dump_filter import DumpFilter, Piece
from posapp.backup.postgres.psql import Sharing

_LOCKED_OUT = """
SELECT coalesce(l.relation::regclass::text, l.locktype), pg_blocking_pids(a.pid)::text
FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
WHERE a.application_name = 'pg_dump' AND a.datname = current_database()
  AND clock_timestamp() - a.query_start > make_interval(secs => %s)
"""
_LOCKED = "{} stays locked by the server process {} for {} s; see it in pg_stat_activity"

Progress = Callable[[int], None]
"""Called with the bytes of SQL so far."""


def dump_database(
    client: PostgresClient,
    snapshot: str,
    sink: HashingWriter,
    recipient: x25519.Recipient | None,
    on_progress: Progress,
) -> int:
    """Dumps the database as the snapshot shows it; what is written is read to its end meanwhile.
    Returns the bytes of its SQL.

    Raises BackupError when pg_dump fails, or what is written is not whole; OSError when the file
    cannot be written.
    """
    with tempfile.TemporaryFile() as errors:
        program = client.start(
            *("pg_dump", "--format=plain", f"--snapshot={snapshot}", "--no-password"),
            f"--lock-wait-timeout={LOCK_WAIT}s",
            options=NO_TIMEOUTS,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            with (
                _ended_when_locked_out(client, program) as reasons,
                encrypted(sink, recipient) as into,
                GzipCheck(into) as check,
                compressed(check, None) as gzip,
            ):
                trailer = _copy(cast(BinaryIO, program.stdout), gzip, on_progress)
            code = program.wait()
        except (OSError, pyrage.EncryptError) as error:
            raise sink.error or error from None  # what lies between may have wrapped it
        finally:
            _end(program)
        if code:
            reason = first_error(errors) or (reasons and reasons[0]) or f"exit code {code}"
            raise BackupError(f"pg_dump: {reason}")
    if not trailer.complete:
        raise BackupError("pg_dump has not written its closing line")
    if (found := check.result()) != trailer.size:
        raise BackupError(f"what was compressed is not whole: {found} of {trailer.size} bytes")
    return trailer.size


@contextmanager
def _ended_when_locked_out(
    client: PostgresClient, program: subprocess.Popen[bytes]
) -> Iterator[list[str]]:
    """Ends a pg_dump that waits too long for a lock: its own option is for tables alone, and for a
    view that somebody drops it would wait as long as they do. Gives the list of reasons."""
    reasons: list[str] = []
    done = threading.Event()

    def watch() -> None:
        with suppress(BackupError), client.connect() as connection:  # without it pg_dump goes on
            while not done.wait(LOCK_WAIT / 4):
                for name, others in query(connection, _LOCKED_OUT, LOCK_WAIT):
                    reasons.append(_LOCKED.format(one_line(name), others[1:-1], LOCK_WAIT))
                    program.kill()
                    return

    watching = threading.Thread(target=watch, name="pg_dump's locks", daemon=True)
    watching.start()
    try:
        yield reasons
    finally:
        done.set()
        watching.join(5)  # a server that hangs is not waited for


def load_sql(
    client: PostgresClient, sql: BinaryIO, on_progress: Progress, passed: DumpFilter
) -> None:
    """Runs a dump's SQL in an empty database, up to its first error, without psql's own commands
    and what the filter leaves out. Raises BackupError.

    Not in one transaction, which is slower: a database that is incomplete is dropped.
    """
    trailer = TrailerCheck()
    with Sharing(client, passed.settings) as sharing:
        while block := sql.read(BLOCK):
            for piece in passed.pieces(block):
                sharing.write(piece)
            trailer.add(block)
            on_progress(trailer.size)
        sharing.write(Piece(passed.finish()))
        sharing.finish()
    if not trailer.complete:
        raise BackupError("the backup is not whole: pg_dump's closing line is missing")


def _end(program: subprocess.Popen[bytes]) -> None:
    """Kills what still runs."""
    with program:
        if program.poll() is None:
            program.kill()
            with suppress(OSError):
                if program.stdin:
                    program.stdin.close()


def _copy(source: BinaryIO, sink: BinaryIO, on_progress: Progress) -> TrailerCheck:
    """Copies to the end; returns what the end looked like."""
    trailer = TrailerCheck()
    while block := source.read(BLOCK):
        sink.write(block)
        trailer.add(block)
        on_progress(trailer.size)
    return trailer
