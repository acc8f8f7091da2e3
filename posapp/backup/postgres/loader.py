"""The role that loads a dump: it can do nothing but fill the one database that it is given.

A superuser's session can run programs and read files, and SET ROLE can always be undone. So the
dump's statements run in the session of a role that is made for it, with a password of its own, and
what they left out is done afterwards. What is read or written then may be a view, or have triggers
and rules that the dump has brought: that too is done by a role that is made for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

from posapp.backup.errors import BackupError
from posapp.backup.model.contents import Contents
from posapp.backup.postgres.client import Connection, PostgresClient, query
from posapp.backup.postgres.dump_filter import DumpFilter
from posapp.backup.postgres.dump_statements import as_sent
from posapp.backup.postgres.loader_rights import let_load_ours, spaces_of

PREFIX = "posapp_load_"
_MARK = "loads one dump for posapp"
_LEFTOVERS = f"""
SELECT rolname FROM pg_roles r
WHERE rolname LIKE '{PREFIX.replace("_", chr(92) + "_")}%%' AND NOT rolsuper
  AND shobj_description(r.oid, 'pg_authid') = %s
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.usesysid = r.oid)
  AND NOT EXISTS (SELECT FROM pg_shdepend d
                  WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
                  AND (d.dbid <> 0 OR d.deptype <> 'a'))
"""  # noqa: S608  ours
"""Those that have nothing, and nothing but rights on things of the server."""
_OWNER = """
SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s
"""
_ENTRANCE = """
SELECT has_database_privilege('public', oid, 'CONNECT'), datconnlimit, datconnlimit >= 0
    AND datconnlimit < 4 + (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid)
FROM pg_database d WHERE datname = %s
"""
_UNTRUSTED = """
WITH RECURSIVE known AS (
    SELECT e.name, v.superuser AND NOT v.trusted AS untrusted, coalesce(v.requires, '{}') AS needs
    FROM pg_available_extensions e JOIN pg_available_extension_versions v
        ON v.name = e.name AND v.version = e.default_version
), wanted (name, depth) AS (
    SELECT name, 0 FROM known WHERE name = ANY(%s) AND untrusted
    UNION ALL
    SELECT need, depth + 1 FROM wanted JOIN known USING (name), unnest(needs) need WHERE depth < 9
)
SELECT name FROM wanted GROUP BY name ORDER BY max(depth) DESC, name
"""
"""Those that only a superuser may create, behind those that they need."""
_SCHEMA_LINE = """
SELECT convert_to('CREATE SCHEMA ' || quote_ident(%s) || E';\\n', getdatabaseencoding())
"""
"""As pg_dump writes it, in the database's own encoding."""


@dataclass
class Loader:
    """The role that loads a dump, as a client."""

    client: PostgresClient
    made: frozenset[bytes] = frozenset()
    """Statements of a dump whose work is done already: the schemas of such extensions."""
    spaces: frozenset[str] = frozenset()
    """The tablespaces in which it may make tables."""


@contextmanager
def loader(
    client: PostgresClient, contents: Contents | None = None, signed: bool = False
) -> Iterator[Loader]:
    """Gives who may fill the database of `client`, and is its owner meanwhile. The extensions in
    `contents` that only a superuser may create are there already.

    Where `client` is no superuser it has to do so itself. Raises BackupError.
    """
    with client.maintenance.connect() as connection:
        if not _is_superuser(connection):
            user = query(connection, "SELECT current_user")[0][0]
            yield Loader(client, spaces=spaces_of(connection, user))
            return
        _drop_leftovers(connection)
        owner = query(connection, _OWNER, client.database)[0][0]
        # A materialized view of ours may show what row security hides.
        role, password = _create(connection, "BYPASSRLS" if signed else "NOBYPASSRLS")
        query(
            connection,
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(client.database), sql.Identifier(role)
            ),
        )
    try:
        made = _create_extensions(client, contents, role) if contents else frozenset()
        if signed:
            let_load_ours(client, role)
        with client.connect() as connection:
            spaces = spaces_of(connection, role)
        yield Loader(PostgresClient(client.url.set(username=role, password=password)), made, spaces)
    finally:
        _dissolve(client, role, owner)


