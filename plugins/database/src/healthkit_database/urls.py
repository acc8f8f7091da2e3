"""Database URLs: what is shown of them, and what a connection of the check is given."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL

LIBPQ_DRIVERS = frozenset({"psycopg", "psycopg2", "psycopg2cffi"})


def display_url(url: URL) -> str:
    """Kind, host and name of a database, without user, password and options."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database or ':memory:'}"
    bare = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return bare.render_as_string()


def connect_args(url: URL, timeout: float) -> dict[str, Any]:
    """Arguments for the driver, from the seconds that a run has; the URL's own options win.

    For PostgreSQL they bound the connect, and let the system notice a peer that has vanished
    (libpq: "Parameter Key Words").
    """
    if url.get_backend_name() == "sqlite":
        # Runs come from different threads, one at a time.
        return {"timeout": timeout, "check_same_thread": False}
    if url.get_backend_name() != "postgresql" or url.get_driver_name() not in LIBPQ_DRIVERS:
        return {}
    seconds = max(1, int(timeout))
    given = {
        "application_name": "healthkit",
        "connect_timeout": seconds,
        "keepalives_idle": seconds,
        "keepalives_interval": seconds,
        "keepalives_count": 3,
        "tcp_user_timeout": max(1, int(timeout * 1000)),
    }
    return {key: value for key, value in given.items() if key not in url.query}
