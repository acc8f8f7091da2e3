"""The commands `posapp users …`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import click
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from healthkit import SYSTEM_CLOCK
from healthkit.cli import format_table
from posapp.database.engine import open_session
from posapp.database.schema import require_schema
from posapp.features.auth import accounts
from posapp.features.auth.schemas import NewUser, PasswordChange
from posapp.http.errors import ApiError
from posapp.http.field_messages import field_message
from posapp.http.roles import STAFF_ROLES, StaffRole
from posapp.runtime import postgres
from posapp.runtime.errors import CommandError
from posapp.settings import Settings

Checked = TypeVar("Checked", bound=BaseModel)


class UserError(CommandError):
    """A staff account cannot be made or changed; one line that says why."""


@click.group()
def users() -> None:
    """Staff accounts. Each change of one ends its sign-ins."""


@contextmanager
def _session() -> Iterator[Session]:
    """A transaction on the POS's database; what a service refuses is one line."""
    settings = Settings.from_env(os.environ)
    with postgres.use_database(settings) as url:
        require_schema(url, settings)
        try:
            with open_session(url, settings) as session:
                yield session
        except ApiError as error:
            raise UserError(error.detail) from None


_FROM_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the standard input, a line."
)


@users.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES), help="What they may do.")
@click.option("--full-name", required=True, metavar="TEXT", help="What receipts call them.")
@_FROM_STDIN
def add(name: str, role: str, full_name: str, password_stdin: bool) -> None:
    """Add the account NAME; asks for its password."""
    new = _new_user(name, full_name, role, _password(password_stdin))
    with _session() as session:
        accounts.create_user(session, new, created_by=None, now=SYSTEM_CLOCK.now())
    click.echo(f"{new.username} is added, as {role}")


@users.command("list")
def list_accounts() -> None:
    """List all accounts, dismissed ones included."""
    with _session() as session:
        rows = [
            (user.username, user.role, "active" if user.active else "dismissed", user.name)
            for user in accounts.list_users(session)
        ]
    click.echo(format_table([("user name", "role", "state", "name"), *rows]))


@users.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(STAFF_ROLES))
def set_role(name: str, role: StaffRole) -> None:
    """Give the account NAME another ROLE."""
    with _session() as session:
        user = accounts.get_by_name(session, name)
        accounts.set_role(session, user.id, role, None, SYSTEM_CLOCK.now())
        click.echo(f"{user.username} is {role} now")


@users.command("password")
@click.argument("name")
@_FROM_STDIN
def set_password(name: str, password_stdin: bool) -> None:
    """Give the account NAME another password; asks for it."""
    change = _checked(PasswordChange, {"password": _password(password_stdin)})
    with _session() as session:
        user = accounts.get_by_name(session, name)
        accounts.set_password(session, user.id, change.password, None, SYSTEM_CLOCK.now())
        click.echo(f"{user.username} has another password")


@users.command()
@click.argument("name")
def deactivate(name: str) -> None:
    """Dismiss the account NAME: it cannot sign in, and what it did stays."""
    _set_active(name, active=False)


@users.command()
@click.argument("name")
def activate(name: str) -> None:
    """Take the dismissed account NAME back."""
    _set_active(name, active=True)


def _set_active(name: str, active: bool) -> None:
    with _session() as session:
        user = accounts.get_by_name(session, name)
        accounts.set_active(session, user.id, active, None, SYSTEM_CLOCK.now())
        click.echo(f"{user.username} is {'active again' if active else 'dismissed'}")


def _new_user(username: str, name: str, role: str, password: str) -> NewUser:
    values = {"username": username, "name": name, "role": role, "password": password}
    return _checked(NewUser, values)


def _checked(model: type[Checked], values: dict[str, str]) -> Checked:
    """Raises UserError for the first mistake."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        message = field_message(fault)
        field = "".join(f"{part}: " for part in fault["loc"])
        raise UserError(f"{field}{message}") from None


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask for the password; give --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


COMMANDS = (users,)
