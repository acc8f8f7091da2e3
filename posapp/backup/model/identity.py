"""Whose a backup is: several restaurants may keep theirs in one folder or bucket. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from posapp.backup.model.backup import Backup


@dataclass(frozen=True)
class Identity:
    """The identity that a restaurant's backups are known by.

    `id` was made once and is kept in the database itself; a schema from before it has none, and is
    known by the database's name and the server's system identifier.
    """

    id: str | None
    database: str
    system: str | None

    def owns(self, backup: Backup) -> bool:
        """Whether a backup is this restaurant's. One that says nothing is nobody's."""
        manifest = backup.manifest
        stated = owner(backup)
        if stated is not None:
            return stated == self.id
        return (
            manifest is not None
            and manifest.system_identifier is not None
            and (manifest.database, manifest.system_identifier) == (self.database, self.system)
        )


def owner(backup: Backup) -> str | None:
    """Returns the identity that a backup states; None where it states none."""
    stated = backup.manifest.identity if backup.manifest else None
    return stated or backup.name.identity or None


def ours(backups: Iterable[Backup], own: Identity | None) -> list[Backup]:
    """Returns the backups of `own`, all of them for None: a fresh, empty database may take any.

    In a bucket the name says whose one is, and its manifest need not be read for it: one that says
    something else is not intact.
    """
    return [backup for backup in backups if own is None or _is_of(backup, own)]


def _is_of(backup: Backup, own: Identity) -> bool:
    return backup.name.identity == own.id if backup.name.identity else own.owns(backup)


def named_owner(backup: Backup) -> str | None:
    """Returns the identity in a backup's name, or else the one that it states."""
    return backup.name.identity or owner(backup)


def owners(backups: Iterable[Backup]) -> set[str]:
    """Returns the identities that backups have in their names, or else state."""
    return {stated for backup in backups if (stated := named_owner(backup))}
