"""A Kuma over its socket: uptime-kuma-api2, and what that one leaves out.

The library knows no set-up of the database, refuses a key of ours in a notification, makes a push
token of ten characters that are no secret, and sends its first call before 2.x listens.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from socketio.exceptions import SocketIOError
from uptime_kuma_api import MaintenanceStrategy, UptimeKumaApi, UptimeKumaException

from healthkit.masking import one_line
from posapp.operations.kuma.declared import KumaError
from posapp.operations.kuma.planning import PAGE_MARK, TAG, Change, Remote

START_LIMIT = 30.0
"""Seconds that a Kuma may take to begin to answer, as after its own start."""
CALL_LIMIT = 10.0
"""Seconds of one call."""
_PAUSE = 0.02
"""Seconds that the library waits for more of a list; those that are read here come whole."""
_COLOR = "#1e66f5"


class _Api(UptimeKumaApi):  # type: ignore[misc]
    """Waits until the server has registered its handlers, which it does after its first `info`."""

    def __init__(self, url: str) -> None:
        self._greeted = threading.Event()
        super().__init__(url, timeout=CALL_LIMIT, wait_events=_PAUSE)
        if not self._greeted.wait(CALL_LIMIT):
            self.disconnect()
            raise UptimeKumaException("it accepts connections and says nothing")

    def _event_info(self, data: Any) -> None:
        super()._event_info(data)
        self._greeted.set()

    def _parsed_version(self) -> Any:
        """The library takes any 2.0 before its time for 2.0; what came before the first beta has
        the columns of 1.23, and refuses others."""
        found = super()._parsed_version()
        return type(found)("1.23") if str(self.version).startswith("2.0.0-dev.") else found


class Kuma:
    """One Uptime Kuma in which somebody is signed in; `new` where that account was just made."""

    def __init__(self, api: _Api, new: bool) -> None:
        self._api = api
        self.new = new

    def read(self) -> Remote:
        """Returns what is in it. Raises UptimeKumaException."""
        api = self._api
        windows = api.get_maintenances()
        for window in windows:
            window["monitors"] = [one["id"] for one in api.get_monitor_maintenance(window["id"])]
        return Remote(
            monitors=tuple(api.get_monitors()),
            notifications=tuple(api.get_notifications()),
            pages=tuple(api.get_status_page(one["slug"]) for one in api.get_status_pages()),
            maintenances=tuple(windows),
        )

    def push_tokens(self) -> dict[str, str]:
        """The tokens of our push monitors, by key."""
        return {
            key: str(one["pushToken"])
            for key, one in self._ours("monitor").items()
            if one["type"] == "push"
        }

    def apply(self, change: Change) -> None:
        """Carries out one step. Raises UptimeKumaException."""
        if change.action == "remove":
            getattr(self._api, f"delete_{change.kind}")(change.id)
        else:
            getattr(self, f"_put_{change.kind.replace(' ', '_')}")(change)

    def _ours(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Ours by key, as it is now: earlier steps may have made it."""
        if kind == "notification":
            return {one[TAG]: one for one in self._api.get_notifications() if TAG in one}
        found = sorted(self._api.get_monitors(), key=lambda one: int(one["id"]), reverse=True)
        return {
            tag["value"]: one for one in found for tag in one.get("tags", ()) if tag["name"] == TAG
        }

    def _put_notification(self, change: Change) -> None:
        """The server keeps the whole object, so that our mark stays in it."""
        form = {"isDefault": False, "applyExisting": False, **change.form}
        answer = self._api.sio.call("addNotification", (form, change.id), timeout=CALL_LIMIT)
        if not answer["ok"]:
            raise UptimeKumaException(answer.get("msg"))

    def _put_monitor(self, change: Change) -> None:
        ours = self._ours("notification")
        form = {key: value for key, value in change.form.items() if key != "notifications"}
        wanted = [int(ours[key]["id"]) for key in change.form["notifications"]]
        if change.id is not None:
            mine = {int(one["id"]) for one in ours.values()}
            there = self._api.get_monitor(change.id)["notificationIDList"]
            by_hand = [int(one) for one in there if int(one) not in mine]
            self._api.edit_monitor(change.id, **form, notificationIDList=[*wanted, *by_hand])
            return
        number = self._api.add_monitor(**form, notificationIDList=wanted)["monitorID"]
        if form["type"] == "push":
            self._api.edit_monitor(number, pushToken=secrets.token_hex(16))
        self._api.add_monitor_tag(self._tag(), number, change.key)

    def _tag(self) -> int:
        for tag in self._api.get_tags():
            if tag["name"] == TAG:
                return int(tag["id"])
        return int(self._api.add_tag(name=TAG, color=_COLOR)["id"])

    def _put_maintenance(self, change: Change) -> None:
        form = change.form
        fields = {
            "title": form["title"],
            "description": form["description"],
            "strategy": MaintenanceStrategy.RECURRING_WEEKDAY,
            "weekdays": form["weekdays"],
            "timeRange": [_time_of_day(form["start"]), _time_of_day(form["end"])],
            "timezoneOption": form["timezone"],
        }
        if change.id is None:
            number = self._api.add_maintenance(**fields)["maintenanceID"]
        else:
            number = change.id
            self._api.edit_maintenance(number, **fields)
        monitors = [{"id": int(self._ours("monitor")[key]["id"])} for key in form["monitors"]]
        self._api.add_monitor_maintenance(number, monitors)

    def _put_status_page(self, change: Change) -> None:
        if change.id is None:
            self._api.add_status_page(change.key, change.form["title"])
        ours = self._ours("monitor")
        groups = [
            {
                "name": name,
                "weight": place,
                "monitorList": [{"id": ours[key]["id"]} for key in keys],
            }
            for place, (name, keys) in enumerate(change.form["groups"].items(), 1)
        ]
        fields = {"title": change.form["title"], "publicGroupList": groups}
        css = str(self._api.get_status_page(change.key).get("customCSS") or "")
        if PAGE_MARK not in css:
            fields["customCSS"] = f"{PAGE_MARK}\n{css}".strip()
        self._api.save_status_page(change.key, **fields)


