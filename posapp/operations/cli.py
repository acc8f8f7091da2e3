"""The commands that run the POS: demo, serve."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack

import click
from sqlalchemy import URL

from healthkit import SYSTEM_CLOCK
from posapp.database.engine import open_session
from posapp.database.schema import require_schema, upgrade
from posapp.features.auth import accounts
from posapp.features.clock import service as clock
from posapp.features.seed import DEMO_LOGINS, seed_demo_data
from posapp.operations import configuration
from posapp.runtime import processes
from posapp.runtime.demo import run_demo
from posapp.settings import Settings


@click.command()
def demo() -> None:
    """Run the whole POS with a demo menu, until Ctrl-C.

    On the embedded PostgreSQL, at http://127.0.0.1:8080. PORT and POS_DATA_DIR move it; a second
    start finds the data of the first. Exits 1 when one of its parts has ended, and says which.
    """
    run_demo(Settings.from_env(os.environ), os.environ, _prepare, _login_lines())


def _prepare(url: URL, settings: Settings) -> None:
    upgrade(url)
    with open_session(url, settings) as session:
        seed_demo_data(session, SYSTEM_CLOCK.now())
    _note_configuration(url, settings, os.environ)
    _warn_of_the_clock(url, settings)


def _warn_of_the_clock(url: URL, settings: Settings) -> None:
    """Starts all the same: who would sell is asked for a manager's word."""
    with open_session(url, settings) as session:
        reading = clock.read(session, SYSTEM_CLOCK.now())
    if reading.suspect:
        click.echo(f"warning: {reading.describe()}", err=True)


def _login_lines() -> str:
    width = max(len(login.username) for login in DEMO_LOGINS)
    rows = [
        f"  {login.username:<{width}}  {login.password:<{width + 5}}  {login.name}"
        for login in DEMO_LOGINS
    ]
    return "\n".join(["Sign in as (user name, password):", *rows])


@click.command()
def serve() -> None:
    """Run the production server alone.

    It becomes gunicorn (deploy/gunicorn.conf.py has its variables: PORT, BIND, WEB_CONCURRENCY).
    It does not migrate a database of yours, and does not start while its schema is older than this
    version: run posapp db upgrade first.
    """
    settings = Settings.from_env(os.environ)
    processes.validate_health_config(settings, os.environ)
    with ExitStack() as stack:
        url = processes.keep_database(stack, settings)
        require_schema(url, settings)
        if settings.production:
            _refuse_demo_accounts(url, settings)
        _warn_of_the_clock(url, settings)
        command = processes.gunicorn_command()
        environ = processes.child_environment(os.environ, settings, url)
        _note_configuration(url, settings, environ)
        os.execve(command[0], command, environ)  # noqa: S606  a list, never a shell


def _note_configuration(url: URL, settings: Settings, environ: Mapping[str, str]) -> None:
    """Writes to the audit log what has changed since the last start."""
    key = processes.child_environment(environ, settings, url)["JWT_SECRET"]
    with open_session(url, settings) as session:
        configuration.record_changes(session, settings, key, SYSTEM_CLOCK.now())


def _refuse_demo_accounts(url: URL, settings: Settings) -> None:
    """Raises StartError, whatever the data folder holds."""
    with open_session(url, settings) as session:
        opened = accounts.demo_accounts(session)
    if opened:
        raise processes.StartError(
            f"accounts with the demo's passwords: {', '.join(opened)}; for each of them:"
            " posapp users password NAME, or posapp users deactivate NAME"
        )


COMMANDS = (demo, serve)
