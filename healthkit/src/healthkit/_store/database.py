"""What outlives the process: SQLAlchemy Core on SQLite, or on PostgreSQL when shared.

`Store` opens it and hands out transactions; what can be done in one stands in the modules beside
this one (lease, incidents, outbox, silences, history), as functions of a connection, so that
several of them are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from healthkit._check import Backlog
from healthkit._store import circuit_breakers, lease, outbox, outbox_status
from healthkit._store.engine import READING, make_engine
from healthkit._store.tables import MIGRATIONS, heartbeats, schema_version
from healthkit.errors import StoreError
from healthkit.masking import one_line

__all__ = ["Store"]

_LOCK = 7_233_015
"""PostgreSQL's advisory lock under which one process at a time migrates."""


class Store:
    """The state that processes share. Opening it brings its schema up to date.

    Raises StoreError when it cannot be reached, or was written by a newer version, and from each
    method when it fails.
    """

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        with _as_store_error("opened"):
            self._migrate()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it is committed, or none."""
        with _as_store_error("written"), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; on SQLite no writer makes it wait."""
        with _as_store_error("read"), self.engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    # Heartbeats

    def beat(self, name: str, now: datetime) -> None:
        """A heartbeat has come in."""
        with self.transaction() as connection:
            self._wait_for(connection, name, now)
            connection.execute(
                update(heartbeats).where(heartbeats.c.name == name).values(last_at=now)
            )

    def last_beat(self, name: str) -> datetime | None:
        with self.reading() as connection:
            query = select(heartbeats.c.last_at).where(heartbeats.c.name == name)
            return connection.execute(query).scalar_one_or_none()

    def waiting_since(self, name: str, now: datetime) -> datetime:
        """Since when a heartbeat has been waited for: now, the first time that it is asked."""
        with self.transaction() as connection:
            self._wait_for(connection, name, now)
            query = select(heartbeats.c.waiting_since).where(heartbeats.c.name == name)
            moment: datetime = connection.execute(query).scalar_one()
            return moment

    @staticmethod
    def _wait_for(connection: Connection, name: str, now: datetime) -> None:
        try:
            with connection.begin_nested():
                connection.execute(insert(heartbeats).values(name=name, waiting_since=now))
        except IntegrityError:
            pass  # it is waited for already

    # Alerts

    def backlog(self, now: datetime) -> Backlog:
        """How the alerts fare."""
        with self.reading() as connection:
            leader = lease.leader(connection, now)
            counts = outbox_status.counts(connection)
            return Backlog(
                watcher=leader.name if leader else None,
                oldest_due=outbox_status.oldest_due(connection, now),
                waiting=sum(
                    n
                    for (_, state), n in counts.items()
                    if state in (outbox.WAITING, outbox.SENDING)
                ),
                dead=sum(n for (_, state), n in counts.items() if state == outbox.DEAD),
                failing={
                    circuit.name: circuit.error
                    for circuit in circuit_breakers.every(connection).values()
                    if circuit.is_open
                },
            )

    # Schema

    def _migrate(self) -> None:
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
