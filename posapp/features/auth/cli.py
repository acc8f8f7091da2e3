"""The commands `posapp users …`."""

from __future__ import annotations

import os
import sys

import click
from pydantic import ValidationError

from healthkit import SYSTEM_CLOCK
from posapp.database.engine import open_session
from posapp.database.schema import require_schema
from posapp.features.auth import service
from posapp.features.auth.schemas import NewUser
from posapp.http.errors import Conflict
from posapp.http.roles import STAFF_ROLES
from posapp.runtime import postgres
from posapp.runtime.errors import CommandError
from posapp.settings import Settings


class UserError(CommandError):
    """A staff account cannot be made; one line that says why."""


@click.group()
def users() -> None:
    """Staff accounts."""


@users.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES), help="What they may do.")
@click.option("--full-name", required=True, metavar="TEXT", help="What receipts call them.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the standard input, a line."
)
def add(name: str, role: str, full_name: str, password_stdin: bool) -> None:
    """Add the account NAME; asks for its password."""
    settings = Settings.from_env(os.environ)
    new = _new_user(name, full_name, role, _password(password_stdin))
    with postgres.use_database(settings) as url:
        require_schema(url, settings)
        try:
            with open_session(url, settings) as session:
                service.create_user(session, new, created_by=None, now=SYSTEM_CLOCK.now())
        except Conflict as error:
            raise UserError(error.detail) from None
    click.echo(f"{new.username} is added, as {role}")


def _new_user(username: str, name: str, role: str, password: str) -> NewUser:
    """Raises UserError."""
    values = {"username": username, "name": name, "role": role, "password": password}
    try:
        return NewUser.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        raise UserError(f"{fault['loc'][0]}: {fault['msg']}") from None


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask for the password; give --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


COMMANDS = (users,)
