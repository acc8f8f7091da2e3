"""Commands on checks and their configuration."""

from __future__ import annotations

import shlex
import traceback
from pathlib import Path
from typing import NoReturn

import click

from healthkit import _rendering
from healthkit._alerts import routing
from healthkit._config.loader import DEFAULT_FILE
from healthkit._health import Health
from healthkit._model.checks import Report, Status
from healthkit.cli import _forms
from healthkit.cli._options import ConfigOptions, with_config_options
from healthkit.cli._output import end_with, format_table
from healthkit.errors import ConfigError, ConfigProblem, HealthkitError
from healthkit.masking import escape_controls, mask

_COLOURS = {
    Status.HEALTHY: "green",
    Status.DEGRADED: "yellow",
    Status.UNHEALTHY: "red",
    Status.UNKNOWN: "white",
}

EXAMPLE = """\
# Health checks and alerts. Every key: see CONFIGURATION.md of healthkit-core.

[service]
name = "My service"
timezone = "UTC"

# [checks.database]
# type = "database"
# url = "${DATABASE_URL}"
# severity = "critical"
# interval = "10s"
# timeout = "2s"

[checks.nightly]
type = "heartbeat"          # it waits for: healthkit beat nightly
every = "24h"
grace = "1h"
role = "advisory"

[channels.people]
url = "${ALERT_URL:-log://}"  # any Apprise URL, like tgram://TOKEN/CHAT; log:// is the own log

# Who is told of what: each severity needs a route, or nobody hears of its faults.

[routes.critical]
channels = ["people"]
remind_every = "30m"

[routes.high]                # the severity of a check that names none
channels = ["people"]
remind_every = "4h"

[routes.medium]
channels = ["people"]
digest = "24h"

[routes.low]
channels = ["people"]
digest = "48h"
"""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The report as `GET /health` gives it.")
@click.option(
    "--nagios", "as_nagios", is_flag=True, help="Output and exit code as Nagios has them."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Also as JUnit XML.")
@with_config_options
def check(options: ConfigOptions, as_json: bool, as_nagios: bool, junit: Path | None) -> None:
    """Run all checks once: exit 0 healthy or degraded, 1 unhealthy, 2 a mistake in the file; with
    --nagios 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    if as_json and as_nagios:
        raise click.UsageError("say either --json or --nagios")
    if as_nagios:
        _check_for_nagios(options, junit)
    report = _run_once(options, junit)
    code = 1 if report.status is Status.UNHEALTHY else 0
    if as_json:
        end_with(code, _rendering.dump(_rendering.health_body(report)).decode())
    end_with(code, _table(report))


def _check_for_nagios(options: ConfigOptions, junit: Path | None) -> NoReturn:
    try:
        code, output = _forms.nagios(_run_once(options, junit))
    except HealthkitError as error:
        source = error.source if isinstance(error, ConfigError) else ""
        code, output = _forms.nagios_mistake(error.lines(), source)
    except Exception as error:  # noqa: BLE001  a bug, whose exit code would be Nagios' WARNING
        click.echo(mask(traceback.format_exc()), err=True)
        code, output = _forms.nagios_mistake([f"a bug: {type(error).__name__}, see stderr"])
    end_with(code, output)


def _run_once(options: ConfigOptions, junit: Path | None) -> Report:
    report = Health(options.settings()).check_once()
    if junit is not None:
        try:
            junit.write_bytes(_forms.junit(report))
        except OSError as error:
            problem = ConfigProblem("", f"cannot be written: {error.strerror}")
            raise ConfigError(str(junit), [problem]) from None
    return report


def _table(report: Report) -> str:
    rows = [("CHECK", "STATUS", "TIME", "SEVERITY", "WHAT")]
    for result in report.results:
        rows.append(
            (
                result.check.name,
                result.outcome.status.value,
                _rendering.response_time(result) or "-",
                result.check.severity.value,
                escape_controls(mask(result.outcome.message or result.check.target or "")),
            )
        )
    lines = format_table(rows).splitlines()
    for i, result in enumerate(report.results, start=1):
        lines[i] = click.style(lines[i], fg=_COLOURS[result.outcome.status])
    return "\n".join([*lines, f"{report.service.name} is {report.status.value}"])


@click.command()
@with_config_options
def plugins(options: ConfigOptions) -> None:
    """List the plugins that were found, what they offer, and why one is not in use."""
    manager = options.plugins()
    types = ", ".join(sorted(manager.check_types()))
    rows = [("PLUGIN", "FROM", "OFFERS", "")]
    for info in manager.list_plugins():
        broken = f"failed: {info.error}" if info.error else ""
        rows.append((info.name, info.version or "healthkit-core", ", ".join(info.offers), broken))
    click.echo(format_table(rows))
    click.echo(f"check types: {types}")


@click.command()
@with_config_options
def init(options: ConfigOptions) -> None:
    """Write a first configuration, never over one that is there."""
    path = Path(options.config)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        raise ConfigError(
            str(path), [ConfigProblem("", "is there already; it is left as it is")]
        ) from None
    except OSError as error:
        raise ConfigError(
            str(path), [ConfigProblem("", f"cannot be written: {error.strerror}")]
        ) from None
    option = "" if options.config == DEFAULT_FILE else f" --config {shlex.quote(str(path))}"
    click.echo(f"{path} written; try it with: healthkit check{option}")


@click.group("config")
def config_group() -> None:
    """The configuration."""


@config_group.command("check")
@with_config_options
def config_check(options: ConfigOptions) -> None:
    """Validate the file and name every mistake, and every check whose faults reach nobody; nothing
    is started."""
    settings = options.settings()
    if unheard := routing.unreachable(settings.checks, settings.routes, settings.channels):
        hint = "or say silent = true"
        problems = [
            ConfigProblem(f"checks.{name}", f"its faults reach nobody: {why}; {hint}")
            for name, why in unheard.items()
        ]
        raise ConfigError(options.config, problems)
    off = [name for name, channel in settings.channels.items() if not channel.enabled]
    click.echo(
        f"{options.config}: {len(settings.checks)} checks, {len(settings.channels)} channels,"
        f" {len(settings.routes)} routes: all right"
    )
    for name in off:
        click.echo(f"{options.config}: channels.{name} has an empty url and is off")


COMMANDS: tuple[click.Command, ...] = (check, config_group, init, plugins)
