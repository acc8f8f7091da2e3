"""`healthkit status`: how everything stands, as the watcher last saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy import Connection

from healthkit._alerts import messages, records
from healthkit._alerts.policy import Level, State
from healthkit._config.loader import load
from healthkit._config.settings import Settings
from healthkit._store import (
    circuit_breakers,
    history,
    incidents,
    lease,
    outbox,
    outbox_status,
    silences,
)
from healthkit._store.circuit_breakers import Circuit
from healthkit._store.history import Uptime
from healthkit._store.incidents import Incident
from healthkit.cli._alerts import opened
from healthkit.cli._options import Place, table, with_place
from healthkit.cli._silences import silence_table

_DAY = timedelta(days=1)
_LETTERS = 10
"""Dead letters that are shown."""


@dataclass(frozen=True)
class _View:
    """One look into the store."""

    connection: Connection
    settings: Settings
    now: datetime

    def local(self, moment: datetime | None) -> str:
        return messages.local(moment, self.settings) if moment else "-"


@click.command()
@with_place
def status(place: Place) -> None:
    """Show how the checks, the channels and the messages stand, as the watcher last saw them."""
    settings = load(place.config, place.plugins())
    with opened(settings) as store, store.reading() as connection:
        view = _View(connection, settings, datetime.now(UTC))
        parts = [_watcher(view), _checks(view), _channels(view), _letters(view), _silences(view)]
    click.echo("\n\n".join(part for part in parts if part))


def _watcher(view: _View) -> str:
    leader = lease.leader(view.connection, view.now)
    name = view.settings.service.name
    if leader is None:
        return f"{name}: no watcher runs; start one with: healthkit watch"
    return f"{name}: watched by {leader.name}, since {view.local(leader.since)}"


def _checks(view: _View) -> str:
    stored = incidents.load_states(view.connection)
    day = history.uptime(view.connection, view.now, _DAY)
    month = history.uptime(view.connection, view.now, 30 * _DAY)
    open_ones = {i.id: i for i in incidents.newest(view.connection, 1000, only_open=True)}
    rows = [("CHECK", "STATE", "SINCE", "24 H", "30 D", "INCIDENT")]
    for check in view.settings.checks:
        name = check.info.name
        known = stored.get(name)
        state = records.load_state(known.state) if known else None
        incident = open_ones.get(known.incident) if known and known.incident else None
        rows.append(
            (
                name,
                _word(state),
                view.local(incident.began_at if incident else None),
                _share(day.get(name)),
                _share(month.get(name)),
                _incident(incident) if incident else "-",
            )
        )
    return table(rows)


def _incident(incident: Incident) -> str:
    by = f", {incident.acknowledged_by} is on it" if incident.acknowledged_at else ""
    return f"{incident.id}{by}: {incident.error}"


def _word(state: State | None) -> str:
    if state is None:
        return "not seen yet"
    word = {Level.HEALTHY: "healthy", Level.DEGRADED: "degraded", Level.DOWN: "down"}[state.level]
    return f"{word}, flapping" if state.flapping else word


def _share(uptime: Uptime | None) -> str:
    share = uptime.share if uptime else None
    return "-" if share is None else f"{share:.2%}"


def _channels(view: _View) -> str:
    if not view.settings.channels:
        return "no channel: nobody is told of anything"
    counts = outbox_status.counts(view.connection)
    known = circuit_breakers.every(view.connection)
    rows = [("CHANNEL", "STATE", "WAITING", "GIVEN UP", "LAST SENT")]
    for name, channel in view.settings.channels.items():
        circuit = known.get(name, Circuit(name))
        waiting = counts.get((name, outbox.WAITING), 0) + counts.get((name, outbox.SENDING), 0)
        rows.append(
            (
                name,
                _fares(circuit, view) if channel.enabled else "off",
                str(waiting),
                str(counts.get((name, outbox.DEAD), 0)),
                view.local(circuit.last_sent_at),
            )
        )
    return table(rows)


def _fares(circuit: Circuit, view: _View) -> str:
    if not circuit.failures:
        return "works" if circuit.last_sent_at else "not used yet"
    since = view.local(circuit.failing_since)
    return f"fails since {since}: {circuit.error}; tried again {view.local(circuit.retry_at)}"


def _letters(view: _View) -> str:
    letters = outbox_status.dead(view.connection, _LETTERS)
    if not letters:
        return ""
    rows = [("GIVEN UP", "CHANNEL", "TRIES", "MESSAGE", "WHY")]
    for letter in letters:
        title = messages.word(records.load_event(letter.body), view.settings).title
        when = view.local(letter.changed_at)
        rows.append((when, letter.channel, str(letter.attempts), title, letter.error))
    return table(rows) + "\nsend them again with: healthkit alert retry"


def _silences(view: _View) -> str:
    found = silences.active(view.connection, view.now)
    return silence_table(found, view.settings) if found else ""
