"""Sends what is received to the bucket, while the receiver goes on."""

from __future__ import annotations

import threading
from pathlib import Path

from healthkit.masking import one_line
from posapp.backup.archive import Archive
from posapp.backup.context import BackupContext
from posapp.backup.model.base import is_received
from posapp.backup.recovery import KNOWN
from posapp.backup.segments import packed_name
from posapp.backup.signed_copy import UNSIGNED
from posapp.backup.told import tell_once
from posapp.backup.wal_signing import WalKey

SEND_EVERY = 60.0
"""Seconds between two looks for what the bucket has not got."""


class Sending:
    """Sends what was received to the bucket, in a thread of its own: a silent bucket must not keep
    the receiver waiting. Context manager; at the end it stops waiting, not sending."""

    def __init__(self, context: BackupContext, wal: Path, archive: Archive) -> None:
        self._context = context
        self._wal = wal
        self._archive = archive
        self._key = WalKey(archive.key, archive.system)
        self._sent: set[str] | None = None
        self._unsigned: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            failed: dict[str, str] = {}
            try:
                failed = self.send_all()
            except Exception as error:  # noqa: BLE001  told and tried again, whatever it is
                failed["what was received"] = one_line(f"{type(error).__name__}: {error}")
            self._tell(failed)
            if self._ended.wait(SEND_EVERY):
                return

    def _tell(self, failed: dict[str, str]) -> None:
        """Raises nothing: whoever cannot be told now is told of the next."""
        subject = "Not sent to the bucket"
        try:
            tell_once(self._context.storage.root, subject, failed, self._context.notifications)
        except Exception as error:  # noqa: BLE001  the log is the last that is left
            self._context.log.write(f"{subject}, and not told: {type(error).__name__}: {error}")

    def send_all(self) -> dict[str, str]:
        """Sends what the bucket has not got; what is still being written to each time, and last
        until when all is known. Nothing is signed there that is not signed here.

        Returns what is not signed, and was not a look before. Raises BackupError and OSError.
        """
        if self._sent is None:
            self._sent = self._sent_before()
        known = self._wal / KNOWN
        noted = known.read_bytes() if known.exists() else None
        unsigned = set()
        for path in sorted(self._wal.iterdir()):
            if not is_received(path.name) or path.name in self._sent:
                continue
            signed = self._key.signed(path)
            if signed is None:
                unsigned.add(path.name)
                continue
            try:
                self._archive.send_wal(signed, self._context.recipient)
            except FileNotFoundError:  # whole now, or removed with an old base backup
                continue
            if ".partial" not in path.name:
                self._sent.add(path.name)
        if noted is not None:
            self._archive.send_known(noted)
        found, self._unsigned = unsigned & self._unsigned, unsigned
        return dict.fromkeys(found, UNSIGNED)

    def _sent_before(self) -> set[str]:
        """Returns the names of whole files that lie in the bucket too, as they are or packed."""
        here = [path.name for path in self._wal.iterdir() if is_received(path.name)]
        packed = {
            name: {name, packed_name(name, self._context.recipient)}
            for name in here
            if ".partial" not in name
        }
        there = self._archive.own_wal(set().union(*packed.values()))
        return {name for name, names in packed.items() if names & there}
