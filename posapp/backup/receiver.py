"""Receives all that is written to the server: what a base backup needs to reach any later moment.

BACKUP_DIR/wal/    pg_receivewal: what was written since, signed within a second; where there is
                   a recipient encrypted, within half a minute

It reads over the network: it runs wherever BACKUP_DIR is. A replication slot makes the server keep
what has not been received, up to `max_slot_wal_keep_size`.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path

import psycopg2

from posapp.backup import received, recovery
from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError, Refused
from posapp.backup.keeping import Keeping
from posapp.backup.postgres.client import Connection, PostgresClient, first_error
from posapp.backup.postgres.slot import (
    SLOT,
    drop_slot,
    has_segment,
    read_slot,
    received_until,
    segment_bytes,
    surely_has_segment,
)

_NOTE_EVERY = 30.0
"""Seconds between two marks that say until when all is known."""
_SIGN_EVERY = 1.0
"""Seconds."""
_PAUSE = 0.2
_ARGUMENTS = (f"--slot={SLOT}", "--no-password")


def receive_wal(context: BackupContext) -> int:
    """Receives WAL for as long as this process lives. Returns pg_receivewal's exit code.

    Raises Refused where the folder has another server's, and BackupError.
    """
    client, target = context.client, context.storage.prepare(received.FOLDER)
    known, system = recovery.known_until(target), recovery.mark(client).system
    if known is not None and known.system != system:
        raise Refused(f"{target}: holds WAL of another server; name another BACKUP_DIR")
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with client.connect() as connection:
            keeping = Keeping(context, target, system, segment_bytes(connection))
        with _sending(context, target, system):
            while True:
                _go_on(context, keeping)
                _create_slot(client)
                arguments = (f"--directory={keeping.folder}", *_ARGUMENTS, "--synchronous")
                with client.start("pg_receivewal", *arguments) as program:
                    try:
                        lost = _watch(program, context, keeping, ended)
                    finally:
                        program.terminate()
                        code = program.wait()
                keeping.sign(None)
                keeping.pack()
                if not lost:
                    return code
    except OSError as error:
        raise BackupError(f"{target}: {error.strerror or error}") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sending(context: BackupContext, wal: Path, system: str) -> AbstractContextManager[None]:
    if context.bucket is None:
        return nullcontext()
    from posapp.backup.archive import Archive  # boto3 is loaded for those who have one
    from posapp.backup.sending import Sending

    identity = context.own.id if context.own else None
    archive = Archive.of(context.bucket, context.key, identity, system)
    return Sending(context, wal, archive)


def _go_on(context: BackupContext, keeping: Keeping) -> None:
    """Where the server has removed what was to come next, begins anew and tells so: nothing will
    ever close the gap."""
    with context.client.connect() as connection:
        slot = read_slot(connection)
        if slot is not None and slot.lost:
            drop_slot(connection)
        keeping.begin(lambda last_digits: surely_has_segment(connection, last_digits))
        asked_for = received.asked_for(keeping.folder, segment_bytes(connection))
        if asked_for is None or has_segment(connection, asked_for):
            return
    keeping.begin_anew()
    text = (
        "❌ A part of what was written is lost: the server has removed it before it was received."
        " No moment after that can be restored until there is a new base backup: posapp backup base"
    )
    context.log.write(text)
    context.notifications.send_webhook("wal-lost", text)


def _create_slot(client: PostgresClient) -> None:
    with tempfile.TemporaryFile() as errors:
        arguments = (*_ARGUMENTS, "--create-slot", "--if-not-exists")
        with client.start("pg_receivewal", *arguments, stderr=errors) as process:
            code = process.wait()
        if code:
            raise BackupError(f"pg_receivewal: {first_error(errors) or f'exit code {code}'}")


def _watch(
    program: subprocess.Popen[bytes],
    context: BackupContext,
    keeping: Keeping,
    ended: threading.Event,
) -> bool:
    """Waits for the end of the receiver, and notes meanwhile until when all is known. Returns
    whether it would ask for ever for what is not there any more."""
    known, note_at, sign_at = False, context.clock.monotonic() + 1.0, 0.0
    with Position(context.client) as position:
        while program.poll() is None and not ended.wait(_PAUSE):
            try:
                if context.clock.monotonic() >= sign_at:
                    sign_at = context.clock.monotonic() + _SIGN_EVERY
                    keeping.sign(position.read())
                if context.clock.monotonic() < note_at:
                    continue
                known = recovery.note_known(
                    context.client, keeping.wal, context.clock, keeping.key, keeping.keep
                )
                if not known and _is_gone(context.client, keeping):
                    return True
            except (BackupError, OSError) as error:
                context.log.write(f"It could not be noted until when all is known: {error}")
            note_at = context.clock.monotonic() + (_NOTE_EVERY if known else 1.0)
        with suppress(OSError):
            keeping.sign(position.read())
    return False


class Position:
    """Asks the server until where was received, on one connection."""

    def __init__(self, client: PostgresClient) -> None:
        self._client = client
        self._resources = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> Position:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BackupError):
            self._resources.close()

    def read(self) -> int | None:
        """Returns a position in WAL; None where nobody answers, or nobody receives."""
        try:
            if self._connection is None:
                self._connection = self._resources.enter_context(self._client.connect())
            return received_until(self._connection)
        except (BackupError, psycopg2.Error):
            self._connection = None
            with suppress(BackupError):
                self._resources.close()
            return None


def _is_gone(client: PostgresClient, keeping: Keeping) -> bool:
    """Whether the slot is lost, or the server has removed what is to be received next."""
    with client.connect() as connection:
        slot = read_slot(connection)
        if slot is not None and slot.lost:
            return True
        asked_for = received.asked_for(keeping.folder, segment_bytes(connection))
        return asked_for is not None and not has_segment(connection, asked_for)
