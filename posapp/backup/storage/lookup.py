"""Finds a backup by what an operator calls it, and verifies its bytes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from posapp.backup import compression
from posapp.backup.compression import LoadIdentity
from posapp.backup.encryption import load_identity
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import KINDS, S3_SCHEME, Backup, BackupName
from posapp.backup.model.identity import Identity, named_owner, ours
from posapp.backup.model.manifest import Manifest
from posapp.backup.storage import Source, Storage
from posapp.backup.storage.exported import ExportedFile
from posapp.backup.storage.folder import BackupLock, FolderStorage, backup_at
from posapp.settings import Settings

if TYPE_CHECKING:
    from posapp.backup.storage.s3 import S3Storage

LATEST = "latest"
_READERS = 8
_CLOCKS_DIFFER = timedelta(days=1)
"""As those of two machines may: that of a new one is in no time zone yet."""
_COUNTED = 100
"""Of those that are not good, for a message."""


def intact(backup: Backup) -> bool:
    """Whether a backup is what it was when it was made, whoever made it."""
    return backup.intact


def list_all(storages: list[Storage]) -> list[Backup]:
    """Returns the backups of all storages, by time."""
    found = [backup for storage in storages for backup in storage.list_backups()]
    return sorted(found, key=lambda one: (one.name, one.location))


def read_ahead(backups: Iterable[Backup]) -> None:
    """Reads the manifests of backups, several at once: in a bucket each is a request. Raises
    BackupError."""
    with ThreadPoolExecutor(_READERS) as readers:
        list(readers.map(lambda one: one.manifest, backups))


def find_backup(
    what: str,
    settings: Settings,
    own: Identity | None = None,
    is_good: Callable[[Backup], bool] = intact,
    now: datetime | None = None,
) -> Backup:
    """Returns the backup that an operator names: by a path, also of a file that was exported, `s3://BUCKET/KIND/NAME`,
    `s3://BUCKET[/KIND]` for the newest intact one there, or `latest` for the newest intact one
    here, else in S3; those before restores apart. The newest is the newest of `own`; for None, as a
    fresh database is, of the only restaurant that has any. `is_good` says what counts. One that is
    dated after `now`, by a clock that was ahead, is the newest only where there is no other.

    Raises Refused where there is no such backup.
    """
    if not what:
        raise Refused(f"no backup is named: write a path, an s3:// address, or {LATEST}")
    if what == LATEST:
        return _latest(settings, own, is_good, now)
    if what.startswith(S3_SCHEME):
        return _in_s3(what, settings, own, is_good, now)
    try:
        return _in_file(what, settings)
    except OSError as error:  # of a path that no file could have
        raise Refused(f"{what[:100]}: {error.strerror}") from None


def _in_file(what: str, settings: Settings) -> Backup:
    """Raises Refused, and OSError."""
    path = Path(what)
    if not path.exists() and path.parent == Path() and (name := BackupName.parse(what)):
        path = FolderStorage.from_settings(settings).path(name)
    backup = backup_at(path.absolute())
    if backup is None and path.is_file() and BackupName.parse(path.name) is None:
        backup = _exported(path.absolute(), settings).read()
    if backup is None:
        reason = "is not named like a backup" if path.is_file() else "there is no such backup"
        raise Refused(f"{what}: {reason}; posapp backup list shows what there is")
    return backup


def open_bucket(settings: Settings, name: str | None = None) -> S3Storage | None:
    """Returns the bucket of the settings, or another with the same endpoint and keys; None where
    the settings have none."""
    name = name or settings.backup_s3_bucket
    if name is None:
        return None
    from posapp.backup.storage.s3 import S3Storage  # boto3 is loaded for those who have one

    return S3Storage.from_settings(settings, name)


def source_of(backup: Backup, settings: Settings) -> Source:
    """Returns from where a backup is read: its storage, or the file that was exported."""
    return storage_of(backup, settings) or _exported(Path(backup.location), settings)


def storage_of(backup: Backup, settings: Settings) -> Storage | None:
    """Returns the storage in which a backup lies; None for one in a file that was exported."""
    if not backup.in_s3:
        path = Path(backup.location)
        return FolderStorage(path.parent.parent) if path.name == str(backup.name) else None
    bucket = open_bucket(settings, _bucket_name(backup.location))
    assert bucket is not None
    return bucket


def _exported(path: Path, settings: Settings) -> ExportedFile:
    return ExportedFile(path, lambda: load_identity(settings.backup_age_identity))


def _latest(
    settings: Settings,
    own: Identity | None,
    is_good: Callable[[Backup], bool],
    now: datetime | None,
) -> Backup:
    found: list[Backup] = []
    for storage in (FolderStorage.from_settings(settings), open_bucket(settings)):
        if storage is None:
            continue
        # A database from before a restore is never what a restore wants by default.
        candidates = [one for one in storage.list_backups() if one.kind != "pre-restore"]
        if backup := _newest_good(candidates, own, is_good, now):
            return backup
        found += candidates
    whose = "" if own is None else " of this restaurant"
    newest = sorted(found, key=lambda one: one.name)[-_COUNTED:]
    unsigned = sum(one.intact and not is_good(one) for one in newest)
    more = f"; {unsigned} are not signed by BACKUP_KEY (--unsigned)" if unsigned else ""
    raise Refused(
        f"there is no good backup{whose} in {settings.backup_dir}, nor in S3{more};"
        " posapp backup list shows what there is"
    )


def _newest_good(
    candidates: list[Backup],
    own: Identity | None,
    is_good: Callable[[Backup], bool],
    now: datetime | None,
) -> Backup | None:
    """Returns the newest good one; of each restaurant's only the newest are looked at. Raises
    Refused where it is not clear whose are meant."""

    def age_order(one: Backup) -> tuple[bool, BackupName]:
        return (now is None or one.at <= now + _CLOCKS_DIFFER, one.name)

    of: dict[str | None, list[Backup]] = {}
    for one in sorted(ours(candidates, own), key=age_order, reverse=True):
        of.setdefault(named_owner(one), []).append(one)
    newest = {
        owner: next((one for one in group if is_good(one)), None) for owner, group in of.items()
    }
    good = {owner: one for owner, one in newest.items() if one is not None}
    if own is None and len(known := {owner for owner in good if owner}) > 1:
        raise Refused(
            f"here are backups of {len(known)} restaurants ({', '.join(sorted(known))}):"
            " name the one; posapp backup list shows them"
        )
    return max(good.values(), key=age_order, default=None)


def _in_s3(
    url: str,
    settings: Settings,
    own: Identity | None,
    is_good: Callable[[Backup], bool],
    now: datetime | None,
) -> Backup:
    name = _bucket_name(url)
    bucket = open_bucket(settings, name) if name else None
    if bucket is None:
        raise Refused(f"{url}: names no bucket; write it like s3://bucket/daily/NAME")
    key = url.removeprefix(S3_SCHEME).rstrip("/").partition("/")[2]
    found = bucket.list_backups()
    if key in ("", *KINDS):
        kinds = {key} if key else set(KINDS) - {"pre-restore"}
        backup = _newest_good([one for one in found if one.kind in kinds], own, is_good, now)
    else:
        backup = next((one for one in found if one.name.key == key), None)
        if backup is None:  # as it is called here, without the identity
            named = ours((one for one in found if one.name.plain.key == key), own)
            backup = named[0] if len(named) == 1 else None
    if backup is None:
        raise Refused(f"{url}: there is no such backup; posapp backup list shows what there is")
    return backup


def _bucket_name(url: str) -> str:
    return url.removeprefix(S3_SCHEME).rstrip("/").partition("/")[0]


def download_folder(storage: FolderStorage, lock: BackupLock) -> Path:
    """Returns the folder for downloads of a restore, emptied of what a killed one has left."""
    lock.require(storage)
    shutil.rmtree(storage.root / "fetched", ignore_errors=True)
    return storage.prepare("fetched")


def verify(
    backup: Backup,
    settings: Settings,
    identity: LoadIdentity,
    on_progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Reads a backup to its end. Raises BackupError where it differs from its manifest."""
    with source_of(backup, settings).open(backup) as file:
        found = compression.read_to_end(file, backup.name, identity, on_progress)
    if backup.manifest is None:
        raise BackupError(f"{backup.location}: whole, but there is no manifest to compare it with")
    _compare_with_manifest(backup, backup.manifest, *found)


def verify_checksum(backup: Backup, file: BinaryIO) -> None:
    """Compares the checksum of a local copy with the manifest: quick, as a restore reads all of it
    anyway, by the same open file. Raises BackupError where it differs."""
    if backup.manifest is None:
        raise BackupError(
            f"{backup.location}: there is no manifest to compare it with;"
            " --without-manifest restores it all the same"
        )
    try:
        found = compression.checksum(file)
        file.seek(0)
    except OSError as error:
        raise BackupError(f"{backup.location}: {error.strerror}") from None
    _compare_with_manifest(backup, backup.manifest, *found, backup.manifest.sql_bytes)


def _compare_with_manifest(
    backup: Backup, manifest: Manifest, sha256: str, size: int, sql_bytes: int
) -> None:
    compared = {
        "file": (str(backup.name.plain), manifest.file),
        "kind": (backup.kind, manifest.kind),
        "bytes": (size, manifest.size_bytes),
        "SHA-256": (sha256, manifest.sha256),
        "bytes of SQL": (sql_bytes, manifest.sql_bytes),
    }
    for what, (found, expected) in compared.items():
        if found != expected:
            raise BackupError(
                f"{backup.location}: its manifest disagrees: {what} {expected}, and it is {found}"
            )
