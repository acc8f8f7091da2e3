"""Finds a backup by what an operator calls it, and proves that its bytes are whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from healthkit.fields import format_size
from posapp.backup import compression, encryption
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import KINDS, BackupName
from posapp.backup.model.manifest import Manifest
from posapp.backup.storage.folder import Entry, Folder, Place, entry_of, newest
from posapp.backup.storage.s3 import Bucket
from posapp.runtime.files import free_bytes
from posapp.settings import Settings

LATEST = "latest"
_S3 = "s3://"


def everything(folder: Folder, bucket: Bucket | None) -> list[Entry]:
    """All backups here and in S3, by time."""
    found = folder.entries() + (bucket.entries() if bucket else [])
    return sorted(found, key=lambda entry: (entry.name, entry.where))


def find(what: str, settings: Settings) -> Entry:
    """The backup that is called so: a path, `s3://BUCKET/KIND/NAME`, `s3://BUCKET[/KIND]` for the
    newest good one there, or `latest` for the newest good one here, else in S3; those before
    restores apart.

    Raises Refused for what is none.
    """
    if what == LATEST:
        return _latest(settings)
    if what.startswith(_S3):
        return _in_s3(what, settings)
    path = Path(what)
    if not path.exists() and path.parent == Path() and (name := BackupName.parse(what)):
        path = Folder(settings.backup_dir.resolve()).path(name)
    entry = entry_of(path.absolute())
    if entry is None:
        reason = "is not named like a backup" if path.is_file() else "there is no such backup"
        raise Refused(f"{what}: {reason}; posapp backup list shows what there is")
    return entry


def place_of(entry: Entry, settings: Settings) -> Place:
    if entry.where.startswith(_S3):
        bucket = Bucket.of(settings, entry.where.removeprefix(_S3).partition("/")[0])
        assert bucket is not None
        return bucket
    return Folder(Path(entry.where).parent.parent)


def _latest(settings: Settings) -> Entry:
    places = [Folder(settings.backup_dir.resolve()), Bucket.of(settings)]
    for place in places:
        if place is None:
            continue
        # What was live before a restore is nothing that a restore wants by default.
        if entry := newest([e for e in place.entries() if e.name.kind != "pre-restore"]):
            return entry
    raise Refused(f"there is no good backup in {settings.backup_dir}, nor in S3")


def _in_s3(address: str, settings: Settings) -> Entry:
    name, _, key = address.removeprefix(_S3).rstrip("/").partition("/")
    bucket = Bucket.of(settings, name) if name else None
    if bucket is None:
        raise Refused(f"{address}: names no bucket; write it like s3://bucket/daily/NAME")
    entries = bucket.entries()
    if key in ("", *KINDS):
        wanted = {key} if key else set(KINDS) - {"pre-restore"}
        entry = newest([e for e in entries if e.name.kind in wanted])
    else:
        entry = next((e for e in entries if f"{e.name.kind}/{e.name}" == key), None)
    if entry is None:
        raise Refused(f"{address}: there is no such backup; posapp backup list shows what there is")
    return entry


@contextmanager
def at_hand(entry: Entry, settings: Settings, folder: Path) -> Iterator[Path]:
    """The backup as a file of this machine, fetched into `folder` when it lies in S3.

    Raises BackupError where it cannot be fetched, Refused where there is no room for it.
    """
    place = place_of(entry, settings)
    if not isinstance(place, Bucket):
        yield Path(entry.where)
        return
    if entry.size > free_bytes(folder):
        raise Refused(f"{folder}: no room for the {format_size(entry.size)} of {entry.where}")
    path = folder / str(entry.name)
    try:
        place.download(entry, path)
        yield path
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    finally:
        path.unlink(missing_ok=True)


def fetched(folder: Folder) -> Path:
    """Where a restore fetches to, emptied of what a killed one has left: for the lock's holder."""
    shutil.rmtree(folder.root / "fetched", ignore_errors=True)
    return folder.prepare("fetched")


def verify(entry: Entry, settings: Settings) -> None:
    """Reads a backup to its end. Raises BackupError for whatever is not as its manifest says."""
    with _opened(entry, settings) as file:
        found = compression.measure(
            file, entry.name, lambda: encryption.identity(settings.backup_age_identity)
        )
    if entry.manifest is None:
        raise BackupError(f"{entry.where}: whole, but there is no manifest to compare it with")
    _compare(entry, entry.manifest, *found)


def verify_bytes(entry: Entry, path: Path) -> None:
    """Whether a file still is what was verified when it was made, by its checksum: quick, as a
    restore reads all of it anyway. Raises BackupError."""
    if entry.manifest is None:
        raise BackupError(
            f"{entry.where}: there is no manifest to compare it with;"
            " --without-manifest restores it all the same"
        )
    try:
        with path.open("rb") as file:
            found = compression.checksum(file)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    _compare(entry, entry.manifest, *found, entry.manifest.sql_bytes)


@contextmanager
def _opened(entry: Entry, settings: Settings) -> Iterator[BinaryIO]:
    try:
        with place_of(entry, settings).open(entry) as file:
            yield file
    except OSError as error:
        raise BackupError(f"{entry.where}: {error.strerror or error}") from None


def _compare(entry: Entry, manifest: Manifest, sha256: str, size: int, sql_bytes: int) -> None:
    told = {
        "file": (str(entry.name), manifest.file),
        "kind": (entry.name.kind, manifest.kind),
        "bytes": (size, manifest.size_bytes),
        "SHA-256": (sha256, manifest.sha256),
        "bytes of SQL": (sql_bytes, manifest.sql_bytes),
    }
    for what, (found, said) in told.items():
        if found != said:
            raise BackupError(
                f"{entry.where}: its manifest disagrees: {what} {said}, and it is {found}"
            )
