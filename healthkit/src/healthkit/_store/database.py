"""The store: SQLAlchemy Core on SQLite, or on PostgreSQL when shared.

`Store` opens it and hands out transactions. The modules beside this one (lease, incidents, outbox,
history …) are functions of a connection, so that several of them make one transaction.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from healthkit import _threads
from healthkit._model.alerts import OutboxStatus
from healthkit._model.budgets import Measurement, Objective
from healthkit._model.signals import Run
from healthkit._store import heartbeats, measures, outbox_status
from healthkit._store.frozen import limit_use
from healthkit._store.tables import MIGRATIONS, schema_version
from healthkit.errors import StoreError
from healthkit.fields import parse_database_url
from healthkit.masking import one_line

log = logging.getLogger("healthkit")

_LOCK = 7_233_015
"""PostgreSQL's advisory lock under which one process at a time migrates."""

_UNDEFINED_TABLE = "42P01"
"""PostgreSQL's SQLSTATE."""

WAIT = 5
"""Seconds that a statement waits: for a lock, a connection, or a server that hangs."""

READING = "healthkit_reading"
"""Execution option of a transaction that only reads: on SQLite it waits for no writer."""


class Store:
    """The state that processes share. Opening it brings its schema up to date.

    Raises StoreError when it cannot be reached, or was written by a newer version, and from each
    method when it fails.
    """

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        _threads.call_after_fork(self._after_fork)
        with _as_store_error("opened"):
            self._migrate()

    def _after_fork(self) -> None:
        """In the child: the connections are the parent's, and closing one would end its session."""
        self.engine.dispose(close=False)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it is committed, or none."""
        with self._made_anew("written"), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; on SQLite no writer makes it wait."""
        with self._made_anew("read"), self.engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    # The protocols HeartbeatReader and OutboxReader

    def last_beat(self, name: str) -> datetime | None:
        with self.reading() as connection:
            return heartbeats.last_beat(connection, name)

    def waiting_since(self, name: str, now: datetime) -> datetime:
        with self.reading() as connection:
            if (since := heartbeats.expected_since(connection, name)) is not None:
                return since
        with self.transaction() as connection:
            return heartbeats.waiting_since(connection, name, now)

    def last_run(self, name: str) -> Run | None:
        with self.reading() as connection:
            return heartbeats.last_run(connection, name)

    def outbox_status(self, now: datetime) -> OutboxStatus:
        with self.reading() as connection:
            return outbox_status.read(connection, now)

    def measure(self, objective: Objective, now: datetime) -> Measurement:
        """Returns what is known of an objective's checks. Raises StoreError."""
        with self.reading() as connection:
            return measures.measure(connection, objective, now)

    # Schema

    @contextmanager
    def _made_anew(self, what: str) -> Iterator[None]:
        """Makes the tables where somebody has deleted them, or the file: what is in hand fails, and
        the next attempt goes on with an empty store."""
        try:
            with _as_store_error(what):
                yield
        except StoreError as error:
            if _lacks_a_table(error.__cause__):
                with suppress(StoreError), _as_store_error("made anew"):
                    if self._migrate():
                        log.error("the store was deleted, or its tables were gone: it begins anew")
            raise

    def _migrate(self) -> bool:
        """Returns whether anything was to be brought up to date, and writes nothing where not: a
        store that is locked or read-only can be read."""
        with self.engine.connect() as reading:
            connection = reading.execution_options(**{READING: True})
            if inspect(connection).has_table(schema_version.name):
                found = connection.execute(select(schema_version.c.version)).scalar_one_or_none()
                if found == len(MIGRATIONS):
                    return False
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            version = self._version(connection)
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"the store has schema version {version}, this healthkit knows"
                    f" {len(MIGRATIONS)}: upgrade healthkit-core"
                )
            for migration in MIGRATIONS[version:]:
                migration(connection)
            connection.execute(update(schema_version).values(version=len(MIGRATIONS)))
        return True

    @staticmethod
    def _version(connection: Connection) -> int:
        if not inspect(connection).has_table(schema_version.name):
            schema_version.create(connection)
            connection.execute(insert(schema_version).values(version=0))
            return 0
        version: int = connection.execute(select(schema_version.c.version)).scalar_one()
        return version


