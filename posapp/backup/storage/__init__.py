"""The storages of backups: a folder and an S3 bucket, which answer alike."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.manifest import Manifest

LARGEST_ROLES = 4_000_000
"""Bytes of the roles of a server, as SQL; what is longer is none."""


class Source(Protocol):
    """Where a backup is read from.

    Every method raises BackupError when it fails; the message begins with the location.
    """

    def open(self, backup: Backup) -> AbstractContextManager[BinaryIO]:
        """Opens the dump to read it once, from the beginning. Errors while it is read count."""
        ...

    def local_copy(self, backup: Backup, scratch: Path) -> AbstractContextManager[BinaryIO]:
        """Opens the dump as a file of this machine, once: what is verified by it is what is read by
        it. A copy lies in `scratch` and is removed after.

        Raises Refused where there is no room for it.
        """
        ...

    def read_roles(self, backup: Backup) -> bytes | None:
        """Returns the server's roles beside a backup, as SQL; None where there are none."""
        ...


class Storage(Source, Protocol):
    """A folder or a bucket with a folder, or a prefix, for each kind."""

    def list_backups(self) -> list[Backup]:
        """Returns all backups, by time.

        A file that is not named like a backup, or lies under another kind than its own, is none. A
        backup whose manifest is missing or cannot be parsed has the manifest None. A storage in
        which nothing was ever written has no backups.
        """
        ...

    def write_manifest(self, backup: Backup, manifest: Manifest) -> None:
        """Replaces the manifest, all of it or none."""
        ...

    def remove(self, name: BackupName) -> None:
        """Removes all files of a backup, the dump first; what is gone already is no error."""
        ...
