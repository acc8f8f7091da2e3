"""The rules of the status page: its headline, its uptimes, and its days as the store counts."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import Outcome
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._model.checks import Result, Status
from healthkit._model.uptime import Uptime
from healthkit._status.model import (
    Component,
    Day,
    Headline,
    format_percentage,
    headline,
    percentage,
)
from healthkit._status.words import WORDS
from healthkit._store import bars, history
from healthkit._store.database import Store

from .status_kit import (
    DOWN,
    JAKARTA,
    LIMITED,
    NOW,
    PLANNED,
    UNKNOWN,
    UP,
    add_results,
    lead,
    settings_of,
)

# The rules


def component(state, critical=False, label="Database"):
    return Component(label, "", critical, state, None, {}, ())


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ([], Headline.UNKNOWN),
        ([component(UNKNOWN), component(UNKNOWN)], Headline.UNKNOWN),
        ([component(UP), component(UP)], Headline.OPERATIONAL),
        ([component(UP), component(UNKNOWN)], Headline.UNKNOWN),
        ([component(UP), component(PLANNED)], Headline.MAINTENANCE),
        ([component(LIMITED), component(PLANNED)], Headline.DEGRADED),
        ([component(UP), component(DOWN)], Headline.PARTIAL),
        ([component(UP), component(DOWN, critical=True)], Headline.MAJOR),
        ([component(DOWN), component(DOWN)], Headline.MAJOR),
        ([component(DOWN), component(UNKNOWN), component(LIMITED)], Headline.PARTIAL),
    ],
)
def test_one_rule_makes_the_headline(components, said):
    assert headline(components) is said


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_an_uptime_is_never_rounded_up_and_whole_only_where_nothing_was_lost(good, lost):
    uptime = Uptime(good, good + lost)
    found = percentage(uptime)
    if not uptime.total:
        assert found is None
        return
    assert found * uptime.total <= good * 100 + uptime.total * 1e-6
    assert (found == 100) == (lost == 0)
    assert format_percentage(uptime) == f"{found:.2f}%"


def test_every_text_is_there_in_every_language():
    assert set(WORDS["en"]) == set(WORDS["id"])
    for key in WORDS["en"]:
        assert re.findall(r"{\w+}", WORDS["en"][key]) == re.findall(r"{\w+}", WORDS["id"][key])


@pytest.mark.parametrize(
    ("good", "total", "shade"),
    [(0, 0, None), (5, 5, 0), (999, 1000, 1), (98, 100, 2), (90, 100, 3), (1, 2, 4), (0, 1, 4)],
)
def test_a_bar_is_as_dark_as_the_share_that_was_lost(good, total, shade):
    assert Day(date(2026, 1, 1), Uptime(good, total)).shade == shade


@pytest.mark.parametrize("total", [100, 300, 10_000])
@pytest.mark.parametrize(("limit", "shade"), [(1, 1), (5, 2), (25, 3)])
def test_a_bar_at_a_limit_is_the_lighter_one_at_each_of_them(limit, shade, total):
    bad = limit * total // 100
    assert Day(date(2026, 1, 1), Uptime(total - bad, total)).shade == shade
    assert Day(date(2026, 1, 1), Uptime(total - bad - 1, total)).shade == shade + 1


# The store


def test_a_day_begins_at_midnight_in_the_services_zone(store):
    midnight = datetime(2026, 1, 19, 17, tzinfo=UTC)  # of the 20th in Jakarta
    add_results(store, "db", midnight - timedelta(minutes=5), 3)
    add_results(store, "db", midnight, 4, status="unhealthy")
    with store.transaction() as connection:
        assert bars.count_days(connection, NOW, JAKARTA, 90)["db"] == {
            date(2026, 1, 19): Uptime(3, 3),
            date(2026, 1, 20): Uptime(0, 4),
        }
        history.roll_up(connection, NOW)
        assert bars.count_days(connection, NOW, JAKARTA, 90)["db"] == {
            date(2026, 1, 19): Uptime(3, 3),
            date(2026, 1, 20): Uptime(0, 4),
        }


def test_sums_of_a_clock_that_was_ahead_hide_no_result_of_today(store):
    ahead = NOW + timedelta(days=400)
    add_results(store, "db", ahead, 2)
    with store.transaction() as connection:
        history.roll_up(connection, ahead + timedelta(hours=1), NOW)
    add_results(store, "db", NOW, 3)
    with store.reading() as connection:
        counted = bars.count_days(connection, NOW, JAKARTA, 90)["db"]
    assert counted == {date(2026, 1, 20): Uptime(3, 3)}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_no_result_is_lost_or_counted_twice_where_clocks_change(tmp_path, zone):
    store = Store(f"sqlite:///{tmp_path}/store.db")
    now = datetime(2026, 4, 10, 12, tzinfo=UTC)
    for hours in range(0, 80 * 24, 7):
        add_results(store, "db", now - timedelta(hours=hours))
    with store.transaction() as connection:
        history.roll_up(connection, now)
        counted = bars.count_days(connection, now, ZoneInfo(zone), 90)["db"]
    assert sum(one.total for one in counted.values()) == len(range(0, 80 * 24, 7))
    assert max(counted) == now.astimezone(ZoneInfo(zone)).date()
    store.close()


def test_what_was_planned_counts_neither_as_up_nor_as_down(store):
    add_results(store, "db", NOW - timedelta(hours=3), 10)
    add_results(store, "db", NOW - timedelta(hours=2), 10, status=history.MAINTENANCE)
    add_results(store, "db", NOW - timedelta(hours=1), 10, status="unhealthy")
    with store.transaction() as connection:
        for _ in range(2):
            assert history.uptime(connection, NOW, timedelta(days=1))["db"] == Uptime(10, 20)
            assert bars.count_days(connection, NOW, JAKARTA, 90)["db"] == {
                date(2026, 1, 20): Uptime(10, 20)
            }
            history.roll_up(connection, NOW)
        assert history.uptime(connection, NOW, timedelta(days=60))["db"] == Uptime(10, 20)


def test_a_check_of_a_watcher_in_its_window_is_kept_out_of_the_history(store, store_url):
    """The whole way: a result within a planned window reaches the history as planned."""
    window = {"nightly": {"start": "10:00", "duration": "1h", "checks": ["cards"]}}
    settings = settings_of(store_url, more={"maintenance": window})
    info = next(check.info for check in settings.checks if check.info.name == "cards")
    lead(store)
    with store.transaction() as connection:
        processor = ResultProcessor(settings, 1)
        processor.load(connection)
        bad = Result(info, Outcome(Status.UNHEALTHY, "x"), at=NOW, duration=0.1)
        processor.process(connection, [SequencedResult(1, bad)], NOW)
        assert history.uptime(connection, NOW, timedelta(days=1)) == {}
