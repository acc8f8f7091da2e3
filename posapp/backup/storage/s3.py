"""Backups in an S3 bucket, or in what speaks like one (R2, MinIO): `s3://BUCKET/{kind}/…`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from healthkit_backup_freshness.s3 import describe_error, is_of_one_object, s3_client
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import KINDS, S3_SCHEME, Backup, BackupName
from posapp.backup.model.manifest import LARGEST_MANIFEST, Manifest
from posapp.backup.room import Need, require
from posapp.backup.storage import LARGEST_ROLES
from posapp.backup.storage.staged import MOST_PARTS, PART, StagedUpload
from posapp.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TRANSFER = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=3)
STAGED_FROM = PART
"""Bytes of a dump that is sent while it is verified; a smaller one is sent in a moment."""
TIMEOUT = 30.0
"""Seconds that S3 may be silent."""
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_OF_SERVERS = re.compile(r"(?:base|wal)/[0-9a-z]{1,16}/[0-9]{1,20}/")
"""Beginnings of the keys of base backups and of WAL."""
_STALE = timedelta(days=1)
"""Age from which an unfinished upload belongs to no run any more."""


class _Listed(Backup):
    """A backup in a bucket, of which the manifest is fetched when it is first asked for: a bucket
    that nobody may empty has thousands, and the newest are what matters."""

    def __init__(
        self,
        name: BackupName,
        size: int,
        location: str,
        archived: bool,
        fetch: Callable[[], tuple[Manifest | None, str]],
    ) -> None:
        known = {"name": name, "size": size, "location": location}
        self.__dict__.update(known, _archived=archived, _fetch=fetch)

    @cached_property
    def _read(self) -> tuple[Manifest | None, str]:
        found: tuple[Manifest | None, str] = self.__dict__["_fetch"]()
        return found

    @property
    def manifest(self) -> Manifest | None:
        return self._read[0]

    @property
    def problem(self) -> str:
        if self.__dict__["_archived"]:
            return "archived: it has to be brought back first"
        return self._read[1]


_KEYS = ("BACKUP_S3_ACCESS_KEY", "BACKUP_S3_SECRET_KEY")


@dataclass(frozen=True)
class S3Storage:
    """A bucket and how to reach it; `timeout` in seconds bounds each silence of the server, and a
    request is made up to `attempts` times."""

    name: str
    endpoint: str | None
    keys: tuple[str, str]
    timeout: float = TIMEOUT
    attempts: int = 4
    reserve: int | None = None
    """Bytes to leave free where a copy is put; None: the usual share."""

    @classmethod
    def from_settings(cls, settings: Settings, name: str) -> S3Storage:
        """Returns a bucket with the endpoint and the keys of the settings. Raises Refused."""
        secret = settings.backup_s3_secret_key
        keys = (settings.backup_s3_access_key or "", secret.get_secret_value() if secret else "")
        for variable, key in zip(_KEYS, keys, strict=True):
            if not (key.isascii() and key.isprintable() and " " not in key):
                raise Refused(f"{variable}: no key of S3: copy it anew, in one line without spaces")
            if not key and any(keys):
                raise Refused(f"{variable}: missing; the other one is of no use alone")
        return cls(name, settings.backup_s3_endpoint, keys, reserve=settings.backup_disk_reserve)

    @property
    def location(self) -> str:
        return f"{S3_SCHEME}{self.name}"

    def list_backups(self) -> list[Backup]:
        with self._translate_errors(self.location), ThreadPoolExecutor(len(KINDS)) as listing:
            client = self._client  # made once, before there are threads
            kinds = list(listing.map(partial(self._list_kind, client), KINDS))
        return sorted((backup for kind in kinds for backup in kind), key=lambda one: one.name)

    @contextmanager
    def open(self, backup: Backup) -> Iterator[BinaryIO]:
        with self._translate_errors(backup.location):
            body = self._client.get_object(Bucket=self.name, Key=backup.name.key)["Body"]
            try:
                yield cast(BinaryIO, body)
            finally:
                body.close()

    @contextmanager
    def local_copy(self, backup: Backup, scratch: Path) -> Iterator[BinaryIO]:
        require([Need(scratch, backup.size, f"the copy of {backup.location}")], self.reserve)
        path = scratch / str(backup.name)
        try:
            with self._translate_errors(backup.location):
                self._client.download_file(self.name, backup.name.key, str(path), Config=_TRANSFER)
            with path.open("rb") as file:
                yield file
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from None
        finally:
            path.unlink(missing_ok=True)

    def read_roles(self, backup: Backup) -> bytes | None:
        key = backup.name.key_of(backup.name.globals)
        with self._translate_errors(self._url(key)), suppress(self._client.exceptions.NoSuchKey):
            body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
            return body.read(LARGEST_ROLES + 1)
        return None

    def write_manifest(self, backup: Backup, manifest: Manifest) -> None:
        self._put(backup.name.key_of(backup.name.manifest), manifest.dump())

    def remove(self, name: BackupName) -> None:
        self.remove_keys([name.key_of(file) for file in name.files])

    def remove_keys(self, keys: Sequence[str]) -> None:
        """Removes objects, a thousand at most. Raises BackupError."""
        with self._translate_errors(self._url(keys[0])):
            response = self._client.delete_objects(
                Bucket=self.name,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
        if errors := response.get("Errors"):
            raise BackupError(f"{self._url(errors[0].get('Key', ''))}: {errors[0].get('Code')}")

    def list_keys(self, prefix: str) -> dict[str, int]:
        """Returns the keys below a prefix, and the bytes of each. Raises BackupError."""
        with self._translate_errors(self.location):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            )
            return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", ())}

    def send(self, path: Path, key: str, metadata: Mapping[str, str]) -> None:
        """Sends a file and verifies what has arrived: its length and its checksum, of which
        `metadata` has the `sha256`. Raises BackupError, also for a file that has another one."""
        sha256, etag = checksums(path)
        if sha256 != metadata["sha256"]:
            raise BackupError(f"{path}: is no longer what was verified; it is not uploaded")
        extra = {"Metadata": dict(metadata)}
        with self._translate_errors(self._url(key)):
            try:
                self._client.upload_file(
                    str(path), self.name, key, ExtraArgs=extra, Config=_TRANSFER
                )
            except (BotoCoreError, ClientError, Boto3Error):
                # Where nothing may be overwritten, it may be there from a run that was killed.
                with suppress(BotoCoreError, ClientError):
                    if self._has(key, path.stat().st_size, sha256, etag):
                        return
                raise
            intact = self._has(key, path.stat().st_size, sha256, etag)
        if not intact:
            raise BackupError(f"{self._url(key)}: what has arrived is not what was sent")

    def fetch(self, key: str, path: Path) -> Mapping[str, str]:
        """Copies an object into a file. Returns its metadata. Raises BackupError, OSError."""
        with self._translate_errors(self._url(key)):
            self._client.download_file(self.name, key, str(path), Config=_TRANSFER)
        return self.metadata(key)

    def metadata(self, key: str) -> Mapping[str, str]:
        """Returns what was sent along with an object. Raises BackupError."""
        with self._translate_errors(self._url(key)):
            return self._client.head_object(Bucket=self.name, Key=key)["Metadata"]

    def stage(self, name: BackupName, path: Path, manifest: Manifest) -> StagedUpload | None:
        """Begins to send a dump that is yet to be verified; nobody sees it before `upload` has
        completed it. None for one that is sent at once, as a whole. Raises OSError."""
        if not STAGED_FROM <= manifest.size_bytes <= PART * MOST_PARTS:
            return None
        key = replace(name, identity=manifest.identity or "").key
        return StagedUpload(self._client, self.name, key, path, {"sha256": manifest.sha256})

    def upload(
        self, backup: Backup, manifest: Manifest, staged: StagedUpload | None = None
    ) -> Backup:
        """Sends a backup of a folder with its companions, and verifies what has arrived: its length
        and its checksum. The manifest comes last, so that a backup that has one is whole. What was
        `staged` of it is completed."""
        path = Path(backup.location)
        name = replace(backup.name, identity=manifest.identity or "")
        companion = path.with_name(backup.name.globals)
        if companion.exists():
            digest = checksums(companion)[0]
            self.send(companion, name.key_of(name.globals), {"sha256": digest})
        if staged is not None and staged.key == name.key:
            self._complete(staged, manifest)
        else:
            self.send(path, name.key, {"sha256": manifest.sha256})
        sent = Backup(name, manifest.size_bytes, manifest, self._url(name.key))
        try:
            self.write_manifest(sent, manifest)
        except BackupError:
            key = name.key_of(name.manifest)
            there = self._manifest(key, self.list_keys(key))[0]
            if there is None or there.sha256 != manifest.sha256:
                raise
        return sent

    def _complete(self, staged: StagedUpload, manifest: Manifest) -> None:
        """Has a dump appear that was sent in parts, and verifies what has arrived."""
        with self._translate_errors(self._url(staged.key)):
            sent = staged.complete()
            intact = self._has(staged.key, manifest.size_bytes, sent.sha256, sent.etag)
        if not intact:
            raise BackupError(f"{self._url(staged.key)}: what has arrived is not what was sent")

    def abort_stale_uploads(self, now: datetime, staged: StagedUpload | None = None) -> int:
        """Aborts uploads that a killed run has left half done, unseen and paid for, but not what is
        `staged`, whatever the clocks say; returns how many."""
        with self._translate_errors(self.location):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name)
            stale = [
                upload
                for page in pages
                for upload in page.get("Uploads", ())
                if (_parse(upload["Key"]) is not None or _OF_SERVERS.match(upload["Key"]))
                and upload["Initiated"] < now - _STALE
                and (staged is None or upload["Key"] != staged.key)
            ]
            for upload in stale:
                self._client.abort_multipart_upload(
                    Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"]
                )
        return len(stale)

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> S3Client:
        return s3_client(self.endpoint, self.keys, self.timeout, self.attempts)

    @contextmanager
    def _translate_errors(self, location: str) -> Iterator[None]:
        """Raises BackupError for what S3 refuses, or does not answer."""
        try:
            yield
        except ParamValidationError as error:
            raise Refused(f"{location}: not the name of a bucket, or of an object") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise Refused(
                f"{' and '.join(_KEYS)}: missing, and {self.location} cannot be opened without"
            ) from error
        except (BotoCoreError, ClientError) as error:
            raise BackupError(f"{location}: {describe_error(error, self.timeout)}") from error
        except Boto3Error as error:  # of the transfers; it wraps the others
            cause = error.__context__
            known = isinstance(cause, BotoCoreError | ClientError)
            text = describe_error(cause, self.timeout) if known else str(error)  # type: ignore[arg-type]
            raise BackupError(f"{location}: {text}") from error

    def _has(self, key: str, size: int, sha256: str, etag: str) -> bool:
        """Whether an object is, to the last byte, what was to be sent."""
        there = self._client.head_object(Bucket=self.name, Key=key)
        return there["ContentLength"] == size and (
            there["ETag"].strip('"') == etag or self._sha256(key) == sha256
        )

    def _put(self, key: str, body: bytes) -> None:
        with self._translate_errors(self._url(key)):
            self._client.put_object(Bucket=self.name, Key=key, Body=body)

    def _list_kind(self, client: S3Client, kind: str) -> list[Backup]:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=f"{kind}/", Delimiter="/"
        )
        objects = {o["Key"]: o for page in pages for o in page.get("Contents", ())}
        present = frozenset(objects)
        listed: list[Backup] = []
        for key, found in objects.items():
            if (name := _parse(key)) is not None:
                archived = found.get("StorageClass") in _ARCHIVED
                manifest = partial(self._manifest, name.key_of(name.manifest), present)
                listed.append(_Listed(name, found["Size"], self._url(key), archived, manifest))
        return listed

    def _manifest(self, key: str, present: Container[str]) -> tuple[Manifest | None, str]:
        """Returns the manifest, and why it cannot be read: one object that is refused must not hide
        the others."""
        if key not in present:
            return None, ""
        with self._translate_errors(self._url(key)):
            try:
                body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
                return Manifest.parse(body.read(LARGEST_MANIFEST + 1)), ""
            except self._client.exceptions.NoSuchKey:  # removed by a rotation meanwhile
                return None, ""
            except ClientError as error:
                if not is_of_one_object(error):
                    raise
                return None, f"its manifest: {describe_error(error, self.timeout)}"

    def _sha256(self, key: str) -> str:
        """Reads the object back: where the server encrypts, its ETag is no checksum."""
        digest = hashlib.sha256()
        for block in self._client.get_object(Bucket=self.name, Key=key)["Body"].iter_chunks(PART):
            digest.update(block)
        return digest.hexdigest()

    def _url(self, key: str) -> str:
        return f"{self.location}/{key}"


def checksums(path: Path) -> tuple[str, str]:
    """Returns the SHA-256 of a file, and its ETag in S3 and R2: its MD5, or for a file that is
    uploaded in parts of `PART`, the MD5 of their MD5s and the number of parts."""
    whole, parts = hashlib.sha256(), []
    with path.open("rb") as file:
        while block := file.read(PART):
            whole.update(block)
            parts.append(hashlib.md5(block, usedforsecurity=False).digest())
    if path.stat().st_size < PART:
        return whole.hexdigest(), b"".join(parts).hex()
    of_parts = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return whole.hexdigest(), f"{of_parts}-{len(parts)}"


def _parse(key: str) -> BackupName | None:
    kind, _, file = key.partition("/")
    name = BackupName.parse(file)
    return name if name is not None and name.kind == kind else None