def _time_of_day(text: str) -> dict[str, int]:
    hours, _, minutes = text.partition(":")
    return {"hours": int(hours), "minutes": int(minutes), "seconds": 0}


@contextmanager
def opened(url: str, username: str, password: str, *, set_up: bool) -> Iterator[Kuma | None]:
    """Signs in to the Kuma at `url`. Where nobody has an account there yet, `set_up` makes the
    first one (and has 2.x choose SQLite); without it there is nothing to look at: None.

    Raises KumaError.
    """
    with _as_kuma_error(url):
        if _entry_page(url) == "setup-database":
            if not set_up:
                yield None
                return
            _choose_sqlite(url)
        api = _Api(url)
    try:
        with _as_kuma_error(url):
            new = api.need_setup()
            if new and not set_up:
                yield None
                return
            if new:
                api.setup(username, password)
            _log_in(api, url, username, password)
            yield Kuma(api, new)
    finally:
        api.disconnect()


def _log_in(api: _Api, url: str, username: str, password: str) -> None:
    try:
        answer = api.login(username, password)
    except UptimeKumaException:
        raise KumaError(
            f"{url} refuses KUMA_USERNAME {username!r} with KUMA_PASSWORD, or has had too many"
            " wrong ones: wait a minute"
        ) from None
    if "tokenRequired" in answer:
        raise KumaError(f"{url} asks {username!r} for a second factor; use an account without one")


@contextmanager
def _as_kuma_error(url: str) -> Iterator[None]:
    """A Kuma that is not there, or refuses, is one line. Its own words are quoted and never
    interpreted: 2.x sends keys of translations."""
    try:
        yield
    except (UptimeKumaException, SocketIOError, requests.RequestException) as error:
        reason = one_line(str(error)) or type(error).__name__
        raise KumaError(f"Uptime Kuma at {url}: {reason}") from None


def _entry_page(url: str) -> str:
    """The type of the page that it shows first, once it answers at all. Raises KumaError."""
    until = time.monotonic() + START_LIMIT
    while True:
        try:
            answer = requests.get(f"{url}/api/entry-page", timeout=CALL_LIMIT)
            if answer.status_code == 200:
                return str(answer.json()["type"])
            reason = f"answers {answer.status_code}; is that a Kuma?"
        except requests.ConnectionError:
            raise KumaError(
                f"nothing listens at {url}: start Uptime Kuma, or correct KUMA_URL"
            ) from None
        except (ValueError, TypeError, LookupError):  # no JSON, or another's
            reason = "is no Uptime Kuma"
        if reason.startswith("is") or time.monotonic() > until:
            raise KumaError(f"{url} {reason}; correct KUMA_URL")
        time.sleep(0.2)  # 2.x holds the port while it migrates


def _choose_sqlite(url: str) -> None:
    body = {"dbConfig": {"type": "sqlite"}}
    requests.post(f"{url}/setup-database", json=body, timeout=CALL_LIMIT).raise_for_status()
    until = time.monotonic() + START_LIMIT
    while time.monotonic() < until:
        try:
            if _entry_page(url) != "setup-database":
                return
        except KumaError:  # between its two servers nothing listens
            pass
        time.sleep(0.2)
    raise KumaError(f"{url} does not come up after its database was chosen; see its log")
