"""Point in time: the database as it was at a moment, as a backup that is restored like any other.

A base backup and every change since, by PostgreSQL's own programs: see `base_backup` and
`receiver`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from posapp import JAKARTA
from posapp.backup import received, recovery, room
from posapp.backup.base_backup import BaseBackup, choose_base, first_segment, list_base_backups
from posapp.backup.context import BackupContext
from posapp.backup.create import create_backup
from posapp.backup.errors import BackupError, Refused
from posapp.backup.keeping import receiving_folder
from posapp.backup.model.backup import Backup
from posapp.backup.storage.folder import FolderStorage

if TYPE_CHECKING:
    from posapp.backup.archive import Archive


@contextmanager
def backup_as_of(
    at: str, context: BackupContext, scratch: FolderStorage
) -> Iterator[tuple[Backup, datetime | None]]:
    """Creates a backup of the database as it was at a moment, in the scratch folder, and gives it
    with the moment that it shows. It is restored as any other backup.

    Raises Refused and BackupError.
    """
    target = parse_target_time(at, context.clock.now())
    fetched = scratch.prepare("fetched")
    base, archive = _choose(context, target, fetched)
    live = recovery.mark_live(context.client, context.log)
    found = _received(context, base, archive, fetched)
    with recovery.recovered(base.path, found, target, live, context.log) as server:
        on_scratch = context.scratch(
            server.client.on(context.client.database), scratch, context.recipient
        )
        with scratch.lock() as lock:
            backup = create_backup("daily", on_scratch, lock)
    yield backup, server.at


def _choose(
    context: BackupContext, target: datetime | None, fetched: Path
) -> tuple[BaseBackup, Archive | None]:
    """Returns the base backup from which a moment is recovered, here or else fetched from the
    bucket, and where what was written since may be. Raises Refused and BackupError."""
    here = list_base_backups(context.storage)
    try:
        base = choose_base(here, target)
    except Refused:
        if context.bucket is None:
            raise
        return _fetch_base(context, target, fetched)
    manifest = base.manifest
    if manifest is None:
        return base, None
    if not context.key.has_signed_text(manifest.signed_text, manifest.signature):
        raise BackupError(f"{base.path}: not signed by BACKUP_KEY: it is not ours, or was changed")
    if context.bucket is None:
        return base, None
    from posapp.backup.archive import Archive  # boto3 is loaded for those who have one

    identity, system = manifest.identity, manifest.system_identifier or "0"
    return base, Archive.of(context.bucket, context.key, identity, system)


def _fetch_base(
    context: BackupContext, target: datetime | None, fetched: Path
) -> tuple[BaseBackup, Archive]:
    """Raises Refused and BackupError."""
    from posapp.backup.archive import find_archives

    assert context.bucket is not None
    found = {
        base: archive
        for archive in find_archives(context.bucket, context.key, context.own)
        for base in archive.list_bases(fetched)
    }
    base = choose_base(sorted(found), target)
    assert base.manifest is not None
    need = room.Need(fetched, base.manifest.size_bytes, "the copy of the base backup")
    room.require([need], context.settings.backup_disk_reserve)
    context.log.write(f"Fetching {base.path.name} from {context.bucket.location}")
    found[base].fetch_base(base)
    return base, found[base]


def _received(
    context: BackupContext, base: BaseBackup, archive: Archive | None, fetched: Path
) -> recovery.Received:
    """Returns where what was written since the base backup lies; what is missing here is fetched,
    packed as it is. Raises Refused and BackupError."""
    wal = context.storage.prepare(received.FOLDER)
    system = base.manifest.system_identifier if base.manifest else None
    receiving = receiving_folder(context.settings, system) if system else None
    if receiving is not None and not receiving.is_dir():
        receiving = None
    identity = context.settings.backup_age_identity
    if archive is None:
        return recovery.Received(wal, receiving, None, identity)
    names = received.list_segments(wal)
    first = first_segment(base)
    size = base.manifest.segment_bytes if base.manifest else received.segment_size(wal)
    if names and not received.count_missing([first, *names], first, size) and first in names:
        return recovery.Received(wal, receiving, None, identity)
    there = archive.list_wal()
    wanted = {
        name: size_there
        for name, size_there in there.items()
        if ".history" in name or name[8:24] >= first[8:]
    }
    need = room.Need(fetched, sum(wanted.values()), "what was received since")
    room.require([need], context.settings.backup_disk_reserve)
    context.log.write(f"Fetching {len(wanted)} files of WAL from {archive.bucket.location}")
    archive.fetch_wal(wanted, fetched)
    archive.fetch_known(fetched)
    return recovery.Received(wal, receiving, fetched, identity)


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
