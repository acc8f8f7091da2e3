"""The engine, and transactions on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from posapp.settings import Settings

STATEMENT_TIMEOUT = 10_000
"""Milliseconds after which the server gives up on a statement of a request."""

POOL_TIMEOUT = 5.0
"""Seconds that a request waits for a connection before it is told to come back."""


def engine_options(settings: Settings) -> dict[str, Any]:
    """The keyword arguments of `create_engine` for every engine of the POS.

    A pool of up to `db_max_open_conns` connections, of which `db_max_idle_conns` stay open, each
    renewed after `db_conn_max_lifetime`.
    """
    idle = max(1, settings.db_max_idle_conns)
    return {
        "pool_size": idle,
        "max_overflow": settings.db_max_open_conns - idle,
        "pool_recycle": int(settings.db_conn_max_lifetime.total_seconds()),
        "pool_timeout": POOL_TIMEOUT,
        "pool_pre_ping": True,
        "pool_use_lifo": True,
        "connect_args": {
            "connect_timeout": 5,
            "application_name": "posapp",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    }


@contextmanager
def open_engine(url: URL, settings: Settings) -> Iterator[Engine]:
    """An engine with the options of the POS, disposed of at the end."""
    engine = create_engine(url, **engine_options(settings))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_session(url: URL, settings: Settings) -> Iterator[Session]:
    """One transaction of a command, on an engine of its own: all of it is committed, or
    none."""
    with (
        open_engine(url, settings) as engine,
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session
