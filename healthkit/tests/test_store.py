"""The store, on SQLite and on PostgreSQL by the same code."""

import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from healthkit import CheckInfo, Event, EventKind, Outcome, Severity, StoreError
from healthkit._model.alerts import Delivery, Level, State
from healthkit._store import (
    circuit_breakers,
    history,
    incidents,
    lease,
    notices,
    outbox,
    outbox_status,
    tables,
)
from healthkit._store.database import Store

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LENGTH = timedelta(seconds=10)


DATABASE = CheckInfo("db", "Database", severity=Severity.HIGH)


def an_event(name="event", severity=Severity.HIGH):
    check = CheckInfo("db", "Database", severity=severity)
    return Event(EventKind.DOWN, check, NOW, Outcome.unhealthy(name))


def owe(connection, channel="a", n=1, due=NOW, digest=False, severity=Severity.HIGH):
    for i in range(n):
        event = incidents.add_event(connection, an_event(f"event {i}", severity))
        outbox.enqueue(connection, event, Delivery(channel, due, digest), NOW)


def names(batch):
    """The events of a batch, by the names that `owe` gave them."""
    return tuple(event.outcome.message for event in batch.events)


def claim(store, channel="a", now=NOW, burst=5):
    with store.transaction() as connection:
        return outbox.claim_batch(connection, channel, now, burst=burst, named=20)


def test_a_store_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_knows(store_url):
    old = Store.__new__(Store)
    old.engine = Store(store_url).engine
    with old.transaction() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table not in (tables.heartbeats, tables.schema_version):
                table.drop(connection)
        connection.execute(text("UPDATE healthkit_schema SET version = 1"))
    with old.transaction() as connection:
        known = {"name": "nightly", "waiting_since": NOW, "last_at": NOW}
        connection.execute(insert(tables.heartbeats).values(**known))
    old.close()
    new = Store(store_url)
    assert new.last_beat("nightly") == NOW
    with new.reading() as connection:
        assert lease.leader(connection, NOW) is None
    new.close()


def test_a_store_that_is_gone_is_an_error_that_says_so(postgres, postgres_url):
    store = Store(postgres_url)
    with store.reading() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    postgres.drop(name)
    with pytest.raises(StoreError, match="cannot be read"), store.reading() as connection:
        connection.execute(text("SELECT 1"))
    store.close()


def test_a_store_whose_tables_are_deleted_while_it_is_used_is_begun_anew(store, caplog):
    assert store.last_beat("nightly") is None
    with store.engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            table.drop(connection)
    with pytest.raises(StoreError):
        store.last_beat("nightly")
    assert store.waiting_since("nightly", NOW) == NOW
    assert "its tables were gone: it begins anew" in caplog.text


def test_a_file_that_is_deleted_while_it_is_used_is_made_anew_for_its_owner_alone(tmp_path):
    folder = tmp_path / "var"
    store = Store(f"sqlite:///{folder}/store.db")
    shutil.rmtree(folder)
    with suppress(StoreError):
        store.waiting_since("nightly", NOW)
    assert store.waiting_since("nightly", NOW) == NOW
    assert (folder / "store.db").stat().st_mode & 0o777 == 0o600
    store.close()


def test_a_reader_waits_for_no_writer(store):
    with store.transaction() as writer:
        incidents.add_silence(writer, NOW + HOUR, NOW)
        with store.reading() as reader:
            assert incidents.active_silences(reader, NOW) == []


# The lease


def take(store, me, now=NOW):
    with store.transaction() as connection:
        return lease.acquire(connection, me, LENGTH, now)


@pytest.fixture
def clocked(tmp_path):
    """A store whose clock is the one that is handed in."""
    store = Store(f"sqlite:///{tmp_path}/clocked.db")
    yield store
    store.close()


def test_one_leads_until_its_lease_has_run_out_and_each_change_raises_the_epoch(clocked):
    assert take(clocked, "x a") == 1
    assert take(clocked, "x b") is None
    assert take(clocked, "x a", NOW + 9 * SECOND) == 1
    assert take(clocked, "x b", NOW + 18 * SECOND) is None
    assert take(clocked, "x b", NOW + 19 * SECOND) == 2
    assert take(clocked, "x a", NOW + 19 * SECOND) is None


def test_a_clock_put_back_by_an_hour_does_not_leave_the_lease_with_a_dead_watcher(clocked):
    assert take(clocked, "x a") == 1
    assert take(clocked, "x b", NOW - HOUR) == 2


