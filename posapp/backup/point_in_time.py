"""Point in time: a base backup and every change since, by PostgreSQL's own programs.

BACKUP_DIR/base/base_YYYYMMDD_HHMMSS/    pg_basebackup: the whole server, as it was then
BACKUP_DIR/wal/                          pg_receivewal: what was written since, within a second

Both read over the network: they run wherever BACKUP_DIR is. A slot makes the server keep what has
not been received; `max_slot_wal_keep_size` is the bound of that.
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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from posapp.backup.create import Work, make_locked
from posapp.backup.errors import BackupError, Refused
from posapp.backup.journal import Journal
from posapp.backup.model.backup import ZONE, clock_time, stamp
from posapp.backup.postgres.client import Access, complaint, refuse_newer_server
from posapp.backup.storage.folder import Entry, Folder
from posapp.runtime import postgres
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder
from posapp.runtime.postgres import BIN_DIR, DataDirectory, EmbeddedPostgresError

SLOT = "posapp_wal"
KEPT = 2
"""Base backups; what was written before the oldest of them is of no use and goes."""
_NAME = re.compile(r"base_([0-9]{8}_[0-9]{6})")
_ENDED_EARLY = b"recovery ended before configured recovery target was reached"
_HBA = "local all all trust\n"
"""For the scratch server alone: its socket lies in a folder that only we may enter."""


@dataclass(frozen=True, order=True)
class Base:
    """A base backup; `at` is when it had ended. From then on, every moment can be had."""

    at: datetime
    path: Path


def bases(folder: Folder) -> list[Base]:
    """By time; a broken off one has another name."""
    found = []
    for path in (folder.root / "base").glob("base_*"):
        if match := _NAME.fullmatch(path.name):
            local = datetime.strptime(match[1], "%Y%m%d_%H%M%S").replace(tzinfo=ZONE)
            found.append(Base(local.astimezone(UTC), path))
    return sorted(found)


def make_base(access: Access, folder: Folder, journal: Journal) -> Base:
    """A new base backup, verified; older ones go. Only for who holds the lock.

    Raises Refused and BackupError.
    """
    root = folder.prepare("base")
    for leftover in root.glob(f"*{PARTIAL_SUFFIX}"):
        shutil.rmtree(leftover, ignore_errors=True)
    with access.connect() as session:
        refuse_newer_server(session)
    part = root / f"base{PARTIAL_SUFFIX}"
    journal.line("Copying the whole server")
    try:
        _run(
            access,
            *("pg_basebackup", f"--pgdata={part}", "--format=tar", "--gzip"),
            *("--checkpoint=fast", "--wal-method=stream", "--no-password"),
        )
        if others := [p.name for p in part.glob("*.tar.gz") if p.stem[:-4].isdigit()]:
            raise Refused(f"tablespaces of one's own are not supported: {', '.join(others)}")
        _verify(part)
        ended = journal.clock().replace(microsecond=0) + timedelta(seconds=1)
        path = part.rename(root / f"base_{stamp(ended)}")
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    fsync_folder(root)
    journal.line(f"Verified {path}")
    _forget_older(folder, journal)
    return Base(ended, path)


def receive_wal(access: Access, folder: Folder) -> int:
    """Receives what is written for as long as this process lives; pg_receivewal's exit code."""
    target = folder.prepare("wal")
    slot = (f"--slot={SLOT}", "--no-password")
    _run(access, "pg_receivewal", *slot, "--create-slot", "--if-not-exists")
    program = access.start("pg_receivewal", f"--directory={target}", *slot, "--synchronous")
    before = {
        number: signal.signal(number, lambda *_: program.terminate())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        return program.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_backup(at: str, work: Work, scratch: Folder, journal: Journal) -> Entry:
    """The database as it was at a moment, as a backup in the scratch folder, which is restored as
    any other is. Raises Refused and BackupError."""
    target = moment(at, journal.clock())
    base = choose(bases(work.folder), target)
    with recovered(base, work.folder, target, journal) as server:
        there = server.on(work.access.database)
        asked = replace(work, access=there, folder=scratch, bucket=None, key=None)
        return make_locked("daily", asked, journal)


@contextmanager
def recovered(
    base: Base, folder: Folder, target: datetime | None, journal: Journal
) -> Iterator[Access]:
    """The server as it was at a moment (None: as late as is known), for as long as it is needed.

    Raises BackupError.
    """
    scratch = Path(tempfile.mkdtemp(prefix="posapp-recover-"))
    try:
        layout = DataDirectory(scratch)
        _unpack(base, layout.data)
        journal.line(f"Recovering {base.path.name}")
        _aim(layout.data, folder.root / "wal", target)
        try:
            with postgres.use_embedded_database(scratch, _SCRATCH) as url:
                yield Access(url)
                return
        except EmbeddedPostgresError as error:
            if target is None or _ENDED_EARLY not in layout.log.read_bytes():
                raise BackupError(str(error)) from None
        journal.line(f"Nothing is known to have been written after {clock_time(target)}")
        _aim(layout.data, folder.root / "wal", None)
        with postgres.use_embedded_database(scratch, _SCRATCH) as url:
            yield Access(url)
    except EmbeddedPostgresError as error:
        raise BackupError(str(error)) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def choose(found: Sequence[Base], target: datetime | None) -> Base:
    """The newest base backup that had ended by then. Raises Refused."""
    before = [one for one in found if target is None or one.at <= target]
    if not before:
        oldest = f"; the oldest is of {clock_time(found[0].at)}" if found else ""
        raise Refused(
            f"no base backup is that old{oldest}: posapp backup base makes one,"
            " and posapp backup wal keeps what is written after it"
        )
    return max(before)


def moment(text: str, now: datetime) -> datetime | None:
    """`2025-12-26 10:30` in Jakarta's time, or with an offset; `latest` is None. Raises Refused."""
    if text == "latest":
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--at: {text!r} is no time; write it like '2025-12-26 10:30'") from None
    found = found.replace(tzinfo=ZONE) if found.tzinfo is None else found
    if found > now:
        raise Refused(f"--at: {text} is in the future; --at latest is as late as is known")
    return found.astimezone(UTC)


_SCRATCH = {
    "hot_standby": "off",  # on, it would insist on the other server's limits
    "archive_mode": "off",
    "ssl": "off",
    "fsync": "off",
}


def _aim(data: Path, wal: Path, target: datetime | None) -> None:
    """Has PostgreSQL recover to the target when it starts, from what was received."""
    source = str(wal.resolve()).replace("'", "''")
    lines = [
        f'restore_command = \'cp "{source}/%f" "%p" 2>/dev/null'
        f' || cp "{source}/%f.partial" "%p" 2>/dev/null\'',
        "recovery_target_action = 'promote'",
        f"recovery_target_time = '{target.isoformat() if target else ''}'",
        "primary_conninfo = ''",
    ]
    (data / "postgresql.auto.conf").write_text("\n".join(lines) + "\n")
    (data / "pg_hba.conf").write_text(_HBA)
    (data / "recovery.signal").touch()


def _unpack(base: Base, data: Path) -> None:
    data.mkdir(mode=0o700, parents=True)
    for archive, where in (("base", data), ("pg_wal", data / "pg_wal")):
        with tarfile.open(base.path / f"{archive}.tar.gz") as tar:
            tar.extractall(where, filter="data")


def _forget_older(folder: Folder, journal: Journal) -> None:
    found = bases(folder)
    for old in found[:-KEPT]:
        shutil.rmtree(old.path)
        journal.line(f"Removed {old.path.name}: {KEPT} newer ones are there")
    wal = folder.root / "wal"
    if wal.is_dir():
        done = subprocess.run(
            [str(BIN_DIR / "pg_archivecleanup"), str(wal), _first_segment(found[-KEPT:][0])],
            capture_output=True,
        )
        if done.returncode:
            raise BackupError(f"pg_archivecleanup: {done.stderr.decode(errors='replace').strip()}")


def _first_segment(base: Base) -> str:
    """Where a base backup begins to need what is written. Raises BackupError."""
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


def _run(access: Access, program: str, *arguments: str) -> None:
    with tempfile.TemporaryFile() as errors:
        with access.start(program, *arguments, stderr=errors) as process:
            code = process.wait()
        if code:
            raise BackupError(f"{program}: {complaint(errors) or f'exit code {code}'}")
