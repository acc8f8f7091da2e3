"""Engines on SQLite and PostgreSQL, bounded so that a store that hangs is an error and no end."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from healthkit._store.addresses import parse_url
from healthkit.errors import StoreError
from healthkit.masking import one_line

WAIT = 5
"""Seconds that a statement waits: for a lock, a connection, or a server that hangs."""

READING = "healthkit_reading"
"""Execution option of a transaction that only reads: on SQLite it waits for no writer."""


def make_engine(url: str) -> Engine:
    """Raises StoreError."""
    try:
        parsed = parse_url(url)
    except ValueError as error:
        raise StoreError(f"store.url: {error}") from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    try:
        return create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=2,
            max_overflow=20,
            pool_timeout=WAIT,
            connect_args=_bounds(parsed),
        )
    except (SQLAlchemyError, ImportError, TypeError) as error:
        raise StoreError(f"store.url: {one_line(str(error))}") from None


def _bounds(url: URL) -> dict[str, object]:
    """libpq's own ("Parameter Key Words"); the URL's options win."""
    if url.get_driver_name() not in ("psycopg2", "psycopg"):
        return {}
    given: dict[str, object] = {
        "application_name": "healthkit",
        "connect_timeout": WAIT,
        "keepalives_idle": WAIT,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": WAIT * 1000,
        # A watcher that is frozen in the middle of a transaction must not keep its locks.
        "options": f"-c statement_timeout={WAIT}s -c idle_in_transaction_session_timeout={WAIT}s",
    }
    return {key: value for key, value in given.items() if key not in url.query}


def _sqlite(url: URL) -> Engine:
    """SQLite that several processes may write: WAL, each transaction taking its lock at once."""
    if url.database and url.database != ":memory:":
        try:
            Path(os.path.expanduser(url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the store's folder cannot be made: {error.strerror}") from None
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": WAIT})

    @event.listens_for(engine, "connect")
    def connected(connection, _record):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        connection.isolation_level = None  # pysqlite's own BEGIN comes too late
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING)
        connection.execute(text("BEGIN" if reading else "BEGIN IMMEDIATE"))

    return engine
