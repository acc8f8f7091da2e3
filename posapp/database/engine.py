"""The engine, and transactions on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session, sessionmaker

from posapp.settings import Settings

STATEMENT_TIMEOUT = 10_000
"""Milliseconds after which the server gives up on a statement of a request."""

POOL_WAIT = 5.0
"""Seconds that a request waits for a connection before it is told to come back."""


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


@contextmanager
def open_engine(url: URL, settings: Settings) -> Iterator[Engine]:
    """An engine as in `make_engine`, disposed of at the end."""
    engine = make_engine(url, settings)
    try:
        yield engine
    finally:
        engine.dispose()


def utc_now() -> datetime:
    return datetime.now(UTC)
