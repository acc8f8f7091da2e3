"""One connection of the check's own: kept open between runs, replaced when it is broken."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from healthkit_database.urls import connect_args

_not_ours: list[Connection] = []
"""Connections that a fork has copied. They belong to the parent: to close one here, or to let it
be collected, would end the parent's session."""


class DatabaseProbe:
    """Queries a database at `url`. One run at a time; a connection is taken out while it is used,
    so one that hangs is never used twice."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine: Engine | None = None
        self._kept: Connection | None = None
        self._process = os.getpid()

    def run(self, query: str, timeout: float) -> None:
        """Runs `query` in a transaction that is rolled back; `timeout` is in seconds.

        A kept connection that turns out dead (the server was restarted) is replaced at once.
        Raises SQLAlchemyError, or FileNotFoundError for an SQLite file that is not there.
        """
        kept = self._take()
        try:
            self._query(kept or self._connect(timeout), query, timeout)
        except DBAPIError as error:
            if kept is None or not error.connection_invalidated:
                raise
            self._query(self._connect(timeout), query, timeout)

    def close(self) -> None:
        if (kept := self._take()) is not None:
            _discard(kept)

    def _take(self) -> Connection | None:
        if self._process != os.getpid():
            if self._kept is not None:
                _not_ours.append(self._kept)
            self._engine, self._kept, self._process = None, None, os.getpid()
        kept, self._kept = self._kept, None
        return kept

    def _connect(self, timeout: float) -> Connection:
        _require_file(self.url)
        if self._engine is None:
            arguments = connect_args(self.url, timeout)
            self._engine = create_engine(self.url, poolclass=NullPool, connect_args=arguments)
        # Without parameters a query is sent as it is written, with its % and :.
        return self._engine.connect().execution_options(no_parameters=True)

    def _query(self, connection: Connection, query: str, timeout: float) -> None:
        try:
            transaction = connection.begin()
            if (before := _before(connection.dialect.name, timeout)) is not None:
                connection.exec_driver_sql(before)
            connection.exec_driver_sql(query)
            transaction.rollback()
        except BaseException:
            _discard(connection)
            raise
        stray, self._kept = self._kept, connection
        if stray is not None:
            _discard(stray)


def _before(dialect: str, timeout: float) -> str | None:
    """Returns the statement before the query: a bound a little under the run's own, which holds for
    this transaction alone and so passes through a pooler; for SQLite, one that opens the file."""
    if dialect == "postgresql":
        return f"SET LOCAL statement_timeout = {max(1, int(timeout * 900))}"
    return "PRAGMA schema_version" if dialect == "sqlite" else None


def _discard(connection: Connection) -> None:
    """Closes without a message to the server, which may hang."""
    if not connection.closed:
        connection.invalidate()
        connection.close()


def _require_file(url: URL) -> None:
    """SQLite makes a file that is missing, and an empty database answers as well as any."""
    name = url.database if url.get_backend_name() == "sqlite" else None
    if name and name != ":memory:" and not name.startswith("file:") and not Path(name).exists():
        raise FileNotFoundError(name)
