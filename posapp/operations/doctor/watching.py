"""healthkit's store, looked at without leaving a trace: opening it would make or migrate it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from healthkit import Settings as HealthSettings
from healthkit import StoreSettings
from healthkit.fields import parse_database_url
from posapp.runtime.errors import CommandError

_SCHEMA = "healthkit_schema"
_LIMIT = 2
"""Seconds to reach a store that is PostgreSQL."""


def with_copied_store(health: HealthSettings, folder: Path) -> HealthSettings:
    """Returns the settings with a store that may be opened: a copy in `folder` of one that is a
    file, a shared one as it is, and an empty one where there is none yet. Raises CommandError."""
    url = parse_database_url(health.store.url.get_secret_value())
    copy = folder / "store.db"
    if url.get_backend_name() == "sqlite":
        try:
            if url.database and Path(url.database).expanduser().exists():
                _copy(Path(url.database).expanduser().absolute(), copy)
        except OSError as error:
            raise CommandError(
                f"the watcher's store, {url.database}: {error.strerror}; be its user, or correct"
                " HEALTHKIT_STORE"
            ) from None
    elif _has_schema(url):
        return health
    store = StoreSettings.model_validate({"url": f"sqlite:///{copy}"})
    return health.model_copy(update={"store": store})


def _copy(source: Path, target: Path) -> None:
    """SQLite's own copy, which sees what the watcher has written last; it makes no file beside one
    that nobody has open."""
    open_now = source.with_name(f"{source.name}-wal").exists()
    mode = "mode=ro" if open_now else "mode=ro&immutable=1"
    address = f"{source.as_uri()}?{mode}"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=_LIMIT)) as original,
            closing(sqlite3.connect(target)) as copied,
        ):
            original.backup(copied)
    except sqlite3.Error:  # broken: the check that reads the copy says so
        shutil.copyfile(source, target)


def _has_schema(url: URL) -> bool:
    """Whether a shared store is there; one that does not answer is as good as none."""
    engine = create_engine(url, connect_args={"connect_timeout": _LIMIT})
    try:
        return inspect(engine).has_table(_SCHEMA)
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()
