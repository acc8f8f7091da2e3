"""Checks a base backup while it goes by: every file of it against the server's own manifest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from contextlib import suppress

from posapp.backup.compression import BLOCK, PipeThread
from posapp.backup.errors import BackupError

_MANIFEST, _LABEL = "backup_manifest", "backup_label"
_FIRST = re.compile(r"\(file ([0-9A-F]{24})\)")
_LARGEST_LABEL = 65_536


class TarCheck:
    """Reads a tar as it is fed, in a thread of its own. The server's manifest comes last in it."""

    def __init__(self) -> None:
        out, into = os.pipe()
        self._source = open(out, "rb", buffering=BLOCK)  # noqa: SIM115  the thread closes it
        self._into = open(into, "wb", buffering=BLOCK)  # noqa: SIM115  finish closes it
        self._found: dict[str, tuple[int, str]] = {}
        self._texts: dict[str, bytes] = {}
        self._thread = PipeThread(self._read, self._source)

    def feed(self, block: bytes) -> None:
        """Raises BackupError where it is no tar."""
        try:
            self._into.write(block)
        except BrokenPipeError:
            self._ended()

    def finish(self) -> str:
        """Compares all with the manifest. Returns the first segment of WAL that recovery needs.

        Raises BackupError where something is missing or is not what the server says.
        """
        self.close()
        self._ended()
        try:
            listed = json.loads(self._texts[_MANIFEST])["Files"]
            expected = {
                one.get("Path") or bytes.fromhex(one["Encoded-Path"]).decode(): (
                    int(one["Size"]),
                    str(one["Checksum"]),
                )
                for one in listed
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError(f"the base backup has no manifest of the server's: {error}") from None
        for path, facts in expected.items():
            if self._found.get(path) != facts:
                raise BackupError(f"the base backup is not what the server says: {path}")
        first = _FIRST.search(self._texts.get(_LABEL, b"").decode(errors="replace"))
        if first is None or f"pg_wal/{first[1]}" not in self._found:
            raise BackupError("the base backup lacks the WAL with which it begins")
        return first[1]

    def close(self) -> None:
        """Ends the tar, as it is."""
        with suppress(BrokenPipeError):
            self._into.close()

    def _ended(self) -> None:
        try:
            self._thread.finish()
        except tarfile.TarError as error:
            raise BackupError(f"the base backup is no tar: {error}") from None

    def _read(self) -> None:
        with tarfile.open(fileobj=self._source, mode="r|") as tar:
            for member in tar:
                if member.isfile():
                    self._add(tar, member)
        while self._source.read(BLOCK):
            pass

    def _add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name, file, size = member.name.removeprefix("./"), tar.extractfile(member), 0
        assert file is not None
        digest, kept = hashlib.sha256(), []
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
            if name == _MANIFEST or (name == _LABEL and size <= _LARGEST_LABEL):
                kept.append(block)
        self._found[name] = (size, digest.hexdigest())
        if kept:
            self._texts[name] = b"".join(kept)
