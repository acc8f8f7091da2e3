"""The command `posapp`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

import click
from sqlalchemy import URL, Engine
from sqlalchemy.exc import OperationalError

from healthkit import Health, Report, Status, _rendering
from healthkit._config import loader
from healthkit._config.settings import Settings as HealthSettings
from healthkit._plugins import PluginManager
from healthkit.cli import HandledErrors
from posapp import db, demo, embedded
from posapp.auth.service import UserError, add_user
from posapp.backup.cli import backup
from posapp.backup.cli_restore import drill, restore
from posapp.backup.problems import BackupError
from posapp.demo import StartError
from posapp.embedded import EmbeddedError
from posapp.fields import ROLES
from posapp.seed import seed as write_demo
from posapp.settings import Settings, SettingsError
from posapp.supervisor import PartEnded

_HANDLED = (SettingsError, EmbeddedError, StartError, UserError, db.DatabaseError)


class _Commands(HandledErrors):
    """As in healthkit: what a user can mend is told without a traceback, exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _HANDLED as error:
            _fail(str(error).splitlines(), 2)
        except OperationalError as error:  # the database is away, full, or lets us not in
            _fail([f"database: {' '.join(str(error.orig).split())}"], 2)
        except BackupError as error:
            _fail(str(error).splitlines(), error.exit_code)
        except PartEnded as error:
            _fail(error.lines(), 1)


def _fail(lines: list[str], code: int) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    raise SystemExit(code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="steak-kenangan-pos", prog_name="posapp")
def main() -> None:
    """The point of sale of the restaurant Steak Kenangan.

    The environment says where the database is: DATABASE_URL, or DB_HOST and its companions. With
    neither, every command works on an embedded PostgreSQL under POS_DATA_DIR (default: var): it is
    started when it is not running, kept at this version's schema, and stopped after its last user.
    """


for _command in (backup, drill, restore):
    main.add_command(_command)


def _settings() -> Settings:
    return Settings.from_env(os.environ)


@contextmanager
def _engine(url: URL, settings: Settings) -> Iterator[Engine]:
    engine = db.make_engine(url, settings)
    try:
        yield engine
    finally:
        engine.dispose()


def _ready_schema(url: URL, settings: Settings) -> None:
    """The embedded database is brought to this version; another must be there. Raises
    DatabaseError. A schema that this version does not know is a newer one's: a rollback."""
    if settings.database is None:
        db.upgrade(url)
        return
    with _engine(url, settings) as engine:
        current, head = db.schema_state(engine)
    if current is None or (current != head and current in db.known_revisions()):
        found = current or "no schema"
        raise db.DatabaseError(
            f"the database has {found}, this version needs {head}; run: posapp db upgrade"
        )


@main.command("demo")
def run_demo() -> None:
    """Run the whole POS with a demo menu, until Ctrl-C.

    On the embedded PostgreSQL, at http://127.0.0.1:8080. PORT and POS_DATA_DIR move it; a second
    start finds the data of the first. Exits 1 when one of its parts has ended, and says which.
    """
    demo.run(_settings(), os.environ)


@main.command()
def serve() -> None:
    """Run the production server alone.

    It becomes gunicorn (deploy/gunicorn.conf.py has its variables: PORT, BIND, WEB_CONCURRENCY).
    It does not migrate a database of yours, and does not start while its schema is older than this
    version: run posapp db upgrade first.
    """
    settings = _settings()
    demo.check_health_config(settings, os.environ)
    with ExitStack() as stack:
        url = _stay(stack, settings)
        _ready_schema(url, settings)
        command = demo.gunicorn()
        environ = demo.environment(os.environ, settings, url)
        os.execve(command[0], command, environ)  # noqa: S606  a list, never a shell


@main.group("db")
def database() -> None:
    """The database."""


@database.command()
def upgrade() -> None:
    """Bring the schema to this version; nothing happens when it is there already."""
    settings = _settings()
    with embedded.database(settings) as url:
        db.upgrade(url)
        with _engine(url, settings) as engine:
            click.echo(f"the schema is at {db.schema_state(engine)[0]}")


@main.command()
def seed() -> None:
    """Write the demo menu, floors and staff, unless there is a menu already."""
    settings = _settings()
    demo.refuse_in_production(settings)
    with embedded.database(settings) as url:
        _ready_schema(url, settings)
        with _engine(url, settings) as engine:
            wrote = write_demo(engine)
    click.echo("the demo is written" if wrote else "there is a menu already; it is left as it is")


@main.group()
def users() -> None:
    """Staff accounts."""


@users.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@click.option("--full-name", required=True, metavar="TEXT", help="What receipts call them.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the standard input, a line."
)
def add(name: str, role: str, full_name: str, password_stdin: bool) -> None:
    """Add the account NAME; asks for its password."""
    settings = _settings()
    password = _password(password_stdin)
    with embedded.database(settings) as url:
        _ready_schema(url, settings)
        with _engine(url, settings) as engine:
            add_user(engine, name, full_name, role, password)
    click.echo(f"{name} is added, as {role}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask for the password; give --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


@main.command("health-check")
def health_check() -> None:
    """Try the database connection: exit 0 when it is healthy, 1 when not.

    Runs the database checks of healthkit.toml (HEALTHKIT_CONFIG) once and prints their report.
    """
    settings = _settings()
    with embedded.database(settings) as url:
        address = url.render_as_string(hide_password=False)
        environ = {**os.environ, "DATABASE_URL": address}
        found = loader.load(demo.health_config(settings), PluginManager(), environ)
        report = _report(found, {"database"})
        if report.status is not Status.UNHEALTHY:  # else there is no schema to look for
            report = _report(found, {"database", "pos-migrations"})
    click.echo(_rendering.plain_text(report).rstrip())
    sys.exit(1 if report.status is Status.UNHEALTHY else 0)


def _report(found: HealthSettings, types: set[str]) -> Report:
    checks = tuple(check for check in found.checks if check.type in types)
    return Health(found.model_copy(update={"checks": checks})).check_once()


@main.command(
    "healthkit",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_healthkit(arguments: tuple[str, ...]) -> None:
    """Run a command of healthkit on this POS: posapp healthkit status.

    It becomes `healthkit ARGUMENTS`, told where the POS's database, configuration and store are.
    """
    settings = _settings()
    with ExitStack() as stack:
        url = _stay(stack, settings)
        command = [sys.executable, "-m", "healthkit", *arguments]
        os.execve(command[0], command, demo.environment(os.environ, settings, url))  # noqa: S606


def _stay(stack: ExitStack, settings: Settings) -> URL:
    """The database for what this process becomes: the embedded server counts it as its user."""
    if settings.database is not None:
        return settings.database
    server = stack.enter_context(embedded.server(settings.pos_data_dir))
    os.set_inheritable(server.lock.fileno(), True)
    return server.url


@main.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from posapp.app import openapi_document  # the whole application: no other command needs it

    document = openapi_document()
    click.echo(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False))
