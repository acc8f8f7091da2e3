"""A moment of the database: what is dumped, and the rows counted, are the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2.extensions

from posapp.backup.errors import Refused
from posapp.backup.postgres.client import Access, query

LOCK_WAIT = 60
"""Seconds that a dump waits for a table that somebody has locked, before it gives up."""

_TABLES = """
SELECT c.oid::regclass::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
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
_EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"


@dataclass(frozen=True)
class Moment:
    """A snapshot that others can join by its id, for as long as it is held, and what it shows."""

    id: str
    server_version: str
    database_bytes: int
    revision: str | None
    roles: tuple[str, ...]
    extensions: tuple[str, ...]


@contextmanager
def exported(access: Access) -> Iterator[Moment]:
    """Holds a snapshot without any lock on a table: whoever wants to alter one does not wait for
    us, and we do not wait for them while they do."""
    with access.connect() as session:
        query(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = query(session, "SELECT pg_export_snapshot()")[0][0]
        version, size = query(
            session,
            "SELECT current_setting('server_version'), pg_database_size(current_database())",
        )[0]
        yield Moment(
            snapshot,
            version,
            size,
            _revision(session),
            _names(session, _ROLES),
            _names(session, _EXTENSIONS),
        )


def count_rows(access: Access, snapshot: str | None = None) -> dict[str, int]:
    """The rows of every table that pg_dump takes, as that snapshot or this moment shows them.

    Raises BackupError, and Refused where there is no table at all.
    """
    with access.connect() as session:
        query(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if snapshot is not None:
            query(session, "SET TRANSACTION SNAPSHOT %s", snapshot)
        query(session, "SET LOCAL search_path = public")
        query(session, "SET LOCAL row_security = off")  # an error, rather than some of the rows
        query(session, f"SET LOCAL lock_timeout = '{LOCK_WAIT}s'")
        tables = _names(session, _TABLES)
        return {table: _count(session, table) for table in tables}


def refuse_empty(access: Access) -> None:
    """A database without tables is a wrong address more often than a restaurant. Raises Refused."""
    with access.connect() as session:
        if not query(session, _TABLES):
            raise Refused(
                f"the database {access.database} has no tables: is it the right one?"
                " A new one gets them by: posapp db upgrade"
            )


def _count(session: psycopg2.extensions.connection, table: str) -> int:
    rows = query(session, f"SELECT count(*) FROM {table}")  # noqa: S608  PostgreSQL quoted it
    return int(rows[0][0])


def _revision(session: psycopg2.extensions.connection) -> str | None:
    if query(session, "SELECT to_regclass('public.alembic_version')")[0][0] is None:
        return None
    rows = query(session, "SELECT version_num FROM public.alembic_version")
    return str(rows[0][0]) if rows else None


def _names(session: psycopg2.extensions.connection, statement: str) -> tuple[str, ...]:
    return tuple(row[0] for row in query(session, statement))
