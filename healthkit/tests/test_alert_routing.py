from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from healthkit import CheckInfo, Event, EventKind, Outcome, Severity
from healthkit._alerts import routing
from healthkit._config.alert_tables import ChannelSettings, MaintenanceSettings, RouteSettings
from healthkit._config.table import QuietHours, parse_quiet_hours

ZONES = [ZoneInfo(name) for name in ("Asia/Jakarta", "Europe/Berlin", "America/New_York", "UTC")]
MOMENTS = st.integers(1_700_000_000, 1_830_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0, tzinfo=None))
HOUR = timedelta(hours=1)
BERLIN, JAKARTA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Jakarta")


def event(kind=EventKind.DOWN, severity=Severity.HIGH, at=None, tags=()):
    check = CheckInfo("database", "Database", severity=severity, tags=tags)
    at = at or datetime(2026, 6, 1, 3, tzinfo=UTC)
    return Event(kind, check, at, Outcome.unhealthy("gone"))


def channels(**urls):
    return {
        name: ChannelSettings(url=SecretStr(url), tags=tags)
        for name, (url, *tags) in (
            (n, u if isinstance(u, tuple) else (u,)) for n, u in urls.items()
        )
    }


def plan(event, routes, known, told=()):
    return routing.plan_deliveries(event, routes, known, JAKARTA, time(8), told)


# Digests


@given(MOMENTS, st.sampled_from(ZONES), st.integers(1, 24 * 7), CLOCKS)
def test_a_digest_is_due_later_than_now_and_never_more_than_its_period_away(now, zone, hours, at):
    every = hours * HOUR
    due = routing.next_digest(now, every, zone, at)
    assert now < due <= now + every + HOUR


@given(MOMENTS, st.sampled_from(ZONES), st.integers(1, 7), CLOCKS)
def test_a_digest_of_whole_days_comes_at_its_hour_by_the_wall_clock(now, zone, days, at):
    due = routing.next_digest(now, timedelta(days=days), zone, at).astimezone(zone)
    skipped_by_summer_time = datetime.combine(due.date(), at, zone).astimezone(UTC)
    assert due == skipped_by_summer_time


@given(MOMENTS, st.sampled_from(ZONES), st.integers(1, 7))
def test_events_of_one_period_share_one_digest(now, zone, days):
    every = timedelta(days=days)
    due = routing.next_digest(now, every, zone, time(8))
    between = now + (due - now) / 2
    assert routing.next_digest(between, every, zone, time(8)) == due


def test_a_digest_that_is_due_now_is_followed_by_the_next():
    due = datetime(2026, 6, 1, 8, tzinfo=JAKARTA).astimezone(UTC)
    assert routing.next_digest(due, timedelta(days=1), JAKARTA, time(8)) == due + 24 * HOUR


# Planned work


@pytest.mark.parametrize(
    ("begin", "end", "planned"),
    [(1, 3, True), (2, 2, True), (0, 3, False), (1, 4, False), (3, 4, False), (4, 5, False)],
)
def test_what_was_planned_lies_within_one_window_from_its_first_moment_to_its_last(
    begin, end, planned
):
    window = MaintenanceSettings(start=time(1), duration=2 * HOUR, checks=("database",))
    midnight = datetime(2026, 6, 1, tzinfo=JAKARTA)
    spans = midnight + begin * HOUR, midnight + end * HOUR
    found = routing.was_planned(event().check, *spans, {"nightly": window}, JAKARTA)
    assert found is planned


# Quiet hours


@given(MOMENTS, st.sampled_from(ZONES), CLOCKS, CLOCKS)
def test_quiet_hours_end_at_their_hour_and_within_a_day(now, zone, start, end):
    if start == end:
        return
    ends = routing.quiet_until(now, QuietHours(start, end), zone)
    local = now.astimezone(zone)
    if ends is not None:
        assert now < ends <= now + 25 * HOUR
        assert routing.quiet_until(ends, QuietHours(start, end), zone) is None
    if zone.key in ("UTC", "Asia/Jakarta"):
        clock = local.time()
        inside = start <= clock < end if start < end else clock >= start or clock < end
        assert (ends is not None) is inside


def test_quiet_hours_let_critical_through_and_keep_the_rest_for_the_morning():
    quiet = RouteSettings(channels=("a",), quiet_hours=parse_quiet_hours("22:00-07:00"))
    night = datetime(2026, 6, 1, 20, tzinfo=UTC)  # 03:00 in Jakarta
    known = channels(a="json://x")
    critical = event(severity=Severity.CRITICAL, at=night)
    (now,) = plan(critical, {Severity.CRITICAL: quiet}, known)
    assert (now.due, now.digest) == (night, False)
    (kept,) = plan(event(at=night), {Severity.HIGH: quiet}, known)
    assert kept.due.astimezone(JAKARTA).time() == time(7)
    assert kept.digest


# Maintenance


