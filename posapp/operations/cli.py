"""The commands that run and check the POS: demo, serve, health-check, healthkit."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack

import click
from sqlalchemy import URL

from healthkit import SYSTEM_CLOCK, Health, Status, load_settings
from healthkit import Settings as HealthSettings
from posapp.database.engine import open_session
from posapp.database.schema import require_schema, upgrade
from posapp.features.auth import accounts
from posapp.features.clock import service as clock
from posapp.features.seed import DEMO_LOGINS, seed_demo_data
from posapp.operations import configuration
from posapp.runtime import postgres, processes, running
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
        url = _keep_database(stack, settings)
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


@click.command()
def debug() -> None:
    """Have the running server log at DEBUG for 15 minutes; again within them: end it.

    The server of this POS_DATA_DIR and PORT. It shows each SQL statement with its time and rows.
    """
    settings = Settings.from_env(os.environ)
    path = running.lock_path(settings.pos_data_dir, settings.port)
    running.send_signal(path, signal.SIGUSR1)
    click.echo("The server changes its log level, and says so in its log.")


@click.command("health-check")
def health_check() -> None:
    """Try the database connection: exit 0 when it is healthy, 1 when not.

    Runs the database checks of healthkit.toml (HEALTHKIT_CONFIG) once and prints their report.
    """
    settings = Settings.from_env(os.environ)
    with postgres.use_database(settings) as url:
        address = url.render_as_string(hide_password=False)
        environ = {**os.environ, "DATABASE_URL": address}
        found = load_settings(processes.health_config_path(settings), environ=environ)
        health = _run_checks(found, {"database"})
        if health.report().status is not Status.UNHEALTHY:  # else there is no schema to look for
            health = _run_checks(found, {"database", "pos-migrations"})
    click.echo(health.response("plain").body.decode().rstrip())
    sys.exit(1 if health.report().status is Status.UNHEALTHY else 0)


def _run_checks(found: HealthSettings, types: set[str]) -> Health:
    checks = tuple(check for check in found.checks if check.type in types)
    health = Health(found.model_copy(update={"checks": checks}))
    health.check_once()
    return health


@click.command(
    "healthkit",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_healthkit(arguments: tuple[str, ...]) -> None:
    """Run a command of healthkit on this POS: posapp healthkit status.

    It becomes `healthkit ARGUMENTS`, with the POS's database, configuration and store.
    """
    settings = Settings.from_env(os.environ)
    with ExitStack() as stack:
        url = _keep_database(stack, settings)
        command = [sys.executable, "-m", "healthkit", *arguments]
        os.execve(command[0], command, processes.child_environment(os.environ, settings, url))  # noqa: S606


def _keep_database(stack: ExitStack, settings: Settings) -> URL:
    """The database for what this process becomes: the embedded server counts it as its user."""
    if settings.database is not None:
        return settings.database
    server = stack.enter_context(postgres.use_server(settings.pos_data_dir))
    os.set_inheritable(server.lock.fileno(), True)
    return server.url


COMMANDS = (demo, serve, debug, health_check, run_healthkit)
