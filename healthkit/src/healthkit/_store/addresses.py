"""Database URLs, and the driver that is there for them."""

from __future__ import annotations

from importlib.util import find_spec

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError


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
