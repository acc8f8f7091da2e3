"""Restores a backup into a fresh database beside the live one, and only then swaps their names.

A restore that fails, or is killed, at any point leaves the live database as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine

from healthkit.fields import format_duration
from posapp.backup import compression
from posapp.backup.create import Work, make_locked
from posapp.backup.errors import BackupError, Refused
from posapp.backup.journal import Journal
from posapp.backup.model.backup import BackupName, clock_time
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres import databases
from posapp.backup.postgres.client import MAINTENANCE, Access, query
from posapp.backup.postgres.cutover import swap
from posapp.backup.postgres.dump import Progress, load
from posapp.backup.postgres.snapshot import count_rows
from posapp.backup.storage.folder import Entry
from posapp.database.schema import known_revisions, schema_state, upgrade


@dataclass(frozen=True)
class Restored:
    """How a restore went: `before` is where the old database is now."""

    database: str
    before: str | None
    rows: int
    took: timedelta


def restore(
    entry: Entry,
    path: Path,
    work: Work,
    journal: Journal,
    confirm: Callable[[str], None],
    quiet: Callable[[], AbstractContextManager[None]] = nullcontext,
    backup_first: bool = True,
) -> Restored:
    """Puts the verified backup in `path` in the place of the live database.

    `confirm` is told what will happen, and raises Refused to stop it. While the names are swapped,
    `quiet` holds: what happens then is no fault. Only for who holds the lock
    of the backups. Raises Refused before anything is touched, BackupError after.
    """
    began = time.monotonic()
    live, now = work.access.database, journal.clock()
    server = work.access.on(MAINTENANCE)
    with server.connect() as session:
        if found := databases.obstacles(session, live, entry.manifest):
            raise Refused("\n".join(found))
        there = databases.exists(session, live)
    confirm(_question(entry, live))
    if there and backup_first:
        _back_up_first(work, journal)
    fresh = databases.beside(live, "restore", now)
    before = databases.beside(live, "before", now)
    journal.line(f"Restoring {entry.name} into {fresh}")
    try:
        rows = _fill(entry, path, work, journal, fresh)
        journal.line(f"Compared: {rows} rows, as in the backup; swapping the names")
        with quiet():
            swap(work.access, live, fresh, before)
    except BaseException:
        with suppress(BackupError), server.connect() as session:
            databases.drop(session, fresh)
        raise
    took = timedelta(seconds=time.monotonic() - began)
    return Restored(live, before if there else None, rows, took)


def _question(entry: Entry, live: str) -> str:
    made = clock_time(entry.name.at)
    return f"Put the backup of {made} in the place of the live database {live}?"


def _back_up_first(work: Work, journal: Journal) -> None:
    """Raises BackupError; an empty database has nothing to lose."""
    with work.access.connect() as session:
        if not query(session, "SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1"):
            journal.line(f"{work.access.database} is empty: no backup before the restore")
            return
    try:
        make_locked("pre-restore", work, journal)
    except BackupError as error:
        raise BackupError(
            f"the backup before the restore has failed, so nothing was restored: {error};"
            " where the live database is lost anyway, go on with --no-backup-first"
        ) from error


def _fill(entry: Entry, path: Path, work: Work, journal: Journal, fresh: str) -> int:
    live = work.access.database
    with work.access.on(MAINTENANCE).connect() as session:
        for name in databases.leftovers(session, live):
            journal.line(f"Dropping {name}: a restore that was broken off had left it")
            databases.drop(session, name)
        databases.create_like(session, fresh, live)
    rows = fill(work.access.on(fresh), path, entry, work.identity, journal.progress)
    if upgraded := bring_up_to_date(work.access.on(fresh)):
        journal.line(f"Brought its schema from {upgraded} to this version's")
    return rows


def fill(
    access: Access, path: Path, entry: Entry, identity: compression.Identity, told: Progress
) -> int:
    """Loads a backup into an empty database, compares what has come with its manifest, and has
    the planner know it; how many rows. Raises BackupError."""
    try:
        with path.open("rb") as file, compression.unpacked(file, entry.name, identity) as sql:
            load(access, sql, told)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    with ThreadPoolExecutor(1) as planning:
        planned = planning.submit(_analyze, access)
        counts = count_rows(access)
        planned.result()
    if entry.manifest is not None:
        compare(entry.name, entry.manifest, counts)
    return sum(counts.values())


def _analyze(access: Access) -> None:
    with access.connect() as session:
        query(session, "ANALYZE")


def compare(name: BackupName, manifest: Manifest, counts: dict[str, int]) -> None:
    """Raises BackupError where a table has not the rows that it had."""
    told = manifest.row_counts
    wrong = [
        f"{table}: {counts.get(table, 'missing')} instead of {told.get(table, 'none')}"
        for table in sorted({*told, *counts})
        if told.get(table) != counts.get(table)
    ]
    if wrong:
        raise BackupError(f"{name}: other rows than its manifest says: {'; '.join(wrong[:5])}")


def bring_up_to_date(access: Access) -> str | None:
    """Migrates what an older version of the POS has made; from which revision, or None.

    What a newer one has made stays: this version can serve it. Raises DatabaseError.
    """
    current, head = revisions(access)
    if current is None or current == head or current not in known_revisions():
        return None
    upgrade(access.url)
    return current


def revisions(access: Access) -> tuple[str | None, str | None]:
    """Of the schema that is there, and of this version."""
    engine = create_engine(access.url)
    try:
        return schema_state(engine)
    finally:
        engine.dispose()


def summary(restored: Restored) -> list[str]:
    """What an operator has to know afterwards."""
    lines = [f"{restored.rows} rows in {restored.database}, after {format_duration(restored.took)}"]
    if restored.before:
        lines += [
            f"What was live is now {restored.before}. When nobody misses it any more:",
            f'  DROP DATABASE "{restored.before}";',
        ]
    return lines
