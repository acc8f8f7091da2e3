"""What every command on backups has around it: settings, journal, database, and who is told."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

from posapp.backup import encryption
from posapp.backup.create import Work
from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.journal import Journal, log_file
from posapp.backup.notifications import call_webhook
from posapp.backup.postgres.client import Access
from posapp.backup.storage.folder import Folder
from posapp.backup.storage.s3 import Bucket
from posapp.database.schema import DatabaseError
from posapp.runtime import postgres
from posapp.runtime.postgres import EmbeddedPostgresError
from posapp.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


def folder_of(settings: Settings) -> Folder:
    return Folder(settings.backup_dir.resolve())


def journal_of(settings: Settings) -> Journal:
    return Journal(log_file(settings), now)


@contextmanager
def work_of(settings: Settings) -> Iterator[Work]:
    """Raises EmbeddedPostgresError, and Refused for keys that are none."""
    key = encryption.recipient(settings.backup_age_recipient)
    with postgres.use_database(settings) as url:
        yield Work(
            Access(url),
            folder_of(settings),
            Bucket.of(settings),
            key,
            lambda: encryption.identity(settings.backup_age_identity),
        )


@contextmanager
def alarmed(
    settings: Settings, journal: Journal, what: str, attended: bool = False
) -> Iterator[None]:
    """Tells the log and ALERT_WEBHOOK of a failure; a refusal only where nobody is looking.

    SIGTERM is a failure too, so that whatever was begun is cleaned up.
    """
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    except Busy as busy:
        journal.line(str(busy))
        raise
    except (BackupError, EmbeddedPostgresError, DatabaseError) as error:
        if attended and isinstance(error, Refused):
            raise
        journal.line(f"❌ {what} failed: {error}")
        name = what.split()[0].lower()
        text = f"❌ {what} failed: {error}"
        call_webhook(settings, journal.line, f"{name}-failed", text)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise BackupError("it was told to end (SIGTERM)")
