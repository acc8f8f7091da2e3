"""The engine, and transactions on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session

from posapp.database.connection import BoundedConnection
from posapp.settings import Settings

FRESH = 1.0
"""Seconds after its last use in which a connection is taken to live, without asking it."""

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
        "pool_use_lifo": True,
        "use_native_hstore": False,  # nobody has one, and it would be looked for each time
        "connect_args": {
            "connection_factory": BoundedConnection,
            "connect_timeout": 5,
            "application_name": "posapp",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    }


def prepare(engine: Engine) -> Engine:
    """Has an engine test connections that have rested before it hands them out."""
    dialect = engine.dialect

    def used(dbapi_connection: Any, record: Any) -> None:
        record.info["used"] = monotonic()

    def ping_unless_fresh(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        if monotonic() - record.info["used"] < FRESH:
            return
        try:
            dialect.do_ping(dbapi_connection)
            dbapi_connection.rollback()
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool tries another

    event.listen(engine, "connect", used)
    event.listen(engine, "checkin", used)
    event.listen(engine, "checkout", ping_unless_fresh)
    return engine


@contextmanager
def open_engine(url: URL, settings: Settings) -> Iterator[Engine]:
    """An engine with the options of the POS, disposed of at the end."""
    engine = prepare(create_engine(url, **engine_options(settings)))
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
