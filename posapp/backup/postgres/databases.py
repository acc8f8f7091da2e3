"""The databases of a server: what blocks a restore, and an empty database like another."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql

from healthkit.fields import format_size
from posapp.backup.model.backup import Backup, format_stamp
from posapp.backup.model.manifest import Manifest
from posapp.backup.postgres.client import Connection, major, query
from posapp.runtime.files import free_bytes

_LONGEST = 63
"""Bytes of a name in PostgreSQL."""
_LOCALE_KEYS = {"i": "ICU_LOCALE", "b": "BUILTIN_LOCALE"}


def exists(connection: Connection, name: str) -> bool:
    return bool(query(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name))


def sibling_name(live: str, what: str, now: datetime) -> str:
    """Returns a name for a database beside `live`: `steak_kenangan_before_20251226_021530`."""
    suffix = f"_{what}_{format_stamp(now)}"
    room = _LONGEST - len(suffix)
    return live.encode()[:room].decode(errors="ignore") + suffix


def create_like(connection: Connection, name: str, live: str) -> None:
    """Creates an empty database with the encoding, locale, owner and settings of `live`, where
    that exists."""
    found = query(
        connection,
        "SELECT to_jsonb(d), pg_encoding_to_char(encoding), pg_get_userbyid(datdba)"
        " FROM pg_database d WHERE datname = %s",
        live,
    )
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    if found:
        statement += _create_options(*found[0])
    query(connection, statement)
    for setting in query(connection, _SETTINGS, name, name, live):
        query(connection, setting[0])


def drop(connection: Connection, name: str) -> None:
    query(
        connection, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def leftovers(connection: Connection, live: str) -> list[str]:
    """Returns the unfinished databases of restores that were killed."""
    names = [str(row[0]) for row in query(connection, "SELECT datname FROM pg_database")]
    pattern = re.compile(re.escape(live[:40]) + r".*_restore_[0-9]{8}_[0-9]{6}")
    return [name for name in names if pattern.fullmatch(name)]


def restore_blockers(connection: Connection, live: str, backup: Backup) -> list[str]:
    """Returns why a backup cannot be restored on this server, each with what to do."""
    found = [*_privileges(connection, live), *_prepared(connection, live)]
    manifest = backup.manifest
    if manifest is None:
        return found
    return [*found, *unmet_requirements(connection, manifest), *_disk_space(connection, manifest)]


def unmet_requirements(connection: Connection, manifest: Manifest) -> list[str]:
    """Returns what the backup needs and the server lacks."""
    found = []
    needed = max(int(v.split(".")[0]) for v in (manifest.server_version, manifest.pg_dump_version))
    if major(connection.server_version) < needed:
        version = query(connection, "SHOW server_version")[0][0]
        found.append(f"the server is PostgreSQL {version}, the backup needs {needed} or newer")
    roles = _missing(connection, "SELECT rolname FROM pg_roles", manifest.roles)
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


def _create_options(row: dict[str, Any], encoding: str, owner: str) -> sql.Composable:
    options = {
        "OWNER": sql.Identifier(owner),
        "ENCODING": sql.Literal(encoding),
        "LC_COLLATE": sql.Literal(row["datcollate"]),
        "LC_CTYPE": sql.Literal(row["datctype"]),
    }
    provider = _LOCALE_KEYS.get(str(row.get("datlocprovider")))
    if provider is not None:
        locale = row.get("datlocale") or row.get("daticulocale")  # before 17
        name = provider.removesuffix("_LOCALE").lower()
        options |= {"LOCALE_PROVIDER": sql.SQL(name), provider: sql.Literal(locale)}
    return sql.SQL("").join(sql.SQL(f" {key} ") + value for key, value in options.items())


# Lists of names are kept as they are written, quoted one by one.
_SETTINGS = """
SELECT CASE WHEN setrole = 0 THEN format('ALTER DATABASE %%I', %s::text)
       ELSE format('ALTER ROLE %%I IN DATABASE %%I', pg_get_userbyid(setrole), %s::text) END
       || format(' SET %%s TO ', name)
       || CASE WHEN name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries',
                             'session_preload_libraries') THEN value ELSE quote_literal(value) END
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(setconfig) setting,
     LATERAL (SELECT split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1))
     AS one (name, value)
WHERE d.datname = %s
"""


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


def _disk_space(connection: Connection, manifest: Manifest) -> list[str]:
    """Returns [] where the server's data lies on another machine: its disk is not seen here."""
    shown = query(
        connection,
        "SELECT setting FROM pg_settings WHERE name = 'data_directory'"
        " AND pg_has_role('pg_read_all_settings', 'USAGE')",
    )
    folder = Path(shown[0][0]) if shown and connection.info.host.startswith("/") else None
    if folder is None or not folder.is_dir():
        return []
    free = free_bytes(folder)
    if free >= manifest.database_bytes:
        return []
    return [
        f"{folder}: {format_size(free)} free, the restored database needs about"
        f" {format_size(manifest.database_bytes)}"
    ]


def _missing(connection: Connection, statement: str, needed: tuple[str, ...]) -> list[str]:
    there = {row[0] for row in query(connection, statement)}
    return sorted(set(needed) - there)
