"""The steps that make a Kuma as declared: a pure function of both.

`plan` compares what is declared with what is ours in Kuma, and nothing else: a field that is not
declared keeps what a person has given it, a notification that a person has added to one of our
monitors stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from posapp.operations.kuma.declared import (
    DAYS,
    Declared,
    DeclaredPage,
    KumaError,
    Maintenance,
    Monitor,
)

TAG = "posapp"
"""The name of the tag on our monitors, whose value is the monitor's key; also the key of the mark
in a notification."""
PAGE_MARK = "/* made by posapp kuma */"


@dataclass(frozen=True)
class Remote:
    """The content of a Kuma, in its own words."""

    monitors: tuple[Mapping[str, Any], ...] = ()
    notifications: tuple[Mapping[str, Any], ...] = ()
    pages: tuple[Mapping[str, Any], ...] = ()
    maintenances: tuple[Mapping[str, Any], ...] = ()
    """Each with the ids of its monitors under `monitors`."""


@dataclass(frozen=True)
class Change:
    """One step: `fields` are what differs, `form` is what Kuma is to be given."""

    action: str
    kind: str
    key: str
    title: str
    fields: tuple[str, ...] = ()
    id: int | None = None
    form: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """For people: names alone, for values may be secrets."""
        changed = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{self.action} {self.kind} {self.title!r}{changed}"


def plan(declared: Declared, remote: Remote) -> list[Change]:
    """Returns the steps in their order: what others refer to first, removals last.

    Raises KumaError where a person's status page has the declared address.
    """
    ours = _Ours(remote)
    steps = [
        *_notifications(declared, ours),
        *_monitors(declared, ours),
        *_maintenances(declared, ours),
        *_page(declared.status_page, remote, ours),
    ]
    return [step for step in steps if step.action != "remove"] + [
        step for step in steps if step.action == "remove"
    ]


class _Ours:
    """That part of a Kuma that is ours, by key. Of several with one mark (a copy made by hand keeps
    it) the first made is ours."""

    def __init__(self, remote: Remote) -> None:
        self.monitors = _by_key(remote.monitors, _monitor_key)
        self.notifications = _by_key(remote.notifications, lambda one: one.get(TAG))
        self.maintenances = _by_key(remote.maintenances, _maintenance_key)
        self.monitor_keys = {one["id"]: key for key, one in self.monitors.items()}
        self.notification_keys = {one["id"]: key for key, one in self.notifications.items()}


def _by_key(found: Any, key_of: Any) -> dict[str, Mapping[str, Any]]:
    ordered = sorted(found, key=lambda one: int(one["id"]), reverse=True)
    return {key: one for one in ordered if (key := key_of(one))}


def _monitor_key(monitor: Mapping[str, Any]) -> str | None:
    values = [tag.get("value") for tag in monitor.get("tags", ()) if tag.get("name") == TAG]
    return values[0] if values else None


def maintenance_mark(key: str) -> str:
    return f"[{TAG}:{key}]"


def _maintenance_key(window: Mapping[str, Any]) -> str | None:
    _, mark, rest = str(window.get("description") or "").rpartition(f"[{TAG}:")
    return rest.removesuffix("]") if mark and rest.endswith("]") else None


def _step(
    kind: str, key: str, title: str, form: Mapping[str, Any], there: Mapping[str, Any] | None
) -> Iterator[Change]:
    if there is None:
        yield Change("create", kind, key, title, form=form)
        return
    changed = tuple(name for name, value in form.items() if not _same(there.get(name), value))
    if changed:
        yield Change("update", kind, key, title, changed, int(there["id"]), form)


def _same(there: Any, wanted: Any) -> bool:
    """Kuma keeps true as 1 and nothing as null or an empty text."""
    if isinstance(wanted, bool):
        return bool(there) is wanted
    return (there or None) == (wanted or None)


def _removed(kind: str, there: Mapping[str, Mapping[str, Any]], wanted: Any) -> Iterator[Change]:
    for key, one in there.items():
        if key not in wanted:
            title = str(one.get("name") or one.get("title"))
            yield Change("remove", kind, key, title, id=int(one["id"]))


def _notifications(declared: Declared, ours: _Ours) -> Iterator[Change]:
    wanted = declared.enabled_notifications()
    for key, form in wanted.items():
        marked = {**form, TAG: key}
        there = ours.notifications.get(key)
        yield from _step("notification", key, str(form["name"]), marked, there)
    yield from _removed("notification", ours.notifications, wanted)


def monitor_form(monitor: Monitor) -> dict[str, Any]:
    """A monitor in Kuma's words, seconds for durations."""
    seconds = int(monitor.interval.total_seconds())
    retry = monitor.retry_interval
    form: dict[str, Any] = {
        "name": monitor.name,
        "type": monitor.type,
        "interval": seconds,
        "maxretries": monitor.retries,
        "retryInterval": int(retry.total_seconds()) if retry else seconds,
    }
    if monitor.type == "push":
        return form
    form |= {"url": monitor.url, "expiryNotification": monitor.certificate}
    if monitor.type == "keyword":
        form["keyword"] = monitor.keyword
    if monitor.type == "json-query":
        form |= {"jsonPath": monitor.json_path, "expectedValue": monitor.expected}
    return form


