"""Database URLs: what is right, what is shown, and what a connection of the check is given."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

LIBPQ_DRIVERS = frozenset({"psycopg", "psycopg2", "psycopg2cffi"})


def parse_url(text: str) -> URL:
    """A URL whose driver is installed.

    `postgres://` is taken as `postgresql://`, and with no driver named the one that is there is
    used. Raises ValueError, whose text has nothing of the URL but its scheme.
    """
    try:
        url = make_url(text)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername=_postgresql())
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except NoSuchModuleError:
        raise ValueError(f"no database is known as {url.drivername!r}") from None
    except (ArgumentError, ValueError):
        hint = "write it like postgresql://user:password@host/name"
        raise ValueError(f"not a database URL; {hint}") from None
    except ImportError as error:
        raise ValueError(f"its driver {error.name!r} is not installed") from None
    return url


def _postgresql() -> str:
    """SQLAlchemy's own choice depends on its version, not on what is installed."""
    found = [name for name in ("psycopg2", "psycopg") if find_spec(name)]
    return f"postgresql+{found[0]}" if found else "postgresql"


def place(url: URL) -> str:
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
