"""Where backups lie: places that answer alike, and the folder, which is one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.model.backup import KINDS, BackupName
from posapp.backup.model.manifest import Manifest
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder, write_atomically
from posapp.runtime.locks import FileLock


@dataclass(frozen=True)
class Entry:
    """A backup that lies somewhere: `where` is its path or its s3:// address."""

    name: BackupName
    size: int
    manifest: Manifest | None
    where: str

    @property
    def good(self) -> bool:
        """Whether it was verified when it was made, and is of the size that it had then."""
        manifest = self.manifest
        return (
            manifest is not None
            and manifest.verified_at is not None
            and (manifest.file, manifest.size_bytes) == (str(self.name), self.size)
        )


class Place(Protocol):
    """A folder or a bucket. Every method raises BackupError when it does not answer."""

    def entries(self) -> list[Entry]:
        """All backups, by time. What is not named like one does not count."""
        ...

    def open(self, entry: Entry) -> BinaryIO: ...

    def write_manifest(self, entry: Entry, manifest: Manifest) -> None: ...

    def remove(self, name: BackupName) -> None:
        """Removes all that belongs to it, the dump first."""
        ...


def newest(entries: list[Entry]) -> Entry | None:
    """The newest good one."""
    return max((one for one in entries if one.good), key=lambda one: one.name, default=None)


@dataclass(frozen=True)
class Folder:
    """BACKUP_DIR, with a folder for each kind."""

    root: Path

    def path(self, name: BackupName, file: str | None = None) -> Path:
        return self.root / name.kind / (file or str(name))

    def entries(self) -> list[Entry]:
        found = []
        for kind in KINDS:
            for file in _names(self.root / kind):
                name = BackupName.parse(file)
                if name is not None and name.kind == kind:
                    with suppress(FileNotFoundError):  # rotated away meanwhile
                        found.append(entry_of(self.path(name)))
        return sorted((one for one in found if one is not None), key=lambda one: one.name)

    def open(self, entry: Entry) -> BinaryIO:
        try:
            return Path(entry.where).open("rb")
        except OSError as error:
            raise BackupError(f"{entry.where}: {error.strerror}") from None

    def write_manifest(self, entry: Entry, manifest: Manifest) -> None:
        path = Path(entry.where)
        write_atomically(path.with_name(entry.name.manifest), manifest.dump())

    def remove(self, name: BackupName) -> None:
        for file in name.files:
            self.path(name, file).unlink(missing_ok=True)
        fsync_folder(self.root / name.kind)

    def prepare(self, kind: str) -> Path:
        """The folder of a kind, made when it is not there. Raises Refused."""
        folder = self.root / kind
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(
                f"BACKUP_DIR: {folder}: {error.strerror}; name a folder that you may write"
            ) from None
        return folder

    def clean(self) -> list[str]:
        """Removes what a run that was killed has left; only for who holds the lock."""
        gone = []
        for folder in (self.root, *(self.root / kind for kind in KINDS)):
            present = set(_names(folder))
            for file in sorted(present):
                if file.startswith("steak_kenangan_") and _is_leftover(file, present):
                    (folder / file).unlink(missing_ok=True)
                    gone.append(file)
        return gone

    @contextmanager
    def locked(self, wait: bool = False) -> Iterator[None]:
        """One at a time. Raises Busy at once, unless it is to wait, while another is at it."""
        self.prepare(".")
        try:
            lock = FileLock(self.root / ".lock")
        except OSError as error:
            raise Refused(f"BACKUP_DIR: {self.root}: {error.strerror}") from None
        try:
            if wait:
                lock.acquire()
            elif not lock.try_acquire():
                raise Busy(f"another run is at work in {self.root}; this one leaves")
            yield
        finally:
            lock.close()


def entry_of(path: Path) -> Entry | None:
    """The backup in a file; None for a file that is not named like one, for links and folders."""
    name = BackupName.parse(path.name)
    if name is None or path.is_symlink() or not path.is_file():
        return None
    try:
        manifest = Manifest.parse(path.with_name(name.manifest).read_bytes())
    except FileNotFoundError:
        manifest = None
    return Entry(name, path.stat().st_size, manifest, str(path))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}") from None


def _is_leftover(file: str, present: set[str]) -> bool:
    """A temporary file, or a companion whose dump is gone."""
    if file.endswith(PARTIAL_SUFFIX):
        return True
    stem = file.removesuffix(".manifest.json").removesuffix(".globals.sql")
    owners = {stem, f"{stem}.dump.gz", f"{stem}.dump.gz.age"}
    ours = any(BackupName.parse(owner) for owner in owners)
    return stem != file and ours and not owners & present
