"""The programs of the POS: their command lines, their environment and their configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy.engine import URL

from healthkit import load_settings
from posapp.runtime import postgres
from posapp.runtime.dev_secret import development_secret
from posapp.runtime.errors import CommandError
from posapp.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
"""The checkout, where `wsgi.py` and `deploy/` are."""

HOST = "127.0.0.1"


class StartError(CommandError):
    """The POS does not start; one line that a user can act on."""


def gunicorn_command() -> list[str]:
    """The production server; the rest is in the environment, see deploy/gunicorn.conf.py."""
    config = ROOT / "deploy" / "gunicorn.conf.py"
    return [sys.executable, "-m", "gunicorn", "--config", str(config)]


_CHANNELS = ("TELEGRAM_URL", "EMAIL_URL", "CALL_URL")
"""The channels of healthkit.toml."""


def child_environment(environ: Mapping[str, str], settings: Settings, url: URL) -> dict[str, str]:
    """`environ`, completed with what it leaves open: database, signing key, healthkit's files.

    Raises StartError when the signing key cannot be kept.
    """
    child_env = {**environ, "DATABASE_URL": url.render_as_string(hide_password=False)}
    if settings.jwt_secret is None:
        data = settings.pos_data_dir.resolve()
        try:
            child_env["JWT_SECRET"] = development_secret(data)
        except OSError as error:
            raise StartError(
                f"JWT_SECRET: not set, and none can be kept in {data}: {error.strerror}"
            ) from None
    child_env["HEALTHKIT_CONFIG"] = str(health_config_path(settings))
    return with_health_store(child_env, settings)


def with_health_store(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """`environ` with what healthkit.toml asks for. On the embedded database the store defaults to a
    file beside it, and alerts go to the watcher's log until somebody is named to be told."""
    if settings.database is not None:
        return dict(environ)
    store = URL.create("sqlite", database=str(settings.pos_data_dir.resolve() / "healthkit.db"))
    completed = dict(environ)
    if not environ.get("HEALTHKIT_STORE"):
        completed["HEALTHKIT_STORE"] = store.render_as_string()
    if not any(environ.get(name) for name in _CHANNELS):
        completed["TELEGRAM_URL"] = "log://"
    return completed


def validate_health_config(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises healthkit's ConfigError for mistakes in healthkit.toml: before anything is started,
    and once rather than in each worker."""
    url = environ.get("DATABASE_URL") or "postgresql:///embedded"
    load_settings(health_config_path(settings), environ={**environ, "DATABASE_URL": url})


def health_config_path(settings: Settings) -> Path:
    """The one that the environment names, or is here; else the checkout's."""
    given = settings.healthkit_config
    fallback = ROOT / "healthkit.toml"
    return fallback if given == Path("healthkit.toml") and not given.exists() else given.resolve()


def refuse_in_production(settings: Settings) -> None:
    """Raises StartError."""
    if settings.production:
        raise StartError("the demo has passwords that all know: not with ENVIRONMENT=production")


def keep_database(stack: ExitStack, settings: Settings) -> URL:
    """The database for what this process becomes: the embedded server counts it as its user."""
    if settings.database is not None:
        return settings.database
    server = stack.enter_context(postgres.use_server(settings.pos_data_dir))
    os.set_inheritable(server.lock.fileno(), True)
    return server.url