def test_a_watcher_that_was_killed_on_this_machine_is_followed_at_once(clocked):
    code = "from healthkit._store import lease; print(lease.holder_identity())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert take(clocked, dead.stdout.strip()) == 1
    assert take(clocked, lease.holder_identity()) == 2
    assert take(clocked, "elsewhere/4/5 other host") is None, "and one that lives is not"


def test_a_former_leader_can_write_nothing(store):
    epoch = take(store, "x a")
    with store.transaction() as connection:
        lease.release(connection, epoch)
    assert take(store, "x b") == epoch + 1

    def write():
        with store.transaction() as connection:
            owe(connection)
            lease.fence(connection, epoch)

    with pytest.raises(lease.FencedError):
        write()
    with store.reading() as connection:
        assert outbox.due_channels(connection, NOW) == set()


def test_of_many_that_ask_at_once_one_leads(store):
    epochs = []

    def ask(i):
        for _ in range(5):
            epochs.append(take(store, f"x {i}", datetime.now(UTC)))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert [e for e in epochs if e is not None] == [1] * 5


# The outbox


def test_messages_of_a_channel_are_claimed_in_their_order_one_by_one(store):
    with store.transaction() as connection:
        owe(connection, n=3)
        owe(connection, "b")
    for i in range(3):
        message = claim(store)
        assert names(message) == (f"event {i}",)
        assert message.single
        with store.transaction() as connection:
            outbox.sent(connection, message, NOW)
    assert claim(store) is None
    assert claim(store, "b").single


def test_a_digest_waits_for_its_time_and_a_message_for_no_clock_that_was_put_back(store):
    with store.transaction() as connection:
        owe(connection, due=NOW + MINUTE, digest=True)
        owe(connection, "b", due=NOW + MINUTE)
        assert outbox.due_channels(connection, NOW) == {"b"}
    assert claim(store) is None
    assert claim(store, now=NOW + MINUTE)
    assert claim(store, "b")


def test_a_digest_is_all_that_is_due_in_one_with_the_gravest_first(store):
    with store.transaction() as connection:
        owe(connection, n=3, digest=True, severity=Severity.LOW)
        owe(connection, n=1, digest=True, severity=Severity.CRITICAL)
        owe(connection, n=1, digest=True, due=NOW + HOUR)
    message = claim(store)
    assert (message.total, message.digest, message.storm) == (4, True, False)
    assert names(message) == ("event 0", "event 0", "event 1", "event 2")


@pytest.mark.deep
def test_five_hundred_at_once_are_one_message_that_names_the_first(store):
    with store.transaction() as connection:
        owe(connection, n=500)
    message = claim(store)
    assert (message.total, len(message.events), message.storm) == (500, 20, True)
    with store.transaction() as connection:
        outbox.sent(connection, message, NOW)
    assert claim(store) is None


def test_a_failure_is_counted_and_the_message_keeps_its_place(store):
    with store.transaction() as connection:
        owe(connection, n=2)
    message = claim(store)
    with store.transaction() as connection:
        outbox.failed(connection, message, NOW, "HTTP 500", NOW + MINUTE)
        circuit = circuit_breakers.get_state(connection, "a")
    assert (circuit.failures, circuit.failing_since, circuit.error) == (1, NOW, "HTTP 500")
    assert circuit.retry_at == NOW + MINUTE
    again = claim(store, now=NOW + MINUTE)
    assert (names(again), again.attempts) == (("event 0",), 2)


def test_after_patience_the_fallback_gets_what_waited_and_knows_for_whom_it_was(store):
    with store.transaction() as connection:
        owe(connection, n=2)
    message = claim(store)
    with store.transaction() as connection:
        outbox.failed(connection, message, NOW, "refused", NOW)
        assert outbox.expire(connection, "a", NOW, 0, 99, "b") == 0
        newest = outbox.newest(connection, "a")
        assert outbox.expire(connection, "a", NOW + MINUTE, newest, 99, "b") == 2
        assert outbox_status.count_by_channel(connection) == {("b", "waiting"): 2}
    moved = claim(store, "b", NOW + MINUTE)
    assert (names(moved), moved.origins) == (("event 0",), ("a",))


