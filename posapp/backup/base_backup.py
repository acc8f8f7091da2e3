"""Base backups: copies of the whole server, from which every later moment can be recovered.

BACKUP_DIR/base/base_YYYYMMDD_HHMMSS/    as the server was when it ended
    base.tar.gz[.age]    pg_basebackup: all files and the WAL meanwhile, encrypted as dumps are
    base.json            its signed manifest
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, cast

from posapp.backup import compression, received, room
from posapp.backup.base_archive import read_base_manifest
from posapp.backup.context import BackupContext, RunLog
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import format_local, format_stamp, parse_stamp
from posapp.backup.model.base import ARCHIVE, MANIFEST, BaseManifest
from posapp.backup.postgres.client import (
    Connection,
    first_error,
    first_number,
    major,
    query,
    tool_version,
)
from posapp.backup.postgres.installation import read_identity, system_identifier
from posapp.backup.signing import SigningKey
from posapp.backup.storage.folder import BackupLock, FolderStorage
from posapp.backup.tar_check import TarCheck
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder, write_atomically

KEPT = 2
"""The number of base backups; what was received before the oldest of them is removed."""
NAME = re.compile(r"base_([0-9]{8}_[0-9]{6})")
_TABLESPACES = "SELECT spcname FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')"
_ABOUT = """
SELECT (SELECT sum(pg_database_size(oid)) FROM pg_database), current_setting('server_version'),
       pg_size_bytes(current_setting('wal_segment_size'))
"""


@dataclass(frozen=True, order=True)
class BaseBackup:
    """A base backup; `at` is when it ended. Every moment from then on can be restored."""

    at: datetime
    path: Path
    manifest: BaseManifest | None = field(default=None, compare=False)
    """None for one of version 1.0, which has the server's alone."""


def list_base_backups(storage: FolderStorage) -> list[BaseBackup]:
    """Returns the base backups, as they were made; an unfinished one has another name, and one that
    cannot be read is none."""
    found = []
    for path in (storage.root / "base").glob("base_*"):
        at, manifest = base_name(path.name), read_base_manifest(path)
        if at is not None and (manifest is not None or (path / "backup_manifest").is_file()):
            found.append(BaseBackup(at, path, manifest))
    return as_made(found)


def as_made(found: Iterable[BaseBackup]) -> list[BaseBackup]:
    """Returns base backups in the order in which they were made: those of one server by their place
    in what it has written, for a clock that was ahead has them say otherwise."""
    of: dict[str | None, list[BaseBackup]] = {}
    for one in sorted(found):
        of.setdefault(one.manifest.system_identifier if one.manifest else None, []).append(one)
    servers = sorted(of.values(), key=lambda group: group[-1].at)
    return [one for group in servers for one in sorted(group, key=_place)]


def _place(base: BaseBackup) -> tuple[str, datetime]:
    return (base.manifest.first_segment if base.manifest else "", base.at)


def is_signed(base: BaseBackup, key: SigningKey) -> bool:
    """Whether a key has signed a base backup; one of version 1.0 nobody has."""
    manifest = base.manifest
    return manifest is not None and key.has_signed_text(manifest.signed_text, manifest.signature)


def base_name(text: str) -> datetime | None:
    """Returns when the base backup of that name ended; None for any other name."""
    with suppress(ValueError, OverflowError):
        if match := NAME.fullmatch(text):
            return parse_stamp(match[1])
    return None


