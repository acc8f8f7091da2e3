"""Makes a backup: dumped, verified, put in its place, uploaded; only then the old ones go."""

from __future__ import annotations

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pyrage import x25519

import posapp
from healthkit.fields import format_size
from posapp.backup import compression
from posapp.backup.errors import BackupError
from posapp.backup.journal import Journal
from posapp.backup.model import retention
from posapp.backup.model.backup import BackupName
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres.client import Access, complaint, refuse_newer_server, tool_version
from posapp.backup.postgres.dump import dump
from posapp.backup.postgres.snapshot import Moment, count_rows, exported, refuse_empty
from posapp.backup.storage.folder import Entry, Folder, Place, entry_of
from posapp.backup.storage.s3 import Bucket
from posapp.backup.upload import upload_missing
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder, write_atomically

LOCAL_ONLY = frozenset({"pre-restore"})
"""Made in the middle of a restore, which must not wait for a network."""
USUAL_OF, USUAL_FROM = 7, 3
"""How many backups say what size is usual, and how many it takes."""
_ATTEMPTS = 2
"""A table that is dropped under it spoils a dump, but not the next one."""


@dataclass(frozen=True)
class Work:
    """What a run works with."""

    access: Access
    folder: Folder
    bucket: Bucket | None
    key: x25519.Recipient | None
    """Whom it encrypts for."""
    identity: compression.Identity


def make(kind: str, work: Work, journal: Journal) -> Entry:
    """One backup, from the lock to the rotation. Raises Busy, Refused and BackupError."""
    with work.folder.locked():
        return make_locked(kind, work, journal)


def make_locked(kind: str, work: Work, journal: Journal) -> Entry:
    folder = work.folder
    folder.prepare(kind)
    for file in folder.clean():
        journal.line(f"Removed {file}: a run that was broken off had left it")
    with work.access.connect() as session:
        refuse_newer_server(session)
    refuse_empty(work.access)
    journal.line(f"Backing up {work.access.database}: {kind}")
    earlier = folder.entries()
    try:
        entry = _dumped(kind, work, journal, earlier)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        raise BackupError(f"{folder.root}: {reason}; the backups before are untouched") from None
    faults = [_smallness(entry, earlier)]
    if work.bucket is not None and kind not in LOCAL_ONLY:
        faults.append(upload_missing(work.folder, work.bucket, journal))
        entry = entry_of(Path(entry.where)) or entry
    if not faults[0]:
        rotate(folder, journal)
        if work.bucket is not None and not any(faults):
            rotate(work.bucket, journal)
    if any(faults):
        raise BackupError("; ".join(filter(None, faults)))
    return entry


def rotate(place: Place, journal: Journal, remove: bool = True) -> list[BackupName]:
    """Removes what has been kept long enough, or only says so; what it was."""
    good = {entry.name: entry.good for entry in place.entries()}
    gone = retention.expired(good, journal.clock())
    for name in gone:
        if remove:
            place.remove(name)
        journal.line(f"{'Removed' if remove else 'Would remove'} {name.kind}/{name}: kept its time")
    return gone