def test_a_fallback_that_is_owed_the_same_event_already_does_not_get_it_twice(store):
    with store.transaction() as connection:
        event = incidents.add_event(connection, an_event())
        outbox.enqueue(connection, event, Delivery("a", NOW), NOW)
        outbox.enqueue(connection, event, Delivery("b", NOW), NOW)
    message = claim(store)
    with store.transaction() as connection:
        outbox.failed(connection, message, NOW, "refused", NOW)
        assert outbox.expire(connection, "a", NOW + MINUTE, 0, 1, "b") == 1, "it was tried once"
        assert outbox_status.count_by_channel(connection) == {("b", "waiting"): 1}


def test_without_a_fallback_it_is_a_dead_letter_that_can_be_sent_again(store):
    with store.transaction() as connection:
        owe(connection)
    message = claim(store)
    with store.transaction() as connection:
        outbox.reject(connection, message, NOW, "HTTP 400: bad", None)
        (letter,) = outbox_status.dead_letters(connection, 10)
        assert letter.event.outcome.message == "event 0"
        assert (letter.channel, letter.error) == ("a", "HTTP 400: bad")
        assert outbox.retry(connection, NOW, {"b"}) == 0
        assert outbox.retry(connection, NOW, {"a"}) == 1
    assert names(claim(store)) == ("event 0",)


def test_what_a_killed_watcher_was_sending_waits_again(store):
    with store.transaction() as connection:
        owe(connection)
    assert claim(store)
    assert claim(store) is None
    with store.transaction() as connection:
        assert outbox.recover(connection, NOW) == 1
    assert claim(store).attempts == 2


def test_what_was_over_long_ago_is_dropped_and_what_is_owed_never_is(store):
    with store.transaction() as connection:
        owe(connection, n=2)
    with store.transaction() as connection:
        outbox.sent(connection, outbox.claim_batch(connection, "a", NOW, burst=5, named=1), NOW)
        outbox.forget(connection, NOW + HOUR)
        left = connection.execute(text("SELECT count(*) FROM healthkit_events")).scalar_one()
    assert left == 1
    assert names(claim(store)) == ("event 1",)


# Incidents and silences


def test_of_too_many_dead_letters_the_oldest_are_given_up_and_counted(store):
    with store.transaction() as connection:
        owe(connection, n=5)
        outbox.expire_unconfigured(connection, set(), NOW)
        owe(connection, n=2)
        assert outbox.give_up_dead(connection, most=5) == 0
        assert outbox.give_up_dead(connection, most=3) == 2
        assert outbox.retry(connection, NOW, {"a"}) == 3
        assert outbox.give_up_dead(connection, most=0) == 0
    claimed = [names(claim(store)) for _ in range(5)]
    assert claimed == [("event 2",), ("event 3",), ("event 4",), ("event 0",), ("event 1",)]


def test_incidents_and_notices_that_ended_years_ago_are_dropped_and_no_other(store):
    with store.transaction() as connection:
        numbers = []
        for began in (NOW, NOW + HOUR, NOW + 2 * HOUR):
            number = incidents.open_incident(connection, DATABASE, Level.DOWN, "gone", began)
            notices.add_note(connection, f"of {number}", "ani", began, incident=number)
            numbers.append(number)
        notice = notices.open_notice(connection, "Renovation", NOW)
        notices.add_note(connection, "until Friday", "ani", NOW, notice=notice)
        notices.close_notice(connection, notice, NOW)
        for number, ended in zip(numbers[:2], (NOW, NOW + HOUR), strict=True):
            incidents.close_incident(connection, number, ended)
        incidents.forget(connection, NOW + MINUTE)
        kept = incidents.latest(connection, 9)
        assert [one.id for one in kept] == [numbers[2], numbers[1]]
        texts = connection.execute(text("SELECT body FROM healthkit_notes ORDER BY id")).scalars()
        assert list(texts) == [f"of {numbers[1]}", f"of {numbers[2]}"]
        assert not notices.exists(connection, notice=notice)


def test_silences_that_ended_long_ago_are_dropped_and_no_other(store):
    with store.transaction() as connection:
        for until in (NOW - 2 * HOUR, NOW - MINUTE, NOW + HOUR):
            incidents.add_silence(connection, until, NOW - 3 * HOUR, checks=["a"])
        incidents.forget_silences(connection, NOW - HOUR)
        left = connection.execute(text("SELECT count(*) FROM healthkit_silences")).scalar_one()
        held = incidents.active_silences(connection, NOW)
    assert left == 2
    assert [one.until for one in held] == [NOW + HOUR]


