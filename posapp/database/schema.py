"""The schema: which revision a database has, and the upgrade to this version's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from posapp.database.engine import open_engine
from posapp.runtime.errors import CommandError
from posapp.settings import Settings

if TYPE_CHECKING:  # loaded by who migrates: it is as large as all the rest of a command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

HEAD = "0012"
"""The newest revision of this version."""
MIGRATION_LOCK = 7_233_001
"""PostgreSQL's advisory lock under which one process at a time migrates."""

MIGRATION_LOCK_TIMEOUT = 4_000
"""Milliseconds that a migration waits for a table that somebody uses."""


class DatabaseError(CommandError):
    """The database cannot be used; one line that says why."""


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))  # else it interpolates
    config.set_main_option("path_separator", "os")
    return config


def upgrade(url: URL) -> None:
    """Brings the schema to head; one process at a time, all or nothing. That of a newer version,
    from which one has rolled back, stays as it is. Raises DatabaseError."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            # Who waits for a table keeps all others from it meanwhile.
            connection.execute(text(f"SET LOCAL lock_timeout = {MIGRATION_LOCK_TIMEOUT}"))
            current = _revision(connection)
            if current == HEAD or is_newer(current):
                return
            from alembic import command

            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise DatabaseError(f"the schema could not be upgraded: {_reason(error)}") from error
    finally:
        engine.dispose()


def require_schema(url: URL, settings: Settings) -> None:
    """The embedded database is brought to this version; another must be there. Raises
    DatabaseError. A schema that this version does not know is a newer one's: a rollback."""
    if settings.database is None:
        upgrade(url)
        return
    with open_engine(url, settings) as engine:
        current, head = schema_state(engine)
    if current != head and not is_newer(current):
        found = current or "no schema"
        raise DatabaseError(
            f"the database has {found}, this version needs {head}; run: posapp db upgrade"
        )


def schema_state(engine: Engine) -> tuple[str | None, str]:
    """(revision of the database, newest revision known here)."""
    with engine.connect() as connection:
        return _revision(connection), HEAD


def _revision(connection: Connection) -> str | None:
    """As alembic keeps it, without alembic."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def known_revisions() -> frozenset[str]:
    """The revisions of this version; one that is not among them is a newer version's."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def is_newer(revision: str | None) -> bool:
    """Whether a database's revision is that of a newer version; None is a database without one."""
    return revision is not None and revision not in known_revisions()


def migrations() -> tuple[Config, ScriptDirectory]:
    """The migrations for who reads them without a database."""
    return _config(), _scripts()


@cache
def _scripts() -> ScriptDirectory:
    """The migrations, read once."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def _reason(error: SQLAlchemyError) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
