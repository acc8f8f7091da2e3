"""The commands that ask a POS how it is: debug, health-check, healthkit.

They are wanted in a hurry, so that nothing is loaded here that sells.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack

import click

from healthkit import Health, Status, load_settings
from healthkit import Settings as HealthSettings
from healthkit.cli import end_with
from posapp.runtime import postgres, processes, running
from posapp.settings import Settings


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
    code = 1 if health.report().status is Status.UNHEALTHY else 0
    end_with(code, health.response("plain").body.decode().rstrip())


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
        url = processes.keep_database(stack, settings)
        command = [sys.executable, "-m", "healthkit", *arguments]
        os.execve(command[0], command, processes.child_environment(os.environ, settings, url))  # noqa: S606


COMMANDS = (debug, health_check, run_healthkit)
