"""Copies of one database that go on as two restaurants: both have the identity that it had."""

from __future__ import annotations

from contextlib import suppress

from posapp.backup.context import BackupContext
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import Backup
from posapp.backup.model.identity import Identity, ours
from posapp.backup.storage import Storage
from posapp.backup.storage.lookup import read_ahead
from posapp.backup.told import tell_once

_LOOKED_AT = 10
"""Backups of each place, the newest: in a bucket each costs a request."""
_SUBJECT = "Another database makes backups under this restaurant's identity"
_ADVICE = (
    "where one began as a copy of the other, give it one of its own, or their backups are mixed:"
    " the runbook has the statement, under Restoring"
)


def tell_copies(context: BackupContext, own: Identity | None) -> None:
    """Tells, once, which other databases go on making backups as this restaurant. Raises nothing:
    a place that does not answer is told of by whoever needs it."""
    if own is None or own.id is None or own.system is None:
        return
    found: set[tuple[str | None, str]] = set()
    for storage in context.storages:
        with suppress(BackupError):
            found |= _others(storage, context, own)
    names = {f"{database} on the server {system}": _ADVICE for system, database in found}
    tell_once(context.storage.root, _SUBJECT, names, context.notifications)


def _others(storage: Storage, context: BackupContext, own: Identity) -> set[tuple[str | None, str]]:
    """Returns the servers and databases that have made one since this one had: before, it may have
    moved. Raises BackupError."""
    newest = ours(storage.list_backups(), own)[-_LOOKED_AT:]
    read_ahead(newest)
    here = (own.system, own.database)
    made = [(one.at, _origin(one)) for one in newest if context.is_good(one)]
    began = min((at for at, origin in made if origin == here), default=None)
    if began is None:
        return set()
    return {origin for at, origin in made if at > began and origin not in (None, here)}


def _origin(backup: Backup) -> tuple[str | None, str] | None:
    manifest = backup.manifest
    return (manifest.system_identifier, manifest.database) if manifest else None
