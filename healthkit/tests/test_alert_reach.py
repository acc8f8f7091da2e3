"""Whom a fault reaches, by the rules of routes, channels, windows and quiet hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from healthkit import CheckInfo, Event, EventKind, Outcome, Severity
from healthkit._alerts import routing
from healthkit._config.alert_tables import ChannelSettings, MaintenanceSettings, RouteSettings
from healthkit._config.checks import configure_check
from healthkit._config.table import parse_quiet_hours

JAKARTA = ZoneInfo("Asia/Jakarta")
CHECK = CheckInfo("database", "Database", severity=Severity.HIGH, tags=("db",))
NOON = datetime(2026, 6, 1, 5, tzinfo=UTC)
"""Of a Monday in Jakarta."""


class Fine:
    def run(self, context):
        return Outcome.healthy()


def channel(url="json://host", *tags):
    return ChannelSettings(url=SecretStr(url), tags=tags)


def window(**settings):
    return MaintenanceSettings(start="12:00", duration="1h", **settings)


@pytest.mark.parametrize(
    ("now", "due"),
    [("2026-06-01", "2026-06-04"), ("2026-06-03", "2026-06-04"), ("2026-06-05", "2026-06-11")],
)
def test_a_digest_of_a_week_comes_on_thursdays(now, due):
    found = routing.next_digest(
        datetime.fromisoformat(f"{now}T05:00Z"), timedelta(days=7), JAKARTA, time(8)
    )
    assert found == datetime.fromisoformat(f"{due}T08:00+07:00")


def test_a_check_is_in_the_first_window_that_covers_it_and_is_open():
    windows = {
        "of another": window(checks=["disk"]),
        "of another hour": MaintenanceSettings(start="14:00", duration="1h"),
        "of its tag": window(tags=["db"]),
        "of all": window(),
    }
    assert routing.in_maintenance(CHECK, NOON, windows, JAKARTA) == "of its tag"
    assert routing.in_maintenance(CHECK, NOON + timedelta(hours=1), windows, JAKARTA) is None


def test_windows_are_looked_for_no_further_back_than_one_can_last():
    begins = [
        begin.astimezone(JAKARTA).day
        for begin, _ in routing.occurrences(window(), NOON, JAKARTA, 2)
    ]
    assert begins == [31, 1, 2, 3]
    long = MaintenanceSettings(start="12:00", duration="2d")
    assert len([*routing.occurrences(long, NOON, JAKARTA, 0)]) == 4


@pytest.mark.parametrize(
    ("clock", "ends"),
    [("21:59:59", None), ("22:00", "07:00"), ("06:59:59", "07:00"), ("07:00", None)],
)
def test_quiet_hours_begin_and_end_at_their_minute(clock, ends):
    hours = parse_quiet_hours("22:00-07:00")
    at = datetime.fromisoformat(f"2026-06-02T{clock}+07:00")
    found = routing.quiet_until(at, hours, JAKARTA)
    assert (found and found.astimezone(JAKARTA).strftime("%H:%M")) == ends


@pytest.mark.parametrize("text", ["07:00-07:00", "7:00-07:00", "0:00 - 00:00"])
def test_quiet_hours_that_never_end_are_refused_however_they_are_written(text):
    with pytest.raises(ValueError, match="are not quiet hours"):
        parse_quiet_hours(text)


@pytest.mark.parametrize(("clock", "digest"), [("12:00", False), ("23:00", True)])
def test_what_is_sent_outside_quiet_hours_comes_at_once_and_alone(clock, digest):
    at = datetime.fromisoformat(f"2026-06-02T{clock}+07:00")
    routes = {
        Severity.HIGH: RouteSettings(
            channels=("people",), quiet_hours=parse_quiet_hours("22:00-07:00")
        )
    }
    event = Event(EventKind.DOWN, CHECK, at, Outcome.unhealthy("gone"))
    (delivery,) = routing.plan_deliveries(event, routes, {"people": channel()}, JAKARTA, time(8))
    assert delivery.digest is digest
    assert (delivery.due == at) is not digest


def test_a_check_that_reaches_nobody_is_named_with_why_unless_it_is_silent():
    def reasons(names, channels, **settings):
        check = configure_check("till", Fine(), severity="high", tags=["db"], **settings)
        routes = {Severity.HIGH: RouteSettings(channels=names)}
        return routing.unreachable([check], routes, channels)

    on, off, other = channel(), channel(""), channel("json://host", "kitchen")
    assert reasons(("on",), {"on": on}) == {}
    assert reasons(("gone", "on"), {"on": on}) == {}
    assert reasons(("db",), {"db": channel("json://host", "db")}) == {}
    assert "names no channel" in reasons((), {"on": on})["till"]
    assert "is off" in reasons(("off",), {"off": off})["till"]
    assert "is off" in reasons(("gone",), {"on": on})["till"]
    assert "has a tag of its own" in reasons(("other",), {"other": other})["till"]
    assert reasons(("off",), {"off": off}, silent=True) == {}
