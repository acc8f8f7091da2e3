"""The wall clock is set, by a day back or ten years ahead: no alert is lost, muted or told twice,
and nothing is dropped or counted as fresh by it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import CheckInfo, Event, EventKind, Outcome, Status
from healthkit._alerts.patience import Failures, backoff
from healthkit._builtin import evaluate_heartbeat
from healthkit._model.alerts import Delivery
from healthkit._model.budgets import Objective
from healthkit._model.uptime import Uptime
from healthkit._status.model import SPANS
from healthkit._store import bars, history, incidents, measures, outbox, pruning
from healthkit._store.tables import deliveries, events
from healthkit.testing import StubResponse

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = [-400 * DAY, -DAY, -HOUR, HOUR, DAY, 3653 * DAY]


def event(at=NOW):
    return Event(EventKind.DOWN, CheckInfo("c", "Check"), at, Outcome.unhealthy("gone"))


def seconds(post):
    return post.clock.monotonic()


@pytest.mark.parametrize("there", JUMPS)
@pytest.mark.parametrize("back", [True, False])
def test_a_channel_that_failed_while_the_clock_was_wrong_is_tried_after_its_pause(
    post, http_sink, there, back
):
    http_sink.answers(500)
    post.open(a={"url": http_sink.url("/a", "json")})
    post.clock.jump(there)
    post.owe("a", event(post.clock.now()))
    post.until(lambda: http_sink.requests)
    http_sink.answers(200)
    if back:
        post.clock.jump(-there)
    begun = seconds(post)
    post.until(lambda: post.counts() == {})
    assert seconds(post) - begun < 600
    assert len({request.body for request in http_sink.requests}) == 1


@pytest.mark.parametrize("jump", JUMPS)
def test_patience_is_time_that_passed(post, http_sink, other_sink, jump):
    http_sink.answers(500)
    post.open(
        a={"url": http_sink.url("/a", "json"), "fallback": "b"},
        b={"url": other_sink.url("/b", "json")},
    )
    post.owe("a", event())
    post.until(lambda: http_sink.requests)
    begun = seconds(post)
    post.clock.jump(jump)
    post.until(lambda: other_sink.requests, step=5.0)
    # Five minutes by no clock on the wall, and what a busy machine takes to deliver it.
    assert 290 < seconds(post) - begun < 3000
    assert len(other_sink.requests) == 1


def test_the_fallback_takes_over_when_patience_ends_whatever_a_service_asks_for(
    post, http_sink, other_sink
):
    http_sink.respond_with(lambda _: StubResponse(429, headers={"Retry-After": "86400"}))
    post.open(
        a={"url": http_sink.url("/a", "json"), "fallback": "b"},
        b={"url": other_sink.url("/b", "json")},
    )
    post.owe("a", event())
    post.until(lambda: other_sink.requests, step=5.0)
    assert seconds(post) < 3000
    assert len(http_sink.requests) == 1, "it was left alone for as long as it asked"


@given(st.lists(st.floats(0.1, 400), min_size=1, max_size=30), st.floats(1, 1000))
def test_what_waited_for_as_long_as_patience_lasts_is_handed_on_and_nothing_else(gaps, patience):
    failures, now, came = Failures(patience), 0.0, {}
    failures.add(1, now, 1.0)
    for number, gap in enumerate(gaps, start=1):
        came[number] = now
        upto = failures.waited(number, now)
        handed = [n for n in came if upto is not None and n <= upto]
        assert handed == [n for n, at in came.items() if now - at >= patience]
        now += gap
    failures.clear()
    assert not failures
    assert failures.waited(99, now) is None


@pytest.mark.parametrize("patience", [1, 60, 300, 86400])
def test_the_attempts_of_a_whole_patience_count_as_it_after_a_restart(patience):
    most = Failures(patience).most_attempts
    assert sum(backoff(n, 0.0).total_seconds() for n in range(1, most + 1)) >= patience
    assert sum(backoff(n, 0.0).total_seconds() for n in range(1, most)) < patience
    restarted = Failures(patience)
    restarted.add(most, 0.0, 1.0)
    assert restarted.waited(1, 0.0) is not None
    fresh = Failures(patience)
    fresh.add(most - 1, 0.0, 1.0)
    assert fresh.waited(1, 0.0) is None


@pytest.mark.parametrize("jump", [-400 * DAY, -DAY])
def test_a_digest_that_was_put_off_by_a_clock_ahead_is_due_when_it_is_put_back(store, jump):
    ahead = NOW - jump
    with store.transaction() as connection:
        number = incidents.add_event(connection, event(ahead))
        outbox.enqueue(connection, number, Delivery("a", ahead + HOUR, digest=True), ahead)
        assert outbox.due_channels(connection, ahead) == set()
        assert outbox.due_channels(connection, NOW) == {"a"}


@pytest.mark.parametrize("jump", JUMPS)
def test_what_happened_first_is_told_first_whatever_the_clock_said_then(store, jump):
    """Else a check that is well again is told to be down, last."""
    with store.transaction() as connection:
        for at in (NOW, NOW + jump, NOW + jump + HOUR):
            number = incidents.add_event(connection, event(at))
            outbox.enqueue(connection, number, Delivery("a", at), at)
        claimed = [
            outbox.claim_batch(connection, "a", NOW + 4000 * DAY, burst=9, named=9).events[0].at
            for _ in range(3)
        ]
    assert claimed == [NOW, NOW + jump, NOW + jump + HOUR]


def test_a_silence_lasts_no_longer_for_a_clock_that_was_put_back(store):
    with store.transaction() as connection:
        incidents.add_silence(connection, NOW + HOUR, NOW)
        assert incidents.active_silences(connection, NOW)
        assert incidents.active_silences(connection, NOW - timedelta(minutes=1))
        assert not incidents.active_silences(connection, NOW - DAY)
        assert not incidents.active_silences(connection, NOW + HOUR)


@pytest.mark.parametrize("ahead", [2 * HOUR, DAY, 3653 * DAY])
def test_a_heartbeat_that_is_dated_ahead_is_not_fresh_until_then(ahead):
    late = evaluate_heartbeat(NOW + ahead, NOW + ahead, NOW, HOUR, timedelta(0))
    assert late.status is Status.UNHEALTHY
    minute = NOW + timedelta(minutes=1)
    assert evaluate_heartbeat(minute, minute, NOW, HOUR, timedelta(0)).status is Status.HEALTHY


def rows(*moments):
    return [history.Row("c", moment, "healthy", 0.1) for moment in moments]


def count(connection, table):
    return len(connection.execute(table.select()).all())


def pruned(store, now, passed):
    """Each in a transaction of its own, as the watcher does it."""
    with store.transaction() as connection:
        pruning.prune(connection, now, passed)


@pytest.mark.parametrize("hours", [1, 5])
def test_a_clock_that_is_ten_years_ahead_drops_no_more_than_twice_what_passed(store, hours):
    with store.transaction() as connection:
        history.add(connection, rows(*(NOW - 6 * DAY - hour * HOUR for hour in range(24))), NOW)
        incidents.add_event(connection, event(NOW - 80 * DAY))
        incidents.add_silence(connection, NOW - 80 * DAY, NOW - 81 * DAY)
    pruned(store, NOW, None)
    for _ in range(4 * hours):
        pruned(store, NOW + 3653 * DAY, timedelta(minutes=15))
    with store.transaction() as connection:
        assert 24 - 2 * hours - 1 <= count(connection, history.history) <= 24
        assert count(connection, events) == 1
    pruned(store, NOW + 5 * HOUR, timedelta(minutes=5))
    with store.transaction() as connection:
        history.add(connection, rows(NOW + 4 * HOUR), NOW + 5 * HOUR)
    pruned(store, NOW + 6 * HOUR, HOUR)
    hour = int((NOW + 4 * HOUR).timestamp()) // 3600
    with store.transaction() as connection:
        summed = {row.hour for row in connection.execute(history.hourly.select())}
    assert hour in summed, "the hours after the jump are summed up as ever"


def test_what_is_old_is_dropped_as_time_passes(store):
    with store.transaction() as connection:
        history.add(connection, rows(NOW - 6 * DAY), NOW)
        incidents.add_event(connection, event(NOW - 91 * DAY))
    pruned(store, NOW, None)
    with store.transaction() as connection:
        assert count(connection, history.history) == count(connection, events) == 1
    for step in range(1, 13):
        pruned(store, NOW + step * 6 * HOUR, 6 * HOUR)
    with store.transaction() as connection:
        assert count(connection, history.history) == count(connection, events) == 0
        assert count(connection, deliveries) == 0


def test_a_clock_that_is_set_back_for_a_while_costs_no_hour_and_no_day(store):
    """Not even those whose results are dropped: a day is kept for ever."""
    for day in range(120, -1, -6):
        now = NOW - day * DAY
        with store.transaction() as connection:
            history.add(connection, rows(*(now - hour * HOUR for hour in (1, 2, 30))), now)
        pruned(store, now, 6 * DAY)

    def sums():
        with store.reading() as connection:
            return [
                [tuple(row)[:3] for row in connection.execute(table.select().order_by(period))]
                for table, period in (
                    (history.hourly, history.hourly.c.hour),
                    (history.daily, history.daily.c.day),
                )
            ]

    before = sums()
    assert len(before[1]) > 20
    for back in (50, 110, 3):
        pruned(store, NOW - back * DAY, timedelta(minutes=5))
        pruned(store, NOW, timedelta(minutes=5))
        assert sums() == before, f"{back} days back"


def measured_ahead(store, ahead, *, summed):
    """One good result an hour ago, and failures of a clock that was ahead, and is right again."""
    with store.transaction() as connection:
        failures = [history.Row("c", NOW + ahead, "unhealthy", 0.1) for _ in range(3)]
        history.add(connection, rows(NOW - HOUR), NOW)
        history.add(connection, failures, NOW + ahead)
        if summed:
            history.roll_up(connection, NOW + ahead + 2 * DAY, NOW)


@pytest.mark.parametrize("ahead", [HOUR, 10 * DAY, 400 * DAY])
@pytest.mark.parametrize("summed", [True, False])
def test_results_of_a_clock_that_was_ahead_are_no_uptime_of_any_span(store, ahead, summed):
    measured_ahead(store, ahead, summed=summed)
    with store.reading() as connection:
        found = {name: history.uptime(connection, NOW, span) for name, span in SPANS.items()}
    assert found == {name: {"c": Uptime(1, 1)} for name in SPANS}


@pytest.mark.parametrize("summed", [True, False])
def test_results_of_a_clock_that_was_ahead_darken_no_bar_of_today(store, summed):
    measured_ahead(store, 2 * HOUR, summed=summed)
    with store.reading() as connection:
        days = bars.count_days(connection, NOW, ZoneInfo("Asia/Jakarta"), 90)
    assert sum(day.bad for day in days["c"].values()) == 0


def test_a_check_that_has_stopped_is_absent_although_a_clock_ahead_has_dated_its_last_result(store):
    measured_ahead(store, DAY, summed=False)
    silence = {"c": timedelta(minutes=5)}
    promise = Objective("o", "O", silence, Fraction(99, 100), "30d", ZoneInfo("UTC"), least=2)
    with store.reading() as connection:
        assert measures.measure(connection, promise, NOW).last == {"c": NOW - HOUR}
