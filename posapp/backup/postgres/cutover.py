"""Puts a restored database in the place of the live one: two renames in one transaction.

PostgreSQL renames a database to which nobody is connected. While it does, under its own lock,
whoever connects waits; whoever is connected is sent away, and the application answers them 503
with `Retry-After`. That takes less than a second, and is done or not done, whatever is killed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2 import sql

from posapp.backup.postgres import databases
from posapp.backup.postgres.client import MAINTENANCE, Access, query

_SEND_AWAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid()
"""
_PAUSE = 0.05


def swap(access: Access, live: str, fresh: str, before: str) -> None:
    """`fresh` becomes `live`, and `live` becomes `before`. Raises BackupError; then nothing has
    changed."""
    server = access.on(MAINTENANCE)
    with server.connect() as session:
        names = [(live, before)] if databases.exists(session, live) else []
        with _sending_away(server, [live, fresh]):
            query(session, "BEGIN")
            for old, new in [*names, (fresh, live)]:
                query(
                    session,
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(old), sql.Identifier(new)
                    ),
                )
            query(session, "COMMIT")


@contextmanager
def _sending_away(server: Access, names: list[str]) -> Iterator[None]:
    """Ends connections to these databases again and again: those that come in between, too."""
    done = threading.Event()
    with server.connect() as session:

        def send_away() -> None:
            with suppress(psycopg2.Error):
                while not done.wait(_PAUSE):
                    for name in names:
                        query(session, _SEND_AWAY, name)

        thread = threading.Thread(target=send_away, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
