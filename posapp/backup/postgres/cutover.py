"""The cut-over: a restored database becomes the live one by two renames in one transaction.

PostgreSQL renames a database only while nobody is connected to it. It takes the database's lock
first, under which new connections wait, and then gives those that are there five seconds to leave.
Existing ones are terminated, and the application answers 503 with `Retry-After`. In those seconds
one connection of ours is the only one: it has the last look at what was live, and what it finds is
carried over before anybody can write to the new one. All of that takes less than a second, and is
done or not done, whatever is killed: no lock outlives its session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2 import sql

from posapp.backup.postgres import databases
from posapp.backup.postgres.client import Connection, PostgresClient, query
from posapp.backup.postgres.properties import set_comment

_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND pid <> %s
"""
_ALONE = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass
    AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode = 'AccessExclusiveLock' AND granted
) AND NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker'
)
"""
_PAUSE = 0.02

LastLook = Callable[[Connection], None]
"""Is given the only connection to the live database, for less than five seconds."""


def cut_over(
    client: PostgresClient,
    live: str,
    new_database: str,
    old_database: str,
    look: LastLook,
    complete: Callable[[], None],
    comment: str | None = None,
) -> None:
    """Renames `live`, where it exists, to `old_database` and `new_database` to `live`.

    `look` sees the live one when nobody can write to it any more; `complete` may write to the new
    one before anybody else can, which then has the `comment`. Raises BackupError; then nothing has
    changed.
    """
    server = client.maintenance
    with server.connect() as connection, ThreadPoolExecutor(1) as renaming:
        query(connection, "BEGIN")
        if databases.exists(connection, live):
            with client.on(live).connect() as last, _terminating_connections(server, live, last):
                renamed = renaming.submit(_rename, connection, live, old_database)
                if _alone(last, renamed):
                    look(last)
                last.close()
                renamed.result()
            databases.end_as_template(connection, old_database)
            set_comment(connection, old_database, databases.REPLACED)
        complete()
        with _terminating_connections(server, new_database):
            _rename(connection, new_database, live)
        set_comment(connection, live, comment)
        query(connection, "COMMIT")


def _rename(connection: Connection, old: str, new: str) -> None:
    query(
        connection,
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)),
    )


def _alone(last: Connection, renamed: Future[None]) -> bool:
    """Waits until nobody else is connected, nor can be; False where the rename has failed."""
    pause = threading.Event()
    while not renamed.done():
        if query(last, _ALONE)[0][0]:
            return True
        pause.wait(_PAUSE)
    return False


@contextmanager
def _terminating_connections(
    server: PostgresClient, name: str, spared: Connection | None = None
) -> Iterator[None]:
    """Terminates connections to a database again and again: new ones come in between."""
    done = threading.Event()
    pid = spared.info.backend_pid if spared else 0
    with server.connect() as connection:

        def terminate() -> None:
            with suppress(psycopg2.Error):
                query(connection, _TERMINATE, name, pid)
                while not done.wait(_PAUSE):
                    query(connection, _TERMINATE, name, pid)

        thread = threading.Thread(target=terminate, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
