"""Results in, events and what they owe out: one round is one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from healthkit._alerts import policy, records, routing
from healthkit._alerts.policy import Decision, Level, Rules, State
from healthkit._config.settings import Settings
from healthkit._model.checks import CheckInfo, Event, EventKind, Outcome, Result, Status
from healthkit._store import history, incidents, outbox, silences
from healthkit._store.incidents import StoredState
from healthkit._store.silences import Silence

log = logging.getLogger("healthkit")

_BAD = frozenset({EventKind.DOWN, EventKind.DEGRADED, EventKind.REMINDER, EventKind.ESCALATION})
_HIDING = frozenset({EventKind.DOWN, EventKind.REMINDER, EventKind.ESCALATION})


@dataclass(frozen=True, slots=True)
class Numbered:
    """A result with its number within the epoch, by which none is taken in twice."""

    number: int
    result: Result


@dataclass(slots=True)
class _Entry:
    info: CheckInfo
    rules: Rules
    state: State = field(default_factory=State)
    incident: int | None = None
    number: int = 0
    last: Outcome | None = None
    """None until the check has been seen in this epoch: nothing is decided on old news."""
    last_bad: Outcome | None = None
    stored: StoredState | None = None


class Ledger:
    """What the leader of an epoch knows of every check.

    It is as the store has it after `load`, and after each `round` whose transaction was committed;
    when one was not, load it again.
    """

    def __init__(self, settings: Settings, epoch: int) -> None:
        self._settings = settings
        self._epoch = epoch
        infos = [check.info for check in settings.checks]
        self._above = routing.ancestors(infos)
        self._order = sorted(infos, key=lambda info: len(self._above[info.name]))
        self._entries: dict[str, _Entry] = {}

    def load(self, connection: Connection) -> None:
        """Takes over what the store knows; what was last seen is kept."""
        stored = incidents.load_states(connection)
        before, self._entries = self._entries, {}
        for info in self._order:
            entry = _Entry(info, rules(info, self._settings))
            if (known := stored.get(info.name)) is not None:
                entry.state, entry.incident = records.load_state(known.state), known.incident
                entry.number = known.number if known.epoch == self._epoch else 0
                entry.stored = known
            if (old := before.get(info.name)) is not None:
                entry.last, entry.last_bad = old.last, old.last_bad
            self._entries[info.name] = entry

    def round(
        self, connection: Connection, results: Sequence[Numbered], now: datetime
    ) -> list[Event]:
        """Takes results in, and writes down what people are owed now. Returns the new events."""
        by_check: dict[str, list[Numbered]] = {}
        for numbered in results:
            by_check.setdefault(numbered.result.check.name, []).append(numbered)
        silenced = silences.active(connection, now)
        acknowledged = incidents.acknowledged(connection)
        events: list[Event] = []
        for info in self._order:
            entry = self._entries[info.name]
            if entry.incident in acknowledged and not entry.state.acknowledged:
                entry.state = policy.acknowledge(entry.state)
            new = [n for n in by_check.get(info.name, ()) if n.number > entry.number]
            history.add(connection, map(_row, new))
            for numbered in new:
                self._observe(connection, entry, numbered)
                events += self._decide(connection, entry, silenced, now)
            if not new and entry.last is not None:
                events += self._decide(connection, entry, silenced, now)
            self._save(connection, entry, now)
        return events

    def _observe(self, connection: Connection, entry: _Entry, numbered: Numbered) -> None:
        result, before = numbered.result, entry.state
        entry.number, entry.last = numbered.number, result.outcome
        if result.outcome.status is not Status.HEALTHY:
            entry.last_bad = result.outcome
        state = policy.observe(before, result.outcome.status, result.at, entry.rules)
        entry.state = state
        error = result.outcome.message or ""
        if state.level > before.level:
            if before.level is Level.HEALTHY:
                entry.incident = self._begin(connection, entry, error, result.at)
            elif entry.incident is not None:
                incidents.worsen(connection, entry.incident, int(state.level), error)
        elif state.level is Level.HEALTHY < before.level and entry.incident is not None:
            incidents.finish(connection, entry.incident, state.until or result.at)

    @staticmethod
    def _begin(connection: Connection, entry: _Entry, error: str, at: datetime) -> int:
        began = entry.state.degraded.since if entry.state.degraded else at
        info, level = entry.info, int(entry.state.level)
        return incidents.begin(
            connection, info.name, info.label, info.severity.value, level, error, began
        )

    def _decide(
        self, connection: Connection, entry: _Entry, silenced: Iterable[Silence], now: datetime
    ) -> list[Event]:
        zone = self._settings.service.zone
        windows = self._settings.maintenance
        entry.state, decisions = policy.decide(
            entry.state,
            now,
            entry.rules,
            muted=routing.mute(entry.info, now, silenced, windows, zone) is not None,
            explained=any(self._fails(name) for name in self._above[entry.info.name]),
        )
        return [self._tell(connection, entry, decision, now) for decision in decisions]

    def _fails(self, name: str) -> bool:
        """Whether a check is down, or has just failed and may turn out to be: what depends on it
        waits for that."""
        entry = self._entries.get(name)
        return entry is not None and (entry.state.failing or entry.state.level is Level.DOWN)

    def _tell(
        self, connection: Connection, entry: _Entry, decision: Decision, now: datetime
    ) -> Event:
        """Writes an event and what it owes to whom."""
        event = Event(
            kind=decision.kind,
            check=entry.info,
            at=now,
            outcome=self._outcome(entry, decision.kind),
            since=decision.since,
            until=decision.until,
            incident=entry.incident,
            hides=self._hides(entry.info.name) if decision.kind in _HIDING else (),
            count=decision.count,
        )
        told = incidents.told(connection, entry.incident) if event.kind in routing.ENDS else ()
        settings = self._settings
        deliveries = routing.plan(
            event,
            settings.routes,
            settings.channels,
            settings.service.zone,
            settings.alerts.digest_at,
            told,
        )
        rank = records.RANKS[entry.info.severity]
        body = records.dump_event(event)
        number = incidents.add_event(connection, entry.incident, rank, now, body)
        for delivery in deliveries:
            outbox.owe(
                connection, number, delivery.channel, delivery.due, now, digest=delivery.digest
            )
        return event

    @staticmethod
    def _outcome(entry: _Entry, kind: EventKind) -> Outcome:
        chosen = entry.last_bad if kind in _BAD else None
        return chosen or entry.last or Outcome(Status.UNKNOWN)

    def _hides(self, name: str) -> tuple[str, ...]:
        hidden = routing.dependents(name, self._above)
        return tuple(self._entries[other].info.label for other in hidden)

    def _save(self, connection: Connection, entry: _Entry, now: datetime) -> None:
        text = records.dump_state(entry.state)
        stored = StoredState(text, entry.incident, self._epoch, entry.number)
        before = entry.stored and replace(entry.stored, epoch=self._epoch)
        if stored != before:
            incidents.save_state(connection, entry.info.name, stored, now)
            entry.stored = stored


def rules(info: CheckInfo, settings: Settings) -> Rules:
    """The settings of a check and of its route, as the policy needs them."""
    route, alerts = settings.routes.get(info.severity), settings.alerts
    return Rules(
        fail_after=info.fail_after,
        recover_after=info.recover_after,
        remind_every=route.remind_every if route else None,
        escalate_after=route.escalate_after if route else None,
        flap_window=alerts.flap_window,
        flap_start=alerts.flap_start / 100,
        flap_end=alerts.flap_end / 100,
    )


def _row(numbered: Numbered) -> history.Row:
    result = numbered.result
    return history.Row(result.check.name, result.at, result.outcome.status.value, result.duration)
