"""Point in time: the database as it was at a moment, as a backup that is restored like any other.

A base backup and every change since, by PostgreSQL's own programs: see `base_backup` and
`receiver`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from posapp import JAKARTA
from posapp.backup import received, recovery
from posapp.backup.base_backup import choose_base, list_base_backups
from posapp.backup.context import BackupContext
from posapp.backup.create import create_backup
from posapp.backup.errors import Refused
from posapp.backup.model.backup import Backup
from posapp.backup.storage.folder import FolderStorage


@contextmanager
def backup_as_of(
    at: str, context: BackupContext, scratch: FolderStorage
) -> Iterator[tuple[Backup, datetime | None]]:
    """Creates a backup of the database as it was at a moment, in the scratch folder, and gives it
    with the moment that it shows. It is restored as any other backup.

    Raises Refused and BackupError.
    """
    target = parse_target_time(at, context.clock.now())
    base = choose_base(list_base_backups(context.storage), target)
    live = recovery.mark_live(context.client, context.log)
    wal = context.storage.root / received.FOLDER
    with recovery.recovered(base.path, wal, target, live, context.log) as server:
        on_scratch = context.scratch(server.client.on(context.client.database), scratch)
        with scratch.lock() as lock:
            backup = create_backup("daily", on_scratch, lock)
    yield backup, server.at


def parse_target_time(text: str, now: datetime) -> datetime | None:
    """Parses `2025-12-26 10:30`, in Jakarta's time or with an offset; `latest` is None.

    Raises Refused.
    """
    if text == "latest":
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--at: {text!r} is not a time; write it like '2025-12-26 10:30'") from None
    found = found.replace(tzinfo=JAKARTA) if found.tzinfo is None else found
    if found > now:
        raise Refused(f"--at: {text} is in the future; --at latest is the latest that is known")
    return found.astimezone(UTC)
