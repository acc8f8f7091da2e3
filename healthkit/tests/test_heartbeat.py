import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import Status, StoreError
from healthkit._builtin import Heartbeat, evaluate_heartbeat
from healthkit._model.signals import Signal
from healthkit._store import heartbeats
from healthkit._store.database import Store
from healthkit._watcher import heartbeat
from healthkit._watcher.heartbeat import HeartbeatSender, push_url
from healthkit.testing import wait_until

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


@pytest.fixture
def endless():
    """Serves requests with what never ends: `endless(part, pause)` returns (url, requests)."""
    servers, gone = [], threading.Event()

    def serve(begin, part, pause):
        server, requests = socket.create_server(("127.0.0.1", 0)), []

        def respond(connection):
            with connection, suppress(OSError):
                requests.append(connection.recv(4096))
                connection.sendall(begin)
                while not gone.wait(pause):
                    connection.sendall(part)

        def accept():
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=respond, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.getsockname()[1]}/push", requests

    yield serve
    gone.set()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("begin", "part"), [(OK + b"\r\n", b"x"), (OK + b"X: ", b"y")], ids=["body", "headers"]
)
def test_an_answer_that_never_ends_holds_up_no_further_heartbeat(endless, monkeypatch, begin, part):
    monkeypatch.setattr(heartbeat, "LIMIT", 0.1)
    url, requests = endless(begin, part, 0.01)
    sender = HeartbeatSender(url, timedelta(seconds=0.05), lambda: "")
    sender.start()
    try:
        wait_until(lambda: len(requests) >= 3)
    finally:
        sender.stop()


def test_the_rest_of_a_heartbeats_query_is_kept_as_it_is():
    query = urlsplit(push_url("https://a.example/push?KEY&a=&b=1&status=x&msg=y", None)).query
    kept = [("KEY", ""), ("a", ""), ("b", "1"), ("status", "up"), ("msg", "OK")]
    assert parse_qsl(query, keep_blank_values=True) == kept
