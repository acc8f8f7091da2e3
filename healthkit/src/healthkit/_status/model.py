"""The page as values, and the rules by which its figures are made.

Everything here may be seen by strangers: labels, states, times and what staff have written; never
a name of the configuration, a host, a path or the text of an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from healthkit._model.budgets import Budget
from healthkit._model.uptime import Uptime

SPANS: Mapping[str, timedelta] = {
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "365d": timedelta(days=365),
}
DAYS = 90
"""Of the bars."""
_SHADES = (0, 1, 5, 25)
"""Per cent: a bar is darker where more was lost on its day."""


class ComponentState(StrEnum):
    """The state of a component now; `unknown` where nobody looks."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class Headline(StrEnum):
    """The one sentence for the whole; see `headline` for its rule."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL = "partial-outage"
    MAJOR = "major-outage"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a component was down; `ended` is None while it lasts."""

    began: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day in the service's zone: its results, and the outages that touch it."""

    day: date
    results: Uptime
    outages: tuple[Outage, ...] = ()

    @property
    def lost(self) -> float | None:
        """The share of the day's results that was lost, 0 to 1; None without any result."""
        share = self.results.share
        return None if share is None else 1 - share

    @property
    def shade(self) -> int | None:
        """0 where nothing was lost, to 4; None without any result."""
        bad, total = self.results.bad, self.results.total
        return sum(100 * bad > limit * total for limit in _SHADES) if total else None


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """Of the results of one hour: the median and the 95th percentile, in seconds."""

    hour: datetime
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Component:
    """A check as strangers see it."""

    label: str
    group: str
    critical: bool
    state: ComponentState
    since: datetime | None
    uptime: Mapping[str, Uptime]
    days: tuple[Day, ...]
    response_times: tuple[ResponseTime, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """A text of staff about an incident, and its time."""

    id: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """A fault that was confirmed, or something that staff have opened themselves."""

    id: str
    title: str
    state: ComponentState
    began_at: datetime
    ended_at: datetime | None
    updates: tuple[Update, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedMaintenance:
    """A window to come, or that is open; no component means all."""

    began_at: datetime
    ends_at: datetime
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """All that the page shows. `watched` is false where no watcher has looked lately."""

    service: str
    at: datetime
    watched: bool
    components: tuple[Component, ...]
    incidents: tuple[PublicIncident, ...] = ()
    planned: tuple[PlannedMaintenance, ...] = ()
    budgets: tuple[Budget, ...] = ()
    """Of the service level objectives; what checks they are about is not said."""

    @property
    def headline(self) -> Headline:
        return headline(self.components)

    @property
    def groups(self) -> list[tuple[str, list[Component]]]:
        """The components by group, in the order of the configuration."""
        found: dict[str, list[Component]] = {}
        for component in self.components:
            found.setdefault(component.group, []).append(component)
        return list(found.items())


def headline(components: Iterable[Component]) -> Headline:
    """Returns the sentence for the whole: unknown where nothing is known; a major outage where a
    critical component is down, or all are; a partial one where any other is; then degraded, then
    maintenance."""
    states = [component.state for component in components]
    if all(state is ComponentState.UNKNOWN for state in states):
        return Headline.UNKNOWN
    down = [one for one in components if one.state is ComponentState.DOWN]
    if down:
        whole = len(down) == len(states) or any(one.critical for one in down)
        return Headline.MAJOR if whole else Headline.PARTIAL
    if ComponentState.DEGRADED in states:
        return Headline.DEGRADED
    if ComponentState.MAINTENANCE in states:
        return Headline.MAINTENANCE
    return Headline.UNKNOWN if ComponentState.UNKNOWN in states else Headline.OPERATIONAL


def percentage(uptime: Uptime | None) -> float | None:
    """Returns the uptime in per cent with two digits, floored: 100 only where nothing was lost.
    None without any result."""
    if uptime is None or not uptime.total:
        return None
    return uptime.good * 10_000 // uptime.total / 100


def format_percentage(uptime: Uptime | None, none: str = "-") -> str:
    """Returns `99.95%`, floored; `none` without any result."""
    found = percentage(uptime)
    return none if found is None else f"{found:.2f}%"
