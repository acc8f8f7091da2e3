"""Restores a backup into a new database beside the live one, and only then cuts over.

A restore that fails, or is killed, at any point leaves the live database as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO

from healthkit.fields import format_duration
from posapp.backup import planner_statistics, room
from posapp.backup.context import BackupContext
from posapp.backup.create import backup_need, create_backup
from posapp.backup.errors import BackupError, Refused
from posapp.backup.handover import Handover
from posapp.backup.loading import load_backup, migrate_if_older, schema_problem, stated_revision
from posapp.backup.model.backup import Backup, format_local
from posapp.backup.model.identity import Identity, owner
from posapp.backup.model.properties import DatabaseProperties
from posapp.backup.postgres import audit, databases
from posapp.backup.postgres.client import Connection, query
from posapp.backup.postgres.cutover import cut_over
from posapp.backup.postgres.installation import read_identity
from posapp.backup.postgres.loader import unprivileged
from posapp.backup.postgres.properties import (
    apply_properties,
    create_database,
    foreseen,
    read_properties,
)
from posapp.backup.postgres.server_room import load_needs, server_folders
from posapp.backup.storage.folder import BackupLock

ConfirmTyped = Callable[[str, str], None]
"""Asks a question that is agreed to by typing a word. Raises Refused."""


def refuse_typed(question: str, word: str) -> None:
    """Where nobody can type. Raises Refused."""
    raise Refused(question)


@dataclass(frozen=True)
class Asking:
    """Whom to ask, and what has been decided by whoever started the restore."""

    confirm: Callable[[str], None]
    """Raises Refused to stop the restore."""
    confirm_typed: ConfirmTyped = refuse_typed
    """Asked where it may not be this restaurant's backup, or nobody has signed it."""
    unsigned: bool = False
    """Whether a backup that is not signed may be restored at all."""
    pre_restore_backup: bool = True


@dataclass(frozen=True)
class RestoreResult:
    """The result of a restore; `old_database` is the name of what was live before."""

    database: str
    old_database: str | None
    rows: int
    took: timedelta
    notes: tuple[str, ...] = ()
    """What was rolled back, and what a person has to look at."""


@dataclass(frozen=True)
class LookAhead:
    """The state of the server before a restore, and what stands in its way."""

    obstacles: list[str]
    live_exists: bool
    backs_up: bool
    """Whether the live database is backed up first."""
    like: DatabaseProperties | None
    own: Identity | None
    losses: list[str] = field(default_factory=list)
    """Properties of the database that would not be as they were."""
    roles: list[str] = field(default_factory=list)
    """Roles of the backup that would be created, on a server that has no POS yet."""


def restore(
    backup: Backup,
    file: BinaryIO,
    context: BackupContext,
    lock: BackupLock,
    asking: Asking,
    silence: Callable[[], AbstractContextManager[None]] = nullcontext,
    moment: datetime | None = None,
) -> RestoreResult:
    """Replaces the live database by a backup, of which `file` is the open and verified dump.

    `silence` holds during the cut-over: what happens then is no fault. `moment` is the moment that
    the backup shows, where that is not when it was made. Raises Refused before anything is touched,
    BackupError after.
    """
    began = context.clock.monotonic()
    lock.require(context.storage)
    live, now = context.client.database, context.clock.now()
    ahead = look_ahead(backup, context, asking)
    if ahead.obstacles:
        raise Refused("\n".join(ahead.obstacles))
    for loss in ahead.losses:
        context.log.write(f"Will not be as it was: {loss}")
    _ask(backup, context, ahead.own, asking, moment)
    if ahead.roles:
        context.log.write(f"Creating roles without passwords: {', '.join(ahead.roles)}")
        with context.client.maintenance.connect() as connection:
            databases.create_roles(connection, ahead.roles)
    if ahead.backs_up:
        _create_pre_restore_backup(context, lock)
    new_database, old_database = _free_names(context, now)
    context.log.write(f"Restoring {backup.name} into {new_database}")
    handover = Handover(context, new_database, backup, ahead.own)
    rows = replace_database(backup, file, context, old_database, ahead.like, handover, silence)
    with planner_statistics.updated_beside(context):
        _note(context, backup, old_database)
        _drop_older_replaced(context)
        notes = handover.tell(old_database)
    took = timedelta(seconds=context.clock.monotonic() - began)
    return RestoreResult(live, old_database if ahead.live_exists else None, rows, took, notes)


