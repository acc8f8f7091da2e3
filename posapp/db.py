"""The database: engine, transactions, migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from posapp.settings import Settings

MIGRATION_LOCK = 7_233_001
"""PostgreSQL's advisory lock under which one process at a time migrates."""

STATEMENT_TIMEOUT = 10_000
"""Milliseconds after which the server gives up on a statement of a request."""

POOL_WAIT = 5.0
"""Seconds that a request waits for a connection before it is told to come back."""


class DatabaseError(Exception):
    """The database cannot be used; one line that says why."""


class Base(DeclarativeBase):
    """The base of all tables; constraints have predictable names, so that migrations find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """One engine and the transactions on it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: all of it is committed, or none."""
        with self._sessions.begin() as session:
            yield session


def make_engine(url: URL, settings: Settings) -> Engine:
    """An engine with the pool that the settings name: up to `db_max_open_conns` connections, of
    which `db_max_idle_conns` stay open, each renewed after `db_conn_max_lifetime`."""
    return create_engine(
        url,
        pool_size=max(1, settings.db_max_idle_conns),
        max_overflow=settings.db_max_open_conns - max(1, settings.db_max_idle_conns),
        pool_recycle=int(settings.db_conn_max_lifetime.total_seconds()),
        pool_timeout=POOL_WAIT,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "posapp",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(url: URL) -> None:
    """Brings the schema to head; one process at a time, all or nothing. Raises DatabaseError."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise DatabaseError(f"the schema could not be upgraded: {_reason(error)}") from error
    finally:
        engine.dispose()


def schema_state(engine: Engine) -> tuple[str | None, str | None]:
    """(revision of the database, newest revision known here)."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, _scripts().get_current_head()


def known_revisions() -> frozenset[str]:
    """The revisions of this version; one that is not among them is a newer version's."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


@cache
def _scripts() -> ScriptDirectory:
    """The migrations, read once: a health check asks for the newest all the time."""
    return ScriptDirectory.from_config(_config())


def _reason(error: SQLAlchemyError) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def utc_now() -> datetime:
    return datetime.now(UTC)
