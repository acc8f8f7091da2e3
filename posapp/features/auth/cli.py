"""The commands `posapp users …`."""

from __future__ import annotations

import os
import sys

import click

from posapp.database.engine import open_engine
from posapp.database.schema import require_schema
from posapp.features.auth.service import UserError, add_user
from posapp.http.schemas import ROLES
from posapp.runtime import postgres
from posapp.settings import Settings


@click.group()
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
    settings = Settings.from_env(os.environ)
    password = _password(password_stdin)
    with postgres.database(settings) as url:
        require_schema(url, settings)
        with open_engine(url, settings) as engine:
            add_user(engine, name, full_name, role, password)
    click.echo(f"{name} is added, as {role}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask for the password; give --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


COMMANDS = (users,)
