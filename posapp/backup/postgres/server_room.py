"""The disks of a server on this machine, and what loading a database writes on them."""

from __future__ import annotations

import os
from pathlib import Path

from posapp.backup.postgres.client import Connection, query
from posapp.backup.room import Need

_LOCATED = """
SELECT pg_tablespace_location(t.oid)
FROM pg_database d, pg_tablespace t
WHERE datname = %s AND spcname <> 'pg_global'
  AND (t.oid = dattablespace OR d.oid IN (SELECT pg_tablespace_databases(t.oid)))
ORDER BY t.oid <> dattablespace, spcname
"""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def server_folders(connection: Connection, database: str) -> list[Path]:
    """Returns the folders of this machine that a server writes to for a database: its own
    tablespace, the WAL, and the tablespaces of single tables. [] where it runs on another machine,
    or this role may not know."""
    host = connection.info.host
    if not host.startswith("/") and host not in _LOOPBACK:
        return []
    shown = query(
        connection,
        "SELECT setting FROM pg_settings WHERE name = 'data_directory'"
        " AND pg_has_role('pg_read_all_settings', 'USAGE')",
    )
    data = Path(shown[0][0]) if shown else None
    if data is None or not os.access(data / "pg_wal", os.X_OK):
        return []
    # One in place says where below the data.
    located = [data / location for (location,) in query(connection, _LOCATED, database)]
    return [*(located[:1] or [data]), (data / "pg_wal").resolve(), *located[1:]]


def load_needs(connection: Connection, database: str, size: int) -> list[Need]:
    """Returns what loading a database of `size` bytes writes on its server."""
    folders = server_folders(connection, database)
    if not folders:
        return []
    kept, limit = query(
        connection,
        "SELECT EXISTS (SELECT FROM pg_replication_slots)"
        " OR current_setting('archive_mode') <> 'off',"
        " pg_size_bytes(current_setting('max_wal_size'))",
    )[0]
    # What a slot or an archive waits for stays until it is fetched.
    wal = size if kept else min(size, 2 * int(limit))
    return [Need(folders[0], size, "the restored database"), Need(folders[1], wal, "its WAL")]
