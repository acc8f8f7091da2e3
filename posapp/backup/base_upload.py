"""Sends base backups to the bucket, and removes there what has been kept for its time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from posapp.backup.archive import Archive
from posapp.backup.base_backup import KEPT, is_signed, list_base_backups
from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.told import tell_once


def upload_bases(context: BackupContext) -> None:
    """Sends the base backups of this server that the bucket has not got, the newest first.

    Raises BackupError where one could not be sent; the local one is kept. What cannot be removed is
    a warning.
    """
    bucket = context.bucket
    if bucket is None:
        return
    found = [one for one in list_base_backups(context.storage) if is_signed(one, context.key)]
    newest = found[-1].manifest if found else None
    if newest is None:
        return
    archive = Archive.of(bucket, context.key, newest.identity, newest.system_identifier or "0")
    try:
        with tempfile.TemporaryDirectory() as scratch:  # what somebody else has put there is none
            there = {one.path.name for one in archive.list_bases(Path(scratch))}
        for base in reversed(found):
            if base.path.name not in there:
                archive.send_base(base)
                context.log.write(f"Uploaded and verified {base.path.name}")
    except (BackupError, OSError) as error:
        raise BackupError(f"not uploaded: {error}; the local base backup is kept") from None
    failed = {}
    try:
        with tempfile.TemporaryDirectory() as scratch:
            made = archive.list_bases(Path(scratch))
        archive.keep_only(made[-KEPT:], made[:-KEPT])
    except BackupError as error:
        failed["old base backups"] = str(error)
    subject = "Not removed in the bucket, of what is kept for a moment"
    tell_once(context.storage.root, subject, failed, context.notifications)
