"""What outlives the process: SQLAlchemy Core on SQLite, or on PostgreSQL when shared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from healthkit.masking import one_line
from healthkit.problems import StoreError

metadata = MetaData()
_LOCK = 7_233_015
"""PostgreSQL's advisory lock under which one process at a time migrates."""


class Utc(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


schema_version = Table("healthkit_schema", metadata, Column("version", Integer, nullable=False))

heartbeats = Table(
    "healthkit_heartbeats",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("waiting_since", Utc, nullable=False),
    Column("last_at", Utc),
)


def _version_1(connection: Connection) -> None:
    metadata.create_all(connection, tables=[heartbeats])


MIGRATIONS: Sequence[Callable[[Connection], None]] = (_version_1,)
"""Each takes the schema one version on. Only ever add to the end."""


class Store:
    """The state that processes share. Opening it brings its schema up to date.

    Raises StoreError when it cannot be reached, or was written by a newer version.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        try:
            self._migrate()
        except SQLAlchemyError as error:
            raise StoreError(f"the store cannot be opened: {_reason(error)}") from None

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it is committed, or none."""
        with self.engine.begin() as connection:
            yield connection

    # Heartbeats

    def beat(self, name: str, now: datetime) -> None:
        """A heartbeat has come in."""
        with self.transaction() as connection:
            self._wait_for(connection, name, now)
            connection.execute(
                update(heartbeats).where(heartbeats.c.name == name).values(last_at=now)
            )

    def last_beat(self, name: str) -> datetime | None:
        with self.engine.connect() as connection:
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

    # Schema

    def _migrate(self) -> None:
        with self.transaction() as connection:
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


def _reason(error: SQLAlchemyError) -> str:
    return one_line(str(getattr(error, "orig", None) or error))


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("store.url is not a database URL; write it like sqlite:///file") from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    try:
        return create_engine(parsed, pool_pre_ping=True, pool_size=2, max_overflow=8)
    except (SQLAlchemyError, ImportError) as error:
        raise StoreError(f"store.url: {one_line(str(error))}") from None


def _sqlite(url: URL) -> Engine:
    """SQLite that several processes may write: WAL, each transaction taking its lock at once."""
    if url.database and url.database != ":memory:":
        try:
            Path(os.path.expanduser(url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the store's folder cannot be made: {error.strerror}") from None
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def connected(connection, _record):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        connection.isolation_level = None  # pysqlite's own BEGIN comes too late
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.execute(text("BEGIN IMMEDIATE"))

    return engine
