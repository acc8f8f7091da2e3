"""`healthkit incident`: what staff tell everybody on the status page."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from healthkit._store import notices
from healthkit.cli._alerts import opened, user
from healthkit.cli._options import ConfigOptions, with_config_options
from healthkit.errors import ConfigError, ConfigProblem


def _text(context: click.Context, parameter: click.Parameter, value: str) -> str:
    limit = notices.LONGEST_TITLE if parameter.name == "title" else notices.LONGEST_TEXT
    value = " ".join(value.split())
    if not value:
        raise click.BadParameter("say something")
    if len(value) > limit:
        raise click.BadParameter(f"at most {limit} characters; these are {len(value)}")
    return value


_UPDATE = click.argument("text", callback=_text)


@click.group()
def incident() -> None:
    """Write on the status page: everybody can read it there.

    ID is a number of `healthkit incidents`, or that of a notice (N7) that you have opened yourself.
    """


@incident.command("open")
@click.argument("title", callback=_text)
@with_config_options
def open_command(options: ConfigOptions, title: str) -> None:
    """Open a notice: something is wrong that no check has found."""
    with opened(options.settings()) as store, store.transaction() as connection:
        number = notices.open_notice(connection, title, datetime.now(UTC))
    click.echo(f"N{number}")


@incident.command()
@click.argument("which", metavar="ID")
@_UPDATE
@with_config_options
def note(options: ConfigOptions, which: str, text: str) -> None:
    """Add an update to an incident or to a notice."""
    with opened(options.settings()) as store, store.transaction() as connection:
        target = _target(connection, which)
        notices.add_note(connection, text, user(), datetime.now(UTC), **target)
    click.echo(f"{which}: added")


@incident.command()
@click.argument("which", metavar="ID")
@with_config_options
def close(options: ConfigOptions, which: str) -> None:
    """Close a notice. An incident ends by itself, when its check recovers."""
    with opened(options.settings()) as store, store.transaction() as connection:
        number = _target(connection, which).get("notice")
        if number is None:
            raise _mistake(f"{which}: an incident ends when its check recovers; close notices (N7)")
        if not notices.close_notice(connection, number, datetime.now(UTC)):
            raise _mistake(f"{which}: closed already")
    click.echo(f"{which}: closed")


def _target(connection: Connection, which: str) -> dict[str, int]:
    """Returns the incident or the notice of an ID. Raises ConfigError where there is none."""
    kind = "notice" if which[:1] in ("N", "n") else "incident"
    digits = which[1:] if kind == "notice" else which
    if digits.isascii() and digits.isdigit() and len(digits) <= 15:
        target = {kind: int(digits)}
        if notices.exists(connection, **target):
            return target
    raise _mistake(f"{which}: there is none; healthkit incidents lists them, a notice is like N7")


def _mistake(text: str) -> ConfigError:
    return ConfigError("incident", [ConfigProblem("ID", text)])


COMMANDS: tuple[click.Command, ...] = (incident,)