@given(MOMENTS, st.sampled_from(ZONES), CLOCKS, st.integers(1, 7 * 24 * 60))
def test_a_window_is_open_from_its_wall_clock_start_for_its_real_length(now, zone, start, minutes):
    window = MaintenanceSettings(start=start.strftime("%H:%M"), duration=f"{minutes}m")
    opened = datetime.combine(now.astimezone(zone).date(), start, zone).astimezone(UTC)
    length = timedelta(minutes=minutes)
    assert routing.in_window(window, opened, zone)
    assert routing.in_window(window, opened + length - timedelta(seconds=1), zone)
    if minutes < 20 * 60:
        assert not routing.in_window(window, opened + length, zone)


@pytest.mark.parametrize("day", [29, 28])  # summer time begins on 29 March 2026 at 02:00
def test_a_window_neither_moves_nor_stretches_when_summer_time_begins(day):
    window = MaintenanceSettings(start="01:00", duration="2h")
    start = datetime(2026, 3, day, 1, tzinfo=BERLIN).astimezone(UTC)
    assert routing.in_window(window, start, BERLIN)
    assert routing.in_window(window, start + 2 * HOUR - timedelta(seconds=1), BERLIN)
    assert not routing.in_window(window, start + 2 * HOUR, BERLIN)


def test_a_window_of_some_days_begins_on_those_and_may_end_on_the_next():
    window = MaintenanceSettings(start="23:00", duration="3h", days=("sun",))
    sunday = datetime(2026, 6, 7, 23, 30, tzinfo=JAKARTA)
    assert routing.in_window(window, sunday, JAKARTA)
    assert routing.in_window(window, sunday + 2 * HOUR, JAKARTA)
    assert not routing.in_window(window, sunday - timedelta(days=1), JAKARTA)


# Silences, dependencies, channels


def test_a_silence_holds_until_its_end_for_its_checks_or_tags_and_names_itself():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    check = CheckInfo("database", "Database", tags=("core",))

    def why(now=now, **what):
        silence = routing.Silence(id=7, until=datetime(2026, 1, 1, 1, tzinfo=UTC), **what)
        return routing.mute_reason(check, now, [silence], {}, JAKARTA)

    assert why() == "silence 7"
    assert why(checks=("database",)) == why(tags=("core", "x")) == "silence 7"
    assert why(checks=("disk",)) is None
    assert why(now=now + HOUR) is None


def test_what_depends_on_a_check_directly_or_not_is_quiet_with_it():
    checks = [
        CheckInfo("database", "d"),
        CheckInfo("api", "a", depends_on=("database",)),
        CheckInfo("frontend", "f", depends_on=("api",)),
        CheckInfo("disk", "k"),
    ]
    reached = routing.ancestors(checks)
    assert routing.dependents("database", reached) == ("api", "frontend")
    assert reached["frontend"] == {"api", "database"}
    assert routing.dependents("disk", reached) == ()


def test_the_runbooks_table_of_severities_becomes_deliveries():
    routes = {
        Severity.CRITICAL: RouteSettings(channels=("telegram", "email", "call")),
        Severity.HIGH: RouteSettings(channels=("telegram", "email")),
        Severity.MEDIUM: RouteSettings(channels=("email",), digest=timedelta(days=1)),
        Severity.LOW: RouteSettings(channels=("email",), digest=timedelta(days=2)),
    }
    known = channels(telegram="json://t", email="json://e", call="json://c")
    sent = {
        severity: [(d.channel, d.digest) for d in plan(event(severity=severity), routes, known)]
        for severity in Severity
    }
    assert sent == {
        Severity.CRITICAL: [("telegram", False), ("email", False), ("call", False)],
        Severity.HIGH: [("telegram", False), ("email", False)],
        Severity.MEDIUM: [("email", True)],
        Severity.LOW: [("email", True)],
    }


def test_a_channel_that_is_off_or_listens_to_other_tags_gets_nothing():
    route = {Severity.HIGH: RouteSettings(channels=("off", "kitchen", "all", "all"))}
    known = channels(off="", kitchen=("json://k", "kitchen"), all="json://a")
    assert [d.channel for d in plan(event(), route, known)] == ["all"]
    told = plan(event(tags=("kitchen",)), route, known)
    assert [d.channel for d in told] == ["kitchen", "all"]


def test_an_escalation_goes_to_its_own_channels_at_once_even_from_a_digest():
    route = RouteSettings(channels=("a",), digest=HOUR, escalate_to=("b",), escalate_after=HOUR)
    known = channels(a="json://a", b="json://b")
    (told,) = plan(event(EventKind.ESCALATION), {Severity.HIGH: route}, known)
    assert (told.channel, told.digest) == ("b", False)


def test_whoever_was_told_of_a_fault_is_told_of_its_end():
    route = {Severity.HIGH: RouteSettings(channels=("a",))}
    known = channels(a="json://a", call="json://c", off="")
    up = plan(event(EventKind.UP), route, known, told=("a", "call", "off", "gone"))
    assert [d.channel for d in up] == ["a", "call"]
    again = plan(event(EventKind.REMINDER), route, known, told=("call",))
    assert [d.channel for d in again] == ["a"]
