"""The commands `posapp kuma plan` and `posapp kuma apply`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from posapp.operations.kuma import addresses
from posapp.operations.kuma.comparing import account, compare, first_account, push_addresses
from posapp.operations.kuma.declared import MONITORS, load
from posapp.operations.kuma.planning import plan
from posapp.settings import Settings

PRINTED = Path("-")


@click.group()
def kuma() -> None:
    """Uptime Kuma as code: deploy/kuma/monitors.toml, and nobody clicks.

    KUMA_URL, KUMA_USERNAME and KUMA_PASSWORD say where it is and as whom. What a person has made in
    Kuma is never touched: what is ours carries a tag.
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    file = click.option(
        "--file",
        "file",
        type=click.Path(path_type=Path),
        default=MONITORS,
        help="What is declared (default: deploy/kuma/monitors.toml).",
    )
    env_file = click.option(
        "--env-file",
        type=click.Path(path_type=Path),
        default=Path(".env.production"),
        show_default=True,
        help="Where watcher and backups read their push addresses from; - prints them.",
    )
    return file(env_file(command))


@kuma.command("plan")
@_options
def show_plan(file: Path, env_file: Path) -> None:
    """Show what apply would do; nothing when all is as declared."""
    found = compare(Settings.from_env(os.environ), load(file, os.environ))
    variables = [] if env_file == PRINTED else addresses.differing(env_file, found.addresses)
    lines = [*found.lines(), *_writing(env_file, variables)]
    click.echo("\n".join(lines) or "Nothing to change.")


@kuma.command("apply")
@_options
def apply_plan(file: Path, env_file: Path) -> None:
    """Make it so: the first account, notifications, monitors, windows, the status page, and the
    push addresses in the file of variables."""
    settings = Settings.from_env(os.environ)
    declared = load(file, os.environ)
    printed = env_file == PRINTED
    if not printed:  # a file that cannot be read is told before all else
        addresses.differing(env_file, {})
    from posapp.operations.kuma.remote import opened  # its client is for these commands alone

    with opened(*account(settings), set_up=True) as found:
        assert found is not None
        if found.new:
            click.echo(first_account(settings), err=printed)
        changes = plan(declared, found.read())
        for change in changes:
            found.apply(change)
            click.echo(change.line(), err=printed)
        wanted = push_addresses(declared, settings, found.push_tokens())
    if printed:
        click.echo("\n".join(f"{name}={value}" for name, value in wanted.items()))
    elif variables := addresses.differing(env_file, wanted):
        addresses.write(env_file, wanted)
        click.echo("\n".join(_writing(env_file, variables)))
        click.echo("Restart the watcher and the backups: they read it when they start.")
    elif not changes:
        click.echo("Nothing to change.")


def _writing(path: Path, variables: list[str]) -> list[str]:
    return [f"write {', '.join(variables)} into {path}"] if variables else []


COMMANDS = (kuma,)
