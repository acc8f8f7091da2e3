"""Jobs that tell how they went, and agents that send results of their own."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import Client

from healthkit import CheckContext, ConfigError, Health, Outcome, Status, load_settings
from healthkit._builtin import Heartbeat, Pushed, evaluate_run
from healthkit._model.signals import LONGEST_BODY, LONGEST_OUTPUT, Run, Signal, SignalKind
from healthkit._schedules import next_due
from healthkit._store import heartbeats
from healthkit.testing import wait_until
from healthkit.web.wsgi import HealthMiddleware

TOKEN = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
OLD = "1d7f0c93be52a684d0e7f91c3a5b2846"
AGENT = "e5b80a7146d3f29c8170bd4e6a92c35f"
NOW = datetime(2026, 1, 20, 3, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "healthkit.toml"
    file.write_text(
        f"""
        [service]
        name = "Till"
        [store]
        url = "sqlite:///x.db"
        [checks.nightly]
        type = "heartbeat"
        every = "24h"
        token = "{TOKEN}"
        previous_token = "{OLD}"
        [checks.queue]
        type = "pushed"
        every = "1h"
        token = "{AGENT}"
        """
    )
    return file


@pytest.fixture
def health(config):
    health = Health.from_file(config)
    yield health
    health.stop()


@pytest.fixture
def client(health):
    health.check_once()  # so that no thread of ours runs beside a test
    return Client(HealthMiddleware(lambda environ, start: pytest.fail("the application"), health))


def outcome(health, name="nightly"):
    return health.check_once().result(name).outcome


# The rules


IN_TIME, LATE = Outcome.healthy(), Outcome.unhealthy("late by 1h0m0s")


@pytest.mark.parametrize(
    ("run", "limit", "timing", "status", "said"),
    [
        (Run(), None, IN_TIME, Status.HEALTHY, None),
        (Run(), None, LATE, Status.UNHEALTHY, "late by 1h0m0s"),
        (Run(started_at=NOW - HOUR), None, IN_TIME, Status.HEALTHY, None),
        (Run(started_at=NOW - HOUR), HOUR, IN_TIME, Status.HEALTHY, None),
        (
            *(Run(started_at=NOW - HOUR - MINUTE), HOUR, IN_TIME, Status.UNHEALTHY),
            "runs for 1h1m0s, at most 1h0m0s are allowed",
        ),
        (Run(status=Status.HEALTHY, code=0, seconds=3.0), None, IN_TIME, Status.HEALTHY, None),
        (Run(status=Status.UNHEALTHY), None, IN_TIME, Status.UNHEALTHY, "its last run failed"),
        (
            *(Run(None, NOW, Status.UNHEALTHY, 3, 1.25, "a\nno space"), None, IN_TIME),
            *(Status.UNHEALTHY, "its last run failed with exit code 3 after 1.2s: no space"),
        ),
        (*(Run(status=Status.UNHEALTHY), None, LATE, Status.UNHEALTHY, "its last run failed"),),
        # Started again: what failed is not mended by that alone.
        (
            *(Run(NOW, NOW - HOUR, Status.UNHEALTHY), None, IN_TIME, Status.UNHEALTHY),
            "its last run failed",
        ),
    ],
)
def test_a_job_fails_by_its_run_or_by_its_time(run, limit, timing, status, said):
    found = evaluate_run(run, NOW, limit, timing)
    assert (found.status, found.message) == (status, said)


@pytest.mark.parametrize(
    ("since", "cron", "zone", "due"),
    [
        ("2026-01-20T03:30", "0 4 * * *", "UTC", "2026-01-20T04:00"),
        ("2026-01-20T04:00", "0 4 * * *", "UTC", "2026-01-21T04:00"),
        ("2026-01-20T03:30", "0 4 * * *", "Asia/Jakarta", "2026-01-20T21:00"),
        ("2026-01-23T10:00", "30 2 * * mon-fri", "UTC", "2026-01-26T02:30"),
        # Clocks go forward over 02:30, and back over it: due once, as Debian's cron has it.
        ("2026-03-28T20:00", "30 2 * * *", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-10-24T20:00", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:30"),
        ("2026-10-25T00:30", "30 2 * * *", "Europe/Berlin", "2026-10-26T01:30"),
    ],
)
def test_a_cron_expression_says_when_the_next_is_due_in_its_zone(since, cron, zone, due):
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, due))
    assert next_due(begin, None, cron, zone) == end


def test_by_a_cron_expression_it_is_late_after_its_time_and_its_grace(store):
    check = Heartbeat(cron="0 4 * * *", grace="30m")
    with store.transaction() as connection:
        heartbeats.record(connection, Signal("nightly", NOW - timedelta(hours=20)))

    def status(at):
        return check.run(CheckContext("nightly", at, 5.0, store)).status

    assert status(NOW) is Status.HEALTHY
    assert status(NOW + 45 * MINUTE) is Status.DEGRADED
    assert status(NOW + 61 * MINUTE) is Status.UNHEALTHY


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "either every or cron"),
        ({"every": "1h", "cron": "0 4 * * *"}, "either every or cron"),
        ({"cron": "0 4 * *"}, "five fields"),
        ({"cron": "0 25 * * *"}, "Bad hour"),
        ({"cron": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"cron": "* " * 300}, "five fields"),
        ({"cron": "0 4 * * *", "timezone": "Mars/Base"}, "not a time zone"),
        ({"every": "1h", "token": "secret"}, "too short"),
        ({"every": "1h", "previous_token": "a" * 64}, "too repetitive"),
        ({"every": "1h", "max_runtime": "0s"}, "more than 0s"),
    ],
)
def test_a_mistake_in_a_heartbeat_is_named(keys, said):
    document = {"service": {"name": "x"}, "checks": {"nightly": {"type": "heartbeat", **keys}}}
    with pytest.raises(ConfigError, match=said) as raised:
        load_settings(document)
    assert "secret" not in str(raised.value).replace("secrets", "")


# By requests


def test_a_job_tells_its_start_its_end_and_what_it_has_to_say(health, client):
    for path, body in [("/start", b""), ("/log", b"half way"), ("/3", b"half way\nno space left")]:
        answer = client.post(f"/health/beat/{TOKEN}{path}", data=body)
        assert (answer.status_code, answer.json) == (200, {"status": "ok"}), path
        assert answer.headers["Ping-Body-Limit"] == str(LONGEST_BODY)
    found = outcome(health)
    assert found.status is Status.UNHEALTHY
    assert found.message.startswith("its last run failed with exit code 3 after 0.")
    assert found.message.endswith("s: no space left")
    assert (found.details["exit_code"], found.details["output"]) == (3, "half way\nno space left")
    client.get(f"/health/beat/{TOKEN}/start")
    assert outcome(health).status is Status.UNHEALTHY, "until a run succeeds"
    client.get(f"/health/beat/{TOKEN}/0")
    assert outcome(health).status is Status.HEALTHY
    client.post(f"/health/beat/{TOKEN}/fail")
    assert outcome(health).message.startswith("its last run failed")
    client.head(f"/health/beat/{TOKEN}")
    assert outcome(health).status is Status.HEALTHY


@pytest.mark.parametrize(
    "behind",
    ["/256", "/-1", "/1e1", "/0001", "/٣", "/stop", "/", "/start/", "/start/3", "//", "/ 1"],
)
def test_what_a_job_cannot_say_is_refused_and_changes_nothing(health, client, behind):
    assert client.post(f"/health/beat/{TOKEN}{behind}").status_code == 404
    assert health.last_run("nightly") is None


def test_both_tokens_work_while_senders_change_to_the_new_one(health, client):
    for token in (TOKEN, OLD):
        before = health.last_beat("nightly")
        assert client.post(f"/health/beat/{token}").status_code == 200
        assert health.last_beat("nightly") != before
    assert client.post(f"/health/beat/{AGENT}").status_code == 404, "of another kind of check"
    assert client.post(f"/health/report/{TOKEN}").status_code == 404


def test_what_a_job_says_is_bounded_masked_and_kept_from_strangers(health, client):
    said = "x" * 2 * LONGEST_BODY
    client.post(f"/health/beat/{TOKEN}/1", data=said)
    assert len(health.last_run("nightly").text) == LONGEST_OUTPUT
    client.post(f"/health/beat/{TOKEN}/1", data=b"password=hunter2\x00\x1b[2J \xff /srv/private")
    text = health.last_run("nightly").text
    assert "hunter2" not in text
    assert not set(text) & {"\x00", "\x1b"}
    health.check_once()
    assert b"/srv/private" in health.response("json").body
    strangers = health.response("json", details=False).body
    assert b"/srv/private" not in strangers
    assert b"exit_code" not in strangers


# Pushed results


def push(client, body, token=AGENT):
    return client.post(f"/health/report/{token}", data=body)


def test_an_agent_sends_status_message_and_numbers(health, client):
    assert outcome(health, "queue").message == "waiting for the first result"
    body = {"status": "degraded", "message": "slow", "numbers": {"depth": 12, "age": 0.5}}
    assert push(client, json.dumps(body)).status_code == 200
    found = outcome(health, "queue")
    assert (found.status, found.message) == (Status.DEGRADED, "slow")
    assert (found.details["depth"], found.details["age"]) == (12.0, 0.5)
    assert (
        b'healthkit_check_value{check="queue",name="depth"} 12'
        in health.response("prometheus").body
    )
    push(client, '{"status": "unhealthy"}')
    assert outcome(health, "queue").message == "reported as unhealthy"
    health.push("queue", Outcome.healthy("fine", depth=3, words="x"))
    found = outcome(health, "queue")
    assert (found.status, found.message, found.details["depth"]) == (Status.HEALTHY, "fine", 3.0)
    for wrong in ("nightly", "none"):
        with pytest.raises(KeyError):
            health.push(wrong, Outcome.healthy())


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ("", 400, []),
        ("{", 400, []),
        ("[" * 5_000, 400, []),
        ('"healthy"', 400, []),
        ("[]", 400, []),
        ("{}", 422, ["status"]),
        ('{"status": "fine"}', 422, ["status"]),
        ('{"status": "unknown"}', 422, ["status"]),
        ('{"status": ["healthy"]}', 422, ["status"]),
        ('{"status": "healthy", "message": 3}', 422, ["message"]),
        ('{"status": "healthy", "message": "%s"}' % ("x" * 1_001), 422, ["message"]),
        ('{"status": "healthy", "numbers": []}', 422, ["numbers"]),
        ('{"status": "healthy", "numbers": null}', 422, ["numbers"]),
        ('{"status": "healthy", "numbers": {"a": "1"}}', 422, ["numbers"]),
        ('{"status": "healthy", "numbers": {"a": true}}', 422, ["numbers"]),
        ('{"status": "healthy", "numbers": {"a": NaN}}', 422, ["numbers"]),
        ('{"status": "healthy", "numbers": {"a": 1e999}}', 422, ["numbers"]),
        ('{"status": "healthy", "numbers": {"a": 1%s}}' % ("0" * 400), 422, ["numbers"]),
        ('{"status": "healthy", "numbers": {"a": 1%s}}' % ("0" * 5_000), 400, []),
        ('{"status": "healthy", "extra": 1, "messages": 2}', 422, ["extra", "messages"]),
        (" " * (LONGEST_BODY + 1), 413, []),
        (b"\xff\xfe", 400, []),
    ],
)
def test_a_result_that_is_none_is_refused_by_its_field(health, client, body, code, fields):
    answer = push(client, body)
    assert answer.status_code == code
    assert answer.content_type == "application/problem+json"
    assert [error["field"] for error in answer.json.get("errors", [])] == fields
    assert health.last_run("queue") is None


def test_a_result_is_sent_by_post_and_under_its_token_alone(client):
    refused = client.get(f"/health/report/{AGENT}")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    for token in ("", "x", f"{AGENT}/", f"{AGENT}/start", AGENT[:-1]):
        assert push(client, "{", token).status_code == 404, "before anything is said of the body"


def test_an_agent_that_is_silent_is_late_whatever_it_said_last(store):
    check = Pushed(every="1h", grace="10m")
    with store.transaction() as connection:
        sent = Signal("queue", NOW, SignalKind.RESULT, None, "fine", Status.HEALTHY, {"depth": 1})
        heartbeats.record(connection, sent)

    def status(at):
        return check.run(CheckContext("queue", at, 5.0, store)).status

    assert status(NOW + HOUR) is Status.HEALTHY
    assert status(NOW + HOUR + MINUTE) is Status.DEGRADED
    assert status(NOW + HOUR + 11 * MINUTE) is Status.UNHEALTHY


def test_a_store_that_cannot_be_opened_is_said_in_one_line_and_not_with_a_traceback(caplog):
    checks = {"nightly": {"type": "heartbeat", "every": "1h"}}
    store = {"url": "sqlite:////proc/none/x.db"}
    health = Health(load_settings({"service": {"name": "x"}, "store": store, "checks": checks}))
    assert "the store's folder cannot be made" in outcome(health).message
    (said,) = (record for record in caplog.records if "nightly" in record.getMessage())
    assert not said.exc_info


# Several processes


def test_signals_of_one_job_at_once_leave_one_whole_run(store_url):
    """Several processes share a store: none doubles a row, none raises."""
    document = {
        "service": {"name": "x"},
        "store": {"url": store_url},
        "checks": {"nightly": {"type": "heartbeat", "every": "1h"}},
    }
    healths = [Health(load_settings(document)) for _ in range(3)]
    errors = []

    def beat(health):
        try:
            for kind in ("start", "success") * 5:
                health.beat("nightly", kind)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=beat, args=(health,)) for health in healths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    run = wait_until(lambda: healths[0].last_run("nightly"))
    assert run.status is Status.HEALTHY
    for health in healths:
        health.stop()
