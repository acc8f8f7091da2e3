"""Reads the status page from the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from healthkit._alerts import routing
from healthkit._config.objectives import objectives_of
from healthkit._config.settings import ConfiguredCheck, Settings
from healthkit._model.alerts import Incident, Level
from healthkit._model.budget_rules import budget
from healthkit._model.budgets import Budget
from healthkit._model.checks import Severity
from healthkit._model.uptime import Uptime
from healthkit._status.model import (
    DAYS,
    SPANS,
    Component,
    ComponentState,
    Day,
    Outage,
    PlannedMaintenance,
    PublicIncident,
    PublicStatus,
    ResponseTime,
    Update,
)
from healthkit._store import bars, history, incidents, lease, measures, notices
from healthkit._store.bars import Days

_SHOWN_FOR = timedelta(days=14)
"""Time for which an incident that has ended is on the page."""
_PLANNED_FOR = 7
"""Days of planned maintenance that are shown."""
_MOST_INCIDENTS = 1_000
_HOURS = 24
"""Of response times."""
_STATES = {
    Level.HEALTHY: ComponentState.OPERATIONAL,
    Level.DEGRADED: ComponentState.DEGRADED,
    Level.DOWN: ComponentState.DOWN,
}


Bounds = list[tuple[date, datetime, datetime]]
"""Days, each with when it begins and ends."""


@dataclass(frozen=True)
class Figures:
    """Sums of results: they cost more to read, and change slowly."""

    uptime: Mapping[str, Mapping[str, Uptime]]
    """By span, then by check."""
    days: Days
    response_times: Mapping[str, tuple[ResponseTime, ...]]
    budgets: Mapping[str, Budget]
    """By the objective's name."""


