"""The command `posapp`: it collects the commands of each room."""

from __future__ import annotations

import json
import os
from typing import Any, NoReturn

import click
from sqlalchemy.exc import OperationalError

from healthkit.cli import HandledErrors
from healthkit.masking import escape_controls, mask
from posapp.backup.cli import COMMANDS as BACKUP
from posapp.database.cli import COMMANDS as DATABASE
from posapp.features.auth.cli import COMMANDS as AUTH
from posapp.features.seed.cli import COMMANDS as SEED
from posapp.operations.cli import COMMANDS as OPERATIONS
from posapp.operations.cli_audit import COMMANDS as AUDIT
from posapp.runtime.errors import CommandError
from posapp.settings import SettingsError


class _Commands(HandledErrors):
    """As in healthkit: what a user can fix is printed without a traceback, exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        os.umask(0o077)  # what a command writes is for its user alone
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            _fail(str(error).splitlines(), 2)
        except CommandError as error:
            _fail(error.lines(), error.exit_code)
        except OperationalError as error:  # unreachable, full, or the login is refused
            _fail([f"database: {mask(' '.join(str(error.orig).split()))}"], 2)


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


for _command in (*OPERATIONS, *AUDIT, *DATABASE, *SEED, *AUTH, *BACKUP):
    main.add_command(_command)
