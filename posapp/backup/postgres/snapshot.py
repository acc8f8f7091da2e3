"""A database snapshot: the dump and the count of rows see the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from posapp.backup.errors import Refused
from posapp.backup.model.contents import Contents
from posapp.backup.model.properties import DatabaseProperties
from posapp.backup.postgres.client import Connection, PostgresClient, query
from posapp.backup.postgres.contents import read_contents
from posapp.backup.postgres.installation import identity_in, system_identifier
from posapp.backup.postgres.properties import read_properties

_TABLES = """
WITH RECURSIVE beside_foreign (oid) AS (
    SELECT oid FROM pg_class WHERE relkind = 'f'
    UNION SELECT inhparent FROM pg_inherits JOIN beside_foreign f ON inhrelid = f.oid
)
SELECT c.oid::regclass::text, c.oid IN (SELECT oid FROM beside_foreign)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
"""Each table, and whether another server has rows of it besides: a child is a foreign table."""
_MOVABLE = """
SELECT t.relid::regclass::text, pg_partition_root(partrelid)::regclass::text
FROM pg_partitioned_table p, pg_partition_tree(partrelid) t
WHERE isleaf AND (
    SELECT c.oid FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
    WHERE opcname = 'enum_ops' AND opcnamespace = 'pg_catalog'::regnamespace AND amname = 'hash'
) = ANY(partclass)
"""
"""Those whose rows pg_dump lets go anew to the partitions of one table: the hash of an enum's value
is another in each database."""
_ROLES = """
SELECT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
WHERE d.refclassid = 'pg_authid'::regclass
  AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION  -- the first role of a server is in no list of dependencies
SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY 1
"""


@dataclass(frozen=True)
class DatabaseSnapshot:
    """A snapshot that other connections can join by its id while it is held, and what it shows."""

    id: str
    server_version: str
    database_bytes: int
    revision: str | None
    roles: tuple[str, ...]
    identity: str | None
    system_identifier: str | None
    properties: DatabaseProperties | None
    contents: Contents


@contextmanager
def export_snapshot(client: PostgresClient) -> Iterator[DatabaseSnapshot]:
    """Holds a snapshot without any lock on a table: whoever alters a table does not wait for this
    run, and this run does not wait for them."""
    with client.connect() as connection:
        query(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = query(connection, "SELECT pg_export_snapshot()")[0][0]
        version, size = query(
            connection,
            "SELECT current_setting('server_version'), pg_database_size(current_database())",
        )[0]
        yield DatabaseSnapshot(
            snapshot,
            version,
            size,
            _revision(connection),
            _names(connection, _ROLES),
            identity_in(connection),
            system_identifier(connection),
            read_properties(connection, client.database),
            read_contents(connection),
        )


def count_rows(
    client: PostgresClient,
    snapshot: str | None = None,
    connected: Callable[[Connection], None] = lambda connection: None,
) -> dict[str, int]:
    """Returns the rows of every table that pg_dump takes, in that snapshot or as of now.
    `connected` is given the connection, by which it can be cancelled. Raises BackupError.
    """
    with client.connect() as connection:
        connected(connection)
        query(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if snapshot is not None:
            query(connection, "SET TRANSACTION SNAPSHOT %s", snapshot)
        query(connection, "SET LOCAL search_path = public")
        query(connection, "SET LOCAL row_security = off")  # an error, rather than some of the rows
        tables = query(connection, _TABLES)
        return {table: _count(connection, table, apart) for table, apart in tables}


def movable(client: PostgresClient) -> dict[str, str]:
    """Returns the tables whose rows a restore may lay into others of the same partitioned table,
    which is given for each. Raises BackupError."""
    with client.connect() as connection:
        return dict(query(connection, _MOVABLE))


def require_tables(connection: Connection, database: str) -> None:
    """Raises Refused for a database without tables: a wrong URL more often than a restaurant."""
    if not query(connection, _TABLES):
        raise Refused(
            f"the database {database} has no tables: is it the right one?"
            " A new one gets them by: posapp db upgrade"
        )


def _count(connection: Connection, table: str, apart: bool) -> int:
    """Counts the rows of a table, and of those that inherit from it unless it is taken apart."""
    what = f"ONLY {table}" if apart else table
    rows = query(connection, f"SELECT count(*) FROM {what}")  # noqa: S608  PostgreSQL quoted it
    return int(rows[0][0])


def _revision(connection: Connection) -> str | None:
    if query(connection, "SELECT to_regclass('public.alembic_version')")[0][0] is None:
        return None
    rows = query(connection, "SELECT version_num FROM public.alembic_version")
    return str(rows[0][0]) if rows else None


def _names(connection: Connection, statement: str) -> tuple[str, ...]:
    return tuple(row[0] for row in query(connection, statement))