@contextmanager
def unprivileged(client: PostgresClient) -> Iterator[PostgresClient]:
    """Gives a client that may read and write the rows of the database of `client`, and nothing
    else. Where `client` is no superuser it has to do so itself. Raises BackupError."""
    database = sql.Identifier(client.database)
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    with client.maintenance.connect() as connection:
        if not _is_superuser(connection):
            yield client
            return
        open_to_all, most, full = query(connection, _ENTRANCE, client.database)[0]
        role, password = _create(
            connection, "BYPASSRLS IN ROLE pg_read_all_data, pg_write_all_data"
        )
        try:
            if not open_to_all:
                grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
                query(connection, grant.format(database, sql.Identifier(role)))
            if full:  # for a superuser there is no limit
                query(connection, limit.format(database, sql.Literal(-1)))
            yield PostgresClient(client.url.set(username=role, password=password))
        finally:
            if full:
                query(connection, limit.format(database, sql.Literal(most)))
            _drop(client, role)


def give_back(client: PostgresClient, passed: DumpFilter) -> None:
    """Gives everything that was loaded to whom the dump says, and does what else was left for
    afterwards. Raises BackupError."""
    with client.connect() as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        if encoding := passed.settings.get(b"client_encoding"):
            cursor.execute(encoding)
        for statement in passed.afterwards:
            cursor.execute(as_sent(statement))
        cursor.execute("COMMIT")


def _is_superuser(connection: Connection) -> bool:
    found = query(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(found[0][0])


def _create(connection: Connection, more: str) -> tuple[str, str]:
    """Creates a role; returns its name and its password."""
    role, password = f"{PREFIX}{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    name = sql.Identifier(role)
    query(
        connection,
        sql.SQL(
            "CREATE ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
            " CONNECTION LIMIT 4 {}"
        ).format(name, sql.Literal(password), sql.SQL(more)),
    )
    query(connection, sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(_MARK)))
    return role, password


def _create_extensions(client: PostgresClient, contents: Contents, role: str) -> frozenset[bytes]:
    """Creates those that only a superuser may, each in its schema; the dump's own statement then
    does nothing. Returns the statements that would make those schemas."""
    made = set()
    with client.connect() as connection:
        for (name,) in query(connection, _UNTRUSTED, list(contents.extensions)):
            statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name))
            schema = contents.extension_schemas.get(name)
            if schema is not None:
                if _create_schema(connection, schema, role):
                    made.add(bytes(query(connection, _SCHEMA_LINE, schema)[0][0]))
                statement += sql.SQL(" WITH SCHEMA {}").format(sql.Identifier(schema))
            query(connection, statement)
    return frozenset(made)


def _create_schema(connection: Connection, schema: str, role: str) -> bool:
    """Creates a schema for the loader to go on with; returns whether it was missing."""
    if query(connection, "SELECT 1 FROM pg_namespace WHERE nspname = %s", schema):
        return False
    names = sql.Identifier(schema), sql.Identifier(role)
    query(connection, sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(*names))
    return True


def _dissolve(client: PostgresClient, role: str, owner: str) -> None:
    """Gives what is left to the database's owner, and drops the role."""
    names = sql.Identifier(role), sql.Identifier(owner)
    with suppress(BackupError), client.connect() as connection:
        query(connection, sql.SQL("REASSIGN OWNED BY {} TO {}").format(*names))
    _drop(client, role)


def _drop(client: PostgresClient, role: str) -> None:
    """Drops a role, and what it has been granted in a database."""
    name = sql.Identifier(role)
    with suppress(BackupError), client.connect() as connection:
        query(connection, sql.SQL("DROP OWNED BY {}").format(name))
    with suppress(BackupError), client.maintenance.connect() as connection:
        query(
            connection,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
            role,
        )
        query(connection, sql.SQL("DROP ROLE IF EXISTS {}").format(name))


def _drop_leftovers(connection: Connection) -> None:
    """Drops the roles of restores that were killed: ours by name and mark, and of no use."""
    for (role,) in query(connection, _LEFTOVERS, _MARK):
        with suppress(psycopg2.Error):
            name = sql.Identifier(role)
            query(connection, sql.SQL("DROP OWNED BY {}").format(name))
            query(connection, sql.SQL("DROP ROLE IF EXISTS {}").format(name))
