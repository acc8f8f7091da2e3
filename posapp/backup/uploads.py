"""Sends to the bucket what it has not got: the new dump from the moment on at which it is written,
and what an earlier run could not send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import BackupName
from posapp.backup.model.identity import Identity, ours
from posapp.backup.model.manifest import Manifest
from posapp.backup.told import tell_once

if TYPE_CHECKING:
    from posapp.backup.storage.s3 import S3Storage
    from posapp.backup.storage.staged import StagedUpload


class Uploads:
    """The uploads of one run; none where `bucket` is None. Context manager: what has begun and is
    not complete at the end never appears in the bucket."""

    def __init__(self, context: BackupContext, bucket: S3Storage | None) -> None:
        self._context = context
        self._bucket = bucket
        self._staged: StagedUpload | None = None

    def __enter__(self) -> Uploads:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def begin(self, name: BackupName, part: Path, manifest: Manifest) -> None:
        """Begins to send a dump, which is verified meanwhile. Raises OSError."""
        if self._bucket is not None:
            self._staged = self._bucket.stage(name, part, manifest)

    def abandon(self) -> None:
        """Throws away what has begun and is not complete."""
        if self._staged is not None:
            self._staged.abort()
            self._staged = None

    def send_pending(self, own: Identity | None) -> BackupError | None:
        """Sends what is not in the bucket yet, of whatever kind and the newest first: the next
        monthly backup is far away. Returns what failed: Refused for what can be put right."""
        context, storage, bucket = self._context, self._context.storage, self._bucket
        if bucket is None:
            return None
        unfinished: dict[str, str] = {}
        try:
            bucket.abort_stale_uploads(context.clock.now(), self._staged)
        except BackupError as error:
            unfinished["unfinished uploads"] = str(error)
        subject = "Not cleaned up in the bucket"
        tell_once(storage.root, subject, unfinished, context.notifications)
        try:
            for backup in reversed(ours(storage.list_backups(), own)):
                if backup.manifest is not None and backup.upload_pending:
                    uploaded = backup.manifest.with_timestamps(uploaded_at=context.clock.now())
                    manifest = context.key.resign(backup.manifest, uploaded)
                    sent = bucket.upload(backup, manifest, self._staged)
                    storage.write_manifest(backup, manifest)
                    context.log.write(f"Uploaded and verified {sent.location}")
        except BackupError as error:
            return type(error)(f"not uploaded: {error}; the local file is kept")
        return None
