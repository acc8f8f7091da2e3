"""One file for a stick: a backup with its manifest and the server's roles, encrypted by age.

A tar of three files, in this order; without the POS: `age -d -i KEY FILE | tar -x`. The manifest's
signature covers all of it: the checksums of the other two are in it.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

from pyrage import x25519

from posapp.backup import compression
from posapp.backup.compression import BLOCK, HashingReader, HashingWriter, LoadIdentity, PackedFile
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.manifest import LARGEST_MANIFEST, Manifest
from posapp.backup.room import Need, require
from posapp.backup.storage import LARGEST_ROLES

_AGE = b"age-encryption.org/v1"
_BLOCK = tarfile.BLOCKSIZE


class NotExported(BackupError):
    """A file that is no export, or has not the form of one any more."""


def write_exported(
    backup: Backup,
    dump: BinaryIO,
    roles: bytes | None,
    sink: HashingWriter,
    recipient: x25519.Recipient | None,
    on_progress: Callable[[int], None],
) -> None:
    """Writes a backup, of which `dump` is the open file, as an export; `on_progress` is called with
    the bytes of it so far. Raises BackupError where
    that is not what its manifest says, and OSError."""
    manifest = backup.manifest
    assert manifest is not None
    name, hashed = backup.name.plain, _Shown(dump, on_progress)
    try:
        with (
            compression.encrypted(sink, recipient) as into,
            tarfile.open(fileobj=into, mode="w|", format=tarfile.GNU_FORMAT) as tar,
        ):
            _add(tar, name.manifest, manifest.dump())
            member = tarfile.TarInfo(str(name))
            member.size, member.mode = manifest.size_bytes, 0o600
            tar.addfile(member, cast(BinaryIO, hashed))
            hashed.drain()
            if hashed.hexdigest() != manifest.sha256:
                raise BackupError(
                    f"{backup.location}: is not, or no longer, what its manifest says"
                )
            if roles is not None:
                _require_roles(backup, roles)
                _add(tar, name.globals, roles)
    except OSError as error:
        raise sink.error or error from None


class _Shown(HashingReader):
    """A file that is read, and whoever looks on."""

    def __init__(self, file: BinaryIO, on_progress: Callable[[int], None]) -> None:
        super().__init__(file)
        self._on_progress = on_progress

    def read(self, size: int = -1) -> bytes:
        block = super().read(size)
        self._on_progress(self.size)
        return block


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, BytesIO(content))


def _require_roles(backup: Backup, roles: bytes) -> None:
    expected = backup.manifest.globals_sha256 if backup.manifest else None
    if expected is not None and hashlib.sha256(roles).hexdigest() != expected:
        raise BackupError(f"{backup.location}: its roles are not what its manifest says")


@dataclass(frozen=True)
class ExportedFile:
    """A file that `posapp backup export` has written. What it says is a stranger's until its
    signature is known."""

    path: Path
    load_identity: LoadIdentity

    def read(self) -> Backup | None:
        """Returns the backup in it; None for a file of any other kind. Raises BackupError."""
        try:
            with self._opened() as content:
                manifest, size = _read_head(content)
        except NotExported:
            return None
        name = BackupName.parse(manifest.file)
        return Backup(name, size, manifest, str(self.path)) if name is not None else None

    @contextmanager
    def open(self, backup: Backup) -> Iterator[BinaryIO]:
        """Opens the dump to read it once, and compares the roles behind it. Raises BackupError."""
        with self._opened() as content:
            found, size = _read_head(content)
            if found != backup.manifest:
                raise BackupError(f"{self.path}: another one has taken its place")
            dump = _Part(content, size)
            yield cast(BinaryIO, dump)
            dump.drain()
            roles = _read_roles(content, backup)
            if roles is not None:
                _require_roles(backup, roles)
            elif found.globals_sha256 is not None:
                raise NotExported("not whole: the roles are missing")

    @contextmanager
    def local_copy(self, backup: Backup, scratch: Path) -> Iterator[BinaryIO]:
        """Unpacks the dump into `scratch`. Raises BackupError, Refused where there is no room."""
        require([Need(scratch, backup.size, f"what is in {self.path}")], None)
        path = scratch / str(backup.name)
        try:
            with self.open(backup) as dump, path.open("xb") as file:
                while block := dump.read(BLOCK):
                    file.write(block)
            with path.open("rb") as copy:
                yield copy
        except OSError as error:
            raise BackupError(f"{error.filename or path}: {error.strerror}") from None
        finally:
            path.unlink(missing_ok=True)

    def read_roles(self, backup: Backup) -> bytes | None:
        """Returns the server's roles, as SQL; None where there are none. Raises BackupError."""
        with self._opened() as content:
            _Part(content, _read_head(content)[1]).drain()
            return _read_roles(content, backup)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise BackupError(f"{self.path}: {error.strerror}") from None
        with file:
            name = PackedFile(self.path.name, file.peek(len(_AGE)).startswith(_AGE))
            try:
                with compression.opened(cast(BinaryIO, file), name, self.load_identity) as content:
                    yield content
            except NotExported as error:
                raise NotExported(f"{self.path}: {error}") from None


class _Part:
    """So many of the next bytes of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self._padding = -size % _BLOCK

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        block = self._file.read(wanted)
        if len(block) < wanted:
            raise NotExported("an export that is not whole: it ends too early")
        self._left -= wanted
        return block

    def readinto(self, buffer: Any) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def drain(self) -> None:
        """Reads the rest, up to the next part."""
        while self.read(BLOCK):
            pass
        self._file.read(self._padding)


def _read_head(content: BinaryIO) -> tuple[Manifest, int]:
    """Returns the manifest, and the bytes of the dump, which come next. Raises NotExported."""
    name, size = _header(content, LARGEST_MANIFEST)
    part = _Part(content, size)
    manifest = Manifest.parse(part.read())
    if manifest is None or name != f"{manifest.file}.manifest.json":
        raise NotExported("no export: it does not begin with a manifest")
    part.drain()
    name, size = _header(content, manifest.size_bytes)
    if name != manifest.file:
        raise NotExported("no export: the dump does not come after its manifest")
    return manifest, size


def _read_roles(content: BinaryIO, backup: Backup) -> bytes | None:
    try:
        name, size = _header(content, LARGEST_ROLES)
    except NotExported:  # the end of the tar
        return None
    return _Part(content, size).read() if name == backup.name.globals else None


def _header(content: BinaryIO, largest: int) -> tuple[str, int]:
    """Returns name and bytes of the next file. Each header is one block: what other tars have
    besides, and whatever is larger than it may be, is none of ours. Raises NotExported."""
    try:
        member = tarfile.TarInfo.frombuf(content.read(_BLOCK), "utf-8", "replace")
    except tarfile.HeaderError:
        raise NotExported("no export") from None
    if not member.isreg() or not 0 <= member.size <= largest:
        raise NotExported("no export: something else is in it")
    return member.name, member.size