class Reader:
    """Reads the page of `settings`. What an hour's response times were is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._checks = [check for check in settings.checks if check.public]
        self._objectives = objectives_of(settings)
        self._hours: dict[tuple[str, int], ResponseTime | None] = {}

    def figures(self, connection: Connection, now: datetime) -> Figures:
        """Reads uptimes, days and response times."""
        zone = self._settings.service.zone
        return Figures(
            {name: history.uptime(connection, now, span) for name, span in SPANS.items()},
            bars.count_days(connection, now, zone, DAYS),
            {c.info.name: self._response_times(connection, c.info.name, now) for c in self._checks},
            {
                name: budget(objective, measures.measure(connection, objective, now))
                for name, objective in self._objectives.items()
            },
        )

    def page(self, connection: Connection, now: datetime, figures: Figures) -> PublicStatus:
        """Reads what is so now, and joins it with the figures."""
        watched = lease.leader(connection, now) is not None
        stored = incidents.load_states(connection)
        found = _incidents_of(connection)
        bounds = self._bounds(now)
        components = [
            self._component(
                check,
                stored[check.info.name].state.level if check.info.name in stored else None,
                [one for one in found if one.check == check.info.name],
                figures,
                now,
                bounds,
                watched=watched,
            )
            for check in self._checks
        ]
        return PublicStatus(
            service=self._settings.service.name,
            at=now,
            watched=watched,
            components=tuple(components),
            incidents=self._incidents(connection, found, now),
            planned=tuple(self._planned(now)),
            budgets=tuple(
                replace(found, absent=())
                for name, found in figures.budgets.items()
                if self._settings.slo[name].public
            ),
        )

    def blank(self, now: datetime) -> PublicStatus:
        """Returns the page of a store that nobody has read yet."""
        none = Figures({name: {} for name in SPANS}, {}, {}, {})
        bounds = self._bounds(now)
        components = [
            self._component(check, None, [], none, now, bounds, watched=False)
            for check in self._checks
        ]
        name = self._settings.service.name
        return PublicStatus(name, now, False, tuple(components), (), tuple(self._planned(now)))

    # One component

    def _component(
        self,
        check: ConfiguredCheck,
        level: Level | None,
        found: list[Incident],
        figures: Figures,
        now: datetime,
        bounds: Bounds,
        *,
        watched: bool,
    ) -> Component:
        name, settings = check.info.name, self._settings
        state = ComponentState.UNKNOWN
        if routing.in_maintenance(check.info, now, settings.maintenance, settings.service.zone):
            state = ComponentState.MAINTENANCE
        elif watched and level is not None:
            state = _STATES[level]
        found = [one for one in found if not self._was_planned(one, check, now)]
        current = next((one for one in found if one.ended_at is None), None)
        outages = [Outage(i.began_at, i.ended_at) for i in found if i.level is Level.DOWN]
        return Component(
            label=check.info.label,
            group=check.group or "",
            critical=check.info.severity is Severity.CRITICAL,
            state=state,
            since=current.began_at if current else None,
            uptime={
                span: by_check.get(name, Uptime(0, 0)) for span, by_check in figures.uptime.items()
            },
            days=tuple(_days(bounds, figures.days.get(name, {}), outages, now)),
            response_times=figures.response_times.get(name, ()),
        )

    def _was_planned(self, incident: Incident, check: ConfiguredCheck, now: datetime) -> bool:
        """Whether it lies within planned maintenance, which is no outage."""
        windows, zone = self._settings.maintenance, self._settings.service.zone
        ended = incident.ended_at or now
        return routing.was_planned(check.info, incident.began_at, ended, windows, zone)

    def _bounds(self, now: datetime) -> Bounds:
        """Returns those of the bars."""
        zone = self._settings.service.zone
        today = now.astimezone(zone).date()
        days = [today - timedelta(days=back) for back in reversed(range(-1, DAYS))]
        begins = [datetime.combine(day, time(0), zone).astimezone(UTC) for day in days]
        return list(zip(days[:-1], begins[:-1], begins[1:], strict=True))

    def _response_times(
        self, connection: Connection, check: str, now: datetime
    ) -> tuple[ResponseTime, ...]:
        """Returns those of the last day's whole hours, each read once."""
        current = int(now.timestamp()) // 3600
        hours = range(current - _HOURS, current)
        for hour in hours:
            if (check, hour) not in self._hours:
                self._hours[check, hour] = _percentiles(connection, check, hour)
        for key in [key for key in self._hours if key[1] not in hours]:
            del self._hours[key]
        return tuple(found for hour in hours if (found := self._hours[check, hour]))

    # Incidents and maintenance

    def _incidents(
        self, connection: Connection, found: list[Incident], now: datetime
    ) -> tuple[PublicIncident, ...]:
        since = now - _SHOWN_FOR
        checks = {check.info.name: check for check in self._checks}
        found = [
            one
            for one in found
            if one.check in checks and (one.ended_at is None or one.ended_at > since)
        ]
        planned = {one.id for one in found if self._was_planned(one, checks[one.check], now)}
        by_staff = notices.list_notices(connection, since)
        ids = [one.id for one in found], [one.id for one in by_staff]
        updates: dict[tuple[int | None, int | None], list[Update]] = {}
        for note in notices.list_notes(connection, *ids):
            update = Update(f"note-{note.id}", note.at, note.text)
            updates.setdefault((note.incident, note.notice), []).append(update)
        shown = [
            PublicIncident(
                f"incident-{one.id}",
                checks[one.check].info.label,
                _STATES[one.level],
                one.began_at,
                one.ended_at,
                tuple(updates.get((one.id, None), ())),
            )
            for one in found
            if one.id not in planned or (one.id, None) in updates  # staff have told of that one
        ]
        shown += [
            PublicIncident(
                f"notice-{one.id}",
                one.title,
                ComponentState.DEGRADED,
                one.began_at,
                one.ended_at,
                tuple(updates.get((None, one.id), ())),
            )
            for one in by_staff
        ]
        return tuple(sorted(shown, key=lambda one: one.began_at, reverse=True))

    def _planned(self, now: datetime) -> list[PlannedMaintenance]:
        found = []
        for window in self._settings.maintenance.values():
            covered = [
                c for c in self._checks if routing.matches(c.info, window.checks, window.tags)
            ]
            if not covered:
                continue
            labels = () if len(covered) == len(self._checks) else (c.info.label for c in covered)
            zone = self._settings.service.zone
            for begin, end in routing.occurrences(window, now, zone, _PLANNED_FOR):
                if end > now:
                    found.append(PlannedMaintenance(begin, end, tuple(labels)))
                    break
        return sorted(found, key=lambda one: one.began_at)


def _incidents_of(connection: Connection) -> list[Incident]:
    """Returns the latest, and those that are open however many have come since."""
    found = {
        one.id: one
        for only_open in (True, False)
        for one in incidents.latest(connection, _MOST_INCIDENTS, only_open=only_open)
    }
    return sorted(found.values(), key=lambda one: one.id, reverse=True)


def _days(
    bounds: Bounds, counted: Mapping[date, Uptime], outages: list[Outage], now: datetime
) -> Iterable[Day]:
    for day, begin, end in bounds:
        touching = tuple(o for o in outages if o.began < end and (o.ended or now) > begin)
        yield Day(day, counted.get(day, Uptime(0, 0)), touching)


def _percentiles(connection: Connection, check: str, hour: int) -> ResponseTime | None:
    seconds = bars.response_times(connection, check, hour)
    if not seconds:
        return None
    last = len(seconds) - 1
    begins = datetime.fromtimestamp(hour * 3600, UTC)
    return ResponseTime(begins, seconds[last // 2], seconds[round(last * 0.95)])