@contextmanager
def _as_store_error(what: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = one_line(str(getattr(error, "orig", None) or error))
        raise StoreError(f"the store cannot be {what}: {reason}") from error


def _lacks_a_table(error: BaseException | None) -> bool:
    cause = getattr(error, "orig", None)
    code = getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None)
    return code == _UNDEFINED_TABLE or str(cause).startswith("no such table")


# Engines, bounded so that a store that hangs is an error and no end


def make_engine(url: str) -> Engine:
    """Raises StoreError."""
    try:
        parsed = parse_database_url(url)
    except ValueError as error:
        raise StoreError(f"store.url: {error}") from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    try:
        engine = create_engine(
            parsed,
            pool_size=2,
            max_overflow=20,
            pool_timeout=WAIT,
            connect_args=_bounds(parsed),
        )
    except (SQLAlchemyError, ImportError, TypeError) as error:
        raise StoreError(f"store.url: {one_line(str(error))}") from None
    if parsed.get_backend_name() == "postgresql":
        limit_use(engine, 2 * WAIT)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(_LIMITS))
    return engine


# A watcher that is frozen in the middle of a transaction must not keep its locks. In each
# transaction anew: a pooler between refuses options at the start of a session.
_LIMITS = (
    f"SET LOCAL statement_timeout = '{WAIT}s';"
    f" SET LOCAL idle_in_transaction_session_timeout = '{WAIT}s'"
)


def _bounds(url: URL) -> dict[str, object]:
    """libpq's own ("Parameter Key Words"); the URL's win."""
    if url.get_driver_name() not in ("psycopg2", "psycopg"):
        return {}
    given: dict[str, object] = {
        "application_name": "healthkit",
        "connect_timeout": WAIT,
        "keepalives_idle": WAIT,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": WAIT * 1000,
    }
    return {key: value for key, value in given.items() if key not in url.query}


def _make_private(path: Path) -> None:
    """Makes the store's file for its owner alone: whoever can open it can lock it, and so keep
    alerts from being sent. SQLite makes the files beside it alike. Raises StoreError."""
    try:
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store's folder cannot be made: {error.strerror}") from None
    with suppress(OSError):  # read-only, or another user's: opening it will tell
        try:
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
        except FileNotFoundError:
            _create(path)


def _create(path: Path) -> None:
    """Makes an empty file without opening it, where the system can: whoever closes a file lets go
    of all locks that its process holds on it, those of another connection too, which SQLite cannot
    notice ("How To Corrupt An SQLite Database File", 2.2). Raises OSError."""
    try:
        os.mknod(path, stat.S_IFREG | 0o600)
    except (AttributeError, PermissionError):  # Windows, macOS
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _read_only(url: URL, path: Path) -> URL:
    """Returns the address of a file in a folder that takes no writes. SQLite reads the log beside
    it where that is complete, and else the file alone ("Read-Only WAL-Mode Databases")."""
    complete = all(path.with_name(path.name + end).exists() for end in ("-wal", "-shm"))
    how = {"mode": "ro"} if complete else {"immutable": "1"}
    return url.set(database=f"file:{quote(str(path))}", query={"uri": "true", **how})


def _sqlite(url: URL) -> Engine:
    """SQLite that several processes may write: WAL, each transaction taking its lock at once."""
    path, read_only = None, False
    if url.database and url.database != ":memory:":
        path = Path(os.path.expanduser(url.database))
        if read_only := path.exists() and not os.access(path.parent, os.W_OK):
            url = _read_only(url, path)
        else:
            _make_private(path)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": WAIT})

    @event.listens_for(engine, "do_connect")
    def connecting(*_: object) -> None:
        if path is not None and not read_only and not path.exists():
            _make_private(path)  # it was deleted; SQLite's own would be for everybody to read

    @event.listens_for(engine, "connect")
    def connected(connection, _record):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        connection.isolation_level = None  # pysqlite's own BEGIN comes too late
        if read_only:
            return
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING)
        connection.execute(text("BEGIN" if reading else "BEGIN IMMEDIATE"))

    return engine
