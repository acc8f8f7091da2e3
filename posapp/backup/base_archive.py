"""Opens base backups: ours, and those of version 1.0, which pg_basebackup had written whole."""

from __future__ import annotations

import json
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from posapp.backup import compression
from posapp.backup.encryption import load_identity
from posapp.backup.errors import Refused
from posapp.backup.model.base import LARGEST_BASE_MANIFEST, MANIFEST, BaseManifest


def read_base_manifest(base: Path) -> BaseManifest | None:
    """Returns the manifest in the folder of a base backup; None where none can be read."""
    with suppress(OSError), (base / MANIFEST).open("rb") as file:
        return BaseManifest.parse(file.read(LARGEST_BASE_MANIFEST + 1))
    return None


def size_of(base: Path) -> int:
    """Returns the bytes of a base backup's files. Raises Refused."""
    manifest = read_base_manifest(base)
    if manifest is not None:
        return manifest.tar_bytes
    try:
        listed = json.loads((base / "backup_manifest").read_bytes())["Files"]
        return sum(int(file["Size"]) for file in listed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"{base}: no manifest of a base backup: {error}") from None


def unpack_base(base: Path, data: Path, identity: Path | None) -> None:
    """Unpacks a base backup into a folder, which is then the data of a server. `identity` is the
    file of the key that opens an encrypted one. Raises Refused and BackupError."""
    data.mkdir(mode=0o700, parents=True)
    manifest = read_base_manifest(base)
    if manifest is not None:
        _unpack_ours(base / manifest.archive, manifest, data, identity)
        return
    for archive, where in (("base", data), ("pg_wal", data / "pg_wal")):
        try:
            with tarfile.open(base / f"{archive}.tar.gz") as tar:
                tar.extractall(where, filter="data")
        except (OSError, tarfile.TarError, EOFError) as error:
            raise Refused(f"{base / archive}.tar.gz cannot be unpacked: {error}") from None


def _unpack_ours(path: Path, manifest: BaseManifest, data: Path, identity: Path | None) -> None:
    """Nothing is run that is not, to the last byte, what the manifest says."""
    name = compression.PackedFile(path.name, manifest.encrypted)
    try:
        with path.open("rb") as file:
            hashed = compression.HashingReader(file)
            with (
                compression.decompressed(
                    cast(BinaryIO, hashed), name, lambda: load_identity(identity)
                ) as content,
                tarfile.open(fileobj=content, mode="r|") as tar,
            ):
                tar.extractall(data, filter="data")
                while content.read(compression.BLOCK):
                    pass
            hashed.drain()
    except (OSError, tarfile.TarError) as error:
        raise Refused(f"{path} cannot be unpacked: {error}") from None
    if hashed.hexdigest() != manifest.sha256:
        raise Refused(f"{path} is not, or no longer, what its manifest says")
