"""Base backups: copies of the whole server, from which every later moment can be recovered.

BACKUP_DIR/base/base_YYYYMMDD_HHMMSS/    pg_basebackup: the whole server, as it was then
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from posapp.backup import received, room
from posapp.backup.context import BackupContext, RunLog
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import format_local, format_stamp, parse_stamp
from posapp.backup.postgres.client import (
    Connection,
    first_error,
    first_number,
    major,
    query,
    tool_version,
)
from posapp.backup.storage.folder import BackupLock, FolderStorage
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder
from posapp.runtime.postgres import BIN_DIR

KEPT = 2
"""The number of base backups; what was received before the oldest of them is removed."""
_NAME = re.compile(r"base_([0-9]{8}_[0-9]{6})")


@dataclass(frozen=True, order=True)
class BaseBackup:
    """A base backup; `at` is when it ended. Every moment from then on can be restored."""

    at: datetime
    path: Path


def list_base_backups(storage: FolderStorage) -> list[BaseBackup]:
    """Returns the base backups, by time; an unfinished one has another name."""
    found = []
    for path in (storage.root / "base").glob("base_*"):
        if match := _NAME.fullmatch(path.name):
            found.append(BaseBackup(parse_stamp(match[1]), path))
    return sorted(found)


def create_base_backup(context: BackupContext, lock: BackupLock) -> BaseBackup:
    """Creates and verifies a base backup, and removes older ones.

    Raises Refused and BackupError.
    """
    storage, client = context.storage, context.client
    lock.require(storage)
    root = storage.prepare("base")
    for leftover in root.glob(f"*{PARTIAL_SUFFIX}"):
        shutil.rmtree(leftover, ignore_errors=True)
    with client.connect() as connection:
        _require_same_major(connection)
        size = query(connection, "SELECT sum(pg_database_size(oid)) FROM pg_database")[0][0]
    needs = [room.Need(root, int(size) // 3, "the base backup")]
    room.require(needs, context.settings.backup_disk_reserve)
    part = root / f"base{PARTIAL_SUFFIX}"
    context.log.write("Copying the whole server")
    try:
        _copy(context, root, part)
        if others := [p.name for p in part.glob("*.tar.gz") if p.stem[:-4].isdigit()]:
            raise Refused(f"tablespaces of one's own are not supported: {', '.join(others)}")
        _verify(part)
        ended = context.clock.now().replace(microsecond=0) + timedelta(seconds=1)
        path = part.rename(root / f"base_{format_stamp(ended)}")
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    fsync_folder(root)
    context.log.write(f"Verified {path}")
    _remove_older(storage, context.log)
    return BaseBackup(ended, path)


def _copy(context: BackupContext, root: Path, part: Path) -> None:
    """Raises BackupError, also when the disk comes to its reserve meanwhile."""
    with tempfile.TemporaryFile() as errors:
        program = context.client.start(
            *("pg_basebackup", f"--pgdata={part}", "--format=tar", "--gzip"),
            *("--checkpoint=fast", "--wal-method=stream", "--no-password"),
            stderr=errors,
        )
        with program, room.watched([root], context.settings.backup_disk_reserve, program.terminate):
            if code := program.wait():
                raise BackupError(f"pg_basebackup: {first_error(errors) or f'exit code {code}'}")


def _require_same_major(connection: Connection) -> None:
    """Raises Refused where no program here could recover a copy of the server's files."""
    theirs, ours = major(connection.server_version), first_number(tool_version("postgres"))
    if theirs != ours:
        raise Refused(
            f"the server is PostgreSQL {theirs}; what comes with the POS, {ours}, cannot recover a"
            " copy of its files: backups to a moment need the same version"
        )


def choose_base(found: Sequence[BaseBackup], target: datetime | None) -> BaseBackup:
    """Returns the newest base backup that had ended by then. Raises Refused."""
    before = [one for one in found if target is None or one.at <= target]
    if not before:
        oldest = f"; the oldest is of {format_local(found[0].at)}" if found else ""
        raise Refused(
            f"no base backup is that old{oldest}: posapp backup base makes one,"
            " and posapp backup receive-wal keeps what is written after it"
        )
    return max(before)


def _remove_older(storage: FolderStorage, log: RunLog) -> None:
    """Removes all but the newest base backups, and the WAL from before them."""
    found = list_base_backups(storage)
    for old in found[:-KEPT]:
        shutil.rmtree(old.path)
        log.write(f"Removed {old.path.name}: {KEPT} newer ones exist")
    received.clean_up(storage.root / received.FOLDER, first_segment(found[-KEPT:][0]))


def first_segment(base: BaseBackup) -> str:
    """Returns the first WAL segment that a base backup needs. Raises BackupError."""
    with tarfile.open(base.path / "base.tar.gz") as tar:
        for member in tar:
            if member.name.removeprefix("./") == "backup_label":
                file = tar.extractfile(member)
                text = file.read().decode() if file else ""
                if match := re.search(r"\(file ([0-9A-F]{24})\)", text):
                    return match[1]
                break
    raise BackupError(f"{base.path}: has no backup_label")


def _verify(path: Path) -> None:
    done = subprocess.run(
        [str(BIN_DIR / "pg_verifybackup"), "--no-parse-wal", "--quiet", str(path)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BackupError(f"pg_verifybackup: {' '.join(done.stderr.split())}")
