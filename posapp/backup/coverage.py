"""The moments that can be restored, and the threats to that."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthkit.fields import format_duration, format_size
from posapp.backup import received, recovery
from posapp.backup.base_backup import (
    BaseBackup,
    as_made,
    first_segment,
    is_signed,
    list_base_backups,
)
from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import format_local
from posapp.backup.model.base import DEFAULT_SEGMENT
from posapp.backup.postgres.client import Connection
from posapp.backup.postgres.installation import identity_in, system_identifier
from posapp.backup.postgres.slot import Slot, read_slot
from posapp.backup.recovery import Mark
from posapp.backup.signing import SigningKey
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.wal_signing import WalKey

if TYPE_CHECKING:
    from posapp.backup.archive import Archive
    from posapp.backup.storage.s3 import S3Storage

MAX_LAG = timedelta(minutes=15)
"""How long ago what is known may end before that is a fault."""
MAX_BASE_AGE = timedelta(days=8)
"""A base backup is made every week: recovery has to go through all that was written since."""


@dataclass(frozen=True)
class Coverage:
    """The base backups, until when all is known, and how many segments are missing in between."""

    bases: tuple[BaseBackup, ...]
    known: Mark | None
    missing: int

    where: str = ""
    """The place that was looked at."""

    @property
    def in_use(self) -> bool:
        """Whether this restaurant keeps what it needs to restore a moment, or once did."""
        return bool(self.bases) or self.known is not None

    def describe(self) -> str:
        """Returns which moments can be restored, in one line."""
        if not self.bases:
            return "no moment: there is no base backup"
        until = format_local(self.known.at) if self.known else "its end"
        text = f"every moment from {format_local(min(self.bases).at)} until {until}"
        return f"{text}, but for gaps ({self.missing} segments)" if self.missing else text


@dataclass(frozen=True)
class Holding:
    """The content of one place: base backups by time, the names of whole segments, and until when
    all is known."""

    where: str
    bases: tuple[BaseBackup, ...]
    segments: frozenset[str]
    known: Mark | None
    segment_bytes: int


def look_in_folder(storage: FolderStorage, key: SigningKey | None = None) -> Holding:
    """Looks at the folders of base backups and of WAL; with a key, at what it has signed: nothing
    else is restored. Raises BackupError and OSError."""
    wal = storage.root / received.FOLDER
    bases, names = list_base_backups(storage), received.list_segments(wal)
    size = received.segment_size(wal) if names else DEFAULT_SEGMENT
    wal_key = None
    if key is not None:
        bases = [one for one in bases if is_signed(one, key)]
        noted = recovery.known_until(wal)
        stated = bases[-1].manifest.system_identifier if bases and bases[-1].manifest else None
        wal_key = WalKey(key, stated or (noted.system if noted else "0"))
        names = [name for name in names if wal_key.has_signed(wal, name)]
    if bases and bases[-1].manifest is not None:
        size = bases[-1].manifest.segment_bytes
    known = recovery.known_until(wal, wal_key)
    return Holding(str(storage.root), tuple(bases), frozenset(names), known, size)


def look_in_bucket(archive: Archive) -> Holding:
    """Looks at the part of a bucket that is one restaurant's on one server. Raises BackupError."""
    with tempfile.TemporaryDirectory() as scratch:
        bases = tuple(archive.list_bases(Path(scratch)))
        archive.fetch_known(Path(scratch))
        known = recovery.known_until(Path(scratch))
    stated = bases[-1].manifest if bases else None
    size = stated.segment_bytes if stated else DEFAULT_SEGMENT
    there = archive.list_wal()
    names = received.segments_among(there)
    if stated and received.count_missing(names, stated.first_segment, size):
        # Somebody else's beyond the newest would make a gap. Each costs a request.
        names = received.segments_among(archive.own_wal(there))
    return Holding(archive.bucket.location, bases, frozenset(names), known, size)


def coverage_of(*holdings: Holding) -> Coverage:
    """Returns what can be restored from places together, all of one server: what one lacks is taken
    from another. Raises BackupError."""
    bases = {one.path.name: one for holding in reversed(holdings) for one in holding.bases}
    names = frozenset().union(*(one.segments for one in holdings))
    marks = [one.known for one in holdings if one.known]
    missing, made = 0, as_made(bases.values())
    if made and names:
        size = max(one.segment_bytes for one in holdings if one.bases)
        missing = received.count_missing(names, first_segment(made[-1]), size)
    known = max(marks, key=lambda mark: mark.at, default=None)
    where = " and ".join(one.where for one in holdings)
    return Coverage(tuple(made), known, missing, where)


