"""The handover of a restore: numbers, ids and rights, and the tale of what was rolled back."""

from __future__ import annotations

from dataclasses import dataclass, field

from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import Backup
from posapp.backup.model.identity import Identity, owner
from posapp.backup.postgres.client import Connection
from posapp.backup.postgres.handover import LiveState, carry_over, jump_ahead, read_live
from posapp.backup.postgres.loader import unprivileged
from posapp.backup.rolled_back import rolled_back, write_report


@dataclass
class Handover:
    """Hands over what the restored database takes from the live one, in the cut-over."""

    context: BackupContext
    new_database: str
    backup: Backup
    own: Identity | None
    state: LiveState | None = None
    notes: list[str] = field(default_factory=list)

    def look(self, live: Connection) -> None:
        """Reads what was given out; of another restaurant's database it means nothing."""
        stated = owner(self.backup)
        if self.own is not None and stated in (None, self.own.id):
            self.state = read_live(live)

    def complete(self) -> None:
        """Has the restored one go on where the live one stood, or jump ahead."""
        now = self.context.clock.now()
        restored = self.context.client.on(self.new_database)
        with unprivileged(restored) as client, client.connect() as connection:
            if self.state is not None:
                self.notes += carry_over(connection, self.state, now)
            else:
                self.notes += jump_ahead(connection, self.backup.at, now)

    def tell(self, old_database: str) -> tuple[str, ...]:
        """Tells what was rolled back, and keeps it as a report; the restore itself is done."""
        if self.state is None:
            return tuple(self.notes)
        context = self.context
        try:
            with unprivileged(context.client) as client:
                found = rolled_back(context.client.on(old_database), client)
            folder, where = context.storage.prepare("rolled-back"), self.backup.location
            path = write_report(found, self.notes, folder, where, context.clock.now())
            return (*found.summary, *self.notes, f"Report: {path}")
        except Exception as error:  # noqa: BLE001  the restore is done, whatever this is
            reason = str(error) if isinstance(error, BackupError | OSError) else repr(error)
            return (*self.notes, f"What was rolled back could not be told: {reason}")
