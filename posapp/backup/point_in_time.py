"""Point in time: the database as it was at a moment, as a backup that is restored like any other.

A base backup and every change since, by PostgreSQL's own programs: see `base_backup` and
`receiver`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from posapp import JAKARTA
from posapp.backup import received, recovery, room
from posapp.backup.base_backup import (
    BaseBackup,
    as_made,
    choose_base,
    first_segment,
    is_signed,
    list_base_backups,
)
from posapp.backup.context import BackupContext
from posapp.backup.create import create_backup
from posapp.backup.errors import Refused
from posapp.backup.keeping import receiving_folder
from posapp.backup.model.backup import Backup
from posapp.backup.model.manifest import as_utc
from posapp.backup.restore import ConfirmTyped
from posapp.backup.signed_copy import UNSIGNED
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.wal_signing import WalKey, all_signed

if TYPE_CHECKING:
    from posapp.backup.archive import Archive

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?)?"
    r"|\d{8}([T ]\d{4}(\d\d)?(Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII,
)
"""Python reads more: 10.30, as people here write half past ten, is a moment after ten to it."""


@contextmanager
def backup_as_of(
    at: str,
    context: BackupContext,
    scratch: FolderStorage,
    confirm_unsigned: ConfirmTyped | None = None,
) -> Iterator[tuple[Backup, datetime | None]]:
    """Creates a backup of the database as it was at a moment, in the scratch folder, and gives it
    with the moment that it shows. It is restored as any other backup.

    What nobody has signed is taken where `confirm_unsigned` lets it: its answer is the name of the
    base backup. Raises Refused and BackupError.
    """
    target = parse_target_time(at, context.clock.now())
    fetched = scratch.prepare("fetched")
    base, archive = choose(context, target, fetched, confirm_unsigned is not None)
    if archive is not None and base.path.parent == fetched:
        _fetch_base(context, base, archive)
    live = recovery.mark_live(context.client, context.log)
    found = _received(context, base, archive, fetched)
    key = found.key
    signed = key is not None and is_signed(base, context.key) and all_signed(found.folders, key)
    if confirm_unsigned is not None and not signed:
        confirm_unsigned(
            f"{base.path.name} and what was received since: a server runs every byte of it, and"
            " whoever could write where it lies may have changed it. Recover it all the same?",
            base.path.name,
        )
        found = replace(found, key=None)
    with recovery.recovered(base.path, found, target, live, context.log) as server:
        on_scratch = context.scratch(
            server.client.on(context.client.database), scratch, context.recipient
        )
        with scratch.lock() as lock:
            backup = create_backup("daily", on_scratch, lock)
    yield backup, server.at


def choose(
    context: BackupContext, target: datetime | None, fetched: Path, unsigned: bool
) -> tuple[BaseBackup, Archive | None]:
    """Returns the base backup from which a moment is recovered, here or else in the bucket, from
    which its manifest alone is copied into `fetched`; and where what was written since may be.
    Raises Refused and BackupError."""
    found = list_base_backups(context.storage)
    here = [one for one in found if unsigned or is_signed(one, context.key)]
    try:
        base = choose_base(here, target)
    except Refused:
        if context.bucket is not None:
            return _choose_in_bucket(context, target, fetched)
        if len(here) < len(found):
            raise Refused(
                f"{found[-1].path}: {UNSIGNED}: it is not ours, is from version 1.0, or was"
                " changed; --unsigned takes it all the same, after a typed confirmation"
            ) from None
        raise
    manifest = base.manifest
    if manifest is None or context.bucket is None:
        return base, None
    from posapp.backup.archive import Archive  # boto3 is loaded for those who have one

    identity, system = manifest.identity, manifest.system_identifier or "0"
    return base, Archive.of(context.bucket, context.key, identity, system)


def _choose_in_bucket(
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
    base = choose_base(as_made(found), target)
    return base, found[base]


def _fetch_base(context: BackupContext, base: BaseBackup, archive: Archive) -> None:
    """Raises Refused and BackupError."""
    assert base.manifest is not None
    need = room.Need(base.path, base.manifest.size_bytes, "the copy of the base backup")
    room.require([need], context.settings.backup_disk_reserve)
    context.log.write(f"Fetching {base.path.name} from {archive.bucket.location}")
    archive.fetch_base(base)


def _received(
    context: BackupContext, base: BaseBackup, archive: Archive | None, fetched: Path
) -> recovery.Received:
    """Returns where what was written since the base backup lies; what is missing here, or is not
    signed, is fetched, packed as it is. Raises Refused and BackupError."""
    wal = context.storage.prepare(received.FOLDER)
    system = base.manifest.system_identifier if base.manifest else None
    receiving = receiving_folder(context.settings, system) if system else None
    if receiving is not None and not receiving.is_dir():
        receiving = None
    size = base.manifest.segment_bytes if base.manifest else received.segment_size(wal)
    key = WalKey(context.key, system or "0")
    here = recovery.Received(wal, receiving, None, context.settings.backup_age_identity, key, size)
    if archive is None:
        return here
    names = [name for name in received.list_segments(wal) if key.has_signed(wal, name)]
    first = first_segment(base)
    if names and not received.count_missing([first, *names], first, size) and first in names:
        return here
    there = archive.list_wal()
    wanted = {
        name: size_there
        for name, size_there in there.items()
        if ".history" in name or name[8:24] >= first[8:]
    }
    need = room.Need(fetched, sum(wanted.values()), "what was received since")
    room.require([need], context.settings.backup_disk_reserve)
    context.log.write(f"Fetching {len(wanted)} files of WAL from {archive.bucket.location}")
    archive.fetch_wal(wanted, fetched, lambda error: context.log.write(f"Left out: {error}"))
    archive.fetch_known(fetched)
    return replace(here, fetched=fetched)


def parse_target_time(text: str, now: datetime) -> datetime | None:
    """Parses `2025-12-26 10:30`, in Jakarta's time or with an offset; `latest` is None.

    Raises Refused.
    """
    if text == "latest":
        return None
    try:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        found = datetime.fromisoformat(text)
        found = as_utc(found.replace(tzinfo=JAKARTA) if found.tzinfo is None else found)
    except (ValueError, OverflowError):
        raise Refused(f"--at: {text!r} is not a time; write it like '2025-12-26 10:30'") from None
    if found > now:
        raise Refused(f"--at: {text} is in the future; --at latest is the latest that is known")
    return found
