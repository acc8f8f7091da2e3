"""A store that version 1.0 wrote: nobody is alerted again, and nothing that waits is lost.

`data/store_1_0.sql` is SQLite's dump of it: `database` is down and people know, `frontend` is down
and inhibited by it, `disk` is degraded, acknowledged and silenced, `queue` flaps.
"""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from healthkit import (
    ChannelSettings,
    CheckInfo,
    Outcome,
    Result,
    RouteSettings,
    ServiceSettings,
    Settings,
    Severity,
)
from healthkit._alerts.processor import ResultProcessor, SequencedResult
from healthkit._model.alerts import Level
from healthkit._store import circuit_breakers, history, incidents, lease, outbox, outbox_status
from healthkit._store.database import Store
from healthkit.testing import configured

DUMP = Path(__file__).parent / "data" / "store_1_0.sql"
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=3)


@pytest.fixture
def path(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as database:
        database.executescript(DUMP.read_text(encoding="utf-8"))
    database.close()
    return tmp_path / "store.db"


@pytest.fixture
def store(path):
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def check(name, severity, **more):
    return configured(name, None, severity=severity, fail_after=2, **more)


SETTINGS = Settings(
    service=ServiceSettings(name="POS"),
    checks=(
        check("database", Severity.CRITICAL),
        check("frontend", Severity.HIGH, depends_on=("database",)),
        check("disk", Severity.MEDIUM),
        check("queue", Severity.HIGH),
    ),
    channels={
        "telegram": ChannelSettings(url="json://a"),
        "email": ChannelSettings(url="json://b"),
    },
    routes={severity: RouteSettings(channels=("telegram",)) for severity in Severity},
)


def events(store, outcome, rounds=1):
    """The new events when every check finds `outcome` in so many rounds, ten seconds apart."""
    found = []
    with store.transaction() as connection:
        epoch = lease.acquire(connection, "new watcher", timedelta(seconds=10), NOW)
        processor = ResultProcessor(SETTINGS, epoch)
        processor.load(connection)
        for i in range(rounds):
            at = NOW + i * timedelta(seconds=10)
            results = [
                SequencedResult(10 * i + n, Result(check.info, outcome, at))
                for n, check in enumerate(SETTINGS.checks, start=1)
            ]
            found += processor.process(connection, results, at)
    return found


def test_the_states_are_read_with_all_that_people_were_notified_of(store):
    with store.reading() as connection:
        states = {name: one.state for name, one in incidents.load_states(connection).items()}
    database, frontend, disk, queue = (
        states[name] for name in ("database", "frontend", "disk", "queue")
    )
    assert (database.level, database.notified, database.reminders) == (Level.DOWN, Level.DOWN, 1)
    assert database.down_since == START + timedelta(seconds=40)
    assert (frontend.level, frontend.notified, frontend.hold_results) == (
        Level.DOWN,
        Level.HEALTHY,
        2,
    )
    assert (disk.level, disk.notified) == (Level.DEGRADED, Level.DEGRADED)
    assert (queue.flapping, queue.notified_flapping) == (True, True)
    assert queue.recent_results == "10101010"


def test_the_first_start_after_the_update_alerts_nobody_again(store):
    assert events(store, Outcome.unhealthy("connection refused")) == []


def test_a_recovery_is_sent_with_the_downtime_that_began_under_the_old_version(store):
    (up,) = (e for e in events(store, Outcome.healthy(), 2) if e.check.name == "database")
    assert up.kind == "up"
    assert up.since == START + timedelta(seconds=40)
    with store.reading() as connection:
        open_ones = incidents.latest(connection, 10, only_open=True)
    assert open_ones == []


def test_what_waits_is_sent_with_its_text_and_dead_letters_are_kept(store):
    with store.transaction() as connection:
        batch = outbox.claim_batch(connection, "telegram", NOW, burst=5, named=5)
        (letter,) = outbox_status.dead_letters(connection, 10)
        assert circuit_breakers.get_state(connection, "email").failures == 1
        assert outbox_status.read(connection, NOW).waiting == 4
    (event,) = batch.events
    assert (event.kind, event.count, event.inhibits) == ("reminder", 1, ("Frontend",))
    assert event.check.interval == timedelta(seconds=10)
    assert (letter.error, letter.event.check.label) == (
        "refused: HTTP 400: chat not found",
        "Database",
    )


def test_silences_acknowledgements_heartbeats_and_history_are_kept(store):
    with store.reading() as connection:
        (silence,) = incidents.active_silences(connection, NOW)
        known = {incident.check: incident for incident in incidents.latest(connection, 10)}
        uptime = history.uptime(connection, NOW, timedelta(days=1))
    assert (silence.checks, silence.tags, silence.by) == (("disk",), ("core",), "ana")
    assert known["disk"].acknowledged_by == "budi"
    assert (
        known["database"].severity is Severity.CRITICAL or known["database"].severity == "critical"
    )
    assert uptime["database"].total == 16
    assert store.last_beat("nightly") == START
    assert store.last_beat("weekly") is None


def test_what_is_written_now_is_read_by_the_version_before_when_it_is_rolled_back(store, path):
    events(store, Outcome.unhealthy("connection refused"))
    with sqlite3.connect(path) as database:
        states = dict(database.execute("SELECT check_name, state FROM healthkit_states"))
    database.close()
    state = json.loads(states["database"])
    assert {"told", "recent", "hold", "told_flapping"} < set(state)
    assert state["told"] == 2


def test_an_event_is_stored_under_the_names_that_the_version_before_reads(store, path):
    from healthkit import Event, EventKind

    with store.transaction() as connection:
        one = Event(
            EventKind.DOWN, CheckInfo("a", "A"), NOW, Outcome.unhealthy("x"), inhibits=("B",)
        )
        incidents.add_event(connection, one)
    with sqlite3.connect(path) as database:
        (body,) = database.execute("SELECT body FROM healthkit_events ORDER BY id DESC").fetchone()
    database.close()
    assert json.loads(body)["hides"] == ["B"]
