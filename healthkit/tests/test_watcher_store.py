"""A whole watcher whose store is locked, full, gone or frozen, and what it says of itself."""

import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from healthkit import CheckInfo, Event, EventKind, Outcome, Status
from healthkit._builtin import Alerting
from healthkit._model.alerts import Delivery
from healthkit._store import database, incidents, outbox
from healthkit._watcher import leadership, vital_signs
from healthkit.testing import StubResponse, wait_until

DOWN, UP = "🔴 Database is DOWN", "✅ Database is back UP"


# The heartbeat to the outside


def test_it_beats_outward_while_it_leads_and_a_standby_does_not(site, kuma):
    first = site.with_heart(kuma).thread()
    wait_until(lambda: len(kuma.beats()) > 2)
    assert set(kuma.beats()) == {("up", "OK")}
    assert kuma.requests[0].path.startswith("/api/push/TOKEN?")
    site.end(first)
    count = len(kuma.requests)
    site.thread()
    wait_until(lambda: len(kuma.requests) > count)


def test_a_watcher_that_cannot_work_says_so_in_its_heartbeat(site, kuma, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.2)
    site.with_heart(kuma).thread()
    wait_until(lambda: kuma.beats())
    with closing(sqlite3.connect(site.folder / "store.db", isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        said = wait_until(lambda: (b := kuma.beats()[-1])[0] == "down" and b)
        assert "locked" in said[1]
    wait_until(lambda: kuma.beats()[-1] == ("up", "OK"))


def test_a_heartbeat_that_nobody_takes_is_logged_without_its_token(site, kuma, caplog):
    site.with_heart(kuma).thread()
    wait_until(lambda: kuma.beats())
    kuma.answers(404)
    wait_until(lambda: "failed: HTTP 404" in caplog.text)
    assert "TOKEN" not in caplog.text


# The store


def test_while_the_store_is_locked_nothing_is_lost_and_afterwards_nothing_doubled(
    site, monkeypatch, caplog
):
    monkeypatch.setattr(database, "WAIT", 0.2)
    site.write().thread()
    wait_until(lambda: site.leader())
    with closing(sqlite3.connect(site.folder / "store.db", isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        site.outcome("unhealthy connection refused")
        wait_until(lambda: "results are queued" in caplog.text)
        assert site.messages() == []
    site.told(DOWN)
    site.outcome("healthy")
    site.told(DOWN, UP)


def test_of_too_many_results_that_wait_for_the_store_the_oldest_are_given_up_and_counted(
    site, monkeypatch, caplog
):
    monkeypatch.setattr(database, "WAIT", 0.2)
    monkeypatch.setattr(leadership, "MOST_PENDING", 3)
    watcher = site.write().thread()
    wait_until(lambda: watcher._leadership)
    with closing(sqlite3.connect(site.folder / "store.db", isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        wait_until(lambda: "results are queued" in caplog.text)
        site.outcome("unhealthy connection refused")
        before = watcher._leadership._given_up
        wait_until(lambda: watcher._leadership._given_up > before + 5)
    site.told(DOWN)
    given_up = re.findall(r"(\d+) results, the oldest, were given up", caplog.text)
    assert given_up
    assert all(int(count) > 0 for count in given_up)


def test_while_the_store_is_full_nothing_is_lost_and_afterwards_nothing_doubled(
    site, small_disk, caplog
):
    disk = small_disk(2)
    site.url = f"sqlite:///{disk}/store.db"
    watcher = site.write().thread()
    wait_until(lambda: site.leader())
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        site.outcome("unhealthy connection refused")
        wait_until(lambda: "results are queued" in caplog.text)
    filler.unlink()
    site.told(DOWN)
    site.outcome("healthy")
    site.told(DOWN, UP)
    site.end(watcher)  # before the disk goes


def test_a_store_that_is_deleted_while_it_watches_keeps_no_fault_from_people(site, caplog):
    site.write().thread()
    wait_until(lambda: site.leader())
    for file in site.folder.glob("store.db*"):
        file.unlink()
    site.outcome("unhealthy connection refused")
    site.told(DOWN)
    assert "it begins anew" in caplog.text


def test_while_the_store_is_gone_nothing_is_lost_and_afterwards_nothing_doubled(
    shared_site, postgres, caplog
):
    site = shared_site.write()
    site.thread()
    wait_until(lambda: site.leader())
    name = urlsplit(site.url).path.lstrip("/")
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    site.outcome("unhealthy connection refused")
    wait_until(lambda: "results are queued" in caplog.text)
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    site.told(DOWN)
    site.outcome("healthy")
    site.told(DOWN, UP)


def test_while_the_server_of_the_store_is_frozen_the_heartbeat_says_down(
    shared_site, postgres, kuma, monkeypatch
):
    monkeypatch.setattr(database, "WAIT", 1)
    monkeypatch.setattr(vital_signs, "STUCK_AFTER", 30.0)  # the store's own limit comes first
    site = shared_site.with_heart(kuma)
    site.thread()
    wait_until(lambda: kuma.beats() and site.leader())
    with postgres.frozen():
        wait_until(lambda: kuma.beats()[-1][0] == "down")
        assert "the store cannot be" in kuma.beats()[-1][1]
        site.outcome("unhealthy connection refused")
    site.told(DOWN)
    wait_until(lambda: kuma.beats()[-1] == ("up", "OK"))


def test_history_is_written_with_every_result(site):
    site.write().thread()
    query = text("SELECT status, count(*) FROM healthkit_history GROUP BY status")

    def seen():
        with site.store.reading() as connection:
            return dict(connection.execute(query).all())

    wait_until(lambda: seen().get("healthy", 0) > 3)
    site.outcome("unhealthy gone")
    wait_until(lambda: seen().get("unhealthy", 0) > 3)


@pytest.mark.deep
def test_a_watcher_ends_while_its_store_is_locked_and_nothing_is_being_sent(site, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 120)  # longer than the test waits for the end
    watcher = site.write().thread()
    wait_until(lambda: site.leader())
    if site.url.startswith("postgresql"):
        pytest.skip("one that is frozen is tried elsewhere")
    with closing(sqlite3.connect(urlsplit(site.url).path, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        site.outcome("unhealthy")
        wait_until(lambda: watcher._clock.monotonic() - watcher._turned_at > 1.0)  # it waits
        site.end(watcher)
        assert not any(thread.is_alive() for _, thread in site.watchers)


# The check of the alerts


@pytest.mark.deep
def test_the_check_of_the_alerts_knows_watchers_channels_and_the_age_of_the_outbox(site, run_check):
    def judged(later=timedelta(0), **settings):
        now = datetime.now(UTC) + later
        return run_check(Alerting(**settings), now=now, outbox=site.store)

    assert judged().message == "no watcher runs: healthkit watch"
    watcher = site.write().thread()
    wait_until(lambda: judged().status is Status.HEALTHY)
    assert "process" in judged().details["watcher"]
    site.sink.respond_with(lambda request: StubResponse(500, b"on fire"))
    site.outcome("unhealthy connection refused")
    late = {"late_after": timedelta(milliseconds=1)}
    wait_until(lambda: "the oldest message has waited" in (judged(**late).message or ""))
    failing = "channel telegram fails: refused: HTTP 500: on fire"
    wait_until(lambda: (judged().message or "").startswith(failing), 60)
    with site.store.transaction() as connection:
        connection.execute(text("DELETE FROM healthkit_deliveries"))
    site.sink.answers(200)
    site.outcome("healthy")
    wait_until(lambda: judged().status is Status.HEALTHY, 60)
    site.end(watcher)
    assert judged().status is Status.UNHEALTHY


def test_given_up_messages_degrade_the_check_until_they_are_sent_again(site, run_check):
    with site.store.transaction() as connection:
        now = datetime.now(UTC)
        lost = Event(EventKind.DOWN, CheckInfo("x", "X"), now, Outcome.unhealthy("gone"))
        event = incidents.add_event(connection, lost)
        outbox.enqueue(connection, event, Delivery("gone", now), now)
    site.write().thread()
    wait_until(lambda: site.leader() and site.counts() == {("gone", "dead"): 1})
    outcome = run_check(Alerting(), outbox=site.store)
    assert outcome.status is Status.DEGRADED
    assert outcome.message == "1 messages were given up: healthkit alert retry"
