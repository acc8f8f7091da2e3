"""The databases of a server: their names, what a restore has left, and what blocks one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from psycopg2 import sql

from posapp.backup.errors import BackupError
from posapp.backup.model.backup import Backup, format_stamp
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres.client import (
    Connection,
    PostgresClient,
    first_number,
    major,
    query,
    tool_version,
)

BORN = 1_931_507_233
"""The limit of connections that marks a database before it has its comment: a restore that is
killed between the two leaves one that is known all the same."""
_LONGEST = 63
"""Bytes of a name in PostgreSQL."""
EPOCH = datetime.fromtimestamp(0, UTC)
UNFINISHED = "posapp: a restore that has not ended"
"""The comment of a database while it is being restored."""
REPLACED = "posapp: live until a restore"
"""The comment of a database that a restore has replaced."""
_MARKED = """
SELECT datname FROM pg_database d WHERE (
    shobj_description(d.oid, 'pg_database') = %s
    OR (shobj_description(d.oid, 'pg_database') IS NULL AND datconnlimit = %s)
) AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)
"""

_SIZES = """
SELECT datname, pg_database_size(oid) FROM pg_database d
WHERE shobj_description(d.oid, 'pg_database') = %s
"""


def exists(connection: Connection, name: str) -> bool:
    return bool(query(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name))


def sibling_name(live: str, what: str, now: datetime) -> str:
    """Returns a name for a database beside `live`: `steak_kenangan_before_20251226_021530`."""
    suffix = f"_{what}_{format_stamp(now)}"
    room = _LONGEST - len(suffix)
    return live.encode()[:room].decode(errors="ignore") + suffix


def find_leftovers(connection: Connection, live: str) -> list[str]:
    """Returns the unfinished databases of restores that were killed: of our name to the letter,
    with our mark, and with nobody in them."""
    prefix = sibling_name(live, "restore", EPOCH).rpartition("_restore_")[0]
    pattern = re.compile(re.escape(prefix) + r"_restore_[0-9]{8}_[0-9]{6}")
    names = [str(row[0]) for row in query(connection, _MARKED, UNFINISHED, BORN)]
    return [name for name in names if pattern.fullmatch(name)]


def list_replaced(connection: Connection, live: str) -> list[tuple[str, int]]:
    """Returns the databases that restores have replaced, oldest first, and their bytes."""
    prefix = sibling_name(live, "before", EPOCH).rpartition("_before_")[0]
    pattern = re.compile(re.escape(prefix) + r"_before_[0-9]{8}_[0-9]{6}")
    rows = query(connection, _SIZES, REPLACED)
    return sorted((name, size) for name, size in rows if pattern.fullmatch(name))


def end_sessions(server: PostgresClient, name: str) -> None:
    """Ends whatever works in a database. Raises nothing: it is a last resort."""
    with suppress(BackupError), server.connect() as connection:
        query(
            connection,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            name,
        )


def end_as_template(connection: Connection, name: str) -> None:
    """Has a database be no template any more: nobody may drop one."""
    if query(connection, "SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", name):
        statement = sql.SQL("ALTER DATABASE {} IS_TEMPLATE false")
        query(connection, statement.format(sql.Identifier(name)))


def drop_unused(connection: Connection, name: str) -> None:
    """Drops a database, unless somebody is in it."""
    end_as_template(connection, name)
    query(connection, sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def drop(connection: Connection, name: str) -> None:
    end_as_template(connection, name)
    query(
        connection, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def restore_blockers(
    connection: Connection, live: str, backup: Backup, coming: Collection[str] = ()
) -> list[str]:
    """Returns why a backup cannot be restored on this server, each with what to do. The roles
    `coming` will be there."""
    found = [*_privileges(connection, live), *_prepared(connection, live)]
    manifest = backup.manifest
    if manifest is None:
        return found
    return [*found, *unmet_requirements(connection, manifest, coming)]


def missing_roles(connection: Connection, manifest: Manifest) -> list[str]:
    """Returns the roles that the backup names and the server lacks."""
    named = set(manifest.roles)
    if (like := manifest.properties) is not None:
        named |= {like.owner, *(one.grantee for one in like.grants if one.grantee)}
        named |= {one.role for one in like.settings if one.role}
    return _missing(connection, "SELECT rolname FROM pg_roles", named)


def create_roles(connection: Connection, names: Iterable[str]) -> None:
    """Creates roles that nobody can sign in as: without passwords and rights."""
    for name in names:
        query(connection, sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))


def unmet_requirements(
    connection: Connection, manifest: Manifest, coming: Collection[str] = ()
) -> list[str]:
    """Returns what the backup needs and the server lacks; the roles `coming` will be there."""
    found = []
    needed, here = first_number(manifest.server_version), major(connection.server_version)
    if here < needed:
        version = query(connection, "SHOW server_version")[0][0]
        found.append(f"the server is PostgreSQL {version}, the backup needs {needed} or newer")
    made_by, ours = first_number(manifest.pg_dump_version), first_number(tool_version("psql"))
    if made_by > max(ours, here):
        found.append(
            f"the backup needs {made_by} or newer: pg_dump {made_by} has made it, and psql here is"
            f" {ours}; update the POS first"
        )
    roles = _missing(connection, "SELECT rolname FROM pg_roles", set(manifest.roles) - {*coming})
    if roles:
        found.append(
            f"roles that own parts of it are missing here: {', '.join(roles)};"
            " the backup's .globals.sql has them, for psql"
        )
    extensions = _missing(
        connection, "SELECT name FROM pg_available_extensions", manifest.extensions
    )
    if extensions:
        found.append(f"extensions are not installed on the server: {', '.join(extensions)}")
    return found


def _privileges(connection: Connection, live: str) -> list[str]:
    super_, create = query(
        connection, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )[0]
    owner = query(
        connection, "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = %s", live
    )
    if super_ or (create and all(row[0] for row in owner)):
        return []
    user = query(connection, "SELECT current_user")[0][0]
    return [
        f"the role {user} must own the database {live} and have CREATEDB: a superuser can grant it"
    ]


def _prepared(connection: Connection, live: str) -> list[str]:
    found = query(connection, "SELECT count(*) FROM pg_prepared_xacts WHERE database = %s", live)
    if not found[0][0]:
        return []
    return [f"{found[0][0]} prepared transactions hold the database {live}: end them first"]


def _missing(connection: Connection, statement: str, needed: Iterable[str]) -> list[str]:
    there = {row[0] for row in query(connection, statement)}
    return sorted(set(needed) - there)
