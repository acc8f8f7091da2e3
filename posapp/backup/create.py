"""Creates a backup: dumped, verified, published, uploaded; only then old ones are removed."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg2

import posapp
from healthkit.fields import format_size
from posapp.backup import compression, room
from posapp.backup.context import BackupContext
from posapp.backup.copies import tell_copies
from posapp.backup.errors import BackupError
from posapp.backup.model import retention
from posapp.backup.model.backup import Backup, BackupName, newest_intact
from posapp.backup.model.identity import Identity, ours
from posapp.backup.model.manifest import Manifest, carried_timestamps
from posapp.backup.postgres import audit
from posapp.backup.postgres.client import (
    NO_TIMEOUTS,
    Connection,
    PostgresClient,
    first_error,
    query,
    require_compatible_tools,
    tool_version,
)
from posapp.backup.postgres.dump import Progress, dump_database
from posapp.backup.postgres.installation import read_identity
from posapp.backup.postgres.snapshot import (
    DatabaseSnapshot,
    count_rows,
    export_snapshot,
    require_tables,
)
from posapp.backup.postgres.unrestorable import unrestorable
from posapp.backup.storage import Storage
from posapp.backup.storage.folder import BackupLock, FolderStorage, backup_at
from posapp.backup.told import tell_once
from posapp.backup.uploads import Uploads
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder, write_atomically

LOCAL_ONLY = frozenset({"pre-restore"})
"""Created in the middle of a restore, which must not wait for a network; and removes nothing, which
might be what is about to be restored."""
_NOT_RESTORABLE = "A restore will refuse what is in this database"
_ATTEMPTS = 2
"""A table that is dropped during a dump spoils that dump, but not the next one."""


def create_backup(kind: str, context: BackupContext, lock: BackupLock) -> Backup:
    """Creates one backup and applies the retention.

    Raises Refused before anything has changed, or for a bucket that no setting opens; BackupError
    after, with the backup kept where it was verified.
    """
    storage, bucket = context.storage, context.bucket
    _prepare(kind, context, lock)
    own = read_identity(context.client)
    tell_unreadable(context)
    earlier = [one for one in ours(storage.list_backups(), own) if context.is_good(one)]
    room.require([backup_need(kind, context)], context.settings.backup_disk_reserve)
    context.log.write(f"Backing up {context.client.database}: {kind}")
    with Uploads(context, bucket if kind not in LOCAL_ONLY else None) as uploads:
        backup = _dump_with_retry(kind, context, earlier, uploads)
        too_small = _size_problem(backup, earlier)
        not_uploaded = uploads.send_pending(own)
    backup = backup_at(Path(backup.location)) or backup
    if not too_small and kind not in LOCAL_ONLY:
        if not not_uploaded:
            tell_copies(context, own)
        apply_retention(storage, context, own)
        if bucket is not None and not not_uploaded:
            apply_retention(bucket, context, own)
    if too_small:
        raise BackupError("; ".join(filter(None, (too_small, str(not_uploaded or "")))))
    if not_uploaded:
        raise not_uploaded
    return backup


def backup_need(kind: str, context: BackupContext) -> room.Need:
    """Returns the room that a backup takes: a fifth more than the last one, or, for the first, a
    third of the database."""
    folder = _where(kind, context)
    good = [one for one in ours(context.storage.list_backups(), context.own) if one.intact]
    last = newest_intact(good)
    if last is not None:
        return room.Need(folder, last.size * 6 // 5, "the backup")
    with context.client.connect() as connection:
        size = query(connection, "SELECT pg_database_size(current_database())")[0][0]
    return room.Need(folder, int(size) // 3, "the backup")


def _where(kind: str, context: BackupContext) -> Path:
    """Returns the folder of a kind, which may lie on another disk; the one above it where there is
    none yet: nothing is made by asking."""
    root = context.storage.prepare(".")
    return root / kind if (root / kind).is_dir() else root


def apply_retention(storage: Storage, context: BackupContext, own: Identity | None) -> None:
    """Removes the backups that have been kept for their time. What cannot be removed is a warning:
    the backup is made, whoever keeps the old ones."""
    where = "folder" if storage is context.storage else "bucket"
    kept: dict[str, str] = {}
    try:
        for name in expired_backups(storage, context, own):
            try:
                storage.remove(name)
            except BackupError as error:
                kept[name.key] = str(error)
                continue
            context.log.write(f"Removed {name.key}: kept its time")
            now = context.clock.now()
            audit.record(context.client, "backup.deleted", now, backup=name.key, where=where)
    except BackupError as error:
        kept["the list of backups"] = str(error)
    tell_once(context.storage.root, f"Not removed in the {where}", kept, context.notifications)


def tell_unreadable(context: BackupContext) -> None:
    """Tells, once, which entries look like backups and cannot be read."""
    found = context.storage.list_backups()
    odd = {one.name.key: one.problem for one in found if one.problem}
    tell_once(context.storage.root, "Unreadable backups", odd, context.notifications)


def expired_backups(
    storage: Storage, context: BackupContext, own: Identity | None
) -> list[BackupName]:
    """Returns what `apply_retention` would remove."""
    found = {one.name: one for one in ours(storage.list_backups(), own)}
    return retention.expired(_Goodness(found, context), context.clock.now())


class _Goodness(Mapping[BackupName, bool]):
    """Whether backups are good, looked at when it is asked: in a bucket each costs a request."""

    def __init__(self, found: Mapping[BackupName, Backup], context: BackupContext) -> None:
        self._found = found
        self._context = context

    def __getitem__(self, name: BackupName) -> bool:
        return self._context.is_good(self._found[name])

    def __iter__(self) -> Iterator[BackupName]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _prepare(kind: str, context: BackupContext, lock: BackupLock) -> None:
    """Raises Refused where no backup can be created."""
    context.storage.prepare(kind)
    for file in context.storage.remove_leftovers(lock):
        context.log.write(f"Removed {file}: left by a run that was killed")
    with context.client.connect() as connection:
        require_compatible_tools(connection)
        require_tables(connection, context.client.database)
        odd = unrestorable(connection)
    tell_once(context.storage.root, _NOT_RESTORABLE, odd, context.notifications)


def _dump_with_retry(
    kind: str, context: BackupContext, earlier: list[Backup], uploads: Uploads
) -> Backup:
    """Retries once when a table was dropped during the dump. Raises BackupError."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _dump(kind, context, earlier, uploads)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "the disk is full" if full else error.strerror or str(error)
            raise BackupError(
                f"{context.storage.root}: {reason}; the backups before are untouched"
            ) from None
        except BackupError as error:
            table_dropped = "does not exist" in str(error) or "lock" in str(error)
            if not table_dropped or attempt == _ATTEMPTS:
                raise
            context.log.write(f"{error}; once more")
    raise AssertionError


