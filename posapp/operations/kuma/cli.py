"""The commands `posapp kuma plan` and `posapp kuma apply`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from posapp.operations.kuma import addresses
from posapp.operations.kuma.declared import Declared, KumaError, load
from posapp.operations.kuma.planning import Remote, plan
from posapp.runtime import processes
from posapp.settings import Settings

PRINTED = Path("-")
MONITORS = processes.ROOT / "deploy" / "kuma" / "monitors.toml"


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
    settings = Settings.from_env(os.environ)
    declared = load(file, os.environ)
    from posapp.operations.kuma.remote import opened  # its client is for these commands alone

    with opened(*_account(settings), set_up=False) as found:
        if found is None:
            click.echo(_first_account(settings))
        remote = found.read() if found is not None else Remote()
        tokens = found.push_tokens() if found is not None else {}
    changes = plan(declared, remote)
    wanted = _wanted(declared, settings, tokens)
    variables = [] if env_file == PRINTED else addresses.differing(env_file, wanted)
    lines = [*(change.line() for change in changes), *_writing(env_file, variables)]
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
    from posapp.operations.kuma.remote import opened

    with opened(*_account(settings), set_up=True) as found:
        assert found is not None
        if found.new:
            click.echo(_first_account(settings), err=printed)
        changes = plan(declared, found.read())
        for change in changes:
            found.apply(change)
            click.echo(change.line(), err=printed)
        wanted = _wanted(declared, settings, found.push_tokens())
    if printed:
        click.echo("\n".join(f"{name}={value}" for name, value in wanted.items()))
    elif variables := addresses.differing(env_file, wanted):
        addresses.write(env_file, wanted)
        click.echo("\n".join(_writing(env_file, variables)))
        click.echo("Restart the watcher and the backups: they read it when they start.")
    elif not changes:
        click.echo("Nothing to change.")


def _account(settings: Settings) -> tuple[str, str, str]:
    """Raises KumaError."""
    if settings.kuma_url is None:
        raise KumaError("KUMA_URL is not set; write it like http://127.0.0.1:3001")
    if settings.kuma_password is None:
        raise KumaError("KUMA_PASSWORD is not set; make one with: openssl rand -base64 18")
    return settings.kuma_url, settings.kuma_username, settings.kuma_password.get_secret_value()


def _first_account(settings: Settings) -> str:
    return f"create the first account {settings.kuma_username!r}"


def _wanted(declared: Declared, settings: Settings, tokens: Mapping[str, str]) -> dict[str, str]:
    """The push addresses by variable; one that is not made yet has no token."""
    base = settings.kuma_push_url or settings.kuma_url
    return {
        monitor.variable: f"{base}/api/push/{tokens.get(key, '')}"
        for key, monitor in declared.monitors.items()
        if monitor.variable is not None
    }


def _writing(path: Path, variables: list[str]) -> list[str]:
    return [f"write {', '.join(variables)} into {path}"] if variables else []


COMMANDS = (kuma,)
