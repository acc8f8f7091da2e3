"""`healthkit silence`: a fault that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from healthkit._alerts import messages
from healthkit._config.objectives import alert_names
from healthkit._config.settings import Settings
from healthkit._config.validation import quoted
from healthkit._model.alerts import Silence
from healthkit._store import incidents
from healthkit.cli._alerts import opened, user
from healthkit.cli._options import NUMBER, ConfigOptions, with_config_options
from healthkit.cli._output import format_table
from healthkit.errors import ConfigError, ConfigProblem, HealthkitError, did_you_mean
from healthkit.fields import parse_duration


def _duration(context: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    try:
        length = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if length <= timedelta(0):
        raise click.BadParameter("must be more than 0s")
    return length


@click.group()
def silence() -> None:
    """Mute known faults: no messages of new ones. Their recovery is sent all the same."""


@silence.command("add")
@click.argument("checks", metavar="[CHECK]...", nargs=-1)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Checks with this tag.")
@click.option("--all", "every", is_flag=True, help="Every check.")
@click.option(
    "--for", "length", required=True, metavar="TIME", callback=_duration, help="2h, 30m …"
)
@click.option("--reason", default="", help="A note for the team.")
@with_config_options
def add(
    options: ConfigOptions,
    checks: tuple[str, ...],
    tags: tuple[str, ...],
    every: bool,
    length: timedelta,
    reason: str,
) -> None:
    """Silence checks for a while."""
    settings = options.settings()
    _refuse(settings, checks, tags, every)
    now, reason = datetime.now(UTC), " ".join(reason.split())
    with opened(settings) as store, store.transaction() as connection:
        number = incidents.add_silence(
            connection, now + length, now, reason=reason, checks=checks, tags=tags, by=user()
        )
    what = ", ".join([*checks, *(f"tag {tag}" for tag in tags)]) or "every check"
    until = messages.local(now + length, settings)
    click.echo(
        f"silence {number}: {what} until {until}; end it with: healthkit silence end {number}"
    )


def _refuse(
    settings: Settings, checks: tuple[str, ...], tags: tuple[str, ...], every: bool
) -> None:
    problems = []
    if every is bool(checks or tags):
        problems.append(ConfigProblem("", "name checks or tags, or give --all"))
    names = [*(check.info.name for check in settings.checks), *alert_names(settings)]
    for name in checks:
        if name not in names:
            problems.append(
                ConfigProblem("", f"no check is named {quoted(name)}{did_you_mean(name, names)}")
            )
    known = {tag for check in settings.checks for tag in check.info.tags}
    known |= {tag for one in settings.slo.values() for tag in one.tags}
    for tag in tags:
        if tag not in known:
            problems.append(
                ConfigProblem("", f"no check has the tag {quoted(tag)}{did_you_mean(tag, known)}")
            )
    if problems:
        raise ConfigError(settings.source, problems)


@silence.command("list")
@with_config_options
def list_silences(options: ConfigOptions) -> None:
    """List the silences that hold."""
    settings = options.settings()
    with opened(settings) as store, store.reading() as connection:
        found = incidents.active_silences(connection, datetime.now(UTC))
    click.echo(silence_table(found, settings) if found else "no silence")


def silence_table(found: list[Silence], settings: Settings) -> str:
    """Silences as people read them."""
    rows = [("SILENCE", "WHAT", "UNTIL", "BY", "REASON")]
    for one in found:
        what = ", ".join([*one.checks, *(f"tag {tag}" for tag in one.tags)]) or "every check"
        until = messages.local(one.until, settings)
        rows.append((str(one.id), what, until, one.by, one.reason))
    return format_table(rows)


@silence.command("end")
@click.argument("number", metavar="ID", type=NUMBER)
@with_config_options
def end(options: ConfigOptions, number: int) -> None:
    """End a silence now."""
    settings = options.settings()
    with opened(settings) as store, store.transaction() as connection:
        if not incidents.end_silence(connection, number, datetime.now(UTC)):
            raise HealthkitError(f"no silence {number} holds; see: healthkit silence list")
    click.echo(f"silence {number} has ended")


COMMANDS: tuple[click.Command, ...] = (silence,)