def _dump(kind: str, context: BackupContext, earlier: list[Backup], uploads: Uploads) -> Backup:
    """Dumps, verifies and publishes. Raises BackupError, OSError."""
    storage, began = context.storage, context.clock.now()
    encrypted = context.recipient is not None
    name = _unused_name(BackupName(began.replace(microsecond=0), kind, encrypted), storage)
    part = storage.path(name, str(name) + PARTIAL_SUFFIX)
    try:
        with part.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            sink = compression.HashingWriter(file)
            last = earlier[-1].manifest if earlier else None
            result = _dump_and_count(kind, context, sink, last.sql_bytes if last else None)
            file.flush()
            os.fsync(file.fileno())
        manifest = _manifest(name, began, context, sink, result, earlier)
        uploads.begin(name, part, manifest)
        _verify_written(part, name, manifest)
        manifest = manifest.with_timestamps(verified_at=context.clock.now())
        manifest = context.key.sign(manifest)
        write_atomically(storage.path(name, name.globals), result.roles)
        write_atomically(storage.path(name, name.manifest), manifest.dump())
        part.rename(storage.path(name))  # last: under its final name it is whole, and proven
    except BaseException:
        part.unlink(missing_ok=True)
        uploads.abandon()
        raise
    fsync_folder(part.parent)
    size, tables = format_size(sink.size), len(manifest.row_counts)
    context.log.write(f"Verified {name}: {size}, {manifest.rows} rows in {tables} tables")
    return Backup(name, sink.size, manifest, str(storage.path(name)))


class _DumpResult(NamedTuple):
    snapshot: DatabaseSnapshot
    row_counts: dict[str, int]
    sql_bytes: int
    roles: bytes
    """Of the server, as SQL."""


