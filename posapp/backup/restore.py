"""Restores a backup into a new database beside the live one, and only then cuts over.

A restore that fails, or is killed, at any point leaves the live database as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine

from healthkit.fields import format_duration
from posapp.backup import compression
from posapp.backup.context import BackupContext
from posapp.backup.create import create_backup
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import Backup, BackupName, format_local
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres import audit, databases
from posapp.backup.postgres.client import MAINTENANCE, PostgresClient, query
from posapp.backup.postgres.cutover import cut_over
from posapp.backup.postgres.dump import Progress, load_sql
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.storage.folder import BackupLock
from posapp.database.schema import known_revisions, schema_state, upgrade


@dataclass(frozen=True)
class RestoreResult:
    """The result of a restore; `old_database` is the name of what was live before."""

    database: str
    old_database: str | None
    rows: int
    took: timedelta


def restore(
    backup: Backup,
    path: Path,
    context: BackupContext,
    lock: BackupLock,
    confirm: Callable[[str], None],
    silence: Callable[[], AbstractContextManager[None]] = nullcontext,
    pre_restore_backup: bool = True,
    moment: datetime | None = None,
) -> RestoreResult:
    """Replaces the live database by the verified backup in `path`.

    `confirm` is asked before anything is touched, and raises Refused to stop the restore. `silence`
    holds during the cut-over: what happens then is no fault. `moment` is the moment that the
    backup shows, where that is not when it was made. Raises Refused before anything is
    touched, BackupError after.
    """
    began = context.clock.monotonic()
    lock.require(context.storage)
    live, now = context.client.database, context.clock.now()
    server = context.client.on(MAINTENANCE)
    with server.connect() as connection:
        if blockers := databases.restore_blockers(connection, live, backup.manifest):
            raise Refused("\n".join(blockers))
        live_exists = databases.exists(connection, live)
    shown = (
        f"its state of {format_local(moment)}"
        if moment
        else f"the backup of {format_local(backup.at)}"
    )
    confirm(f"Replace the live database {live} by {shown}?")
    if live_exists and pre_restore_backup:
        _create_pre_restore_backup(context, lock)
    new_database = databases.sibling_name(live, "restore", now)
    old_database = databases.sibling_name(live, "before", now)
    context.log.write(f"Restoring {backup.name} into {new_database}")
    try:
        rows = _load(backup, path, context, new_database)
        context.log.write(f"Compared: {rows} rows, as in the backup; cutting over")
        with silence():
            cut_over(context.client, live, new_database, old_database)
    except BaseException:
        with suppress(BackupError), server.connect() as connection:
            databases.drop(connection, new_database)
        raise
    _note(context, backup, old_database)
    took = timedelta(seconds=context.clock.monotonic() - began)
    return RestoreResult(live, old_database if live_exists else None, rows, took)


def _note(context: BackupContext, backup: Backup, old_database: str) -> None:
    """Writes the restore to the audit log that is live now; what was restored is, in any case."""
    try:
        audit.record(
            context.client,
            "database.restored",
            context.clock.now(),
            backup=backup.name.key,
            before=old_database,
        )
    except BackupError as error:
        context.log.write(f"The restore could not be written to the audit log: {error}")


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


def _load(backup: Backup, path: Path, context: BackupContext, new_database: str) -> int:
    """Creates the new database and loads the backup into it. Returns the number of rows."""
    live, client = context.client.database, context.client.on(new_database)
    with context.client.on(MAINTENANCE).connect() as connection:
        for name in databases.leftovers(connection, live):
            context.log.write(f"Dropping {name}: left by a restore that was killed")
            databases.drop(connection, name)
        databases.create_like(connection, new_database, live)
    rows = load_backup(client, path, backup, context.load_identity, context.log.progress)
    if migrated := migrate_if_older(client):
        context.log.write(f"Migrated its schema from {migrated} to this version's")
    return rows


def load_backup(
    client: PostgresClient,
    path: Path,
    backup: Backup,
    load_identity: compression.LoadIdentity,
    on_progress: Progress,
) -> int:
    """Loads a backup into an empty database, compares its rows with the manifest, and updates the
    planner's statistics. Returns the number of rows. Raises BackupError."""
    try:
        with (
            path.open("rb") as file,
            compression.decompressed(file, backup.name, load_identity) as sql,
        ):
            load_sql(client, sql, on_progress)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    with ThreadPoolExecutor(1) as analyzing:
        analyzed = analyzing.submit(_analyze, client)
        counts = count_rows(client)
        analyzed.result()
    if backup.manifest is not None:
        compare_row_counts(backup.name, backup.manifest, counts)
    return sum(counts.values())


def _analyze(client: PostgresClient) -> None:
    with client.connect() as connection:
        query(connection, "ANALYZE")


def compare_row_counts(name: BackupName, manifest: Manifest, counts: dict[str, int]) -> None:
    """Raises BackupError where a table has not the number of rows that the manifest has."""
    expected = manifest.row_counts
    wrong = [
        f"{table}: {counts.get(table, 'missing')} instead of {expected.get(table, 'none')}"
        for table in sorted({*expected, *counts})
        if expected.get(table) != counts.get(table)
    ]
    if wrong:
        raise BackupError(f"{name}: other rows than its manifest says: {'; '.join(wrong[:5])}")


def migrate_if_older(client: PostgresClient) -> str | None:
    """Migrates the schema of an older version of the POS. Returns the revision it had, or None.

    The schema of a newer version stays: this version can serve it. Raises DatabaseError.
    """
    current, head = revisions(client)
    if current is None or current == head or current not in known_revisions():
        return None
    upgrade(client.url)
    return current


def revisions(client: PostgresClient) -> tuple[str | None, str | None]:
    """Returns the revision of the schema in the database, and this version's."""
    engine = create_engine(client.url)
    try:
        return schema_state(engine)
    finally:
        engine.dispose()


def summary(result: RestoreResult) -> list[str]:
    """Returns what an operator has to know afterwards, a line each."""
    lines = [f"{result.rows} rows in {result.database}, after {format_duration(result.took)}"]
    if result.old_database:
        lines += [
            f"What was live is now {result.old_database}. Once it is not needed any more:",
            f'  DROP DATABASE "{result.old_database}";',
        ]
    return lines
