"""Packs what was received, a file at a time, and opens it again: gzip, and age with a key."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO, cast

from pyrage import x25519

from posapp.backup.compression import (
    BLOCK,
    HashingReader,
    HashingWriter,
    PackedFile,
    compressed,
    decompressed,
)
from posapp.backup.encryption import load_identity
from posapp.backup.signed_copy import UNSIGNED, Changed, Copy, copy_signed
from posapp.runtime.files import PARTIAL_SUFFIX, fsync_folder

PACKED, ENCRYPTED = ".gz", ".gz.age"


def packed_name(name: str, recipient: x25519.Recipient | None) -> str:
    """Returns what a file is called when it is packed."""
    return name + (PACKED if recipient is None else ENCRYPTED)


def pack(source: Copy, folder: Path, recipient: x25519.Recipient | None) -> HashingWriter:
    """Packs a file into a folder, all of it or nothing, of one that is signed so much as that is.
    Returns what was written: its bytes and their SHA-256. Raises OSError, for one that has another
    name meanwhile too, and Changed."""
    target = folder / packed_name(Path(source.path).name, recipient)
    part = target.with_name(target.name + PARTIAL_SUFFIX)
    try:
        with open(source.path, "rb") as plain, part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            sink = HashingWriter(file)
            with compressed(sink, recipient) as gzip:
                copy_signed(plain, gzip, source.size, source.sha256)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    fsync_folder(folder)
    return sink


def unpack(source: BinaryIO, into: Any, copy: Copy, identity: Path | None) -> None:
    """Writes the content of an open packed file. Raises BackupError, OSError, and Changed where it
    is not what was signed, after it was written."""
    name = PackedFile(Path(copy.path).name, copy.path.endswith(ENCRYPTED))
    hashed = HashingReader(source)
    with decompressed(cast(BinaryIO, hashed), name, lambda: load_identity(identity)) as content:
        shutil.copyfileobj(content, into, BLOCK)
    hashed.drain()
    if copy.sha256 is not None and (hashed.size, hashed.hexdigest()) != (copy.size, copy.sha256):
        raise Changed(f"{UNSIGNED}, or was changed")
