"""Brings backups to S3: the one that was just made, and what could not be brought before."""

from __future__ import annotations

from pathlib import Path

from posapp.backup.errors import BackupError
from posapp.backup.journal import Journal
from posapp.backup.storage.folder import Entry, Folder
from posapp.backup.storage.s3 import Bucket


def upload_missing(folder: Folder, bucket: Bucket, journal: Journal) -> str:
    """Uploads what is not yet there, of whatever kind and the newest first: the next monthly one
    is far away. What went wrong, or ""."""
    try:
        bucket.abort_stale_uploads(journal.clock())
        for entry in reversed(folder.entries()):
            if entry.good and _is_missing(entry):
                _upload(entry, folder, bucket, journal)
    except BackupError as error:
        return f"not uploaded: {error}; the local file is kept"
    return ""


def _is_missing(entry: Entry) -> bool:
    manifest = entry.manifest
    return manifest is not None and manifest.s3_expected and manifest.uploaded_at is None


def _upload(entry: Entry, folder: Folder, bucket: Bucket, journal: Journal) -> None:
    assert entry.manifest is not None
    manifest = entry.manifest.stating(uploaded_at=journal.clock())
    sent = bucket.upload(Path(entry.where), entry.name, manifest)
    folder.write_manifest(entry, manifest)
    journal.line(f"Uploaded and verified {sent.where}")
