"""Time is handed in: what the runner, the courier and the heartbeat do in hours takes no time."""

import ast
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import parse_qs, urlsplit

import pytest

import healthkit
from healthkit import (
    SYSTEM_CLOCK,
    ChannelSettings,
    CheckInfo,
    Event,
    EventKind,
    Health,
    Outcome,
    ServiceSettings,
    Settings,
    Status,
    StoreSettings,
)
from healthkit._alerts.delivery import Courier
from healthkit._model.alerts import Delivery
from healthkit._model.checks import Service
from healthkit._runner import Runner
from healthkit._store import circuit_breakers, incidents, lease, outbox, outbox_status
from healthkit._store.database import Store
from healthkit._watcher.heartbeat import HeartbeatSender
from healthkit.testing import _WAKE, ManualClock, ScriptedCheck, configured, wait_until

SOURCES = Path(healthkit.__file__).parent
PURE = (
    "_model/checks.py",
    "_model/alerts.py",
    "_alerts/policy.py",
    "_alerts/routing.py",
    "_alerts/send_result.py",
    "_alerts/templates.py",
    "_config/references.py",
    "_config/validation.py",
    "_rendering.py",
    "errors.py",
    "masking.py",
)
"""Modules whose functions depend on their arguments alone."""
IMPURE_MODULES = {"os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid"}
IMPURE_CALLS = {"now", "utcnow", "today", "monotonic", "time_ns", "sleep", "open", "getenv"}
HOUR = 3600


def test_rules_read_no_clock_no_file_no_environment_and_no_chance():
    found = []
    for name in PURE:
        for node in ast.walk(ast.parse((SOURCES / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = [alias.name for alias in node.names]
                modules = [node.module] if isinstance(node, ast.ImportFrom) else named
                found += [f"{name}:{node.lineno} {m}" for m in modules if m in IMPURE_MODULES]
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                found += [f"{name}:{node.lineno} {called}()"] if called in IMPURE_CALLS else []
    assert found == []


def test_the_systems_clock_is_utc_and_its_monotonic_time_goes_on():
    assert abs(SYSTEM_CLOCK.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert SYSTEM_CLOCK.now().tzinfo is UTC
    before = SYSTEM_CLOCK.monotonic()
    SYSTEM_CLOCK.sleep(0.001)
    assert SYSTEM_CLOCK.monotonic() > before


def test_a_check_runs_once_in_each_interval_and_a_report_grows_stale(clock):
    check = ScriptedCheck()
    interval = {"interval": timedelta(hours=1), "timeout": timedelta(minutes=1)}
    settings = Settings(
        service=ServiceSettings(name="x"), checks=(configured("a", check, **interval),)
    )
    health = Health(settings, clock=clock)

    def settled(runs):
        """Nobody is at work any more: an hour later the run would have been too long."""
        result = health.report().result("a")
        told = result is not None and result.at == clock.now()
        return len(check.runs) == runs and told and clock.waiting()

    health.start()
    try:
        for hour in range(1, 24):
            wait_until(lambda hour=hour: settled(hour))
            clock.advance(HOUR)
        wait_until(lambda: settled(24))
    finally:
        health.stop()
    assert health.response().code == 200
    clock.advance(3 * HOUR)
    assert health.response().code == 503, "nobody has renewed it for three intervals"
    assert health.report().status is Status.HEALTHY


def event(clock):
    check = CheckInfo("a", "A")
    return Event(EventKind.DOWN, check, clock.now(), Outcome.unhealthy("gone"))


def test_a_channel_that_fails_is_tried_after_the_whole_pause_and_given_up_after_a_day(
    clock, tmp_path, http_sink
):
    http_sink.answers(503)
    store = Store(f"sqlite:///{tmp_path}/store.db")
    settings = Settings(
        service=ServiceSettings(name="x"),
        store=StoreSettings(url=f"sqlite:///{tmp_path}/store.db"),
        channels={"a": ChannelSettings(url=http_sink.url("/a", "json"))},
    )
    with store.transaction() as connection:
        epoch = lease.acquire(connection, "x/1/2 test", timedelta(days=30), clock.now())
        number = incidents.add_event(connection, event(clock))
        outbox.enqueue(connection, number, Delivery("a", clock.now()), clock.now())
    courier = Courier("a", settings, store, epoch, lambda: True, clock=clock, chance=lambda: 1.0)
    courier.start()

    def state():
        with store.reading() as connection:
            return circuit_breakers.get_state(connection, "a")

    def counts():
        with store.reading() as connection:
            return outbox_status.count_by_channel(connection)

    pauses = []
    for failures in range(1, 12):
        courier.wake()
        wait_until(lambda failures=failures: state().failures == failures)
        pauses.append((state().retry_at - clock.now()).total_seconds())
        clock.advance(pauses[-1])
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    clock.advance(24 * HOUR)
    courier.wake()
    wait_until(lambda: counts() == {("a", "dead"): 1})
    courier.stop()
    assert courier.join(60)
    store.close()


def test_the_heartbeat_goes_out_once_in_its_interval(clock, http_sink):
    sender = HeartbeatSender(http_sink.url("/push"), timedelta(hours=1), lambda: "", clock)
    sender.start()
    try:
        for hour in range(1, 6):
            wait_until(lambda hour=hour: len(http_sink.requests) == hour and clock.waiting())
            clock.advance(HOUR)
    finally:
        sender.stop()
    query = parse_qs(urlsplit(http_sink.requests[0].path).query)
    assert query == {"status": ["up"], "msg": ["OK"]}


class LateWake(SimpleQueue):
    """A queue whose reader is woken for the time in the moment in which it got an item."""

    def __init__(self, clock, *items):
        for item in items:
            self.put(item)
        self.clock = clock

    def get(self, *arguments, **options):
        item = super().get(*arguments, **options)
        if item == "first":
            self.clock.advance(10)
        return item


def test_a_wake_that_comes_beside_an_item_is_no_item_and_ends_no_later_wait(clock):
    queue = LateWake(clock, "first", "second")
    assert clock.receive(queue, 5) == "first"
    assert clock.receive(queue, 0) == "second"
    with pytest.raises(Empty):
        clock.receive(queue, 0)
    queue = LateWake(clock, "first")
    assert clock.receive(queue, 5) == "first"
    ended = threading.Event()
    waiter = threading.Thread(target=lambda: (suppressed(clock, queue), ended.set()))
    waiter.start()
    wait_until(lambda: queue.empty() and clock.waiting() == 1)
    assert not ended.is_set()
    clock.advance(5)
    waiter.join(60)
    assert ended.is_set()


def suppressed(clock, queue):
    with suppress(Empty):
        clock.receive(queue, 5)


def test_the_scheduler_takes_no_wake_for_a_result(caplog):
    class Clock(ManualClock):
        def receive(self, queue, timeout):
            item = super().receive(queue, timeout)
            queue.put(_WAKE)  # as `advance` does beside an item
            return item

    clock = Clock()
    checks = [(CheckInfo(name, name), ScriptedCheck()) for name in "abc"]
    runner = Runner(Service("x", "1", "test", "UTC"), checks, lambda _: None, clock=clock)
    runner.start()
    for runs in (1, 2, 3):
        wait_until(lambda runs=runs: all(len(check.runs) == runs for _, check in checks))
        wait_until(lambda: clock.waiting() == 1)
        clock.advance(3600)
    runner.stop()
    assert "scheduling the checks failed" not in caplog.text
