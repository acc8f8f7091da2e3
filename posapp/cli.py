"""The command `posapp`: it collects the commands of each room.

A room is loaded when one of its commands is asked for: to load all of them takes seconds, which a
cron job and whoever types a wrong address would wait for.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from healthkit.cli import HandledErrors
from healthkit.masking import escape_controls, mask
from posapp.runtime.errors import CommandError
from posapp.settings import SettingsError

ROOMS = {
    "posapp.operations.cli": ("demo", "serve"),
    "posapp.operations.cli_health": ("debug", "health-check", "healthkit"),
    "posapp.operations.cli_audit": ("audit",),
    "posapp.operations.doctor.cli": ("doctor",),
    "posapp.operations.kuma.cli": ("kuma",),
    "posapp.database.cli": ("db",),
    "posapp.features.seed.cli": ("seed",),
    "posapp.features.auth.cli": ("users",),
    "posapp.backup.cli": ("backup", "drill", "restore"),
}
"""The names of each room's commands, which are its `COMMANDS`."""


_OF_THE_MACHINE = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOSPC, errno.EDQUOT, errno.EROFS}
)
"""A file of another user, a name that no disk takes, a disk that is full or takes no writes."""


class _Commands(HandledErrors):
    """As in healthkit: what a user can fix is printed without a traceback, exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        of_rooms = (name for names in ROOMS.values() for name in names)
        return sorted([*super().list_commands(ctx), *of_rooms])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for module, names in ROOMS.items():
            if cmd_name in names:
                commands: tuple[click.Command, ...] = import_module(module).COMMANDS
                return next(command for command in commands if command.name == cmd_name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        os.umask(0o077)  # what a command writes is for its user alone
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            _fail(str(error).splitlines(), 2)
        except CommandError as error:
            _fail(error.lines(), error.exit_code)
        except OSError as error:
            if error.errno not in _OF_THE_MACHINE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            _fail([mask(f"{where}{error.strerror}")], 2)
        except Exception as error:
            if not _from_database(error):
                raise
            _fail([f"database: {mask(' '.join(str(error.orig).split()))}"], 2)  # type: ignore[attr-defined]


def _from_database(error: Exception) -> bool:
    """Whether it is unreachable, full, or refuses the login; a command that did not load SQLAlchemy
    has not spoken to it."""
    database = sys.modules.get("sqlalchemy.exc")
    return database is not None and isinstance(error, database.OperationalError)


def _fail(lines: list[str], code: int) -> NoReturn:
    for line in lines:
        click.echo(escape_controls(line), err=True)
    raise SystemExit(code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="steak-kenangan-pos", prog_name="posapp")
def main() -> None:
    """The point of sale of the restaurant Steak Kenangan.

    The environment says where the database is: DATABASE_URL, or DB_HOST and its companions. With
    neither, every command works on an embedded PostgreSQL under POS_DATA_DIR (default: var): it is
    started when it is not running, kept at this version's schema, and stopped after its last user.
    """


@main.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from posapp.app import openapi_document  # the whole application: no other command needs it

    document = openapi_document()
    click.echo(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False))
