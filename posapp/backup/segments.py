"""Packs what was received, a file at a time, and opens it again: gzip, and age with a key.

    python -m posapp.backup.segments IDENTITY PACKED TARGET

opens one for PostgreSQL, which asks for them one by one; IDENTITY is the file of the key, or `-`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from pyrage import x25519

from posapp.backup.compression import BLOCK, HashingWriter, PackedFile, compressed, decompressed
from posapp.backup.encryption import load_identity
from posapp.backup.errors import BackupError
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder

PACKED, ENCRYPTED = ".gz", ".gz.age"


def packed_name(name: str, recipient: x25519.Recipient | None) -> str:
    """Returns what a file is called when it is packed."""
    return name + (PACKED if recipient is None else ENCRYPTED)


def pack(source: Path, folder: Path, recipient: x25519.Recipient | None) -> str:
    """Packs a file into a folder, all of it or nothing. Returns its SHA-256 there. Raises OSError,
    for one that has another name meanwhile too."""
    target = folder / packed_name(source.name, recipient)
    part = target.with_name(target.name + PARTIAL_SUFFIX)
    try:
        with source.open("rb") as plain, part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            sink = HashingWriter(file)
            with compressed(sink, recipient) as gzip:
                shutil.copyfileobj(plain, gzip, BLOCK)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    fsync_folder(folder)
    return sink.hexdigest()


def unpack(source: Path, target: Path, identity: Path | None) -> None:
    """Writes the content of a packed file. Raises BackupError and OSError."""
    name = PackedFile(source.name, source.name.endswith(ENCRYPTED))
    with (
        source.open("rb") as file,
        decompressed(file, name, lambda: load_identity(identity)) as content,
        target.open("wb") as plain,
    ):
        shutil.copyfileobj(content, plain, BLOCK)


def main(arguments: list[str]) -> int:
    """Opens a packed file; its exit code."""
    identity, source, target = arguments
    try:
        unpack(Path(source), Path(target), None if identity == "-" else Path(identity))
    except (BackupError, OSError) as error:
        sys.stderr.write(f"{source}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
