"""Keeps what is received, encrypted in BACKUP_DIR where there is a recipient.

pg_receivewal goes on where the newest file in its folder ends, so that it needs the newest in the
clear: with a recipient that folder is POS_DATA_DIR/receiving, and BACKUP_DIR has only packed ones.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from posapp.backup import received, segments
from posapp.backup.context import BackupContext
from posapp.backup.model.base import SEGMENT, is_received
from posapp.runtime.files import private_folder
from posapp.settings import Settings

RECEIVING = "receiving"


class Keeping:
    """The files that one run of the receiver receives from the server `system`."""

    def __init__(self, context: BackupContext, wal: Path, system: str) -> None:
        self._context = context
        self.wal = wal
        staging = receiving_folder(context.settings, system)
        self.folder = wal if context.recipient is None else staging
        """Where pg_receivewal writes."""
        private_folder(self.folder)
        other = staging if context.recipient is None else wal
        self._gather(other)
        self.pack()

    def _gather(self, other: Path) -> None:
        """Takes over what lies in the clear where it was written before there was a recipient, or
        while there was one."""
        for path in list(other.iterdir()) if other.is_dir() else ():
            if is_received(path.name) and not path.name.endswith((".gz", ".age")):
                shutil.move(path, self.folder / path.name)

    def pack(self) -> None:
        """Packs all that is not yet, and leaves the newest where pg_receivewal looks for it.
        Raises OSError."""
        if self.folder == self.wal:
            return
        recipient = self._context.recipient
        for path in sorted((self.wal / received.BEFORE_GAP).glob("*")):
            if SEGMENT.fullmatch(path.name) and not path.name.endswith(segments.ENCRYPTED):
                segments.pack(path, path.parent, recipient)
                path.unlink()
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
        packed = self.wal / segments.packed_name(path.name, recipient)
        if path.name.endswith(".partial") or not packed.exists():
            segments.pack(path, self.wal, recipient)
            partial = segments.packed_name(f"{path.name}.partial", recipient)
            (self.wal / partial).unlink(missing_ok=True)
        if SEGMENT.fullmatch(path.name) and not newest:
            path.unlink()

    def begin_anew(self) -> None:
        """Puts all before a gap."""
        self.pack()
        received.set_aside(self.wal)
        if self.folder != self.wal:
            for path in list(self.folder.iterdir()):
                path.unlink()


def receiving_folder(settings: Settings, system: str) -> Path:
    """Returns where the newest of what is received lies while BACKUP_DIR has only packed ones."""
    return settings.pos_data_dir.resolve() / RECEIVING / system
