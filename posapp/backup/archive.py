"""Base backups and what was received, in the bucket: what a machine that is lost leaves behind.

BUCKET/base/IDENTITY/SYSTEM/base_YYYYMMDD_HHMMSS/{base.tar.gz[.age],base.json}
BUCKET/wal/IDENTITY/SYSTEM/{SEGMENT.gz[.age],known-until.json}

IDENTITY is the restaurant's, SYSTEM the server's: no other's are ever taken. Each object carries a
signature of its place and its checksum, by BACKUP_KEY: a server runs what is in them.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyrage import x25519

from posapp.backup import segments
from posapp.backup.base_backup import BaseBackup, as_made, base_name, first_segment
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.base import MANIFEST, SEGMENT, BaseManifest, is_received
from posapp.backup.model.identity import Identity
from posapp.backup.recovery import KNOWN
from posapp.backup.signed_copy import Copy
from posapp.backup.signing import SigningKey
from posapp.backup.storage.s3 import S3Storage
from posapp.backup.wal_signing import WalKey

_BASE_KEY = re.compile(
    r"base/(?P<identity>[0-9a-z]{1,16})/(?P<system>[0-9]{1,20})/(?P<name>base_[0-9_]{15})/base\.json"
)
_READERS = 8
_UNNAMED = "unnamed"
"""Of data from before it had an identity."""


class NotSigned(BackupError):
    """An object that this key has not signed, where it lies and as it is."""


@dataclass(frozen=True)
class Archive:
    """The part of a bucket that is one restaurant's on one server."""

    bucket: S3Storage
    key: SigningKey
    identity: str
    system: str

    @classmethod
    def of(cls, bucket: S3Storage, key: SigningKey, identity: str | None, system: str) -> Archive:
        """Returns that of the data with an identity; None for data from before it had one."""
        return cls(bucket, key, identity or _UNNAMED, system)

    def list_wal(self) -> dict[str, int]:
        """Returns the names of what was received, and the bytes of each. Raises BackupError."""
        prefix = self._place("wal")
        found = self.bucket.list_keys(prefix).items()
        there = {key.removeprefix(prefix): size for key, size in found}
        return {name: size for name, size in there.items() if is_received(name)}

    def own_wal(self, names: Iterable[str]) -> set[str]:
        """Returns those of the names under which something lies there that this key has signed: in
        the place of another that nobody has, the segment is yet to be sent. Raises BackupError."""
        there = self.list_wal()
        wanted = [name for name in names if name in there]

        def is_ours(name: str) -> bool:
            key = self._place("wal", name)
            metadata = self.bucket.metadata(key)
            signed = _signed(key, metadata.get("sha256", ""))
            return self.key.has_signed_text(signed, metadata.get("signature"))

        with ThreadPoolExecutor(_READERS) as readers:
            return {
                name
                for name, ours in zip(wanted, readers.map(is_ours, wanted), strict=True)
                if ours
            }

    def send_wal(self, signed: Copy, recipient: x25519.Recipient | None) -> None:
        """Sends so much of a file of WAL as is signed, packed where it is not. Raises BackupError,
        also where it is not what was signed, and OSError."""
        path = Path(signed.path)
        if path.name.endswith(segments.ENCRYPTED) and signed.sha256 is not None:
            self._send(path, "wal", path.name, signed.sha256)
            return
        with tempfile.TemporaryDirectory() as scratch:
            sha256 = segments.pack(signed, Path(scratch), recipient).hexdigest()
            name = segments.packed_name(path.name, recipient)
            self._send(Path(scratch) / name, "wal", name, sha256)

    def send_known(self, noted: bytes) -> None:
        """Sends until when all is known. Raises BackupError."""
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / KNOWN
            path.write_bytes(noted)
            self._send(path, "wal", KNOWN, hashlib.sha256(noted).hexdigest())

    def fetch_wal(
        self, names: Iterable[str], folder: Path, refused: Callable[[NotSigned], None] | None = None
    ) -> None:
        """Copies files of WAL into a folder, signed as what lies here is. Raises BackupError, for
        what is not signed there too; with `refused`, which is called for each of those, an empty
        file that nobody has signed stands for it: a server that comes to ask for it is stopped."""
        key = WalKey(self.key, self.system)

        def fetch(name: str) -> None:
            try:
                sha256 = self._fetch("wal", name, folder / name)
            except NotSigned as error:
                if refused is None:
                    raise
                refused(error)
                (folder / name).touch(mode=0o600)
                return
            key.sign(folder / name, (folder / name).stat().st_size, sha256)

        with ThreadPoolExecutor(_READERS) as readers:
            list(readers.map(fetch, names))

    def fetch_known(self, folder: Path) -> None:
        """Copies until when all is known, where that was ever sent. Raises BackupError."""
        if self._place("wal", KNOWN) in self.bucket.list_keys(self._place("wal", KNOWN)):
            self._fetch("wal", KNOWN, folder / KNOWN)

    def base_names(self) -> list[str]:
        """Returns the names of the base backups that are whole, by time. Raises BackupError."""
        found = (_BASE_KEY.fullmatch(key) for key in self.bucket.list_keys(self._place("base")))
        return sorted(match["name"] for match in found if match and base_name(match["name"]))

    def send_base(self, base: BaseBackup) -> None:
        """Sends a base backup, its manifest last. Raises BackupError and OSError."""
        assert base.manifest is not None
        name, archive = base.path.name, base.manifest.archive
        self._send(base.path / archive, "base", f"{name}/{archive}", base.manifest.sha256)
        text = (base.path / MANIFEST).read_bytes()
        digest = hashlib.sha256(text).hexdigest()
        self._send(base.path / MANIFEST, "base", f"{name}/{MANIFEST}", digest)

    def list_bases(self, folder: Path) -> list[BaseBackup]:
        """Returns the base backups, as they were made, of which the manifests alone are copied into
        a folder. What nobody has signed is none, and in nobody's way. Raises BackupError."""
        found = []
        for name in self.base_names():
            with suppress(NotSigned):
                found.append(self._fetch_manifest(name, folder))
        return as_made(found)

    def _fetch_manifest(self, name: str, folder: Path) -> BaseBackup:
        path, at = folder / name, base_name(name)
        path.mkdir(mode=0o700, exist_ok=True)
        self._fetch("base", f"{name}/{MANIFEST}", path / MANIFEST)
        manifest = BaseManifest.parse((path / MANIFEST).read_bytes())
        if manifest is None or at is None:
            raise NotSigned(f"{self.bucket.location}: {name}: its manifest is none of ours")
        return BaseBackup(at, path, manifest)

    def fetch_base(self, base: BaseBackup) -> None:
        """Copies the archive of a base backup beside its manifest. Raises BackupError."""
        assert base.manifest is not None
        archive = base.manifest.archive
        self._fetch("base", f"{base.path.name}/{archive}", base.path / archive)

    def keep_only(self, kept: Sequence[BaseBackup], older: Sequence[BaseBackup]) -> None:
        """Removes the `older` base backups, what else is from before those that are kept, and what
        was received before they could have needed it. Raises BackupError."""
        first = min((first_segment(one) for one in kept), key=lambda name: name[8:])
        names, oldest = {one.path.name for one in older}, min(one.path.name for one in kept)
        old = [
            key
            for key in self.bucket.list_keys(self._place("base"))
            if (match := re.search(r"/(base_[0-9_]{15})/", key))
            and (match[1] in names or match[1] < oldest)
        ]
        old += [
            self._place("wal", name)
            for name in self.list_wal()
            if (match := SEGMENT.fullmatch(name)) and match["name"][8:] < first[8:]
        ]
        for begin in range(0, len(old), 1000):
            self.bucket.remove_keys(old[begin : begin + 1000])

    def _place(self, what: str, name: str = "") -> str:
        return f"{what}/{self.identity}/{self.system}/{name}"

    def _send(self, path: Path, what: str, name: str, sha256: str) -> None:
        key = self._place(what, name)
        signature = self.key.sign_text(_signed(key, sha256))
        self.bucket.send(path, key, {"sha256": sha256, "signature": signature})

    def _fetch(self, what: str, name: str, path: Path) -> str:
        """Returns its SHA-256. Raises BackupError for what this key has not signed, and leaves
        nothing of it."""
        key = self._place(what, name)
        try:
            metadata = self.bucket.fetch(key, path)
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from None
        if not self.key.has_signed_text(_signed(key, sha256), metadata.get("signature")):
            path.unlink()
            raise NotSigned(
                f"{self.bucket.location}/{key}: not signed by BACKUP_KEY: it is not ours, or was"
                " changed"
            )
        return sha256


def find_archives(bucket: S3Storage, key: SigningKey, own: Identity | None) -> list[Archive]:
    """Returns the archives that have a base backup, of `own`, each of one server. For None, as a
    fresh database is, those of the only restaurant that has any. Raises Refused and BackupError."""
    found = {
        (match["identity"], match["system"])
        for name in bucket.list_keys("base/")
        if (match := _BASE_KEY.fullmatch(name))
    }
    if own is not None:
        wanted = {own.id or _UNNAMED}
    elif len(wanted := {identity for identity, _ in found}) > 1:
        raise Refused(
            f"{bucket.location}: base backups of {len(wanted)} restaurants"
            f" ({', '.join(sorted(wanted))}): restore the newest dump of the one first, by its name"
        )
    return [Archive(bucket, key, *one) for one in sorted(found) if one[0] in wanted]


def _signed(key: str, sha256: str) -> str:
    return f"object {key} {sha256}"
