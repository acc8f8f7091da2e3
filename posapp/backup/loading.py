"""Loads a backup into an empty database, and compares what has arrived with the manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, cast

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from posapp.backup import compression
from posapp.backup.errors import BackupError
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.contents import Contents, differences
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres.client import PostgresClient, one_line
from posapp.backup.postgres.contents import read_contents, take_from_owners
from posapp.backup.postgres.dump import Progress, load_sql
from posapp.backup.postgres.dump_filter import DumpFilter
from posapp.backup.postgres.loader import give_back, loader, unprivileged
from posapp.backup.postgres.snapshot import count_rows, movable
from posapp.database.schema import is_newer, known_revisions, schema_state, upgrade


def load_backup(
    client: PostgresClient,
    file: BinaryIO,
    backup: Backup,
    load_identity: compression.LoadIdentity,
    on_progress: Progress,
    signed: bool = False,
    on_loss: Callable[[str], None] = lambda text: None,
) -> int:
    """Loads an open backup into an empty database by a role that can do nothing else, compares its
    bytes, its rows and what it has besides with the manifest. Returns the number of rows; `on_loss`
    is called with what is not as it was, and takes nothing from the data. Raises BackupError.

    What nobody has signed is migrated by that role too: a migration runs what the dump has brought.
    Of what is signed, a superuser does afterwards what only a superuser may.
    """
    manifest, migrated = backup.manifest, None
    hashed = compression.HashingReader(file)
    try:
        with (
            loader(client, _contents(manifest), signed) as filling,
            compression.decompressed(cast(BinaryIO, hashed), backup.name, load_identity) as sql,
        ):
            passed = DumpFilter(signed, filling.made, filling.spaces)
            load_sql(filling.client, sql, on_progress, passed)
            if not signed and is_older(revisions(filling.client)):
                counts, migrated = count_rows(filling.client), migrate_if_older(filling.client)
        hashed.drain()
    except OSError as error:
        raise BackupError(f"{backup.location}: {error.strerror}") from None
    if manifest is not None and hashed.hexdigest() != manifest.sha256:
        raise BackupError(f"{backup.location}: is not, or no longer, what its manifest says")
    give_back(client, passed)
    for space in sorted(passed.lost_spaces):
        on_loss(f"what lay in the tablespace {space}, which cannot be used, lies in the usual one")
    with unprivileged(client) as limited:
        if manifest is not None and manifest.contents is not None:
            with limited.connect() as connection:
                found = read_contents(connection).rights
            with client.connect() as connection:
                take_from_owners(connection, manifest.contents, found)
        if migrated is None:
            counts = count_rows(limited)
        if manifest is not None:
            compare_row_counts(backup.name, manifest, counts, movable(limited))
        if manifest is not None and migrated is None:
            compare_contents(backup.name, manifest, limited)
    return sum(counts.values())


def _contents(manifest: Manifest | None) -> Contents | None:
    """Returns what a manifest says of contents; one of an older version names extensions alone."""
    if manifest is None:
        return None
    return manifest.contents or Contents(
        sequences={}, large_objects=0, materialized={}, rights={}, extensions=manifest.extensions
    )


def compare_row_counts(
    name: BackupName,
    manifest: Manifest,
    counts: Mapping[str, int],
    movable: Mapping[str, str] | None = None,
) -> None:
    """Raises BackupError where a table has not the number of rows that the manifest has. Those that
    are `movable` are compared together, under the name that is given for them."""
    expected, found = (
        _together(manifest.row_counts, movable or {}),
        _together(counts, movable or {}),
    )
    wrong = [
        f"{table}: {found.get(table, 'missing')} instead of {expected.get(table, 'none')}"
        for table in sorted({*expected, *found})
        if expected.get(table) != found.get(table)
    ]
    if wrong:
        raise BackupError(f"{name}: other rows than its manifest says: {'; '.join(wrong[:5])}")


def _together(counts: Mapping[str, int], movable: Mapping[str, str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for table, count in counts.items():
        whole = movable.get(table, table)
        sums[whole] = sums.get(whole, 0) + count
    return sums


def compare_contents(name: BackupName, manifest: Manifest, client: PostgresClient) -> None:
    """Raises BackupError where a database has other sequences, large objects, materialized views,
    rights or extensions than the manifest says."""
    if manifest.contents is None:
        return
    with client.connect() as connection:
        wrong = differences(manifest.contents, read_contents(connection))
    if wrong:
        raise BackupError(f"{name}: other than its manifest says: {'; '.join(wrong[:5])}")


def migrate_if_older(client: PostgresClient) -> str | None:
    """Migrates the schema of an older version of the POS. Returns the revision it had, or None.

    The schema of a newer version stays: this version can serve it. Raises DatabaseError.
    """
    found = revisions(client)
    if not is_older(found):
        return None
    upgrade(client.url)
    return found[0]


def is_older(found: tuple[str | None, str | None]) -> bool:
    """Whether the first revision is from before the second, this version's."""
    current, head = found
    return current is not None and current != head and not is_newer(current)


def revisions(client: PostgresClient) -> tuple[str | None, str | None]:
    """Returns the revision of the schema in the database, and this version's. Raises BackupError:
    what has the name of its table may be anything."""
    engine = create_engine(client.url)
    try:
        current, head = schema_state(engine)
        return (None if current is None else str(current)), head
    except SQLAlchemyError as error:
        raise BackupError(
            f"database {client.database}: its schema cannot be read: {one_line(error)}"
        ) from error
    finally:
        engine.dispose()


def stated_revision(client: PostgresClient) -> str | None:
    """Returns the revision of a database that has been restored, by a role without rights: the
    table may be a view that the dump has brought. Raises BackupError."""
    with unprivileged(client) as limited:
        return revisions(limited)[0]


def schema_problem(revision: str | None) -> str:
    """Returns why a schema cannot be live here, or ""."""
    if revision is None:
        return "there is no POS in it: the table alembic_version is missing"
    if revision not in known_revisions():
        return f"its schema {revision} is not known to this version; update the POS first"
    return ""
