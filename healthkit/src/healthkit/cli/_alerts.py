"""Commands on alerts: the watcher, and what people do while it runs."""

from __future__ import annotations

import getpass
import logging
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from healthkit import _threads
from healthkit._alerts import apprise_client, messages
from healthkit._alerts.send_result import SendResult, SendStatus
from healthkit._config.alert_tables import ChannelSettings
from healthkit._config.settings import Settings
from healthkit._config.validation import quoted
from healthkit._plugins import PluginManager
from healthkit._reading import read_settings
from healthkit._store import incidents, lease, outbox
from healthkit._store.database import Store
from healthkit.cli._options import NUMBER, ConfigOptions, with_config_options
from healthkit.cli._output import end_with, format_table
from healthkit.errors import ConfigError, ConfigProblem, HealthkitError, did_you_mean
from healthkit.masking import escape_controls, mask

_LONGEST_ENTRY = 20_000
"""Characters of one entry of the log, its traceback included."""


def user() -> str:
    """Returns the name of the person at the keyboard."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store of the configuration. Raises StoreError."""
    store = Store(settings.store_url)
    try:
        yield store
    finally:
        store.close()


@click.command()
@with_config_options
def watch(options: ConfigOptions) -> None:
    """Run the checks for ever and send the alerts.

    SIGHUP reads the configuration again, SIGTERM ends it after the messages in hand. Several may
    share a store: one sends, another takes over when it dies.
    """
    from healthkit._watcher.watcher import Watcher

    def read() -> tuple[Settings, PluginManager]:
        plugins = options.plugins()
        return read_settings(options.config, plugins), plugins

    if not any(done is True for done in options.plugins().call_all("healthkit_logging")):
        _log_to_stderr()
    watcher = Watcher(read)
    signal.signal(signal.SIGTERM, lambda *_: watcher.stop())
    signal.signal(signal.SIGINT, lambda *_: watcher.stop())
    signal.signal(signal.SIGHUP, lambda *_: watcher.reload())
    watcher.run()


class MaskedFormatter(logging.Formatter):
    """Formats a line of the watcher's log: secrets masked, and what controls a terminal escaped,
    in tracebacks and in whatever a library says too."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record)[:_LONGEST_ENTRY].splitlines()
        return "\n".join(escape_controls(mask(line)) for line in lines)


def _log_to_stderr() -> None:
    """Logs only healthkit's own lines from INFO on: those of libraries name each request."""
    form = MaskedFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(form)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("healthkit").setLevel(logging.INFO)


@click.command("incidents")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not ended.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option(
    "--before", type=NUMBER, metavar="ID", help="The next page, as the last one names it."
)
@with_config_options
def incidents_command(
    options: ConfigOptions, only_open: bool, limit: int, before: int | None
) -> None:
    """List incidents, the latest first."""
    settings = options.settings()
    with opened(settings) as store, store.reading() as connection:
        found = incidents.latest(connection, limit + 1, only_open=only_open, before=before)
    if not found:
        click.echo("no open incident" if only_open else "no incident")
        return
    rows = [("ID", "CHECK", "SEVERITY", "WHAT", "BEGAN", "ENDED", "ACKNOWLEDGED", "ERROR")]
    for incident in found[:limit]:
        rows.append(
            (
                str(incident.id),
                incident.check,
                incident.severity,
                incident.level.name.lower(),
                messages.local(incident.began_at, settings),
                messages.local(incident.ended_at, settings) if incident.ended_at else "-",
                incident.acknowledged_by or ("yes" if incident.acknowledged_at else "-"),
                incident.error,
            )
        )
    click.echo(format_table(rows))
    if len(found) > limit:
        click.echo(f"more: --before {found[limit - 1].id}")


@click.command()
@click.argument("number", metavar="ID", type=NUMBER)
@click.option("--by", help="Who works on it (default: the user of the command).")
@with_config_options
def ack(options: ConfigOptions, number: int, by: str | None) -> None:
    """Acknowledge incident ID: no more reminders, no escalation."""
    settings = options.settings()
    with opened(settings) as store, store.transaction() as connection:
        found = incidents.acknowledge(connection, number, by or user(), datetime.now(UTC))
    if found == incidents.UNKNOWN:
        raise HealthkitError(f"there is no incident {number}; see: healthkit incidents --open")
    if found == incidents.ENDED:
        raise HealthkitError(f"incident {number} has ended; there is nothing to acknowledge")
    click.echo(f"incident {number} is acknowledged: no more reminders, no escalation")


@click.group()
def alert() -> None:
    """Messages: try the channels, send again what was given up."""


@alert.command("test")
@click.option("--channel", metavar="NAME", help="Only this channel (default: every one).")
@with_config_options
def alert_test(options: ConfigOptions, channel: str | None) -> None:
    """Send a test message; exit 1 when one did not arrive."""
    settings = options.settings()
    chosen = _chosen(settings, channel)
    tried = {name: c for name, c in chosen.items() if c.enabled}
    message = messages.test_message(settings, datetime.now(UTC))
    with ThreadPoolExecutor(max(1, len(tried))) as threads:
        futures = {name: threads.submit(_try, c, message) for name, c in tried.items()}
        results = {name: future.result() for name, future in futures.items()}
    rows = [("CHANNEL", "RESULT", "ADDRESS")]
    for name, one in chosen.items():
        address = apprise_client.masked_url(one.url.get_secret_value()) if one.enabled else "-"
        result = _describe(results[name]) if one.enabled else "off: its url is empty"
        rows.append((name, result, address))
    arrived = [one.status is SendStatus.SENT for one in results.values()]
    end_with(0 if arrived and all(arrived) else 1, format_table(rows))


def _chosen(settings: Settings, name: str | None) -> dict[str, ChannelSettings]:
    if not settings.channels:
        raise ConfigError(
            settings.source, [ConfigProblem("channels", "there is no channel to test")]
        )
    if name is None:
        return settings.channels
    if name not in settings.channels:
        hint = did_you_mean(name, settings.channels)
        raise ConfigError(
            settings.source, [ConfigProblem("", f"no channel is named {quoted(name)}{hint}")]
        )
    return {name: settings.channels[name]}


def _try(channel: ChannelSettings, message: messages.Message) -> SendResult:
    url, limit = channel.url.get_secret_value(), channel.timeout.total_seconds()
    try:
        return _threads.TimeLimiter().call(lambda: apprise_client.send(url, message), limit)
    except TimeoutError as error:
        return SendResult(SendStatus.TIMED_OUT, str(error))


def _describe(result: SendResult) -> str:
    status = result.status.value
    return f"{status}: {result.reason}" if result.reason else status


@alert.command("retry")
@with_config_options
def alert_retry(options: ConfigOptions) -> None:
    """Send again what was given up."""
    settings = options.settings()
    known = {name for name, channel in settings.channels.items() if channel.enabled}
    now = datetime.now(UTC)
    with opened(settings) as store, store.transaction() as connection:
        count = outbox.retry(connection, now, known)
        runs = lease.leader(connection, now) is not None
    click.echo(f"{count} {'message waits' if count == 1 else 'messages wait'} to be sent again")
    if count and not runs:
        click.echo("no watcher runs to send them: healthkit watch", err=True)


COMMANDS: tuple[click.Command, ...] = (ack, alert, incidents_command, watch)