def create_base_backup(context: BackupContext, lock: BackupLock) -> BaseBackup:
    """Creates and verifies a base backup, and removes older ones.

    Raises Refused and BackupError.
    """
    storage = context.storage
    lock.require(storage)
    root = storage.prepare("base")
    for leftover in root.glob(f"*{PARTIAL_SUFFIX}"):
        shutil.rmtree(leftover, ignore_errors=True)
    part = root / f"base{PARTIAL_SUFFIX}"
    with context.client.connect() as connection:
        _require_possible(connection)
        size, version, segment = query(connection, _ABOUT)[0]
        system = system_identifier(connection)
    own = read_identity(context.client)
    needs = [room.Need(root, int(size) // 3, "the base backup")]
    room.require(needs, context.settings.backup_disk_reserve)
    context.log.write("Copying the whole server")
    context.log.expect(int(size))
    try:
        part.mkdir(mode=0o700)
        copied = _copy(context, part, int(size))
        ended = context.clock.now().replace(microsecond=0) + timedelta(seconds=1)
        manifest = BaseManifest(
            ended_at=ended,
            size_bytes=copied.size,
            sha256=copied.sha256,
            tar_bytes=copied.tar_bytes,
            encrypted=context.recipient is not None,
            identity=own.id if own else None,
            system_identifier=system,
            server_version=version,
            first_segment=copied.first_segment,
            segment_bytes=segment,
        )
        _verify_written(part, manifest, context)
        signature = context.key.sign_text(manifest.signed_text)
        manifest = manifest.model_copy(update={"signature": signature})
        write_atomically(part / MANIFEST, manifest.dump())
        path = part.rename(root / f"base_{format_stamp(ended)}")
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise BackupError(f"{root}: {'the disk is full' if full else error.strerror}") from None
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    fsync_folder(root)
    context.log.write(f"Verified {path}")
    _remove_older(storage, path, context.log)
    return BaseBackup(ended, path, manifest)


@dataclass(frozen=True)
class _Copied:
    size: int
    sha256: str
    tar_bytes: int
    first_segment: str


def _copy(context: BackupContext, part: Path, expected: int) -> _Copied:
    """Copies the server into the archive, and checks each file as it goes by. Nothing of it is ever
    on this disk in the clear where there is a recipient. Raises BackupError, also when the disk
    comes to its reserve meanwhile, and OSError."""
    archive = part / (f"{ARCHIVE}.age" if context.recipient else ARCHIVE)
    with tempfile.TemporaryFile() as errors, _wal_kept(context):
        program = context.client.start(
            *("pg_basebackup", "--pgdata=-", "--format=tar", "--checkpoint=fast"),
            *("--wal-method=fetch", "--manifest-checksums=SHA256", "--no-password"),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        reserve = context.settings.backup_disk_reserve
        with (
            program,
            room.watched([part], reserve, program.terminate),
            archive.open("xb") as file,
            closing(TarCheck()) as check,
        ):
            os.fchmod(file.fileno(), 0o600)
            sink, size = compression.HashingWriter(file), 0
            with compression.compressed(sink, context.recipient) as gzip:
                while block := cast(IO[bytes], program.stdout).read(compression.BLOCK):
                    gzip.write(block)
                    check.feed(block)
                    size += len(block)
                    context.log.progress(size)
            if code := program.wait():
                raise BackupError(f"pg_basebackup: {first_error(errors) or f'exit code {code}'}")
            first = check.finish()
            file.flush()
            os.fsync(file.fileno())
            return _Copied(sink.size, sink.hexdigest(), size, first)


@contextmanager
def _wal_kept(context: BackupContext) -> Iterator[None]:
    """Has the server keep what is written meanwhile: it comes at the end of the copy."""
    with context.client.maintenance.connect() as connection:
        query(
            connection,
            "SELECT pg_create_physical_replication_slot('posapp_base_' || pg_backend_pid(),"
            " true, true)",
        )
        yield


def _verify_written(part: Path, manifest: BaseManifest, context: BackupContext) -> None:
    """Reads the archive again, as a dump is. Raises BackupError, OSError."""
    name = compression.PackedFile(manifest.archive, manifest.encrypted)
    with (part / manifest.archive).open("rb") as file:
        if manifest.encrypted:
            found = (*compression.checksum(file), manifest.tar_bytes)
        else:
            found = compression.read_through(file, name, context.load_identity)
    if found != (manifest.sha256, manifest.size_bytes, manifest.tar_bytes):
        raise BackupError(f"{manifest.archive}: the disk does not give back what was written")


def _require_possible(connection: Connection) -> None:
    """Raises Refused where no program here could recover a copy of the server's files."""
    theirs, ours = major(connection.server_version), first_number(tool_version("postgres"))
    if theirs != ours:
        raise Refused(
            f"the server is PostgreSQL {theirs}; what comes with the POS, {ours}, cannot recover a"
            " copy of its files: backups to a moment need the same version"
        )
    if spaces := query(connection, _TABLESPACES):
        names = ", ".join(name for (name,) in spaces)
        raise Refused(f"tablespaces of one's own are not supported by base backups: {names}")


def choose_base(found: Sequence[BaseBackup], target: datetime | None) -> BaseBackup:
    """Returns the newest base backup that had ended by then. Raises Refused."""
    before = [one for one in found if target is None or one.at <= target]
    if not before:
        oldest = f"; the oldest is of {format_local(min(found).at)}" if found else ""
        raise Refused(
            f"no base backup is that old{oldest}: posapp backup base makes one,"
            " and posapp backup receive-wal keeps what is written after it"
        )
    return as_made(before)[-1]


def _remove_older(storage: FolderStorage, newest: Path, log: RunLog) -> None:
    """Removes all but the newest base backups, and the WAL from before them. The one that has just
    been made is the newest, whatever the others say."""
    found = sorted(list_base_backups(storage), key=lambda one: one.path == newest)
    for old in found[:-KEPT]:
        shutil.rmtree(old.path)
        log.write(f"Removed {old.path.name}: {KEPT} newer ones exist")
    first = min((first_segment(one) for one in found[-KEPT:]), key=lambda name: name[8:])
    received.clean_up(storage.root / received.FOLDER, first)


def first_segment(base: BaseBackup) -> str:
    """Returns the first WAL segment that a base backup needs. Raises BackupError."""
    if base.manifest is not None:
        return base.manifest.first_segment
    with tarfile.open(base.path / ARCHIVE) as tar:
        for member in tar:
            if member.name.removeprefix("./") == "backup_label":
                file = tar.extractfile(member)
                text = file.read().decode() if file else ""
                if match := re.search(r"\(file ([0-9A-F]{24})\)", text):
                    return match[1]
                break
    raise BackupError(f"{base.path}: has no backup_label")
