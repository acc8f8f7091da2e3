"""Backups in a folder of the file system."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from healthkit_backup_freshness.catalogue import (
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
        except FileNotFoundError:
            return None
        if not path.is_file():
            return None
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return backup(name, found.st_size, modified, _read(path), zone)


def _read(path: Path) -> bytes | None:
    try:
        return path.with_name(path.name + MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
