"""Signatures of what is received: beside each file, of whose bytes a server runs every one.

NAME.sig    how many bytes are signed, their SHA-256, and the signature by BACKUP_KEY: of both, the
            server and the name

A segment that is still being written to is signed as far as it has been flushed. Only what a run of
the receiver has received itself is signed: never what it finds.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posapp.backup import received
from posapp.backup.model.base import SEGMENT, SIGNATURE, is_received
from posapp.backup.signed_copy import Copy
from posapp.backup.signing import SigningKey
from posapp.runtime.files import write_atomically

_TEXT = re.compile(rb"(?P<size>[0-9]{1,12}) (?P<sha256>[0-9a-f]{64}) (?P<signature>[0-9a-f]{64})\n")
_HISTORY = "00000002.history"
_LARGEST = 256
_BLOCK = 1 << 20


@dataclass(frozen=True)
class WalKey:
    """BACKUP_KEY, for what is received from one server."""

    key: SigningKey
    system: str

    def sign(self, path: Path, size: int, sha256: str) -> None:
        """Writes the signature of the first bytes of a file. Raises OSError."""
        signature = self.key.sign_text(self._text(path.name, size, sha256))
        write_atomically(beside(path), f"{size} {sha256} {signature}\n".encode())

    def signed(self, path: Path) -> Copy | None:
        """Returns so much of a file as is signed; None where nothing is."""
        with suppress(OSError), beside(path).open("rb") as file:
            if match := _TEXT.fullmatch(file.read(_LARGEST)):
                size, sha256 = int(match["size"]), match["sha256"].decode()
                text = self._text(path.name, size, sha256)
                if self.key.has_signed_text(text, match["signature"].decode()):
                    return Copy(str(path), size, sha256)
        return None

    def has_signed(self, folder: Path, segment: str) -> bool:
        """Whether a whole segment in a folder is signed, packed or not."""
        names = (segment, f"{segment}.gz", f"{segment}.gz.age")
        return any(self.signed(folder / name) is not None for name in names)

    def _text(self, name: str, size: int, sha256: str) -> str:
        return f"wal {self.system} {name} {size} {sha256}"


def beside(path: Path) -> Path:
    """Returns where the signature of a file lies."""
    return path.with_name(path.name + SIGNATURE)


@dataclass
class Signer:
    """Signs what is received into a folder from now on, as it is received."""

    key: WalKey
    folder: Path
    segment_bytes: int
    _found: set[str] = field(default_factory=set)
    _partial: str = ""
    _size: int = 0
    _digest: Any = None

    def __post_init__(self) -> None:
        """Leaves out all that is there and whole: the run that received it has signed it, or it is
        not ours. One that is not whole is received from its beginning once more."""
        self._found = {name for name in _names(self.folder) if not name.endswith(".partial")}

    def sign(self, flushed: int | None) -> None:
        """Signs what has been received: whole files, and the newest up to `flushed`, a position in
        WAL. Raises OSError."""
        names = _names(self.folder)
        for name in names:
            if not name.endswith(".partial"):
                self.sign_whole(name)
        newest = max((name for name in names if name.endswith(".partial")), default=None)
        if newest is not None and flushed is not None:
            begin = received.segment_number(newest[:24], self.segment_bytes) * self.segment_bytes
            if 0 < (size := flushed - begin) <= self.segment_bytes:
                self._sign_partial(self.folder / newest, size)

    def sign_whole(self, name: str) -> None:
        """Signs a file that is received to its end, once. Raises OSError."""
        if name in self._found:
            return
        with suppress(FileNotFoundError), (self.folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            self.key.sign(self.folder / name, file.tell(), digest)
            self._found.add(name)
        beside(self.folder / f"{name}.partial").unlink(missing_ok=True)

    def _sign_partial(self, path: Path, size: int) -> None:
        """Reads only what has come since: what has been flushed is not written again."""
        if path.name != self._partial:
            self._partial, self._size, self._digest = path.name, 0, hashlib.sha256()
        if size <= self._size:
            return
        with suppress(FileNotFoundError), path.open("rb") as file:
            file.seek(self._size)
            while self._size < size and (block := file.read(min(_BLOCK, size - self._size))):
                self._digest.update(block)
                self._size += len(block)
            self.key.sign(path, self._size, self._digest.hexdigest())


def all_signed(folders: Iterable[Path], key: WalKey) -> bool:
    """Whether a key has signed all that was received into folders. Raises OSError."""
    return all(key.signed(folder / name) for folder in folders for name in _names(folder))


def _names(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if is_received(name))


@dataclass(frozen=True)
class Plan:
    """All that a recovering server may have, by the names by which it asks: the copies of each, the
    best first; and the segments of which there are only copies that nobody has signed. A history
    like that is as one that is not there: a server asks for each that there might be."""

    copies: dict[str, list[Copy]]
    refused: dict[str, str]
    segment_bytes: int

    def dump(self, identity: Path | None) -> bytes:
        """Returns it as JSON."""
        shown = {
            name: [(one.path, one.size, one.sha256) for one in copies]
            for name, copies in self.copies.items()
        }
        key = str(identity.resolve()) if identity else None
        return json.dumps({"copies": shown, "refused": self.refused, "identity": key}).encode()

    def reaches(self, position: int) -> bool:
        """Whether what may be had goes on up to a position in WAL, or beyond it."""
        return any(
            position <= self._end(name, one)
            for name, copies in self.copies.items()
            if SEGMENT.fullmatch(name)
            for one in copies
        )

    def _end(self, name: str, copy: Copy) -> int:
        size = self.segment_bytes
        signed = 0 if copy.packed else copy.size or 0
        partial = ".partial" in Path(copy.path).name
        return received.segment_number(name, size) * size + (signed if partial else size)


def make_plan(
    folders: Iterable[Path], key: WalKey | None, scratch: Path, segment_bytes: int
) -> Plan:
    """Looks through folders for what was received. With a key, what it has not signed is refused
    where there is no other copy. What is still being written to is copied into `scratch`: it has
    another name soon. Raises OSError."""
    copies: dict[str, list[tuple[bool, Copy]]] = {}
    refused: dict[str, str] = {}
    for folder in folders:
        for name in _names(folder):
            asked = _asked_for(name)
            found = key.signed(folder / name) if key else Copy(str(folder / name))
            if found is None:
                refused.setdefault(asked, str(folder / name))
                continue
            if ".partial" in name:
                found = _keep(found, scratch)
            if found is not None:
                copies.setdefault(asked, []).append((".partial" in name, found))
    ordered = {
        name: [one for _, one in sorted(found, key=lambda pair: pair[0])]
        for name, found in copies.items()
    }
    unsigned = {
        name: path
        for name, path in refused.items()
        if name not in ordered and SEGMENT.fullmatch(name)
    }
    return Plan(ordered, unsigned, segment_bytes)


def _asked_for(name: str) -> str:
    match = SEGMENT.fullmatch(name)
    return match["name"] if match else name[: len(_HISTORY)]


def _keep(found: Copy, scratch: Path) -> Copy | None:
    """None for one that is whole meanwhile."""
    source = Path(found.path)
    target = scratch / f"{source.parent.name}-{source.name}"
    try:
        target.write_bytes(source.read_bytes())
    except FileNotFoundError:
        return None
    return Copy(str(target), found.size, found.sha256)
