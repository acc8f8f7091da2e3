"""Backups in a folder of the file system."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from healthkit_backup_freshness.catalogue import (
    LARGEST_MANIFEST,
    MANIFEST,
    BackupFile,
    SourceError,
    backup,
    is_backup,
)


class FolderSource:
    """A folder; what lies in folders below it does not count."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def backups(self, pattern: str, zone: ZoneInfo) -> Sequence[BackupFile]:
        try:
            with os.scandir(self._path) as entries:
                names = [entry.name for entry in entries if is_backup(entry.name, pattern)]
            found = [self._backup(name, zone) for name in names]
        except FileNotFoundError:
            raise SourceError(f"the folder {self._path} does not exist") from None
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from None
        return [one for one in found if one is not None]

    def close(self) -> None:
        """Nothing is kept open."""

    def _backup(self, name: str, zone: ZoneInfo) -> BackupFile | None:
        """None for a file that a rotation has taken away meanwhile, and for a folder."""
        path = self._path / name
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return None
            modified = datetime.fromtimestamp(found.st_mtime, UTC)
            return backup(name, found.st_size, modified, _read(path), zone)
        except (OSError, ValueError, OverflowError):
            return None  # one odd entry must not hide the others


def _read(path: Path) -> bytes | None:
    """Returns the manifest beside a backup; b"" where it cannot be read. It is opened without
    waiting: a pipe would never answer."""
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path.with_name(path.name + MANIFEST), flags)
        with open(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return file.read(LARGEST_MANIFEST + 1) if regular else b""
    except FileNotFoundError:
        return None
    except OSError:
        return b""
