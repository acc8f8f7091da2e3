"""Runs a dump's SQL in psql; the rows of a large table in two of them, by turns.

A row is taken in by one process of the server, so that a second one takes in as many meanwhile. It
joins a COPY that is under way, and has ended before the next statement begins.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from contextlib import suppress
from typing import IO, cast

from posapp.backup.compression import BLOCK
from posapp.backup.errors import BackupError
from posapp.backup.postgres.client import (
    NO_TRANSACTION_TIMEOUT,
    PATIENT,
    PostgresClient,
    first_error,
    lock_wait,
)
from posapp.backup.postgres.dump_filter import Piece

SHARED_FROM = 8 * BLOCK
"""Bytes of rows from which on a table is shared. More than lies in any buffer on the way: when so
many have been taken, the statement before them has been run."""
_TURN = BLOCK // 2
"""Bytes after which the other one gets the next row."""
_QUICK = "-c synchronous_commit=off -c maintenance_work_mem=256MB"
"""The commit of the cut-over, which comes after, makes all of it durable."""


class Psql:
    """A psql that runs what is written to it, up to its first error, without its own commands.
    Context manager, which kills it where it was not finished."""

    def __init__(self, client: PostgresClient) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the program
        self._program = client.start(
            *("psql", "--no-psqlrc", "--quiet", "--no-password"),
            *("--set=ON_ERROR_STOP=1", "--output=/dev/null"),
            # Nobody else is in the database. Of a dump whose keys come before its rows, one of them
            # twice, one session waits for the other, and that for more of its rows: it ends so.
            options=f"{PATIENT} {_QUICK} {lock_wait()}",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        self._into = cast("IO[bytes]", self._program.stdin)
        restrict = f"\\restrict {secrets.token_hex(16)}\n"
        self.write(f"{restrict}{NO_TRANSACTION_TIMEOUT}".encode())

    def __enter__(self) -> Psql:
        return self

    def __exit__(self, *_: object) -> None:
        with self._errors, self._program:
            if self._program.poll() is None:
                self._program.kill()
            with suppress(OSError):
                self._into.close()

    def write(self, text: bytes) -> None:
        """Has it run a text. Raises BackupError where it has ended."""
        try:
            self._into.write(text)
        except BrokenPipeError:
            self.finish()
            raise BackupError("psql has ended before it had run all") from None

    def finish(self) -> None:
        """Waits until all is run. Raises BackupError, with its first error."""
        with suppress(BrokenPipeError):
            self._into.close()
        if code := self._program.wait():
            raise BackupError(f"psql: {first_error(self._errors) or f'exit code {code}'}")


class Sharing:
    """Writes a dump's pieces to psql, rows of a large table to a second one too. Context manager;
    `settings` are what the dump has set for its session so far."""

    def __init__(self, client: PostgresClient, settings: dict[bytes, bytes]) -> None:
        self._client = client
        self._settings = settings
        self._main = Psql(client)
        self._helper: Psql | None = None
        self._turn = self._main
        self._taken = 0
        self._rows = 0

    def __enter__(self) -> Sharing:
        return self

    def __exit__(self, *exception: object) -> None:
        self._main.__exit__()
        if self._helper is not None:
            self._helper.__exit__()

    def write(self, piece: Piece) -> None:
        """Has a piece run. Raises BackupError."""
        if not piece.copy:
            self._end_sharing()
            self._main.write(piece.text)
            return
        self._rows += len(piece.text)
        if self._helper is None and self._rows > SHARED_FROM:
            self._helper = Psql(self._client)
            self._helper.write(b"".join(self._settings.values()) + piece.copy)
        self._share(piece.text)

    def finish(self) -> None:
        """Waits until all is run. Raises BackupError."""
        self._end_sharing()
        self._main.finish()

    def _share(self, rows: bytes) -> None:
        """Writes rows to the one whose turn it is; a turn ends with a row."""
        at = 0
        while self._helper is not None and self._taken + len(rows) - at >= _TURN:
            end = rows.find(b"\n", at + max(0, _TURN - self._taken)) + 1
            if not end:
                break
            self._turn.write(rows[at:end])
            self._turn = self._main if self._turn is self._helper else self._helper
            at, self._taken = end, 0
        self._turn.write(rows[at:] if at else rows)
        self._taken += len(rows) - at

    def _end_sharing(self) -> None:
        """Waits for the second one, where there is one: what follows may need its rows."""
        helper, self._helper = self._helper, None
        if helper is not None:
            with helper:
                helper.write(b"\\.\n")
                helper.finish()
        self._turn, self._taken, self._rows = self._main, 0, 0
