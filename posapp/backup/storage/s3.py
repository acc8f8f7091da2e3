"""Backups in an S3 bucket, or in what speaks like one (R2, MinIO): `s3://BUCKET/{kind}/…`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from healthkit_backup_freshness.s3 import describe_error, s3_client
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import KINDS, BackupName
from posapp.backup.model.manifest import Manifest
from posapp.backup.storage.folder import Entry
from posapp.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 8 << 20
"""Bytes of one part of an upload."""
_TRANSFER = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=3)
TIMEOUT = 30.0
"""Seconds that S3 may be silent."""
_STALE = timedelta(days=1)
"""An upload that began before is nobody's any more."""


@dataclass(frozen=True)
class Bucket:
    """A bucket and how to get at it; `timeout` in seconds bounds each silence of the server, and a
    request is made up to `attempts` times."""

    name: str
    endpoint: str | None
    keys: tuple[str, str]
    timeout: float = TIMEOUT
    attempts: int = 4

    @classmethod
    def of(cls, settings: Settings, name: str | None = None) -> Bucket | None:
        """That of the settings, or another with the same endpoint and keys."""
        name = name or settings.backup_s3_bucket
        if name is None:
            return None
        secret = settings.backup_s3_secret_key
        keys = (settings.backup_s3_access_key or "", secret.get_secret_value() if secret else "")
        return cls(name, settings.backup_s3_endpoint, keys)

    def entries(self) -> list[Entry]:
        with self._told():
            return sorted(
                (entry for kind in KINDS for entry in self._of_kind(kind)), key=lambda e: e.name
            )

    def open(self, entry: Entry) -> BinaryIO:
        with self._told():
            body = self._client.get_object(Bucket=self.name, Key=_key(entry.name))["Body"]
            return cast(BinaryIO, body)

    def download(self, entry: Entry, path: Path) -> None:
        """Raises BackupError, and OSError when the file cannot be written."""
        with self._told(), path.open("wb") as file:
            self._client.download_fileobj(self.name, _key(entry.name), file, Config=_TRANSFER)

    def write_manifest(self, entry: Entry, manifest: Manifest) -> None:
        self._put(_key(entry.name, entry.name.manifest), manifest.dump())

    def remove(self, name: BackupName) -> None:
        objects = [{"Key": _key(name, file)} for file in name.files]
        with self._told():
            answer = self._client.delete_objects(
                Bucket=self.name,
                Delete={"Objects": objects, "Quiet": True},  # type: ignore[typeddict-item]
            )
        if errors := answer.get("Errors"):
            raise BackupError(f"s3://{self.name}/{errors[0].get('Key')}: {errors[0].get('Code')}")

    def upload(self, path: Path, name: BackupName, manifest: Manifest) -> Entry:
        """Sends a backup with its companions and sees that it has arrived: its length, and the
        checksum of what is there. The manifest comes last, so that what has one is whole."""
        key = _key(name)
        sha256, etag = fingerprints(path)
        if sha256 != manifest.sha256:
            raise BackupError(f"{path}: is no longer what was verified; it is not uploaded")
        companion = path.with_name(name.globals)
        if companion.exists():
            self._put(_key(name, name.globals), companion.read_bytes())
        with self._told():
            self._client.upload_file(
                str(path),
                self.name,
                key,
                ExtraArgs={"Metadata": {"sha256": sha256}},
                Config=_TRANSFER,
            )
            there = self._client.head_object(Bucket=self.name, Key=key)
            arrived = there["ContentLength"] == manifest.size_bytes and (
                there["ETag"].strip('"') == etag or self._sha256(key) == sha256
            )
        entry = Entry(name, manifest.size_bytes, manifest, self._address(key))
        if not arrived:
            raise BackupError(f"{entry.where}: what has arrived is not what was sent")
        self.write_manifest(entry, manifest)
        return entry

    def abort_stale_uploads(self, now: datetime) -> int:
        """Ends uploads that a killed run has left half done, unseen and paid for; how many."""
        with self._told():
            found = self._client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
            stale = [
                upload
                for upload in found
                if _parse(upload["Key"]) is not None and upload["Initiated"] < now - _STALE
            ]
            for upload in stale:
                self._client.abort_multipart_upload(
                    Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"]
                )
        return len(stale)

    @cached_property
    def _client(self) -> S3Client:
        return s3_client(self.endpoint, self.keys, self.timeout, self.attempts)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise BackupError(f"s3://{self.name}: {describe_error(error, self.timeout)}") from error
        except Boto3Error as error:  # of the transfers; it wraps the others
            cause = error.__context__
            known = isinstance(cause, BotoCoreError | ClientError)
            text = describe_error(cause, self.timeout) if known else str(error)  # type: ignore[arg-type]
            raise BackupError(f"s3://{self.name}: {text}") from error

    def _put(self, key: str, body: bytes) -> None:
        with self._told():
            self._client.put_object(Bucket=self.name, Key=key, Body=body)

    def _of_kind(self, kind: str) -> Iterator[Entry]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=f"{kind}/", Delimiter="/"
        )
        sizes = {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", ())}
        for key, size in sizes.items():
            if (name := _parse(key)) is not None:
                yield Entry(
                    name, size, self._manifest(_key(name, name.manifest), sizes), self._address(key)
                )

    def _manifest(self, key: str, present: dict[str, int]) -> Manifest | None:
        if key not in present:
            return None
        return Manifest.parse(self._client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def _sha256(self, key: str) -> str:
        """By reading it back: where the server encrypts, its ETag says nothing."""
        digest = hashlib.sha256()
        for block in self._client.get_object(Bucket=self.name, Key=key)["Body"].iter_chunks(PART):
            digest.update(block)
        return digest.hexdigest()

    def _address(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


def fingerprints(path: Path) -> tuple[str, str]:
    """The SHA-256 of a file, and what S3 and R2 call it: its MD5, or where it came in parts of
    `PART`, the MD5 of their MD5s and how many there were."""
    whole, parts = hashlib.sha256(), []
    with path.open("rb") as file:
        while block := file.read(PART):
            whole.update(block)
            parts.append(hashlib.md5(block, usedforsecurity=False).digest())
    if path.stat().st_size < PART:
        return whole.hexdigest(), b"".join(parts).hex()
    of_parts = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return whole.hexdigest(), f"{of_parts}-{len(parts)}"


def _key(name: BackupName, file: str | None = None) -> str:
    return f"{name.kind}/{file or name}"


def _parse(key: str) -> BackupName | None:
    kind, _, file = key.partition("/")
    name = BackupName.parse(file)
    return name if name is not None and name.kind == kind else None
