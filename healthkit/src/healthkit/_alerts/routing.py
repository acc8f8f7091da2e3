"""Plans who is notified, and when: pure functions of an event, the settings and the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo

from healthkit._config.alert_tables import ChannelSettings, MaintenanceSettings, RouteSettings
from healthkit._config.settings import ConfiguredCheck
from healthkit._config.table import QuietHours
from healthkit._model.alerts import Delivery, Event, EventKind, Silence
from healthkit._model.checks import CheckInfo, Severity

_EPOCH = date(1970, 1, 1)
RECOVERY_KINDS = frozenset({EventKind.UP, EventKind.RESTORED, EventKind.STEADY})
"""Events that end a fault or the flapping of a check."""

_NO_ROUTE = RouteSettings()
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def matches(check: CheckInfo, checks: Sequence[str], tags: Sequence[str]) -> bool:
    """Whether a silence or a maintenance window covers a check."""
    if not checks and not tags:
        return True
    return check.name in checks or any(tag in check.tags for tag in tags)


def mute_reason(
    check: CheckInfo,
    now: datetime,
    silences: Iterable[Silence],
    windows: Mapping[str, MaintenanceSettings],
    zone: ZoneInfo,
) -> str | None:
    """Returns why a new fault of this check sends no notification now, or None."""
    for silence in silences:
        if now < silence.until and matches(check, silence.checks, silence.tags):
            return f"silence {silence.id}"
    name = in_maintenance(check, now, windows, zone)
    return f"maintenance {name}" if name else None


def in_maintenance(
    check: CheckInfo, now: datetime, windows: Mapping[str, MaintenanceSettings], zone: ZoneInfo
) -> str | None:
    """Returns the name of the window that a check is in now, or None."""
    for name, window in windows.items():
        if matches(check, window.checks, window.tags) and in_window(window, now, zone):
            return name
    return None


def was_planned(
    check: CheckInfo,
    began: datetime,
    ended: datetime,
    windows: Mapping[str, MaintenanceSettings],
    zone: ZoneInfo,
) -> bool:
    """Whether a time lies within one window that the check is in."""
    return any(
        begin <= began and ended <= end
        for window in windows.values()
        if matches(check, window.checks, window.tags)
        for begin, end in occurrences(window, began, zone, 0)
    )


def in_window(window: MaintenanceSettings, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a recurring window is open. Its start is wall-clock time in `zone`, its length is
    real time, so a change to or from summer time neither moves nor stretches it."""
    return any(begin <= now < end for begin, end in occurrences(window, now, zone, 0))


def occurrences(
    window: MaintenanceSettings, now: datetime, zone: ZoneInfo, days: int
) -> Iterator[tuple[datetime, datetime]]:
    """Yields when a window is open, from those that may be open now to those that begin within so
    many days, in UTC."""
    today = now.astimezone(zone).date()
    for distance in range(-window.duration.days - 1, days + 1):
        day = today + timedelta(days=distance)
        if window.days and _WEEKDAYS[day.weekday()] not in window.days:
            continue
        start = datetime.combine(day, window.start, zone).astimezone(UTC)
        yield start, start + window.duration


def ancestors(checks: Iterable[CheckInfo]) -> dict[str, frozenset[str]]:
    """Returns all that each check depends on, directly or not. The graph has no cycle: the
    configuration was refused otherwise."""
    direct = {check.name: check.depends_on for check in checks}
    found: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(direct).static_order():
        above = direct.get(name, ())
        found[name] = frozenset(above).union(*(found[other] for other in above))
    return found


def dependents(name: str, reached: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Returns the checks that are inhibited while `name` is down."""
    return tuple(sorted(other for other, above in reached.items() if name in above))


def plan_deliveries(
    event: Event,
    routes: Mapping[Severity, RouteSettings],
    channels: Mapping[str, ChannelSettings],
    zone: ZoneInfo,
    digest_at: time,
    notified: Sequence[str] = (),
) -> tuple[Delivery, ...]:
    """Returns the deliveries of an event. Channels that are off get none; a channel with tags gets
    only checks that share one. `notified` are the channels that had messages of the same incident:
    they get its end too, whatever the route says by now."""
    route = routes.get(event.check.severity, _NO_ROUTE)
    escalating = event.kind is EventKind.ESCALATION
    names = [*(route.escalate_to if escalating else route.channels)]
    wanted = [name for name in names if _accepts(channels.get(name), event.check)]
    if event.kind in RECOVERY_KINDS:
        wanted += [name for name in notified if name in channels and channels[name].enabled]
    due, digest = event.at, False
    if route.digest is not None and not escalating:
        due, digest = next_digest(event.at, route.digest, zone, digest_at), True
    elif route.quiet_hours and event.check.severity is not Severity.CRITICAL:
        ends = quiet_until(event.at, route.quiet_hours, zone)
        due, digest = (ends, True) if ends else (due, False)
    return tuple(Delivery(name, due, digest) for name in dict.fromkeys(wanted))


def unreachable(
    checks: Iterable[ConfiguredCheck],
    routes: Mapping[Severity, RouteSettings],
    channels: Mapping[str, ChannelSettings],
) -> dict[str, str]:
    """Returns the checks whose faults reach nobody, but for the `silent` ones, each with why."""
    found = {}
    for check in checks:
        if not check.silent and (why := _reaches_nobody(check.info, routes, channels)):
            found[check.info.name] = why
    return found


def _reaches_nobody(
    check: CheckInfo,
    routes: Mapping[Severity, RouteSettings],
    channels: Mapping[str, ChannelSettings],
) -> str:
    names = routes.get(check.severity, _NO_ROUTE).channels
    if not names:
        return f"no route for its severity: [routes.{check.severity}] names no channel"
    known = [name for name in names if name in channels]
    if not any(channels[name].enabled for name in known):
        return f"each channel of [routes.{check.severity}] is off, for its url is empty"
    if not any(_accepts(channels[name], check) for name in known):
        return f"no channel of [routes.{check.severity}] that is on has a tag of its own"
    return ""


def _accepts(channel: ChannelSettings | None, check: CheckInfo) -> bool:
    if channel is None or not channel.enabled:
        return False
    return not channel.tags or bool(set(channel.tags) & set(check.tags))


def next_digest(now: datetime, every: timedelta, zone: ZoneInfo, at: time) -> datetime:
    """Returns when the next digest is sent: every so many whole days at `at` by the wall clock, or,
    for less than a day, at whole multiples since midnight. Never more than `every` away (an hour
    more or less where summer time changes)."""
    local = now.astimezone(zone)
    days = every // timedelta(days=1)
    if days < 1:
        midnight = datetime.combine(local.date(), time(), zone).astimezone(UTC)
        step = (now - midnight) // every + 1
        return midnight + step * every
    day = local.date()
    day -= timedelta(days=(day - _EPOCH).days % days)
    due = datetime.combine(day, at, zone).astimezone(UTC)
    while due <= now:
        day += timedelta(days=days)
        due = datetime.combine(day, at, zone).astimezone(UTC)
    return due


def quiet_until(now: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime | None:
    """Returns when the quiet hours around `now` end, or None outside them."""
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        start = datetime.combine(day, quiet.start, zone).astimezone(UTC)
        end_day = day if quiet.start < quiet.end else day + timedelta(days=1)
        end = datetime.combine(end_day, quiet.end, zone).astimezone(UTC)
        if start <= now < end:
            return end
    return None
