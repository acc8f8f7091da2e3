"""The command `healthkit status`: checks, channels and messages, as the watcher last saw them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy import Connection

from healthkit._alerts import messages
from healthkit._config.objectives import objectives_of
from healthkit._config.settings import Settings
from healthkit._model.alerts import ChannelState, Incident, Level, State
from healthkit._model.budget_rules import budget
from healthkit._model.budget_words import format_target, sentences
from healthkit._model.budgets import BudgetState
from healthkit._status.model import format_percentage
from healthkit._store import (
    circuit_breakers,
    history,
    incidents,
    lease,
    measures,
    outbox,
    outbox_status,
)
from healthkit.cli._alerts import opened
from healthkit.cli._options import ConfigOptions, with_config_options
from healthkit.cli._output import format_table
from healthkit.cli._silences import silence_table

_DAY = timedelta(days=1)
_MOST_DEAD_LETTERS = 10
"""Dead letters that are shown."""


@dataclass(frozen=True)
class _Snapshot:
    """One reading of the store."""

    connection: Connection
    settings: Settings
    now: datetime

    def local(self, moment: datetime | None) -> str:
        return messages.local(moment, self.settings) if moment else "-"


@click.command()
@with_config_options
def status(options: ConfigOptions) -> None:
    """Show how the checks, the channels and the messages stand, as the watcher last saw them."""
    settings = options.settings()
    with opened(settings) as store, store.reading() as connection:
        snapshot = _Snapshot(connection, settings, datetime.now(UTC))
        parts = [
            _watcher(snapshot),
            _checks(snapshot),
            _objectives(snapshot),
            _channels(snapshot),
            _dead_letters(snapshot),
            _silences(snapshot),
        ]
    click.echo("\n\n".join(part for part in parts if part))


def _watcher(snapshot: _Snapshot) -> str:
    leader = lease.leader(snapshot.connection, snapshot.now)
    name = snapshot.settings.service.name
    if leader is None:
        return f"{name}: no watcher runs; start one with: healthkit watch"
    return f"{name}: watched by {leader.name}, since {snapshot.local(leader.since)}"


def _checks(snapshot: _Snapshot) -> str:
    stored = incidents.load_states(snapshot.connection)
    day = history.uptime(snapshot.connection, snapshot.now, _DAY)
    month = history.uptime(snapshot.connection, snapshot.now, 30 * _DAY)
    open_ones = {i.id: i for i in incidents.latest(snapshot.connection, 1000, only_open=True)}
    rows = [("CHECK", "STATE", "SINCE", "24 H", "30 D", "INCIDENT")]
    for check in snapshot.settings.checks:
        name = check.info.name
        known = stored.get(name)
        state = known.state if known else None
        incident = open_ones.get(known.incident) if known and known.incident else None
        rows.append(
            (
                name,
                _word(state),
                snapshot.local(incident.began_at if incident else None),
                format_percentage(day.get(name)),
                format_percentage(month.get(name)),
                _incident(incident) if incident else "-",
            )
        )
    return format_table(rows)


def _objectives(snapshot: _Snapshot) -> str:
    objectives = objectives_of(snapshot.settings)
    if not objectives:
        return ""
    rows = [("SLO", "TARGET", "STATE", "MINUTES", "LEFT", "")]
    for name, objective in objectives.items():
        found = budget(objective, measures.measure(snapshot.connection, objective, snapshot.now))
        known = found.state is not BudgetState.NOT_ENOUGH_DATA
        left = str(found.left_minutes) if known else "-"
        said = " ".join(sentences(found, "en"))
        of = f"{format_target(found)} of {'30 days' if found.window == '30d' else 'the month'}"
        rows.append((name, of, found.state.value, str(found.total_minutes), left, said))
    return format_table(rows)


def _incident(incident: Incident) -> str:
    by = f", acknowledged by {incident.acknowledged_by}" if incident.acknowledged_at else ""
    return f"{incident.id}{by}: {incident.error}"


def _word(state: State | None) -> str:
    if state is None:
        return "not seen yet"
    word = {Level.HEALTHY: "healthy", Level.DEGRADED: "degraded", Level.DOWN: "down"}[state.level]
    return f"{word}, flapping" if state.flapping else word


def _channels(snapshot: _Snapshot) -> str:
    if not snapshot.settings.channels:
        return "no channel: nobody is notified"
    counts = outbox_status.count_by_channel(snapshot.connection)
    known = circuit_breakers.all_states(snapshot.connection)
    rows = [("CHANNEL", "STATE", "WAITING", "GIVEN UP", "LAST SENT")]
    for name, channel in snapshot.settings.channels.items():
        channel_state = known.get(name, ChannelState(name))
        waiting = counts.get((name, outbox.WAITING), 0) + counts.get((name, outbox.SENDING), 0)
        rows.append(
            (
                name,
                _describe_channel(channel_state, snapshot) if channel.enabled else "off",
                str(waiting),
                str(counts.get((name, outbox.DEAD), 0)),
                snapshot.local(channel_state.last_sent_at),
            )
        )
    return format_table(rows)


def _describe_channel(channel_state: ChannelState, snapshot: _Snapshot) -> str:
    if not channel_state.failures:
        return "works" if channel_state.last_sent_at else "not used yet"
    since, retry = map(snapshot.local, (channel_state.failing_since, channel_state.retry_at))
    return f"fails since {since}: {channel_state.error}; tried again {retry}"


def _dead_letters(snapshot: _Snapshot) -> str:
    found = outbox_status.dead_letters(snapshot.connection, _MOST_DEAD_LETTERS + 1)
    letters = found[:_MOST_DEAD_LETTERS]
    if not letters:
        return ""
    rows = [("GIVEN UP", "CHANNEL", "TRIES", "MESSAGE", "WHY")]
    for letter in letters:
        title = messages.compose(letter.event, snapshot.settings).title
        when = snapshot.local(letter.changed_at)
        rows.append((when, letter.channel, str(letter.attempts), title, letter.error))
    more = "\nand more" if len(found) > len(letters) else ""
    return f"{format_table(rows)}{more}\nsend them again with: healthkit alert retry"


def _silences(snapshot: _Snapshot) -> str:
    found = incidents.active_silences(snapshot.connection, snapshot.now)
    return silence_table(found, snapshot.settings) if found else ""


COMMANDS: tuple[click.Command, ...] = (status,)
