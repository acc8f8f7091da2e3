"""Exports a backup into one file, for a stick that lies in a drawer."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from pyrage import x25519

from posapp.backup import compression, room
from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import Backup, format_stamp
from posapp.backup.storage import LARGEST_ROLES
from posapp.backup.storage.exported import write_exported
from posapp.backup.storage.lookup import source_of
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder

_MORE = 1 << 20
"""Bytes besides the dump, the manifest and the roles, at most."""
_ADVICE = {
    errno.ENOSPC: "there is no room left",
    errno.EFBIG: "its file system takes no file that large (FAT: 4 GB): format it as exFAT",
}


def export(
    backup: Backup, target: Path, context: BackupContext, recipient: x25519.Recipient | None
) -> Path:
    """Writes a backup into a file, or into a folder under a name of its own, for a `recipient` or
    in the clear, and reads it back. Returns its path.

    Raises Refused before anything is written, BackupError after; then nothing is left of it.
    """
    context.key.require(backup)
    target = _place(target, backup, context, encrypted=recipient is not None)
    source = source_of(backup, context.settings)
    roles = source.read_roles(backup)
    if roles is not None and len(roles) > LARGEST_ROLES:
        raise BackupError(f"{backup.location}: its roles are too large")
    need = backup.size + len(roles or b"") + _MORE
    room.require([room.Need(target.parent, need, "the export")], 0)
    part = target.with_name(target.name + PARTIAL_SUFFIX)
    context.log.expect(backup.size)
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:
            with suppress(OSError):  # the file system of a stick may not know of rights
                os.fchmod(file.fileno(), 0o600)
            sink = compression.HashingWriter(file)
            try:
                with source.open(backup) as dump:
                    write_exported(backup, dump, roles, sink, recipient, context.log.progress)
            except BackupError:
                if sink.error is not None:  # of the stick, not of where the backup lies
                    raise sink.error from None
                raise
            file.flush()
            os.fsync(file.fileno())
        _verify_written(part, sink)
        part.rename(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise BackupError(f"{target}: {reason}; nothing of it is left") from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    with suppress(OSError):
        fsync_folder(target.parent)
    return target


def _place(target: Path, backup: Backup, context: BackupContext, encrypted: bool) -> Path:
    """Returns the path of the file. Raises Refused where none may be written."""
    try:
        in_folder = target.is_dir()
    except OSError as error:
        raise Refused(f"{str(target)[:100]}: {error.strerror}") from None
    folder = target if in_folder else target.parent
    real = Path(os.path.realpath(folder))
    if context.storage.root in (real, *real.parents):
        raise Refused(f"{folder}: is in BACKUP_DIR, which a disaster takes along: name a stick")
    if in_folder:
        suffix = ".tar.age" if encrypted else ".tar"
        target /= f"steak_kenangan_export_{format_stamp(backup.at)}{suffix}"
    if target.exists():
        raise Refused(f"{target}: is there already; remove it, or name another")
    if not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder")
    return target


def _verify_written(part: Path, sink: compression.HashingWriter) -> None:
    """Reads the file again, from the stick itself. Raises BackupError, OSError."""
    with part.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        found = compression.checksum(file)
    if found != (sink.hexdigest(), sink.size):
        raise BackupError(f"{part}: the stick does not give back what was written")
