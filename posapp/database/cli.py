"""The commands `posapp db …`."""

from __future__ import annotations

import os

import click

from posapp.database.engine import open_engine
from posapp.database.schema import is_newer, schema_state, upgrade
from posapp.runtime import postgres
from posapp.settings import Settings


@click.group("db")
def database() -> None:
    """The database."""


@database.command("upgrade")
def upgrade_schema() -> None:
    """Bring the schema to this version; nothing happens when it is there or beyond it."""
    settings = Settings.from_env(os.environ)
    with postgres.use_database(settings) as url:
        upgrade(url)
        with open_engine(url, settings) as engine:
            current, head = schema_state(engine)
    newer = (
        f", which is newer than this version's {head}: left as it is" if is_newer(current) else ""
    )
    click.echo(f"the schema is at {current}{newer}")


COMMANDS = (database,)
