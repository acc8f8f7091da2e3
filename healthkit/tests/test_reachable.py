"""Whether people can be told: checks that reach nobody, and what the watcher says of itself."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, time, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from healthkit import Event, EventKind, Outcome, Role, Severity, Status, load_settings
from healthkit._alerts import apprise_client, routing
from healthkit._alerts.delivery import Courier
from healthkit._alerts.messages import Message
from healthkit._alerts.send_result import SendStatus
from healthkit._builtin import evaluate_outbox
from healthkit._config.alert_tables import ChannelSettings, RouteSettings
from healthkit._config.service_tables import ServiceSettings
from healthkit._config.settings import Settings
from healthkit._model.alerts import OutboxStatus, WatcherFaults
from healthkit._runner import _Loop
from healthkit._store import outbox_status
from healthkit._watcher import vital_signs
from healthkit.cli import main
from healthkit.testing import ScriptedCheck, configured, wait_until
from healthkit.watch import make_watcher

NOW = datetime(2026, 1, 1, tzinfo=UTC)


# Checks whose faults reach nobody


def settings(check=(), channels=(), routes=()):
    return Settings(
        service=ServiceSettings(name="x"),
        checks=(configured("a", ScriptedCheck(), **dict(check)),),
        channels={n: ChannelSettings(url=SecretStr("json://x"), **dict(c)) for n, c in channels},
        routes=dict(routes),
    )


@given(
    severity=st.sampled_from(list(Severity)),
    tags=st.sets(st.sampled_from("abc")),
    routes=st.dictionaries(st.sampled_from(list(Severity)), st.sets(st.sampled_from("xyz"))),
    channels=st.fixed_dictionaries(
        {name: st.tuples(st.booleans(), st.sets(st.sampled_from("abc"))) for name in "xyz"}
    ),
)
def test_a_check_reaches_somebody_exactly_when_its_fault_has_a_delivery(
    severity, tags, routes, channels
):
    info = {"severity": severity, "tags": tuple(tags)}
    made = {
        name: ChannelSettings(url=SecretStr("json://x" if on else ""), tags=tuple(of))
        for name, (on, of) in channels.items()
    }
    routed = {key: RouteSettings(channels=tuple(names)) for key, names in routes.items()}
    check = configured("a", ScriptedCheck(), **info)
    event = Event(EventKind.DOWN, check.info, NOW, Outcome.unhealthy("no"))
    zone = ServiceSettings(name="x").zone
    sent = routing.plan_deliveries(event, routed, made, zone, time(8))
    named = routing.unreachable([check], routed, made)
    assert bool(sent) is not bool(named)
    silent = check.model_copy(update={"silent": True})
    assert routing.unreachable([silent], routed, made) == {}


FILE = """
[service]
name = "x"
[checks.nightly]
type = "heartbeat"
every = "1h"
{check}
[channels.telegram]
url = "{url}"
{channel}
{routes}
"""


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({}, "no route for its severity: [routes.high] names no channel"),
        ({"routes": "[routes.high]"}, "no route for its severity"),
        ({"routes": '[routes.high]\nchannels = ["telegram"]', "url": ""}, "is off"),
        (
            {"routes": '[routes.high]\nchannels = ["telegram"]', "channel": 'tags = ["night"]'},
            "has a tag of its own",
        ),
        ({"routes": '[routes.high]\nchannels = ["telegram"]'}, None),
        ({"check": "silent = true"}, None),
    ],
)
def test_config_check_names_each_check_whose_faults_reach_nobody(tmp_path, parts, why):
    file = tmp_path / "healthkit.toml"
    given = {"check": "", "url": "json://127.0.0.1/x", "channel": "", "routes": "", **parts}
    file.write_text(FILE.format(**given))
    done = CliRunner().invoke(main, ["--config", str(file), "config", "check"])
    assert done.exit_code == (2 if why else 0), done.output
    if why:
        assert "checks.nightly: its faults reach nobody: " in done.output
        assert why in done.output
        assert len(done.output.splitlines()) == 1


def test_the_file_that_init_writes_notifies(tmp_path, until, monkeypatch, http_sink):
    monkeypatch.setenv("ALERT_URL", http_sink.url("/people", "json"))
    file = tmp_path / "healthkit.toml"
    runner = CliRunner()
    assert runner.invoke(main, ["--config", str(file), "init"]).exit_code == 0
    assert runner.invoke(main, ["--config", str(file), "config", "check"]).exit_code == 0
    text = file.read_text().replace('every = "24h"', 'every = "10ms"\ninterval = "50ms"')
    text = text.replace('grace = "1h"', "fail_after = 1")
    file.write_text(text + f'[store]\nurl = "sqlite:///{tmp_path}/store.db"\n')
    watcher = make_watcher(load_settings(file))
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        until(lambda: http_sink.requests)
    finally:
        watcher.stop()
        thread.join(60)
    assert "Nightly is DOWN" in http_sink.requests[0].json()["title"]


def test_messages_to_the_log_are_one_line_each(caplog):
    sent = apprise_client.send("log://", Message("Database is DOWN", ("Error: a\x1b[2J", "b")))
    assert sent.status is SendStatus.SENT
    (line,) = [record.getMessage() for record in caplog.records if "alert:" in record.getMessage()]
    assert line.startswith("alert: Database is DOWN | Error: a")


def test_a_watcher_whose_checks_reach_nobody_starts_and_says_so_in_log_and_alerting(site, caplog):
    site.write()
    site.config.write_text(site.config.read_text().replace("[routes.critical]", "[routes.low]"))
    site.thread()
    wait_until(site.leader)
    fault = "a fault of database reaches nobody: no route for its severity"
    wait_until(lambda: fault in caplog.text)

    def seen():
        with site.store.reading() as connection:
            return outbox_status.read(connection, datetime.now(UTC))

    outbox = wait_until(lambda: (s := seen()).faults.unreachable and s)
    outcome = evaluate_outbox(outbox, datetime.now(UTC), timedelta(minutes=5))
    assert outcome.status is Status.DEGRADED
    assert outcome.message.startswith(fault)


# Whether people can be told right now

TWO = {
    "routes": {Severity.HIGH: RouteSettings(channels=("a", "b"))},
    "channels": {"a": {"fallback": "c"}, "b": {}, "c": {}}.items(),
}


@pytest.mark.parametrize(
    ("failing", "couriers", "count"),
    [
        ({}, {}, 0),
        ({"a": "no"}, {}, 0),
        ({"a": "no", "b": "no"}, {}, 0),
        ({"a": "no", "b": "no", "c": "no"}, {}, 1),
        ({"b": "no", "c": "no"}, {}, 0),
        ({"a": "no", "b": "no"}, {"c": "dead"}, 2),
        ({}, {"a": "dead"}, 1),
    ],
)
def test_a_route_whose_every_way_is_broken_is_a_fault(failing, couriers, count):
    found = vital_signs.find_faults(settings(**TWO), failing, couriers)
    assert len(found) == count
    unused = settings(check={"severity": Severity.LOW}, **TWO)
    assert len(vital_signs.find_faults(unused, failing, {})) == 0


@pytest.mark.deep
def test_the_heartbeat_says_down_while_no_channel_of_a_route_works_and_up_afterwards(site, kuma):
    site.with_heart(kuma)
    site.sink.answers(500)
    site.thread()
    wait_until(lambda: kuma.beats())
    site.outcome("unhealthy connection refused")
    said = wait_until(lambda: (b := kuma.beats()[-1])[0] == "down" and b)
    assert "no channel of [routes.critical] works" in said[1]
    site.sink.answers(200)
    wait_until(lambda: kuma.beats()[-1] == ("up", "OK"))


def test_the_heartbeat_says_down_while_a_courier_cannot_work(site, kuma, monkeypatch):
    def fails(self):
        raise OverflowError("no")

    monkeypatch.setattr(Courier, "_step", fails)
    site.with_heart(kuma).thread()
    site.outcome("unhealthy connection refused")
    said = wait_until(lambda: (b := kuma.beats()[-1:]) and b[0][0] == "down" and b[0])
    assert "the courier of channel telegram fails: OverflowError" in said[1]


def test_the_heartbeat_says_down_while_the_loop_hangs(site, kuma, monkeypatch):
    monkeypatch.setattr(vital_signs, "STUCK_AFTER", 0.5)
    site.with_heart(kuma).thread()
    wait_until(lambda: kuma.beats())
    with closing(sqlite3.connect(site.folder / "store.db", isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        said = wait_until(lambda: (b := kuma.beats()[-1])[0] == "down" and b)
    assert said[1] == "the watcher hangs"


@pytest.mark.deep
def test_the_heartbeat_says_down_while_no_check_reports(site, kuma, monkeypatch):
    monkeypatch.setattr(vital_signs, "_LEAST", 0.5)
    site.with_heart(kuma).thread()
    wait_until(lambda: kuma.beats())
    monkeypatch.setattr(_Loop, "_step", lambda *_: 1 / 0)
    said = wait_until(lambda: (b := kuma.beats()[-1])[0] == "down" and b)
    assert "no check reports" in said[1]


def test_alerting_is_unhealthy_by_a_fault_of_the_watcher_and_degraded_by_who_is_not_reached():
    def status(**faults):
        outbox = OutboxStatus(watcher="me", faults=WatcherFaults(**faults))
        return evaluate_outbox(outbox, NOW, timedelta(minutes=5)).status

    assert status() is Status.HEALTHY
    assert status(unreachable=("x",)) is Status.DEGRADED
    assert status(grave=("y",), unreachable=("x",)) is Status.UNHEALTHY


# Nobody looks any more


@pytest.mark.deep
@pytest.mark.parametrize("checks", [{}, {"a": (ScriptedCheck(), {"role": Role.ADVISORY})}])
def test_a_report_that_nobody_renews_is_unhealthy_whatever_its_checks_are(
    make_health, until, checks
):
    health = make_health(**checks)
    health.start()
    until(lambda: health.response().code == 200)
    health.stop()
    until(lambda: health.response().code == 503)
    for renderer in ("json", "health+json", "plain", "ready", "startup"):
        assert health.response(renderer).code == 503, renderer
        assert health.response(renderer, details=False).code == 503, renderer
    assert b"\nhealthkit_up 0\n" in health.response("prometheus").body
    assert health.response("live").code == 200, "the process answers"
