"""Reads what a database says of itself: its identity, its schema."""

from __future__ import annotations

from posapp.backup.model.identity import Identity
from posapp.backup.postgres.client import Connection, PostgresClient, query

_ANY_TABLE = "SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1"
_EXISTS = "SELECT 1 FROM pg_database WHERE datname = %s"
_SYSTEM = """
SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
            THEN (SELECT system_identifier FROM pg_control_system()) END
"""


def read_identity(client: PostgresClient) -> Identity | None:
    """Returns the identity of a database; None for one that is empty, or not there at all.

    Raises BackupError.
    """
    with client.maintenance.connect() as connection:
        if not query(connection, _EXISTS, client.database):
            return None
    with client.connect() as connection:
        if not query(connection, _ANY_TABLE):
            return None
        return Identity(identity_in(connection), client.database, system_identifier(connection))


def identity_in(connection: Connection) -> str | None:
    """Returns the identity that is kept in the database."""
    if query(connection, "SELECT to_regclass('public.installation')")[0][0] is None:
        return None
    rows = query(connection, "SELECT identity FROM public.installation")
    return str(rows[0][0]) if rows else None


def system_identifier(connection: Connection) -> str | None:
    """Returns the server's; None where this role may not know it."""
    found = query(connection, _SYSTEM)[0][0]
    return str(found) if found is not None else None
