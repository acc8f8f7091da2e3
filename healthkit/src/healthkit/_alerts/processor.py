"""Takes results in and writes events with their deliveries out: one round is one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from healthkit._alerts import policy, routing
from healthkit._alerts.policy import Rules
from healthkit._config.objectives import counting
from healthkit._config.settings import Settings
from healthkit._model.alerts import Decision, Event, EventKind, Level, Silence, State
from healthkit._model.budgets import events_of
from healthkit._model.checks import CheckInfo, Outcome, Result, Severity, Status
from healthkit._store import history, incidents, outbox
from healthkit._store.incidents import StoredState

log = logging.getLogger("healthkit")

_BAD = frozenset({EventKind.DOWN, EventKind.DEGRADED, EventKind.REMINDER, EventKind.ESCALATION})
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
"""0 for critical, and so on."""
_INHIBITING = frozenset({EventKind.DOWN, EventKind.REMINDER, EventKind.ESCALATION})


@dataclass(frozen=True, slots=True)
class SequencedResult:
    """A result with its number within the epoch, by which none is processed twice."""

    number: int
    result: Result


@dataclass(slots=True)
class _CheckRecord:
    info: CheckInfo
    rules: Rules
    state: State = field(default_factory=State)
    incident: int | None = None
    number: int = 0
    last: Outcome | None = None
    """None until the check has been seen in this epoch: nothing is decided on old results."""
    last_bad: Outcome | None = None
    stored: StoredState | None = None


class ResultProcessor:
    """The states of all checks, as the leader of an epoch knows them.

    They equal the store's after `load`, and after each `process` whose transaction was committed;
    when one was not, load them again.
    """

    def __init__(self, settings: Settings, epoch: int) -> None:
        self._settings = settings
        self._epoch = epoch
        infos = [check.info for check in settings.checks]
        self._above = routing.ancestors(infos)
        self._order = sorted(infos, key=lambda info: len(self._above[info.name]))
        self._unreachable = {
            *routing.unreachable(settings.checks, settings.routes, settings.channels),
            *(check.info.name for check in settings.checks if check.silent),
        }
        self._counting = counting(settings.checks)
        self._records: dict[str, _CheckRecord] = {}

    def load(self, connection: Connection) -> None:
        """Reads the states from the store; the last outcomes are kept."""
        stored = incidents.load_states(connection)
        before, self._records = self._records, {}
        for info in self._order:
            record = _CheckRecord(info, rules(info, self._settings))
            if (known := stored.get(info.name)) is not None:
                record.state, record.incident = known.state, known.incident
                record.number = known.number if known.epoch == self._epoch else 0
                record.stored = known
            if (old := before.get(info.name)) is not None:
                record.last, record.last_bad = old.last, old.last_bad
            self._records[info.name] = record

    def process(
        self, connection: Connection, results: Sequence[SequencedResult], now: datetime
    ) -> list[Event]:
        """Takes results in, and stores the notifications that are due. Returns the new events."""
        by_check: dict[str, list[SequencedResult]] = {}
        for one in results:
            by_check.setdefault(one.result.check.name, []).append(one)
        silences = incidents.active_silences(connection, now)
        acknowledged = incidents.acknowledged(connection)
        events: list[Event] = []
        for info in self._order:
            record = self._records[info.name]
            if record.incident in acknowledged and not record.state.acknowledged:
                record.state = policy.acknowledge(record.state)
            new = [n for n in by_check.get(info.name, ()) if n.number > record.number]
            history.add(connection, [self._row(one) for one in new], now)
            for one in new:
                self._observe(connection, record, one)
                events += self._decide(connection, record, silences, now)
            if not new and record.last is not None:
                events += self._decide(connection, record, silences, now)
            self._save(connection, record, now)
        return events

    def _row(self, one: SequencedResult) -> history.Row:
        """Makes the row of a result; planned maintenance counts neither as up nor as down."""
        result, settings = one.result, self._settings
        planned = routing.in_maintenance(
            result.check, result.at, settings.maintenance, settings.service.zone
        )
        status = history.MAINTENANCE if planned else result.outcome.status.value
        name = result.check.name
        events = events_of(result.outcome.details) if name in self._counting else None
        return history.Row(name, result.at, status, result.duration, events)

    def _observe(self, connection: Connection, record: _CheckRecord, one: SequencedResult) -> None:
        result, before = one.result, record.state
        record.number, record.last = one.number, result.outcome
        if result.outcome.status is not Status.HEALTHY:
            record.last_bad = result.outcome
        state = policy.observe(before, result.outcome.status, result.at, record.rules)
        record.state = state
        error = result.outcome.message or ""
        if state.level > before.level:
            if before.level is Level.HEALTHY:
                began = state.degraded.since if state.degraded else result.at
                record.incident = incidents.open_incident(
                    connection, record.info, state.level, error, began
                )
            elif record.incident is not None:
                incidents.raise_level(connection, record.incident, state.level, error)
        elif state.level is Level.HEALTHY < before.level and record.incident is not None:
            incidents.close_incident(connection, record.incident, state.until or result.at)

    def _decide(
        self,
        connection: Connection,
        record: _CheckRecord,
        silences: Iterable[Silence],
        now: datetime,
    ) -> list[Event]:
        zone = self._settings.service.zone
        windows = self._settings.maintenance
        record.state, decisions = policy.decide(
            record.state,
            now,
            record.rules,
            muted=routing.mute_reason(record.info, now, silences, windows, zone) is not None,
            inhibited=any(
                self._fails(name) and self._speaks_for(name, record.info, silences, now)
                for name in self._above[record.info.name]
            ),
        )
        return [self._record_event(connection, record, decision, now) for decision in decisions]

    def _fails(self, name: str) -> bool:
        """Whether a check is down, or has just failed and may turn out to be: what depends on it
        waits for that."""
        record = self._records.get(name)
        return record is not None and (record.state.failing or record.state.level is Level.DOWN)

    def _speaks_for(
        self, name: str, check: CheckInfo, silences: Iterable[Silence], now: datetime
    ) -> bool:
        """Whether what is told of a cause is at least as loud as what is told of `check`: else the
        check is told in its own right."""
        cause = self._records[name].info
        if name in self._unreachable or _RANKS[cause.severity] > _RANKS[check.severity]:
            return False
        zone = self._settings.service.zone
        windows = self._settings.maintenance
        return routing.mute_reason(cause, now, silences, windows, zone) is None

    def _record_event(
        self, connection: Connection, record: _CheckRecord, decision: Decision, now: datetime
    ) -> Event:
        """Stores an event and its deliveries."""
        event = Event(
            kind=decision.kind,
            check=record.info,
            at=now,
            outcome=self._outcome(record, decision.kind),
            since=decision.since,
            until=decision.until,
            incident=record.incident,
            inhibits=self._inhibits(record.info) if decision.kind in _INHIBITING else (),
            count=decision.count,
        )
        ends = event.kind in routing.RECOVERY_KINDS
        notified = incidents.notified_channels(connection, record.incident) if ends else ()
        settings = self._settings
        deliveries = routing.plan_deliveries(
            event,
            settings.routes,
            settings.channels,
            settings.service.zone,
            settings.alerts.digest_at,
            notified,
        )
        number = incidents.add_event(connection, event)
        for delivery in deliveries:
            outbox.enqueue(connection, number, delivery, now)
        return event

    @staticmethod
    def _outcome(record: _CheckRecord, kind: EventKind) -> Outcome:
        chosen = record.last_bad if kind in _BAD else None
        return chosen or record.last or Outcome(Status.UNKNOWN)

    def _inhibits(self, cause: CheckInfo) -> tuple[str, ...]:
        """Returns the labels of the checks of which nothing is told while `cause` fails."""
        if cause.name in self._unreachable:
            return ()
        dependents = [self._records[n].info for n in routing.dependents(cause.name, self._above)]
        quiet = [d for d in dependents if _RANKS[cause.severity] <= _RANKS[d.severity]]
        return tuple(check.label for check in quiet)

    def _save(self, connection: Connection, record: _CheckRecord, now: datetime) -> None:
        stored = StoredState(record.state, record.incident, self._epoch, record.number)
        before = record.stored and replace(record.stored, epoch=self._epoch)
        if stored != before:
            incidents.save_state(connection, record.info.name, stored, now)
            record.stored = stored


def rules(info: CheckInfo, settings: Settings) -> Rules:
    """Returns the settings of a check and of its route, as the policy needs them."""
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
