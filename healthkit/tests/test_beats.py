"""A heartbeat's way through a mount: whatever method, and whatever the store does meanwhile."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from werkzeug.test import Client

from healthkit import Health, Settings, StoreError, configure_check
from healthkit._beats import MOST_WAITING, StoreWriter, _Waiting
from healthkit._builtin import Heartbeat
from healthkit._config.service_tables import ServiceSettings, StoreSettings
from healthkit._model.signals import Signal
from healthkit.testing import wait_until
from healthkit.web.wsgi import HealthMiddleware

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"


def signal(name):
    return Signal(name, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def health(tmp_path):
    settings = Settings(
        service=ServiceSettings(name="x"),
        store=StoreSettings(url=f"sqlite:///{tmp_path}/x.db"),
        checks=[configure_check("nightly", Heartbeat(every="1h", token=TOKEN))],
    )
    with Health(settings) as health:
        yield health


@pytest.fixture
def client(health):
    return Client(HealthMiddleware(lambda environ, start: pytest.fail("the application"), health))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_method_that_a_jobs_tool_has_beats(health, client, method):
    answer = client.open(f"/health/beat/{TOKEN}", method=method)
    assert (answer.status_code, answer.data) == (200, b"" if method == "HEAD" else answer.data)
    assert health.last_beat("nightly") is not None


def test_another_method_is_refused_with_those_that_are_right(health, client):
    refused = client.put(f"/health/beat/{TOKEN}")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert health.last_beat("nightly") is None


def test_a_beat_is_written_on_no_thread_that_serves_requests(health):
    threads = []

    def write(beats):
        threads.append(threading.get_ident())

    StoreWriter(write).record(signal("a"))
    assert threads
    assert threading.get_ident() not in threads


def test_while_the_store_is_locked_its_beat_waits_and_everything_else_answers(
    health, client, tmp_path
):
    health.beat("nightly")
    before = health.last_beat("nightly")
    codes = []
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        job = threading.Thread(
            target=lambda: codes.append(client.post(f"/health/beat/{TOKEN}").status_code)
        )
        job.start()
        assert client.get("/livez").status_code == 200
        assert codes == []
    job.join()
    assert codes == [200]
    assert health.last_beat("nightly") > before


def test_beats_that_come_while_one_is_written_are_written_together():
    free, batches, starts = threading.Event(), [], threading.Event()

    def write(beats):
        batches.append(sorted(beat.name for beat in beats))
        starts.set()
        free.wait(60)

    writer = StoreWriter(write)
    jobs = [threading.Thread(target=writer.record, args=(signal("first"),))]
    jobs[0].start()
    starts.wait(60)
    jobs += [threading.Thread(target=writer.record, args=(signal(name),)) for name in "abab"]
    for job in jobs[1:]:
        job.start()
    wait_until(lambda: len(writer._waiting) == 4)
    free.set()
    for job in jobs:
        job.join()
    assert batches == [["first"], ["a", "a", "b", "b"]]


def test_what_a_write_raises_reaches_each_job_and_the_next_beat_is_tried_again():
    failing = [StoreError("locked")]

    def write(beats):
        if failing:
            raise failing.pop()

    writer = StoreWriter(write)
    with pytest.raises(StoreError, match="locked"):
        writer.record(signal("a"))
    writer.record(signal("a"))


def test_more_beats_than_can_wait_are_refused_and_none_of_those_that_wait_is_lost():
    written, free, starts = [], threading.Event(), threading.Event()

    def write(beats):
        starts.set()
        free.wait(60)
        written.extend(beats)

    writer = StoreWriter(write)
    first = threading.Thread(target=writer.record, args=(signal("first"),))
    first.start()
    starts.wait(60)
    writer._waiting += [_Waiting(signal("b")) for _ in range(MOST_WAITING)]
    with pytest.raises(StoreError, match="1000 others wait"):
        writer.record(signal("a"))
    free.set()
    first.join()
    wait_until(lambda: signal("b") in written)


def test_a_beat_that_is_there_already_is_no_error_for_the_servers_log(store_url):
    settings = Settings(
        service=ServiceSettings(name="x"),
        store=StoreSettings(url=store_url),
        checks=[configure_check("nightly", Heartbeat(every="1h"))],
    )
    health, errors = Health(settings), []
    event.listen(health.store.engine, "handle_error", errors.append)
    for _ in range(2):
        health.check_once()
        health.beat("nightly")
    health.stop()
    assert errors == []
