"""The cut-over: a restored database becomes the live one by two renames in one transaction.

PostgreSQL renames a database only while nobody is connected to it. Under its own lock, new
connections wait meanwhile; existing ones are terminated, and the application answers 503 with
`Retry-After`. That takes less than a second, and is done or not done, whatever is killed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2 import sql

from posapp.backup.postgres import databases
from posapp.backup.postgres.client import MAINTENANCE, PostgresClient, query

_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid()
"""
_PAUSE = 0.05


def cut_over(client: PostgresClient, live: str, new_database: str, old_database: str) -> None:
    """Renames `live` to `old_database` and `new_database` to `live`. Raises BackupError; then
    nothing has changed."""
    server = client.on(MAINTENANCE)
    with server.connect() as connection:
        names = [(live, old_database)] if databases.exists(connection, live) else []
        with _terminating_connections(server, [live, new_database]):
            query(connection, "BEGIN")
            for old, new in [*names, (new_database, live)]:
                query(
                    connection,
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(old), sql.Identifier(new)
                    ),
                )
            query(connection, "COMMIT")


@contextmanager
def _terminating_connections(server: PostgresClient, names: list[str]) -> Iterator[None]:
    """Terminates connections to these databases again and again: new ones come in between."""
    done = threading.Event()
    with server.connect() as connection:

        def terminate() -> None:
            with suppress(psycopg2.Error):
                while not done.wait(_PAUSE):
                    for name in names:
                        query(connection, _TERMINATE, name)

        thread = threading.Thread(target=terminate, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