def _dump_and_count(
    kind: str, context: BackupContext, sink: compression.HashingWriter, expected: int | None
) -> _DumpResult:
    """Dumps the database and counts its rows in one snapshot, both at once. `expected` are about
    the bytes of its SQL."""
    client = context.client
    counting_on: list[Connection] = []
    with (
        export_snapshot(client) as snapshot,
        ThreadPoolExecutor(1) as counting,
        _cancelled_on_failure(counting_on),
    ):
        counts = counting.submit(count_rows, client, snapshot.id, counting_on.append)
        context.log.expect(expected)
        progress = _leaving_the_reserve(kind, context)
        size = dump_database(client, snapshot.id, sink, context.recipient, progress)
        return _DumpResult(snapshot, counts.result(), size, _dump_roles(client))


@contextmanager
def _cancelled_on_failure(connections: list[Connection]) -> Iterator[None]:
    """Cancels what runs on the connections when the work beside it has failed: it may be waiting
    for a lock, and would be waited for."""
    try:
        yield
    except BaseException:
        for connection in connections:
            with suppress(psycopg2.Error):
                connection.cancel()
        raise


def _leaving_the_reserve(kind: str, context: BackupContext) -> Progress:
    """Shows the progress, and stops as a full disk would where the reserve is reached."""
    folder = _where(kind, context)
    reserve = room.reserve_of(folder, context.settings.backup_disk_reserve)

    def progress(done: int) -> None:
        context.log.progress(done)
        if room.free_of(folder) < reserve:
            raise OSError(errno.ENOSPC, "the reserve is reached")

    return progress


def _manifest(
    name: BackupName,
    began: datetime,
    context: BackupContext,
    sink: compression.HashingWriter,
    result: _DumpResult,
    earlier: list[Backup],
) -> Manifest:
    snapshot = result.snapshot
    return Manifest(
        file=str(name),
        kind=name.kind,
        created_at=began,
        size_bytes=sink.size,
        sha256=sink.hexdigest(),
        sql_bytes=result.sql_bytes,
        encrypted=name.encrypted,
        identity=snapshot.identity,
        system_identifier=snapshot.system_identifier,
        database=context.client.database,
        database_bytes=snapshot.database_bytes,
        server_version=snapshot.server_version,
        pg_dump_version=tool_version(),
        posapp_version=posapp.__version__,
        schema_revision=snapshot.revision,
        row_counts=result.row_counts,
        roles=snapshot.roles,
        extensions=snapshot.contents.extensions,
        contents=snapshot.contents,
        properties=snapshot.properties,
        globals_sha256=hashlib.sha256(result.roles).hexdigest(),
        s3_expected=context.bucket is not None and name.kind not in LOCAL_ONLY,
        **carried_timestamps((one.manifest for one in earlier if one.manifest), began),
    )


def _verify_written(part: Path, name: BackupName, manifest: Manifest) -> None:
    """Reads the file again: its bytes are those of which the content was read to its end when they
    were written. Raises BackupError."""
    with part.open("rb") as file:
        found = compression.checksum(file)
    if found != (manifest.sha256, manifest.size_bytes):
        raise BackupError(f"{name}: the disk does not give back what was written")
    if not manifest.row_counts:
        raise BackupError(f"{name}: there is no table in it")


def _size_problem(backup: Backup, earlier: list[Backup]) -> str:
    """Returns why nothing may be removed for this backup, or ""."""
    usual = retention.usual_size_if_too_small(backup, earlier)
    if usual is None:
        return ""
    return (
        f"{backup.name} is too small: {format_size(backup.size)}, usual are"
        f" {format_size(usual)}; it is kept, and nothing is removed for it"
    )


def _dump_roles(client: PostgresClient) -> bytes:
    """Returns the roles of the server as SQL, without passwords. Raises BackupError."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        arguments = ("--globals-only", "--no-role-passwords", "--no-password")
        streams = {"stdout": output, "stderr": errors}
        with client.start("pg_dumpall", *arguments, options=NO_TIMEOUTS, **streams) as program:
            code = program.wait()
        if code:
            raise BackupError(f"pg_dumpall: {first_error(errors) or f'exit code {code}'}")
        output.seek(0)
        return output.read()


def _unused_name(name: BackupName, storage: FolderStorage) -> BackupName:
    """Returns the next free second: a clock that was set back passes a name a second time."""
    while any(storage.path(name, file).exists() for file in name.files):
        name = replace(name, at=name.at + timedelta(seconds=1))
    return name