def _dumped(kind: str, work: Work, journal: Journal, earlier: list[Entry]) -> Entry:
    """Retries once what another's `DROP TABLE` has spoilt. Raises BackupError, OSError."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _dump_once(kind, work, journal, earlier)
        except BackupError as error:
            moved = "does not exist" in str(error) or "lock" in str(error)
            if not moved or attempt == _ATTEMPTS:
                raise
            journal.line(f"{error}; once more")
    raise AssertionError


def _dump_once(kind: str, work: Work, journal: Journal, earlier: list[Entry]) -> Entry:
    folder, began = work.folder, journal.clock()
    name = _free_name(BackupName(began.replace(microsecond=0), kind, work.key is not None), folder)
    part = folder.path(name, str(name) + PARTIAL_SUFFIX)
    try:
        with part.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            sink = compression.Hashed(file)
            streamed = _stream(work, sink, journal)
            file.flush()
            os.fsync(file.fileno())
        manifest = _manifest(name, began, work, sink, streamed, earlier)
        _verify_written(part, name, manifest, work)
        manifest = manifest.stating(verified_at=journal.clock())
        write_atomically(folder.path(name, name.globals), _globals(work.access))
        write_atomically(folder.path(name, name.manifest), manifest.dump())
        part.rename(folder.path(name))  # last: under its final name it is whole, and proven
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    fsync_folder(part.parent)
    size, tables = format_size(sink.size), len(manifest.row_counts)
    journal.line(f"Verified {name}: {size}, {manifest.rows} rows in {tables} tables")
    return Entry(name, sink.size, manifest, str(folder.path(name)))


class _Streamed(NamedTuple):
    moment: Moment
    counts: dict[str, int]
    sql_bytes: int


def _stream(work: Work, sink: compression.Hashed, journal: Journal) -> _Streamed:
    """Dumps and counts the same moment, both at once."""
    with exported(work.access) as moment, ThreadPoolExecutor(1) as counting:
        counts = counting.submit(count_rows, work.access, moment.id)
        size = dump(work.access, moment.id, sink, work.key, journal.progress)
        return _Streamed(moment, counts.result(), size)


def _manifest(
    name: BackupName,
    began: datetime,
    work: Work,
    sink: compression.Hashed,
    streamed: _Streamed,
    earlier: list[Entry],
) -> Manifest:
    moment = streamed.moment
    return Manifest(
        file=str(name),
        kind=name.kind,
        created_at=began,
        size_bytes=sink.size,
        sha256=sink.hexdigest(),
        sql_bytes=streamed.sql_bytes,
        encrypted=name.encrypted,
        database=work.access.database,
        database_bytes=moment.database_bytes,
        server_version=moment.server_version,
        pg_dump_version=tool_version(),
        posapp_version=posapp.__version__,
        schema_revision=moment.revision,
        row_counts=streamed.counts,
        roles=moment.roles,
        extensions=moment.extensions,
        s3_expected=work.bucket is not None and name.kind not in LOCAL_ONLY,
        **_memory(earlier, began),
    )


def _verify_written(part: Path, name: BackupName, manifest: Manifest, work: Work) -> None:
    """Reads the file again. Where the key that opens it is not here, as it should be, its bytes
    are compared; that the key opens it is what a drill proves. Raises BackupError."""
    with part.open("rb") as file:
        if name.encrypted:
            found = (*compression.checksum(file), manifest.sql_bytes)
        else:
            found = compression.measure(file, name, work.identity)
    if found != (manifest.sha256, manifest.size_bytes, manifest.sql_bytes):
        raise BackupError(f"{name}: the disk does not give back what was written")
    if not manifest.row_counts:
        raise BackupError(f"{name}: there is no table in it")


def _globals(access: Access) -> bytes:
    """The roles of the server, without their passwords. Raises BackupError."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        arguments = ("--globals-only", "--no-role-passwords", "--no-password")
        with access.start("pg_dumpall", *arguments, stdout=output, stderr=errors) as program:
            code = program.wait()
        if code:
            raise BackupError(f"pg_dumpall: {complaint(errors) or f'exit code {code}'}")
        output.seek(0)
        return output.read()


def _free_name(name: BackupName, folder: Folder) -> BackupName:
    """The next second where a clock that was set back comes by a name a second time."""
    while any(folder.path(name, file).exists() for file in name.files):
        name = replace(name, at=name.at + timedelta(seconds=1))
    return name


def _memory(earlier: list[Entry], began: datetime) -> dict[str, datetime | None]:
    manifests = [entry.manifest for entry in earlier if entry.manifest]
    first = [at for m in manifests for at in (m.created_at, m.first_created_at) if at]
    restored = [at for m in manifests for at in (m.restored_at, m.last_restored_at) if at]
    return {
        "first_created_at": min(first, default=began),
        "last_restored_at": max(restored, default=None),
    }


def _smallness(entry: Entry, earlier: list[Entry]) -> str:
    """Why nothing is to be removed for this one: it is not half as large as they usually are."""
    usual = [one.size for one in earlier if one.name.kind == entry.name.kind and one.good]
    if len(usual) < USUAL_FROM or entry.size >= median(usual[-USUAL_OF:]) / 2:
        return ""
    return (
        f"{entry.name} is too small: {format_size(entry.size)}, usual are"
        f" {format_size(median(usual[-USUAL_OF:]))}; it is kept, and nothing is removed for it"
    )
