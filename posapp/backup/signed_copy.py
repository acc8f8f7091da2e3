"""Copies of what was received, and how much of each is signed."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from posapp.backup.errors import BackupError

UNSIGNED = "not signed by BACKUP_KEY"
_PACKED = ".gz"
"""After the names of packed files, before `.age`."""
_BLOCK = 1 << 20
"""Bytes."""


class Changed(BackupError):
    """A file that is not what was signed."""


@dataclass(frozen=True)
class Copy:
    """A file that may be given, and so much of it as is signed with its SHA-256. Of what nobody has
    signed, all is given."""

    path: str
    size: int | None = None
    sha256: str | None = None

    @property
    def packed(self) -> bool:
        return _PACKED in Path(self.path).name


def copy_signed(source: BinaryIO, into: Any, size: int | None, sha256: str | None) -> None:
    """Copies so much of a file as is signed, and zeros for the rest of it. Raises Changed where it
    is not what was signed, after it was written."""
    if size is None:
        shutil.copyfileobj(source, into, _BLOCK)
        return
    digest, left = hashlib.sha256(), size
    while left and (block := source.read(min(_BLOCK, left))):
        digest.update(block)
        into.write(block)
        left -= len(block)
    if left or digest.hexdigest() != sha256:
        raise Changed(f"{UNSIGNED}, or was changed")
    rest = os.fstat(source.fileno()).st_size - size
    for begin in range(0, rest, _BLOCK):
        into.write(bytes(min(_BLOCK, rest - begin)))
