"""The rights that whoever loads a dump of ours has besides: what the dump makes needs them.

They are on things of the server, or of an extension; they go with the role itself.
"""

from __future__ import annotations

from psycopg2 import sql

from posapp.backup.postgres.client import Connection, PostgresClient, query

_WRAPPERS = "SELECT fdwname FROM pg_foreign_data_wrapper"
_ALL_SPACES = "SELECT spcname FROM pg_tablespace WHERE spcname <> 'pg_global'"
_SPACES = """
SELECT spcname FROM pg_tablespace
WHERE spcname <> 'pg_global' AND has_tablespace_privilege(%s, oid, 'CREATE')
"""
_PARAMETERS = """
SELECT name FROM pg_settings WHERE context = 'superuser'
AND name !~ '(libraries|path)$' AND current_setting('server_version_num')::int >= 150000
"""
"""A function may set them for itself; not what has a server load programs."""


def let_load_ours(client: PostgresClient, role: str) -> None:
    """Lets a role make what a signed dump has: servers of the extensions' foreign data wrappers,
    functions with settings of a superuser's, and what lies in a tablespace. Raises BackupError."""
    with client.connect() as connection:
        for kind, statement in (
            ("USAGE ON FOREIGN DATA WRAPPER", _WRAPPERS),
            ("CREATE ON TABLESPACE", _ALL_SPACES),
            ("SET ON PARAMETER", _PARAMETERS),
        ):
            if names := [sql.Identifier(name) for (name,) in query(connection, statement)]:
                grant = sql.SQL("GRANT {} {} TO {}").format(
                    sql.SQL(kind), sql.SQL(", ").join(names), sql.Identifier(role)
                )
                query(connection, grant)


def spaces_of(connection: Connection, role: str) -> frozenset[str]:
    """Returns the tablespaces in which a role may make tables."""
    return frozenset(name for (name,) in query(connection, _SPACES, role))
