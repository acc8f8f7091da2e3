from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import Status, StoreError
from healthkit._builtin import Heartbeat, evaluate_heartbeat
from healthkit._model.signals import Signal
from healthkit._store import heartbeats
from healthkit._store.database import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("ago", "status"),
    [
        (timedelta(0), Status.HEALTHY),
        (HOUR, Status.HEALTHY),
        (HOUR + timedelta(minutes=5), Status.DEGRADED),
        (2 * HOUR, Status.UNHEALTHY),
        (-HOUR, Status.HEALTHY),
    ],
)
def test_a_heartbeat_is_in_time_within_its_grace_or_late(ago, status):
    last = NOW - ago
    assert evaluate_heartbeat(last, last, NOW, HOUR, timedelta(minutes=10)).status is status


@given(st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_job_that_never_ran_is_given_one_period_and_its_grace(ago):
    status = evaluate_heartbeat(None, NOW - ago, NOW, HOUR, HOUR).status
    expected = Status.HEALTHY if ago <= HOUR else Status.DEGRADED
    assert status is (Status.UNHEALTHY if ago > 2 * HOUR else expected)


def beat(store, now):
    with store.transaction() as connection:
        heartbeats.record(connection, Signal("n", now))


def test_the_check_hears_what_the_store_holds(tmp_path, run_check):
    store = Store(f"sqlite:///{tmp_path}/new/folder/s.db")
    check = Heartbeat(every="1h")
    first = run_check(check, name="n", now=NOW, heartbeats=store)
    assert first.message == "waiting for the first heartbeat"
    late = run_check(check, name="n", now=NOW + 2 * HOUR, heartbeats=store)
    assert late.message == "no heartbeat yet, late by 1h0m0s"
    beat(store, NOW + 2 * HOUR)
    assert run_check(check, name="n", now=NOW + 3 * HOUR, heartbeats=store).status is Status.HEALTHY


def test_a_store_opened_twice_at_once_migrates_once(tmp_path):
    import threading

    url = f"sqlite:///{tmp_path}/s.db"
    errors = []

    def open_it():
        try:
            beat(Store(url), NOW)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert errors == []
    assert Store(url).last_beat("n") == NOW


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////proc/none/x.db", "foo://x/y"])
def test_a_store_that_cannot_be_opened_is_one_error_that_says_why(url):
    with pytest.raises(StoreError, match="store"):
        Store(url)


def test_a_store_of_a_newer_version_is_refused(tmp_path):
    from sqlalchemy import text

    store = Store(f"sqlite:///{tmp_path}/s.db")
    with store.transaction() as connection:
        connection.execute(text("UPDATE healthkit_schema SET version = 99"))
    with pytest.raises(StoreError, match="upgrade healthkit-core"):
        Store(f"sqlite:///{tmp_path}/s.db")
