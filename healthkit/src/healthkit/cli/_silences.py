"""`healthkit silence`: a fault that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from healthkit._alerts import messages
from healthkit._config.loader import load
from healthkit._config.settings import Settings
from healthkit._store import silences
from healthkit.cli._alerts import opened, user
from healthkit.cli._options import Place, table, with_place
from healthkit.errors import ConfigError, HealthkitError, Problem, nearest
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
    """Faults that are known: nobody is told of new ones. Their ends are told all the same."""


@silence.command("add")
@click.argument("checks", metavar="[CHECK]...", nargs=-1)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Checks with this tag.")
@click.option("--all", "every", is_flag=True, help="Every check.")
@click.option(
    "--for", "length", required=True, metavar="TIME", callback=_duration, help="2h, 30m …"
)
@click.option("--reason", default="", help="For whoever wonders.")
@with_place
def add(
    place: Place,
    checks: tuple[str, ...],
    tags: tuple[str, ...],
    every: bool,
    length: timedelta,
    reason: str,
) -> None:
    """Silence checks for a while."""
    settings = load(place.config, place.plugins())
    _refuse(settings, checks, tags, every)
    now = datetime.now(UTC)
    with opened(settings) as store, store.transaction() as connection:
        number = silences.add(
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
        problems.append(Problem("", "name checks or tags, or give --all"))
    names = [check.info.name for check in settings.checks]
    for name in checks:
        if name not in names:
            problems.append(Problem("", f"no check is named {name!r}{nearest(name, names)}"))
    known = {tag for check in settings.checks for tag in check.info.tags}
    for tag in tags:
        if tag not in known:
            problems.append(Problem("", f"no check has the tag {tag!r}{nearest(tag, known)}"))
    if problems:
        raise ConfigError(settings.source, problems)


@silence.command("list")
@with_place
def list_silences(place: Place) -> None:
    """List the silences that hold."""
    settings = load(place.config, place.plugins())
    with opened(settings) as store, store.reading() as connection:
        found = silences.active(connection, datetime.now(UTC))
    click.echo(silence_table(found, settings) if found else "no silence")


def silence_table(found: list[silences.Silence], settings: Settings) -> str:
    """Silences as people read them."""
    rows = [("SILENCE", "WHAT", "UNTIL", "BY", "REASON")]
    for one in found:
        what = ", ".join([*one.checks, *(f"tag {tag}" for tag in one.tags)]) or "every check"
        until = messages.local(one.until, settings)
        rows.append((str(one.id), what, until, one.by, one.reason))
    return table(rows)


@silence.command("end")
@click.argument("number", metavar="ID", type=int)
@with_place
def end(place: Place, number: int) -> None:
    """End a silence now."""
    settings = load(place.config, place.plugins())
    with opened(settings) as store, store.transaction() as connection:
        if not silences.end(connection, number, datetime.now(UTC)):
            raise HealthkitError(f"no silence {number} holds; see: healthkit silence list")
    click.echo(f"silence {number} has ended")
