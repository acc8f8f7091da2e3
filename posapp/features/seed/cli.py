"""The command `posapp seed`."""

from __future__ import annotations

import os

import click

from healthkit import SYSTEM_CLOCK
from posapp.database.engine import open_session
from posapp.database.schema import require_schema
from posapp.features.seed.service import seed_demo_data
from posapp.runtime import postgres
from posapp.runtime.processes import refuse_in_production
from posapp.settings import Settings


@click.command("seed")
def write_demo_data() -> None:
    """Write the demo menu, floors and staff, unless there is a menu already."""
    settings = Settings.from_env(os.environ)
    refuse_in_production(settings)
    with postgres.use_database(settings) as url:
        require_schema(url, settings)
        with open_session(url, settings) as session:
            wrote = seed_demo_data(session, SYSTEM_CLOCK.now())
    click.echo("the demo is written" if wrote else "there is a menu already; it is left as it is")


COMMANDS = (write_demo_data,)