def read_coverage(storage: FolderStorage, key: SigningKey | None = None) -> Coverage:
    """Reads what a folder holds. Raises BackupError and OSError."""
    return coverage_of(look_in_folder(storage, key))


def read_all(context: BackupContext) -> list[Coverage]:
    """Reads what the folder holds, and the bucket for each server of this restaurant that it has
    base backups of. Raises BackupError and OSError."""
    found = [read_coverage(context.storage, context.key)]
    if context.bucket is not None:
        from posapp.backup.archive import find_archives  # boto3 is loaded for those who have one

        archives = find_archives(context.bucket, context.key, context.own)
        found += [coverage_of(look_in_bucket(one)) for one in archives]
    return found


def find_faults(coverage: Coverage, slot: Slot | None, now: datetime) -> list[str]:
    """Returns why not every moment from the newest base backup until now can be restored."""
    if not coverage.in_use and slot is None:
        return []
    return [*find_gaps(coverage, now), *_slot_faults(slot)]


def find_gaps(coverage: Coverage, now: datetime) -> list[str]:
    """Returns what a place lacks."""
    found = []
    if not coverage.bases:
        found.append("there is no base backup: posapp backup base")
    if coverage.missing:
        found.append(f"{coverage.missing} segments are missing: posapp backup base makes a new one")
    if coverage.known is None:
        found.append("until when all is known was never noted")
    elif (lag := now - coverage.known.at) > MAX_LAG:
        found.append(f"known until {format_duration(lag)} ago")
    return found


def _slot_faults(slot: Slot | None) -> list[str]:
    found = []
    if slot is None:
        found.append("the slot is gone: is posapp backup receive-wal running?")
    elif slot.lost:
        found.append(
            "the slot is lost, and with it what was written since: restart posapp backup"
            " receive-wal, then posapp backup base"
        )
    elif not slot.active:
        found.append(
            "nothing receives what is written, and the server keeps"
            f" {format_size(slot.held)} for it: is posapp backup receive-wal running?"
        )
    return found


def find_warnings(coverage: Coverage, slot: Slot | None, now: datetime) -> list[str]:
    """Returns what will become a fault."""
    found = []
    if coverage.bases and (age := now - coverage.bases[-1].at) > MAX_BASE_AGE:
        found.append(f"the newest base backup is {format_duration(age)} old: posapp backup base")
    if slot is not None and not slot.lost:
        if slot.left is None:
            found.append(
                "the server keeps what is not received without a bound, until its disk is full:"
                " set max_slot_wal_keep_size"
            )
        elif slot.held > slot.left:
            found.append(f"the slot is lost after another {format_size(slot.left)}")
    return found


@dataclass(frozen=True)
class Judgement:
    """The verdict on it; a note where there is neither a fault nor a warning."""

    faults: list[str]
    warnings: list[str]
    note: str | None
    details: dict[str, Any]


def judge(
    backup_dir: Path,
    connection: Connection,
    now: datetime,
    key: SigningKey | None = None,
    bucket: S3Storage | None = None,
) -> Judgement:
    """Looks at BACKUP_DIR, at the bucket where there is one, and at the server. Raises psycopg2's
    errors."""
    slot = read_slot(connection)
    try:
        here = read_coverage(FolderStorage(backup_dir), key)
    except (BackupError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Judgement([f"{backup_dir}: {reason or error}"], [], None, {})
    places, faults = [here] if here.in_use or bucket is None else [], []
    if bucket is not None and key is not None:
        try:
            there = _in_bucket(bucket, key, connection)
        except BackupError as error:
            faults.append(str(error))
        else:
            if there.in_use or here.in_use:
                places.append(there)
                faults += [f"{there.where}: {one}" for one in find_gaps(there, now)]
    if not any(one.in_use for one in places) and slot is None and not faults:
        return Judgement([], [], "not in use", {})
    if here in places or slot is not None:
        faults = [*(find_gaps(here, now) if here in places else []), *_slot_faults(slot), *faults]
    newest = max(places, key=lambda one: one.bases[-1:], default=here)
    details = {
        "base": newest.bases[-1].at.isoformat() if newest.bases else None,
        "known_until": newest.known.at.isoformat() if newest.known else None,
        "held_bytes": slot.held if slot else 0,
    }
    return Judgement(faults, find_warnings(newest, slot, now), None, details)


def _in_bucket(bucket: S3Storage, key: SigningKey, connection: Connection) -> Coverage:
    from posapp.backup.archive import Archive  # boto3 is loaded for those who have one

    identity, system = identity_in(connection), system_identifier(connection)
    return coverage_of(look_in_bucket(Archive.of(bucket, key, identity, system or "0")))