def test_an_incident_is_acknowledged_once_while_it_is_open(store):
    with store.transaction() as connection:
        number = incidents.open_incident(connection, DATABASE, Level.DOWN, "gone", NOW)
        assert incidents.acknowledge(connection, number, "ani", NOW) == "acknowledged"
        assert incidents.acknowledge(connection, number, "budi", NOW) == "acknowledged"
        assert incidents.acknowledged(connection) == {number}
        (incident,) = incidents.latest(connection, 5)
        assert incident.acknowledged_by == "ani"
        incidents.close_incident(connection, number, NOW + HOUR)
        assert incidents.acknowledge(connection, number, "ani", NOW) == "ended"
        assert incidents.acknowledge(connection, 99, "ani", NOW) == "unknown"
        assert incidents.latest(connection, 5, only_open=True) == []


def test_a_check_that_is_no_longer_configured_leaves_no_open_incident(store):
    with store.transaction() as connection:
        number = incidents.open_incident(connection, CheckInfo("old", "Old"), Level.DOWN, "x", NOW)
        stored = incidents.StoredState(State(), number, 1, 1)
        incidents.save_state(connection, "old", stored, NOW)
        incidents.save_state(connection, "new", stored, NOW)
        assert incidents.forget_checks(connection, {"new"}, NOW) == ["old"]
        assert incidents.latest(connection, 5, only_open=True) == []
        assert set(incidents.load_states(connection)) == {"new"}


def test_a_silence_holds_until_it_ends_or_is_ended(store):
    with store.transaction() as connection:
        first = incidents.add_silence(
            connection, NOW + HOUR, NOW, reason="works", checks=["db"], by="ani"
        )
        second = incidents.add_silence(connection, NOW + MINUTE, NOW, tags=["core"])
        assert [s.id for s in incidents.active_silences(connection, NOW)] == [second, first]
        assert [s.id for s in incidents.active_silences(connection, NOW + MINUTE)] == [first]
        assert incidents.active_silences(connection, NOW)[1].checks == ("db",)
        assert incidents.end_silence(connection, first, NOW)
        assert not incidents.end_silence(connection, first, NOW + SECOND)
        assert not incidents.end_silence(connection, 99, NOW)


# History


def results(hours, statuses):
    """So many statuses for each of the hours before NOW."""
    start = NOW.replace(minute=0, second=0, microsecond=0)
    for hour in hours:
        for i, status in enumerate(statuses):
            yield history.Row("db", start - hour * HOUR + i * MINUTE, status, 0.5)


def test_results_are_kept_for_a_week_hours_for_a_quarter_and_days_for_ever(store):
    mixed = ["healthy", "degraded", "unhealthy", "unknown"]
    with store.transaction() as connection:
        for day in range(400, -1, -25):
            now = NOW - day * 24 * HOUR
            shift = (NOW - now) // HOUR
            history.add(connection, results(range(shift, shift + 48), mixed), now)
            history.roll_up(connection, now)
            history.roll_up(connection, now + MINUTE)
        counted = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in (
                "healthkit_history",
                "healthkit_history_hourly",
                "healthkit_history_daily",
            )
        }
        week = history.uptime(connection, NOW, timedelta(days=7))["db"]
        quarter = history.uptime(connection, NOW, timedelta(days=90))["db"]
        ever = history.uptime(connection, NOW, timedelta(days=1000))["db"]
    assert counted["healthkit_history"] == 4 * 48
    assert counted["healthkit_history_hourly"] == 4 * 48 - 1
    assert counted["healthkit_history_daily"] == 17 * 3 - 1
    assert (week.total, week.share) == (4 * 48, 0.5)
    assert (quarter.total, quarter.share) == (4 * 4 * 48, 0.5)
    assert (ever.total, ever.share) == (17 * 4 * 48, 0.5)


def test_rolling_up_after_a_long_pause_loses_nothing(store):
    with store.transaction() as connection:
        history.add(connection, results([30 * 24], ["healthy"] * 3), NOW - 30 * 24 * HOUR)
        history.roll_up(connection, NOW - 29 * 24 * HOUR)
        for _ in range(3):
            history.roll_up(connection, NOW)
        assert history.uptime(connection, NOW, timedelta(days=60))["db"].total == 3