def _monitors(declared: Declared, ours: _Ours) -> Iterator[Change]:
    enabled = declared.enabled_notifications()
    for key, monitor in declared.monitors.items():
        asked = enabled if monitor.notifications is None else monitor.notifications
        notified = sorted(set(asked) & enabled.keys())
        form = {**monitor_form(monitor), "notifications": notified}
        there = ours.monitors.get(key)
        if there is not None:
            linked = [ours.notification_keys.get(int(one)) for one in _ids(there)]
            there = {**there, "notifications": sorted(one for one in linked if one in enabled)}
        yield from _step("monitor", key, monitor.name, form, there)
    yield from _removed("monitor", ours.monitors, declared.monitors)


def _ids(monitor: Mapping[str, Any]) -> list[Any]:
    """A list, or the keys of `{"3": true}`."""
    return list(monitor.get("notificationIDList") or ())


def _maintenances(declared: Declared, ours: _Ours) -> Iterator[Change]:
    for key, window in declared.maintenance.items():
        there = ours.maintenances.get(key)
        if there is not None:
            there = {
                **there,
                "start": _time(there, 0),
                "end": _time(there, 1),
                "timezone": there.get("timezoneOption") or there.get("timezone"),
                "monitors": sorted(ours.monitor_keys.get(one, "?") for one in there["monitors"]),
            }
        yield from _step("maintenance", key, window.title, maintenance_form(key, window), there)
    yield from _removed("maintenance", ours.maintenances, declared.maintenance)


def maintenance_form(key: str, window: Maintenance) -> dict[str, Any]:
    """A window in words that can be compared; `weekdays` are cron's, from Sunday, 0."""
    return {
        "title": window.title,
        "description": maintenance_mark(key),
        "strategy": "recurring-weekday",
        "weekdays": sorted((DAYS.index(day) + 1) % 7 for day in window.days),
        "start": window.start,
        "end": window.end,
        "timezone": window.timezone,
        "monitors": sorted(window.monitors),
    }


def _time(window: Mapping[str, Any], place: int) -> str | None:
    times = window.get("timeRange") or ()
    if len(times) <= place:
        return None
    return f"{times[place]['hours']:02}:{times[place]['minutes']:02}"


def _page(page: DeclaredPage | None, remote: Remote, ours: _Ours) -> Iterator[Change]:
    if page is None:
        return
    there = next((one for one in remote.pages if one["slug"] == page.slug), None)
    if there is not None and PAGE_MARK not in str(there.get("customCSS") or ""):
        raise KumaError(
            f"the status page {page.slug!r} was made by hand; choose another slug, or remove it"
        )
    form = {"title": page.title, "groups": {name: list(keys) for name, keys in page.groups.items()}}
    if there is not None:
        there = {**there, "groups": _groups(there, ours.monitor_keys)}
    yield from _step("status page", page.slug, page.title, form, there)


def _groups(page: Mapping[str, Any], keys: Mapping[int, str]) -> dict[str, list[str]]:
    return {
        group["name"]: [keys.get(one["id"], "?") for one in group["monitorList"]]
        for group in page.get("publicGroupList") or ()
    }
