"""The commands `posapp db …`."""

from __future__ import annotations

import os

import click

from posapp.database.engine import open_engine
from posapp.database.schema import schema_state, upgrade
from posapp.runtime import postgres
from posapp.settings import Settings


@click.group("db")
def database() -> None:
    """The database."""


@database.command("upgrade")
def upgrade_schema() -> None:
    """Bring the schema to this version; nothing happens when it is there already."""
    settings = Settings.from_env(os.environ)
    with postgres.use_database(settings) as url:
        upgrade(url)
        with open_engine(url, settings) as engine:
            click.echo(f"the schema is at {schema_state(engine)[0]}")


COMMANDS = (database,)
