"""The context of a backup command: settings, run log, storage, database and notifications."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click
import psycopg2.extensions
from psycopg2.extras import wait_select
from pyrage import x25519

from healthkit import Clock
from healthkit.fields import format_duration
from healthkit.masking import escape_controls, mask
from posapp.backup.encryption import load_identity, load_recipient
from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.model.backup import Backup, format_local
from posapp.backup.model.identity import Identity
from posapp.backup.notifications import Notifications
from posapp.backup.output import open_missing, show
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.installation import read_identity
from posapp.backup.progress import bar, describe
from posapp.backup.signing import SigningKey
from posapp.backup.storage import Storage
from posapp.backup.storage.folder import FolderStorage
from posapp.database.schema import DatabaseError
from posapp.runtime import postgres
from posapp.runtime.files import open_rotated
from posapp.runtime.postgres import EmbeddedPostgresError
from posapp.settings import Settings

if TYPE_CHECKING:
    from posapp.backup.storage.s3 import S3Storage

_RUNS, _USUAL_OF, _LEAST_RUN = 2, 7, timedelta(minutes=10)
"""A lock that is held for longer than so many usual runs is a fault, not a coincidence."""
_TERMINAL_EVERY, _LINE_EVERY = 0.5, 30.0
"""Seconds between two looks at the progress."""
SYSTEM_LOGS = Path("/var/log/steak-kenangan")


@dataclass
class RunLog:
    """The lines of one run, with Jakarta's time before them: on the standard output and in a file;
    the progress as a bar on a terminal, else as a line now and then."""

    path: Path
    clock: Clock
    _shown: float | None = field(default=None, init=False)
    _began: float = field(default=0.0, init=False)
    _total: int | None = field(default=None, init=False)

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> RunLog:
        """Writes to BACKUP_LOG; by default to /var/log/steak-kenangan/backup.log where that folder
        can be written, else to backup.log in BACKUP_DIR."""
        if settings.backup_log is not None:
            return cls(settings.backup_log, clock)
        system = SYSTEM_LOGS.is_dir() and os.access(SYSTEM_LOGS, os.W_OK)
        return cls((SYSTEM_LOGS if system else settings.backup_dir) / "backup.log", clock)

    def write(self, text: str) -> None:
        self._clear_progress()
        self._write(text)

    def _write(self, text: str) -> None:
        line = self.line(text)
        show(line)
        try:
            with open_rotated(self.path) as file:
                file.write(f"{line}\n".encode())
        except OSError as error:
            show(f"{self.path}: {error.strerror}; this line is not in it", err=True)

    def line(self, text: str) -> str:
        return f"[{format_local(self.clock.now())}] {escape_controls(mask(text))}"

    def expect(self, total: int | None) -> None:
        """Begins a step of about so many bytes; None where nobody knows."""
        self._clear_progress()
        self._total = total
        self._began = self._shown = self.clock.monotonic()

    def progress(self, done: int) -> None:
        """Shows how many bytes of the step are done: twice a second on a terminal, else a line each
        half minute."""
        now, terminal = self.clock.monotonic(), sys.stderr.isatty()
        if self._shown is None:
            self._began = self._shown = now
        if now - self._shown < (_TERMINAL_EVERY if terminal else _LINE_EVERY):
            return
        self._shown = now
        text = describe(done, self._total, now - self._began)
        if terminal:
            shown = f"\r  {bar(done, self._total)}{text}\x1b[K"
            show(shown, err=True, nl=False)
        else:
            self._write(f"  {text}")

    def _clear_progress(self) -> None:
        if self._shown is not None and sys.stderr.isatty():
            show("\r\x1b[K", err=True, nl=False)
        self._shown = None


@dataclass(eq=False)
class BackupContext:
    """All that a run works with. The database is opened when first used, and all is closed with
    the context."""

    settings: Settings
    clock: Clock
    log: RunLog
    notifications: Notifications
    storage: FolderStorage
    bucket: S3Storage | None
    recipient: x25519.Recipient | None
    """The key that backups are encrypted for, if any."""
    _resources: ExitStack

    @cached_property
    def client(self) -> PostgresClient:
        """The database; the embedded server is started for it. Raises EmbeddedPostgresError."""
        return PostgresClient(self._resources.enter_context(postgres.use_database(self.settings)))

    @cached_property
    def key(self) -> SigningKey:
        """The key that signs backups. Raises Refused."""
        return SigningKey.from_settings(self.settings)

    def is_good(self, backup: Backup) -> bool:
        """Whether a backup is intact, and signed: nobody has made it but us."""
        return backup.intact and self.key.has_signed(backup.manifest)

    @cached_property
    def own(self) -> Identity | None:
        """Whose backups are ours; None for an empty database, and for one that does not answer: a
        new machine, on which there is nothing yet."""
        try:
            return read_identity(self.client)
        except (BackupError, EmbeddedPostgresError) as error:
            self.log.write(f"Whose backups are ours is not known: {error}")
            return None

    @property
    def storages(self) -> list[Storage]:
        return [self.storage, self.bucket] if self.bucket else [self.storage]

    def load_identity(self) -> list[x25519.Identity]:
        """Returns the keys that open encrypted backups. Raises Refused."""
        return load_identity(self.settings.backup_age_identity)

    def scratch(
        self,
        client: PostgresClient,
        storage: FolderStorage,
        recipient: x25519.Recipient | None = None,
    ) -> BackupContext:
        """Returns the same run on another database and folder, without S3, and unencrypted but for
        a `recipient`."""
        other = replace(self, storage=storage, bucket=None, recipient=recipient)
        other.client = client
        return other


@contextmanager
def open_context(
    environ: Mapping[str, str], clock: Clock, run: str | None = None, attended: bool = False
) -> Iterator[BackupContext]:
    """Opens the context of a command; the failure of a named `run` is notified.

    `attended` runs are watched by whoever started them: a refusal is not notified. Raises
    SettingsError, and Refused for a BACKUP_AGE_RECIPIENT that is no key.
    """
    open_missing()
    settings = Settings.from_env(environ)
    log = RunLog.from_settings(settings, clock)
    notifications = Notifications(settings, environ, log.write)
    storage = FolderStorage.from_settings(settings)
    usual = partial(_usual_run, storage)
    with ExitStack() as stack:
        if run is not None:
            stack.enter_context(_notify_on_failure(run, log, notifications, attended, usual))
        key = settings.backup_age_recipient
        recipient = load_recipient(key) if key else None
        bucket = None
        if settings.backup_s3_bucket is not None:
            from posapp.backup.storage.s3 import S3Storage  # boto3 is loaded for those who have one

            bucket = S3Storage.from_settings(settings, settings.backup_s3_bucket)
        if bucket is not None:
            stack.callback(bucket.close)
        yield BackupContext(settings, clock, log, notifications, storage, bucket, recipient, stack)


def _usual_run(storage: FolderStorage) -> timedelta:
    """Returns how long a backup usually takes, ten minutes at least."""
    took = [
        one.manifest.verified_at - one.manifest.created_at
        for one in storage.list_backups()
        if one.manifest and one.manifest.verified_at
    ]
    recent = sorted(took[-_USUAL_OF:])
    return max([_LEAST_RUN, *recent[len(recent) // 2 :][:1]])


@contextmanager
def _notify_on_failure(
    run: str,
    log: RunLog,
    notifications: Notifications,
    attended: bool,
    usual_run: Callable[[], timedelta],
) -> Iterator[None]:
    """Writes a failure to the log and sends it to ALERT_WEBHOOK.

    SIGTERM is a failure too, so that whatever was begun is cleaned up.
    """
    before, clock = signal.signal(signal.SIGTERM, _terminate), log.clock
    # Else a statement that waits for a lock would keep the signal waiting too.
    psycopg2.extensions.set_wait_callback(wait_select)
    try:
        yield
    except Busy as busy:
        log.write(str(busy))
        held = clock.now().timestamp() - (busy.since or clock.now().timestamp())
        if held > _RUNS * usual_run().total_seconds():
            text = f"❌ {run} could not run: {busy}, for {format_duration(timedelta(seconds=held))}"
            log.write(text)
            notifications.send_webhook("backup-blocked", text)
        raise
    except BaseException as error:  # whatever it is: nobody looks at a nightly run
        if isinstance(error, click.exceptions.Exit | GeneratorExit):
            raise
        if attended and isinstance(error, Refused):
            raise
        known = isinstance(error, BackupError | EmbeddedPostgresError | DatabaseError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        text = f"❌ {run} failed: {reason}"
        log.write(text)
        notifications.send_webhook(f"{run.split()[0].lower()}-failed", text)
        raise
    finally:
        psycopg2.extensions.set_wait_callback(None)
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise BackupError("stopped by SIGTERM")
