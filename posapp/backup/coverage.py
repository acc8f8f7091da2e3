"""The moments that can be restored, and the threats to that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from healthkit.fields import format_duration, format_size
from posapp.backup import received, recovery
from posapp.backup.base_backup import BaseBackup, first_segment, list_base_backups
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import format_local
from posapp.backup.postgres.slot import Slot, read_slot
from posapp.backup.recovery import Mark
from posapp.backup.storage.folder import FolderStorage

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

    @property
    def in_use(self) -> bool:
        """Whether this restaurant keeps what it needs to restore a moment, or once did."""
        return bool(self.bases) or self.known is not None

    def describe(self) -> str:
        """Returns which moments can be restored, in one line."""
        if not self.bases:
            return "no moment: there is no base backup"
        until = format_local(self.known.at) if self.known else "its end"
        text = f"every moment from {format_local(self.bases[0].at)} until {until}"
        return f"{text}, but for gaps ({self.missing} segments)" if self.missing else text


def read_coverage(storage: FolderStorage) -> Coverage:
    """Reads the folders of base backups and of WAL. Raises BackupError and OSError."""
    bases, wal = list_base_backups(storage), storage.root / received.FOLDER
    names, missing = received.list_segments(wal), 0
    if bases and names:
        stated = bases[-1].manifest
        size = stated.segment_bytes if stated else received.segment_size(wal)
        missing = received.count_missing(names, first_segment(bases[-1]), size)
    return Coverage(tuple(bases), recovery.known_until(wal), missing)


def find_faults(coverage: Coverage, slot: Slot | None, now: datetime) -> list[str]:
    """Returns why not every moment from the newest base backup until now can be restored."""
    if not coverage.in_use and slot is None:
        return []
    found = []
    if not coverage.bases:
        found.append("there is no base backup: posapp backup base")
    if coverage.missing:
        found.append(f"{coverage.missing} segments are missing: posapp backup base makes a new one")
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
    if coverage.known is None:
        found.append("until when all is known was never noted")
    elif (lag := now - coverage.known.at) > MAX_LAG:
        found.append(f"known until {format_duration(lag)} ago")
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


def judge(backup_dir: Path, connection: Any, now: datetime) -> Judgement:
    """Looks at BACKUP_DIR and at the server, over a connection of psycopg2. Raises its errors."""
    slot = read_slot(connection)
    try:
        coverage = read_coverage(FolderStorage(backup_dir))
    except (BackupError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Judgement([f"{backup_dir}: {reason or error}"], [], None, {})
    faults, warnings = find_faults(coverage, slot, now), find_warnings(coverage, slot, now)
    if not coverage.in_use and slot is None:
        return Judgement([], [], "not in use", {})
    details = {
        "base": coverage.bases[-1].at.isoformat() if coverage.bases else None,
        "known_until": coverage.known.at.isoformat() if coverage.known else None,
        "held_bytes": slot.held if slot else 0,
    }
    return Judgement(faults, warnings, None, details)
