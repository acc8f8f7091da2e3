"""Keeps what is received: signed, and encrypted in BACKUP_DIR where there is a recipient.

pg_receivewal goes on where the newest file in its folder ends, so that it needs the newest in the
clear: with a recipient that folder is POS_DATA_DIR/receiving, and BACKUP_DIR has only packed ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from posapp.backup import received, segments
from posapp.backup.context import BackupContext
from posapp.backup.model.base import SEGMENT, is_received
from posapp.backup.signed_copy import Copy
from posapp.backup.wal_signing import Signer, WalKey, beside
from posapp.runtime.files import private_folder
from posapp.settings import Settings

RECEIVING = "receiving"


class Keeping:
    """The files that one run of the receiver receives from the server `system`."""

    def __init__(self, context: BackupContext, wal: Path, system: str, segment_bytes: int) -> None:
        self._context = context
        self._segment_bytes = segment_bytes
        self.wal = wal
        self.key = WalKey(context.key, system)
        staging = receiving_folder(context.settings, system)
        self.folder = wal if context.recipient is None else staging
        """Where pg_receivewal writes."""
        private_folder(self.folder)
        other = staging if context.recipient is None else wal
        self._gather(other)
        self._signer = Signer(self.key, self.folder, segment_bytes)
        self.pack()

    def begin(self, server_has: Callable[[str], bool]) -> None:
        """Begins before pg_receivewal does. What a run that was killed has not signed is received
        once more, as long as the server has it: `server_has` knows, by a name's last 16 digits."""
        for name in reversed(received.list_segments(self.folder)):
            path = self.folder / name
            if self.key.signed(path) is not None or not server_has(name[8:]):
                break
            for later in self.folder.glob("*.partial"):
                _remove(later)
            aside = self.wal / received.BEFORE_GAP
            aside.mkdir(mode=0o700, exist_ok=True)
            shutil.move(path, aside / name)
        self._signer = Signer(self.key, self.folder, self._segment_bytes)

    def sign(self, flushed: int | None) -> None:
        """Signs what was received up to a position in WAL. Raises OSError."""
        self._signer.sign(flushed)

    def keep(self, flushed: int) -> None:
        """Signs what was received up to a position in WAL, and packs it. Raises OSError."""
        self.sign(flushed)
        self.pack()

    def _gather(self, other: Path) -> None:
        """Takes over what lies in the clear where it was written before there was a recipient, or
        while there was one."""
        for path in list(other.iterdir()) if other.is_dir() else ():
            if is_received(path.name) and not path.name.endswith((".gz", ".age")):
                shutil.move(path, self.folder / path.name)
                with suppress(FileNotFoundError):
                    shutil.move(beside(path), beside(self.folder / path.name))

    def pack(self) -> None:
        """Packs all that is not yet, and leaves the newest where pg_receivewal looks for it.
        Raises OSError and BackupError."""
        if self.folder == self.wal:
            return
        for path in sorted((self.wal / received.BEFORE_GAP).glob("*")):
            if SEGMENT.fullmatch(path.name) and not path.name.endswith(segments.ENCRYPTED):
                self._pack_into(path, path.parent)
                _remove(path)
        while True:
            names = sorted(p.name for p in self.folder.iterdir() if is_received(p.name))
            try:
                for name in names:
                    self._pack_one(self.folder / name, newest=name == names[-1])
                return
            except FileNotFoundError:  # it is whole now, under another name
                continue

    def _pack_one(self, path: Path, newest: bool) -> None:
        recipient = self._context.recipient
        if not path.name.endswith(".partial"):
            self._signer.sign_whole(path.name)  # it may have ended since the last look
        packed = self.wal / segments.packed_name(path.name, recipient)
        whole = packed.exists() and self.key.signed(packed) is not None
        if path.name.endswith(".partial") or not whole:
            self._pack_into(path, self.wal)
            _remove(self.wal / segments.packed_name(f"{path.name}.partial", recipient))
        if SEGMENT.fullmatch(path.name) and not newest:
            _remove(path)

    def _pack_into(self, path: Path, folder: Path) -> None:
        """Packs a file; signs it where what was received was signed."""
        signed = self.key.signed(path)
        sink = segments.pack(signed or Copy(str(path)), folder, self._context.recipient)
        packed = folder / segments.packed_name(path.name, self._context.recipient)
        if signed is not None:
            self.key.sign(packed, sink.size, sink.hexdigest())

    def begin_anew(self) -> None:
        """Puts all before a gap."""
        self.pack()
        received.set_aside(self.wal)
        if self.folder != self.wal:
            for path in list(self.folder.iterdir()):
                path.unlink()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    beside(path).unlink(missing_ok=True)


def receiving_folder(settings: Settings, system: str) -> Path:
    """Returns where the newest of what is received lies while BACKUP_DIR has only packed ones."""
    return settings.pos_data_dir.resolve() / RECEIVING / system
