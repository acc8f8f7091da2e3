"""Point in time: a base backup and every change since, by PostgreSQL's own programs.

BACKUP_DIR/base/base_YYYYMMDD_HHMMSS/    pg_basebackup: the whole server, as it was then
BACKUP_DIR/wal/                          pg_receivewal: what was written since, within a second

Both read over the network: they run wherever BACKUP_DIR is. A replication slot makes the server
keep what has not been received, up to `max_slot_wal_keep_size`.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from posapp import JAKARTA
from posapp.backup import recovery, room
from posapp.backup.context import BackupContext, RunLog
from posapp.backup.create import create_backup
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import Backup, format_local, format_stamp, parse_stamp
from posapp.backup.postgres.client import (
    Connection,
    PostgresClient,
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
"""The number of base backups; WAL from before the oldest of them is of no use and is removed."""
_NAME = re.compile(r"base_([0-9]{8}_[0-9]{6})")
_NOTE_EVERY = 30.0
"""Seconds between two marks that say until when all is known."""


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
        _run(
            client,
            *("pg_basebackup", f"--pgdata={part}", "--format=tar", "--gzip"),
            *("--checkpoint=fast", "--wal-method=stream", "--no-password"),
        )
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


def _require_same_major(connection: Connection) -> None:
    """Raises Refused where no program here could recover a copy of the server's files."""
    theirs, ours = major(connection.server_version), first_number(tool_version("postgres"))
    if theirs != ours:
        raise Refused(
            f"the server is PostgreSQL {theirs}; what comes with the POS, {ours}, cannot recover a"
            " copy of its files: backups to a moment need the same version"
        )


def receive_wal(context: BackupContext) -> int:
    """Receives WAL for as long as this process lives. Returns pg_receivewal's exit code.

    Raises Refused where the folder has another server's, and BackupError.
    """
    client, target = context.client, context.storage.prepare("wal")
    known = recovery.known_until(target)
    if known is not None and known.system != recovery.mark(client).system:
        raise Refused(f"{target}: holds WAL of another server; name another BACKUP_DIR")
    slot = (f"--slot={recovery.SLOT}", "--no-password")
    _run(client, "pg_receivewal", *slot, "--create-slot", "--if-not-exists")
    program = client.start("pg_receivewal", f"--directory={target}", *slot, "--synchronous")
    before = {
        number: signal.signal(number, lambda *_: program.terminate())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        return _wait(program, context, target)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(program: subprocess.Popen[bytes], context: BackupContext, wal: Path) -> int:
    """Waits for the end of the receiver, and notes meanwhile until when all is known."""
    pause = 1.0
    while True:
        try:
            return program.wait(pause)
        except subprocess.TimeoutExpired:
            pause = _NOTE_EVERY
        try:
            recovery.note_known(context.client, wal, context.clock)
        except (BackupError, OSError) as error:
            context.log.write(f"It could not be noted until when all is known: {error}")


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
    wal = context.storage.root / "wal"
    with recovery.recovered(base.path, wal, target, live, context.log) as server:
        on_scratch = context.scratch(server.client.on(context.client.database), scratch)
        with scratch.lock() as lock:
            backup = create_backup("daily", on_scratch, lock)
    yield backup, server.at


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


def _remove_older(storage: FolderStorage, log: RunLog) -> None:
    """Removes all but the newest base backups, and the WAL from before them."""
    found = list_base_backups(storage)
    for old in found[:-KEPT]:
        shutil.rmtree(old.path)
        log.write(f"Removed {old.path.name}: {KEPT} newer ones exist")
    wal = storage.root / "wal"
    if wal.is_dir():
        done = subprocess.run(
            [str(BIN_DIR / "pg_archivecleanup"), str(wal), _first_segment(found[-KEPT:][0])],
            capture_output=True,
        )
        if done.returncode:
            raise BackupError(f"pg_archivecleanup: {done.stderr.decode(errors='replace').strip()}")


def _first_segment(base: BaseBackup) -> str:
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


def _run(client: PostgresClient, program: str, *arguments: str) -> None:
    with tempfile.TemporaryFile() as errors:
        with client.start(program, *arguments, stderr=errors) as process:
            code = process.wait()
        if code:
            raise BackupError(f"{program}: {first_error(errors) or f'exit code {code}'}")