def look_ahead(backup: Backup, context: BackupContext, asking: Asking) -> LookAhead:
    """Looks at all that can be looked at before anything is touched. Raises BackupError."""
    live = context.client.database
    with context.client.maintenance.connect() as connection:
        roles = _coming_roles(connection, backup, context)
        blockers = databases.restore_blockers(connection, live, backup, roles)
        obstacles = [*_unfit(backup), *blockers]
        needs = load_needs(connection, live, _size_of(backup))
        live_exists = databases.exists(connection, live)
        like = read_properties(connection, live) or _stated_properties(backup)
        unmade, losses = foreseen(connection, like, roles) if like else ([], [])
        obstacles += unmade
    backs_up = live_exists and asking.pre_restore_backup
    if obstacles:  # a role that may not restore may not read either
        return LookAhead(obstacles, live_exists, backs_up, like, None)
    if backs_up:
        needs.append(backup_need("pre-restore", context))
    obstacles = room.shortages(needs, context.settings.backup_disk_reserve)
    own = read_identity(context.client)
    return LookAhead(obstacles, live_exists, backs_up, like, own, losses, roles)


def _coming_roles(connection: Connection, backup: Backup, context: BackupContext) -> list[str]:
    """Returns the roles that are created for a backup of ours on a server that has no POS yet: a
    new machine. Elsewhere, somebody has to know of a role that is missing."""
    if backup.manifest is None or not context.key.has_signed(backup.manifest):
        return []
    super_ = query(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0][0]
    if not super_ or read_identity(context.client) is not None:
        return []
    return databases.missing_roles(connection, backup.manifest)


