"""The command `posapp seed`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from healthkit import SYSTEM_CLOCK
from posapp.database.engine import open_session
from posapp.database.schema import require_schema
from posapp.features.seed.menu_csv import template
from posapp.features.seed.menu_file import MenuFile, MenuFileError, read_menu
from posapp.features.seed.service import seed_demo_data, seed_own_menu
from posapp.http.errors import Conflict
from posapp.runtime import postgres
from posapp.runtime.processes import refuse_in_production
from posapp.settings import Settings


@click.command("seed")
@click.option(
    "--menu", type=click.Path(path_type=Path), metavar="FILE", help="An own menu, .csv or .json."
)
@click.option(
    "--template", "form", type=click.Choice(["csv", "json"]), help="Print a menu to begin with."
)
def write_seed(menu: Path | None, form: str | None) -> None:
    """Write the demo menu, floors and staff, unless there is a menu already; or with --menu the
    restaurant's own menu alone, all of it or nothing."""
    if form is not None:
        click.echo(template(form), nl=False)
        return
    settings = Settings.from_env(os.environ)
    if menu is not None:
        _write_own_menu(settings, menu, read_menu(menu))
        return
    refuse_in_production(settings)
    with postgres.use_database(settings) as url:
        require_schema(url, settings)
        with open_session(url, settings) as session:
            wrote = seed_demo_data(session, SYSTEM_CLOCK.now())
    click.echo("the demo is written" if wrote else "there is a menu already; it is left as it is")


def _write_own_menu(settings: Settings, path: Path, menu: MenuFile) -> None:
    with postgres.use_database(settings) as url:
        require_schema(url, settings)
        try:
            with open_session(url, settings) as session:
                seed_own_menu(session, menu)
        except Conflict as error:
            raise MenuFileError(path, [error.detail]) from None
    count = sum(len(category.products) for category in menu.categories)
    click.echo(f"{path.name}: {count} products in {len(menu.categories)} categories are written")


COMMANDS = (write_seed,)
