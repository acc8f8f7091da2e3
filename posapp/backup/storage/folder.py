"""Backups in a folder of this machine: BACKUP_DIR, with a folder for each kind."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.model.backup import KINDS, Backup, BackupName
from posapp.backup.model.manifest import LARGEST_MANIFEST, Manifest
from posapp.backup.storage import LARGEST_ROLES
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder, write_atomically
from posapp.runtime.locks import FileLock
from posapp.settings import Settings

_OURS = frozenset({*KINDS, "base", "wal", "before-gap", "fetched", "rolled-back"})
"""Folders of BACKUP_DIR in which nothing else is."""


class BackupLock:
    """The lock of a backup folder, for as long as it is held. What only its holder may do takes it
    as an argument."""

    def __init__(self, root: Path) -> None:
        self._root: Path | None = root

    def require(self, storage: FolderStorage) -> None:
        """Raises ValueError where the lock of this folder is not held."""
        if self._root != storage.root:
            raise ValueError(f"the lock of {storage.root} is not held")

    def release(self) -> None:
        self._root = None


@dataclass(frozen=True)
class FolderStorage:
    """The folder `root`, which is made when something is first written."""

    root: Path

    @classmethod
    def from_settings(cls, settings: Settings) -> FolderStorage:
        return cls(Path(os.path.realpath(settings.backup_dir)))  # also of links in a circle

    def path(self, name: BackupName, file: str | None = None) -> Path:
        """Returns where the dump of a backup lies, or another of its files."""
        return self.root / name.key_of(file or str(name))

    def list_backups(self) -> list[Backup]:
        found = []
        for kind in KINDS:
            for file in _names(self.root / kind):
                name = BackupName.parse(file)
                if name is not None and name.kind == kind:
                    found.append(_entry(self.path(name), name))
        return sorted((one for one in found if one is not None), key=lambda one: one.name)

    @contextmanager
    def open(self, backup: Backup) -> Iterator[BinaryIO]:
        with _translate_errors(backup.location), Path(backup.location).open("rb") as file:
            yield file

    @contextmanager
    def local_copy(self, backup: Backup, scratch: Path) -> Iterator[BinaryIO]:
        """The dump itself is on this machine: nothing is copied."""
        with self.open(backup) as file:
            yield file

    def read_roles(self, backup: Backup) -> bytes | None:
        path = Path(backup.location).with_name(backup.name.globals)
        with _translate_errors(str(path)), suppress(FileNotFoundError), path.open("rb") as file:
            return file.read(LARGEST_ROLES + 1)
        return None

    def write_manifest(self, backup: Backup, manifest: Manifest) -> None:
        path = Path(backup.location).with_name(backup.name.manifest)
        with _translate_errors(str(path)):
            write_atomically(path, manifest.dump())

    def remove(self, name: BackupName) -> None:
        with _translate_errors(str(self.path(name))), suppress(FileNotFoundError):
            for file in name.files:
                self.path(name, file).unlink(missing_ok=True)
            fsync_folder(self.root / name.kind)

    def prepare(self, kind: str) -> Path:
        """Returns the folder of a kind, made when it is not there. Raises Refused."""
        folder = self.root / kind
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.name in _OURS:  # BACKUP_DIR itself may be somebody else's too
                _narrow(folder)
        except OSError as error:
            raise Refused(
                f"BACKUP_DIR: {folder}: {error.strerror}; name a folder that you may write"
            ) from None
        return folder

    def remove_leftovers(self, lock: BackupLock) -> list[str]:
        """Removes the files of a run that was killed; returns their names."""
        lock.require(self)
        removed = []
        for folder in (self.root, *(self.root / kind for kind in KINDS)):
            present = set(_names(folder))
            for file in sorted(present):
                if file.startswith("steak_kenangan_") and _is_leftover(file, present):
                    with suppress(OSError):  # what is no file of ours stays, and is in nobody's way
                        (folder / file).unlink(missing_ok=True)
                        removed.append(file)
        return removed

    @contextmanager
    def lock(self, wait: bool = False) -> Iterator[BackupLock]:
        """Holds the lock of the folder: one run at a time. Raises Busy at once while another run
        holds it, unless it is to wait; Refused where the folder cannot be written."""
        self.prepare(".")
        try:
            file = FileLock(self.root / ".lock")
        except OSError as error:
            raise Refused(f"BACKUP_DIR: {self.root}: {error.strerror}") from None
        held = BackupLock(self.root)
        try:
            if wait:
                file.acquire()
            elif not file.try_acquire():
                busy = Busy(
                    f"another backup or restore is running in {self.root}; nothing was done"
                )
                busy.since = os.fstat(file.fileno()).st_mtime
                raise busy
            os.utime(file.fileno())
            yield held
        finally:
            held.release()
            file.close()


def _narrow(folder: Path) -> None:
    """Takes from others what they may do in a folder of ours, and with the files in it: one that
    was made by hand, or by an older version. Raises nothing: a share may not know of rights."""
    with suppress(OSError):
        for path in (folder, *folder.iterdir()):
            mode = path.lstat().st_mode
            if mode & 0o077 and (stat.S_ISREG(mode) or path == folder):
                path.chmod(stat.S_IMODE(mode) & 0o700)


def backup_at(path: Path) -> Backup | None:
    """Returns the backup in a file; None for a file that is not named like one, for links and
    folders. Raises BackupError, and FileNotFoundError for a file that is removed meanwhile."""
    name = BackupName.parse(path.name)
    if name is None or path.is_symlink() or not path.is_file():
        return None
    backup = _entry(path, name)
    if backup is not None and backup.problem:
        raise BackupError(f"{path}: {backup.problem}")
    return backup


def _entry(path: Path, name: BackupName) -> Backup | None:
    """Returns what lies under the name of a backup: one odd entry must not hide the others. None
    for what a rotation has removed meanwhile."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return Backup(name, 0, None, str(path), "not a file")
        manifest, problem = _manifest(path.with_name(name.manifest))
        return Backup(name, status.st_size, manifest, str(path), problem)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Backup(name, 0, None, str(path), error.strerror or str(error))


def _manifest(path: Path) -> tuple[Manifest | None, str]:
    """Returns the manifest, and why it cannot be read. It is opened without waiting: a pipe would
    never answer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None, f"{path.name} is not a file"
            return Manifest.parse(file.read(LARGEST_MANIFEST + 1)), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path.name}: {error.strerror or error}"


def _names(folder: Path) -> list[str]:
    with _translate_errors(str(folder)), suppress(FileNotFoundError):
        return os.listdir(folder)
    return []


def _is_leftover(file: str, present: set[str]) -> bool:
    """Whether it is a temporary file, or a companion whose dump is gone."""
    if file.endswith(PARTIAL_SUFFIX):
        return True
    stem = file.removesuffix(".manifest.json").removesuffix(".globals.sql")
    owners = {stem, f"{stem}.dump.gz", f"{stem}.dump.gz.age"}
    ours = any(BackupName.parse(owner) for owner in owners)
    return stem != file and ours and not owners & present


@contextmanager
def _translate_errors(location: str) -> Iterator[None]:
    """Raises BackupError for what the file system refuses."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{location}: {error.strerror or error}") from error