def replace_database(
    backup: Backup,
    file: BinaryIO,
    context: BackupContext,
    old_database: str,
    like: DatabaseProperties | None,
    handover: Handover,
    silence: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> int:
    """Loads a backup beside the live database and swaps their names, as a restore does and a drill.
    Returns the number of rows. Raises BackupError; then the live one is as it was."""
    live, new_database = context.client.database, handover.new_database
    server = context.client.maintenance
    with server.connect() as connection:
        folders = server_folders(connection, live)
    try:
        stop = partial(databases.end_sessions, server, new_database)
        with room.watched(folders, context.settings.backup_disk_reserve, stop):
            rows = _load(backup, file, context, new_database, like)
        context.log.write(f"Compared: {rows} rows, as in the backup; cutting over")
        with silence():
            cut_over(
                *(context.client, live, new_database, old_database),
                *(handover.look, handover.complete, like.comment if like else None),
            )
    except BaseException:
        with suppress(BackupError), server.connect() as connection:
            databases.drop(connection, new_database)
        raise
    return rows


def _free_names(context: BackupContext, now: datetime) -> tuple[str, str]:
    """Returns names for the restored database and for the one that was live: later ones where a
    clock was set back, and these are taken."""
    live = context.client.database
    with context.client.maintenance.connect() as connection:
        while True:
            names = [databases.sibling_name(live, what, now) for what in ("restore", "before")]
            if not any(databases.exists(connection, name) for name in names):
                return names[0], names[1]
            now += timedelta(seconds=1)


def _size_of(backup: Backup) -> int:
    """Returns about how many bytes the restored database takes."""
    return backup.manifest.database_bytes if backup.manifest else 10 * backup.size


def _drop_older_replaced(context: BackupContext) -> None:
    """Keeps as many of the databases that restores have replaced as is set, and tells of both."""
    kept = context.settings.backup_keep_before
    try:
        with context.client.maintenance.connect() as connection:
            found = databases.list_replaced(connection, context.client.database)
            for name, _ in found[:-kept]:
                context.log.write(
                    f"Dropping {name}: {kept} newer ones are kept (BACKUP_KEEP_BEFORE)"
                )
                databases.drop_unused(connection, name)
    except BackupError as error:
        context.log.write(f"An older database could not be dropped: {error}")


def _note(context: BackupContext, backup: Backup, old_database: str) -> None:
    """Writes the restore to the audit log that is live now; what was restored is, in any case."""
    now, details = context.clock.now(), {"backup": backup.name.key, "before": old_database}
    try:
        with unprivileged(context.client) as client:
            audit.record(client, "database.restored", now, **details)
    except BackupError as error:
        context.log.write(f"The restore could not be written to the audit log: {error}")


def _unfit(backup: Backup) -> list[str]:
    """Returns why a backup cannot take the place of a POS. Without a manifest it is known when the
    backup has been loaded."""
    if backup.manifest is None:
        return []
    problem = schema_problem(backup.manifest.schema_revision)
    return [f"{backup.name}: {problem}"] if problem else []


def _ask(
    backup: Backup,
    context: BackupContext,
    own: Identity | None,
    asking: Asking,
    moment: datetime | None,
) -> None:
    """Raises Refused."""
    signed = context.key.has_signed(backup.manifest)
    if not signed and not asking.unsigned:
        raise Refused(
            f"{backup.name}: not signed by BACKUP_KEY: not ours, from before there was a key, or"
            " changed; --unsigned restores it all the same, after a typed confirmation"
        )
    shown = f"its state of {format_local(moment)}" if moment else None
    shown = shown or f"the backup of {format_local(backup.at)}"
    question = f"Replace the live database {context.client.database} by {shown}?"
    found = doubts(backup, own)
    if not signed:
        found.append("nobody has signed it: whoever could write where it lay may have changed it")
    if found:
        asking.confirm_typed(f"{backup.name}: {'; '.join(found)}. {question}", str(backup.name))
    else:
        asking.confirm(question)


def doubts(backup: Backup, own: Identity | None) -> list[str]:
    """Returns why a backup may not be what is meant to be live. A fresh database may take any."""
    if own is None or own.owns(backup):
        return []
    stated = owner(backup)
    if stated:
        return [f"it is a backup of another restaurant, {stated}; this one is {own.id}"]
    return ["it does not say which restaurant's it is"]


def _create_pre_restore_backup(context: BackupContext, lock: BackupLock) -> None:
    """Raises BackupError. An empty database has nothing to lose."""
    with context.client.connect() as connection:
        if not query(connection, "SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1"):
            context.log.write(f"{context.client.database} is empty: no pre-restore backup")
            return
    try:
        create_backup("pre-restore", context, lock)
    except BackupError as error:
        raise BackupError(
            f"the backup before the restore has failed, so nothing was restored: {error};"
            " where the live database is lost anyway, go on with --no-pre-restore-backup"
        ) from error


def _stated_properties(backup: Backup) -> DatabaseProperties | None:
    return backup.manifest.properties if backup.manifest else None


def _load(
    backup: Backup,
    file: BinaryIO,
    context: BackupContext,
    new_database: str,
    like: DatabaseProperties | None,
) -> int:
    """Creates the new database and loads the backup into it. Returns the number of rows."""
    live, client = context.client.database, context.client.on(new_database)
    with context.client.maintenance.connect() as connection:
        for name in databases.find_leftovers(connection, live):
            context.log.write(f"Dropping {name}: left by a restore that was killed")
            databases.drop_unused(connection, name)
        create_database(connection, new_database, like, databases.UNFINISHED, databases.BORN)
    context.log.expect(backup.manifest.sql_bytes if backup.manifest else None)
    signed = context.key.has_signed(backup.manifest)
    rows = load_backup(
        *(client, file, backup, context.load_identity, context.log.progress, signed),
        lambda loss: context.log.write(f"Not as it was: {loss}"),
    )
    if problem := schema_problem(stated_revision(client)):
        raise BackupError(f"{backup.name}: {problem}")
    if signed and (migrated := migrate_if_older(client)):
        context.log.write(f"Migrated its schema from {migrated} to this version's")
    if like is not None:
        with context.client.maintenance.connect() as connection:
            for problem in apply_properties(connection, new_database, like):
                context.log.write(f"Not as it was: {problem}")
    return rows


def summary(result: RestoreResult) -> list[str]:
    """Returns what an operator has to know afterwards, a line each."""
    lines = [f"{result.rows} rows in {result.database}, after {format_duration(result.took)}"]
    lines += result.notes
    if result.old_database:
        lines += [
            f"What was live is now {result.old_database}. Once it is not needed any more:",
            f'  DROP DATABASE "{result.old_database}";',
        ]
    return lines
